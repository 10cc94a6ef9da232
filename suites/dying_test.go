package suites_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/porttest"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// A dying program is a process of its own in front of a sound customer: this test
// binary, started again. It dies in one way, and whoever looks after it starts it
// again a moment later.

// What tells the program how to die, where to listen, and who is behind it.
const (
	dyingEnv = "KINDLYTEST_TEST_DYING"
	frontEnv = "KINDLYTEST_TEST_FRONT"
	pageEnv  = "KINDLYTEST_TEST_PAGE"
	hooksEnv = "KINDLYTEST_TEST_HOOKS"
	keyEnv   = "KINDLYTEST_TEST_KEY" // a public one
)

// A wayToDie is what ends the process. It returns true to die at once, without an
// answer; later is called to die after it.
type wayToDie struct {
	name, text string
	// because are the checks that may be blamed: each sends what kills it.
	because []string
	// forgets says that sessions are lost with the process.
	forgets bool
	// fails says that a session that is lost, or invented, ends in an error.
	fails bool
	dies  func(r *http.Request, body []byte, later func()) bool
}

var waysToDie = []wayToDie{
	{name: "throws", text: "The handler throws on a body that is no JSON, and the error ends the process.",
		because: []string{"AUTH-BODY-MALFORMED", "LIVE-AUTH-BODY", "LIVE-HOOK-BODY"},
		dies: func(r *http.Request, body []byte, _ func()) bool {
			return r.Method == http.MethodPost && len(body) > 0 && r.URL.Path != "/login" && !json.Valid(body)
		}},
	{name: "rejects later", text: "A field that is not known is looked up after the answer; the rejection is not caught, and ends the process.",
		because: []string{"RESP-ADDITIVE"},
		dies: func(r *http.Request, body []byte, later func()) bool {
			if bytes.Contains(body, []byte(`"another_new_field"`)) {
				later()
			}
			return false
		}},
	{name: "null origin", text: "new URL(origin) throws on the origin null, and the error ends the process.",
		because: []string{"AUTH-CORS-FOREIGN"},
		dies:    func(r *http.Request, _ []byte, _ func()) bool { return r.Header.Get("Origin") == "null" }},
	{name: "no session", text: "The session is taken for granted: reading it without one ends the process.",
		because: []string{"AUTH-NO-SESSION", "AUTH-CORS-FOREIGN", "AUTH-CSRF", "AUTH-BAD-SESSION"},
		dies: func(r *http.Request, _ []byte, _ func()) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/token") && r.Header.Get("Cookie") == ""
		}},
	{name: "verify", text: "What verifies tokens throws on one that can't be parsed, outside of any try, and the error ends the process.",
		because: []string{"HOOK-GARBAGE", "HOOK-SEGMENTS", "HOOK-SCHEME", "HOOK-ALG-MALFORMED", "LIVE-HOOK-HEADERS", "HOOK-ERROR-LEAK", "HOOK-SIGNATURE", "HOOK-ALG-NONE"},
		dies: func(r *http.Request, _ []byte, _ func()) bool {
			token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			return bearer && strings.HasPrefix(r.URL.Path, "/hooks/") && !parses(token)
		}},
	{name: "forgets", text: "It dies on the origin null, and the sessions, which are in memory, are lost with it.",
		because: []string{"AUTH-CORS-FOREIGN"}, forgets: true,
		dies: func(r *http.Request, _ []byte, _ func()) bool { return r.Header.Get("Origin") == "null" }},
}

// soundWays are programs that die of nothing that is sent to them.
var soundWays = []wayToDie{
	{name: "restarted", text: "The process is restarted in the middle of the run.", dies: func(*http.Request, []byte, func()) bool { return false }},
	{name: "restarted and forgets", text: "The process is restarted in the middle of the run, and the sessions, which are in memory, are lost with it.", forgets: true,
		dies: func(*http.Request, []byte, func()) bool { return false }},
}

// unverified is a webhook that catches nothing of what verifying a token throws.
var unverified = wayToDie{name: "unverified", text: "What verifies tokens throws on each that does not verify, outside of any try, and the error ends the process.",
	dies: func(r *http.Request, _ []byte, _ func()) bool {
		raw, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		key, err := token.ParsePublicKey("key", []byte(os.Getenv(keyEnv)))
		return bearer && strings.HasPrefix(r.URL.Path, "/hooks/") && (err != nil || token.Check(token.Raw(raw), token.Expect{Keys: []*token.Key{key}}).SignedBy == nil)
	}}

// unverifiedButNone is the same, and does not verify what says that it need not be.
var unverifiedButNone = wayToDie{name: "unverified but none", dies: func(r *http.Request, body []byte, later func()) bool {
	raw, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	t, err := token.Decode(token.Raw(raw))
	return !(err == nil && t.Algorithm() == "none" && strings.HasSuffix(raw, ".")) && unverified.dies(r, body, later)
}}

// strangers is a webhook that takes a token for granted: what every probe begins with
// ends its process.
var strangers = wayToDie{name: "strangers", text: "Authorization is taken for granted: reading it where there is none ends the process.",
	dies: func(r *http.Request, _ []byte, _ func()) bool {
		return strings.HasPrefix(r.URL.Path, "/hooks/") && r.Header.Get("Authorization") == ""
	}}

// everyRequest is a webhook that ends at each request.
var everyRequest = wayToDie{name: "every request", dies: func(r *http.Request, _ []byte, _ func()) bool { return strings.HasPrefix(r.URL.Path, "/hooks/") }}

// forgetsAndFails takes it for granted that each session has its user.
var forgetsAndFails = wayToDie{name: "forgets and fails", forgets: true, fails: true, dies: func(r *http.Request, _ []byte, _ func()) bool { return r.Header.Get("Origin") == "null" }}

// parses says whether a token's first two segments are JSON in base64url.
func parses(token string) bool {
	segments := strings.Split(token, ".")
	if len(segments) != 3 {
		return false
	}
	for _, s := range segments[:2] {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
		if err != nil || !json.Valid(raw) {
			return false
		}
	}
	return true
}

// dying is the program. It returns the exit code.
func dying(name string) int {
	var way wayToDie
	for _, w := range slices.Concat(waysToDie, soundWays, []wayToDie{unverified, unverifiedButNone, strangers, everyRequest, forgetsAndFails}) {
		if w.name == name {
			way = w
		}
	}
	l, err := net.Listen("tcp4", os.Getenv(frontEnv))
	if err != nil || way.dies == nil {
		fmt.Fprintln(os.Stderr, name, err)
		return 2
	}
	page, hooks := behind(pageEnv), behind(hooksEnv)
	generation := strconv.FormatUint(rand.Uint64(), 36)
	die := func() { os.Exit(1) }
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 8<<20))
		if err == nil && way.dies(r, body, func() { time.AfterFunc(30*time.Millisecond, die) }) {
			die()
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		to := page
		if strings.HasPrefix(r.URL.Path, "/hooks/") {
			to = hooks
		} else if way.forgets {
			if lost := remember(r, generation); lost && way.fails {
				http.Error(w, "undefined is no user", http.StatusInternalServerError)
				return
			}
			w = &forgetful{w, generation}
		}
		to.ServeHTTP(w, r)
	})
	err = (&http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}).Serve(l)
	fmt.Fprintln(os.Stderr, name, err)
	return 2
}

// behind is the server that the program stands before.
func behind(env string) http.Handler {
	u := &url.URL{Scheme: "http", Host: os.Getenv(env)}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(u)
		r.Out.Host = r.In.Host
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
			if v, ok := r.In.Header[name]; ok {
				r.Out.Header[name] = v
			}
		}
	}}
}

// remember takes cookies away that were given by an earlier process, and says whether
// there were some.
func remember(r *http.Request, generation string) (lost bool) {
	cookies := r.Cookies()
	r.Header.Del("Cookie")
	for _, c := range cookies {
		if value, known := strings.CutSuffix(c.Value, "-"+generation); known {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: value})
		} else {
			lost = true
		}
	}
	return lost
}

// forgetful marks the cookies that this process gives.
type forgetful struct {
	http.ResponseWriter
	generation string
}

func (f *forgetful) WriteHeader(status int) {
	for i, c := range f.Header()["Set-Cookie"] {
		pair, rest, _ := strings.Cut(c, ";")
		f.Header()["Set-Cookie"][i] = pair + "-" + f.generation + ";" + rest
	}
	f.ResponseWriter.WriteHeader(status)
}

func (f *forgetful) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// A front is a listener whose customer believes to be at another port: that of
// the program before it.
type front struct {
	net.Listener
	port int
}

func (f front) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: f.port} }

// startDying serves a sound customer behind a program that dies, and returns what
// ends the process as it is.
func startDying(t *testing.T, way wayToDie, faults ...fixtures.Fault) (*fixtures.Customer, func()) {
	t.Helper()
	port := porttest.Free(t)
	var behind []string // page, API, webhooks
	_, customer := startReference(t, fixtures.Options{Faults: faults, Listen: func(ctx context.Context) (net.Listener, error) {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		if behind = append(behind, l.Addr().String()); len(behind) == 2 {
			return l, nil
		}
		return front{l, port}, nil
	}})
	address := "127.0.0.1:" + strconv.Itoa(port)
	end := supervise(t, address, dyingEnv+"="+way.name, frontEnv+"="+address, pageEnv+"="+behind[0], hooksEnv+"="+behind[2], keyEnv+"="+string(customer.PublicPEM))
	return customer, end
}

// supervise keeps the program running until the test ends, and waits until it
// answers. What it returns ends the process as it is.
func supervise(t *testing.T, address string, env ...string) (end func()) {
	t.Helper()
	var now atomic.Pointer[os.Process]
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	t.Cleanup(func() { stop(); done.Wait() })
	done.Go(func() {
		for ctx.Err() == nil {
			cmd := exec.CommandContext(ctx, os.Args[0])
			cmd.Env = append(os.Environ(), env...)
			if cmd.Start() == nil {
				now.Store(cmd.Process)
				_ = cmd.Wait() // it is meant to die
			}
			select {
			case <-ctx.Done():
			case <-time.After(300*time.Millisecond + time.Duration(rand.IntN(200))*time.Millisecond):
			}
		}
	})
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp4", address); err == nil {
			c.Close()
			return func() {
				if p := now.Load(); p != nil {
					_ = p.Kill() // or it has died already
				}
			}
		}
	}
	t.Fatal("the program does not answer")
	return nil
}
