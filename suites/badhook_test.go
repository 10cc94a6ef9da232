package suites_test

import (
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/target"
)

// hookOf is a target that has nothing but a webhook.
func hookOf(h http.HandlerFunc) func(*testing.T) target.Target {
	return func(t *testing.T) target.Target { return hookAt(serve(t, h)) }
}

// reset breaks the connection off without an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

func hookAt(url string) target.Target {
	return target.Target{Webhooks: []target.Webhook{{URL: "https://hooks.shop.example/kindly", ConnectTo: url, Secret: "not much of a secret"}}}
}

var badWebhooks = []bad{
	{name: "nothing listens",
		target:  func(t *testing.T) target.Target { return hookAt(nobodyHome) },
		problem: "could not be called", hint: "Is it running?", exit: 2},
	{name: "its name is unknown",
		target:  func(*testing.T) target.Target { return hookAt("http://nowhere.invalid/") },
		problem: "could not be called", hint: "--resolve HOST=ADDRESS", exit: 2},
	{name: "it never answers",
		target: hookOf(hang), exit: 1, problem: incomplete,
		wants: []want{
			{"RESP-STATUS", reports.Failed, "timed out"}, {"HOOK-ANONYMOUS", reports.Skipped, "RESP-STATUS"}, {"HOOK-ERROR-LEAK", reports.Skipped, "RESP-STATUS"},
			{"RESP-TIME", reports.Skipped, "RESP-STATUS"}, {"SIG-WRONG", reports.Skipped, "RESP-STATUS"},
			{"RESP-ADDITIVE", reports.Skipped, "RESP-STATUS"}, {"LIVE-HOOK-BURST", reports.Skipped, "RESP-STATUS"},
			{"LIVE-HOOK-ABORT", reports.Skipped, "RESP-STATUS"}, {"FWD-HTTPS", reports.Passed, ""},
		}},
	{name: "it closes the connection",
		target: hookOf(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }), exit: 1,
		problem: incomplete,
		wants:   []want{{"RESP-STATUS", reports.Failed, "reset"}, {"HOOK-ANONYMOUS", reports.Skipped, "RESP-STATUS"}, {"LIVE-HOOK-BURST", reports.Skipped, "RESP-STATUS"}}},
	{name: "it dies in the midst of several requests, and does not come back", // none of them can be called the culprit
		target: hookOf(diesInCompany("SIG-WRONG", "SIG-BODY", "SIG-ALGORITHM")),
		opts:   suites.Options{Only: []string{"SIG", "LIVE-PROCESS"}}, exit: 2, problem: "did not come back", hint: "Restart it",
		wants: []want{
			{"SIG-WRONG", reports.Errored, "is down"}, {"SIG-BODY", reports.Errored, "is down"}, {"SIG-ALGORITHM", reports.Errored, "is down"},
			{"LIVE-PROCESS", reports.Warned, "SIG-BODY"},
		}},
	{name: "its answer has no end",
		target: hookOf(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"reply":"`)
			chunk := []byte(strings.Repeat("a", 64<<10))
			for r.Context().Err() == nil {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}), opts: suites.Options{Only: []string{"RESP"}}, exit: 1,
		wants: []want{{"RESP-JSON", reports.Failed, "longer than"}}},
	{name: "its answer drips for ever",
		target: hookOf(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			for r.Context().Err() == nil {
				io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(100 * time.Millisecond)
			}
		}), opts: suites.Options{Only: []string{"RESP"}}, exit: 1,
		wants: []want{{"RESP-STATUS", reports.Failed, "timed out"}}},
	{name: "it hangs up on long headers",
		target: hookOf(func(w http.ResponseWriter, r *http.Request) {
			if len(r.Header.Get("Authorization")) > 16<<10 {
				reset(w)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"reply":"Hello"}`)
		}), opts: suites.Options{Only: []string{"HOOK-GARBAGE"}},
		wants: []want{{"HOOK-GARBAGE", reports.Passed, ""}}},
	{name: "its signatures are decoded by a lenient decoder",
		target: hookOf(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mac := hmac.New(sha256.New, []byte("not much of a secret"))
			mac.Write(body)
			// As Node's Buffer.from(text, "base64") does.
			text, _, _ := strings.Cut(strings.NewReplacer("-", "+", "_", "/").Replace(r.Header.Get("Kindly-HMAC")), "=")
			given, err := base64.RawStdEncoding.DecodeString(text)
			if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"reply":"Hello"}`)
		}), opts: suites.Options{Only: []string{"SIG-ENCODING"}},
		wants: []want{{"SIG-ENCODING", reports.Warned, "Nobody can make this without the secret"}}},
	{name: "it compresses unasked",
		target: hookOf(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, `{"reply":"Hello"}`)
			z.Close()
		}), opts: suites.Options{Only: []string{"RESP"}},
		wants: []want{{"RESP-JSON", reports.Informed, "no Accept-Encoding"}, {"RESP-FIELDS", reports.Passed, ""}}},
	{name: "it answers 204",
		target: hookOf(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		opts:   suites.Options{Only: []string{"RESP-STATUS"}}, exit: 1,
		wants: []want{{"RESP-STATUS", reports.Failed, "authenticated: {status: [204]}"}}},
	{name: "it redirects with a broken Location",
		target: hookOf(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://[::1:%zz/")
			w.WriteHeader(http.StatusFound)
		}), opts: suites.Options{Only: []string{"FWD", "RESP-STATUS"}}, exit: 1,
		wants: []want{{"FWD-REDIRECT", reports.Failed, "status 302"}}},
	{name: "it answers no JSON",
		target: hookOf(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>\x00\xff\x1b[2J it works!") }),
		opts:   suites.Options{Only: []string{"RESP", "SIG"}}, exit: 1,
		wants: []want{{"RESP-JSON", reports.Failed, "HTML or XML"}, {"SIG-WRONG", reports.Skipped, "RESP-JSON"}}},
}

// withHook is the sound customer with a webhook of its own, which sees the
// requests first, and says whether it has dealt with them.
func withHook(deals func(http.ResponseWriter, *http.Request) bool) func(*testing.T) target.Target {
	return func(t *testing.T) target.Target {
		target := start(t, fixtures.Options{})
		local, err := url.Parse(target.Webhooks[0].ConnectTo)
		if err != nil {
			t.Fatal(err)
		}
		sound := &httputil.ReverseProxy{
			Rewrite:  func(r *httputil.ProxyRequest) { r.Out.URL, r.Out.Host = local, local.Host },
			ErrorLog: log.New(io.Discard, "", 0), // of clients that hang up
		}
		target.Webhooks = target.Webhooks[:1]
		target.Webhooks[0].ConnectTo = serve(t, func(w http.ResponseWriter, r *http.Request) {
			if !deals(w, r) {
				sound.ServeHTTP(w, r)
			}
		})
		return target
	}
}

// diesInCompany is a sound webhook that drops every connection from when each of some
// checks has a request there.
func diesInCompany(checks ...string) http.HandlerFunc {
	var mu sync.Mutex
	there, dead := map[string]bool{}, make(chan struct{})
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		select {
		case <-dead:
			panic(http.ErrAbortHandler)
		default:
		}
		if check := r.Header.Get(service.HeaderCheck); slices.Contains(checks, check) {
			mu.Lock()
			there[check] = true
			if len(there) == len(checks) {
				close(dead)
			}
			mu.Unlock()
			<-dead
			panic(http.ErrAbortHandler)
		}
		mac, algorithm := webhook.Signature(r.Header)
		if err != nil || algorithm != webhook.Algorithm || !webhook.Verify("not much of a secret", body, mac) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"reply": "hello"}`)
	}
}

// diesAt is a service that drops every connection from one request on.
func diesAt(culprit func(*http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	var dead atomic.Bool
	return func(_ http.ResponseWriter, r *http.Request) bool {
		if culprit(r) {
			dead.Store(true)
		}
		if dead.Load() {
			panic(http.ErrAbortHandler)
		}
		return false
	}
}

var badHooksWithTokens = []bad{
	{name: "it never answers",
		target: withHook(func(w http.ResponseWriter, r *http.Request) bool { hang(w, r); return true }), exit: 1,
		problem: incomplete,
		wants: []want{
			{"RESP-STATUS", reports.Failed, "timed out"}, {"HOOK-VALID", reports.Skipped, "RESP-STATUS"}, {"HOOK-ANONYMOUS", reports.Skipped, "RESP-STATUS"},
			{"HOOK-ALG-NONE", reports.Skipped, "RESP-STATUS"}, {"HOOK-OTHER-CHAT", reports.Skipped, "RESP-STATUS"},
			{"HOOK-TOKEN-ECHO", reports.Skipped, "RESP-STATUS"}, {"LIVE-HOOK-BODY", reports.Skipped, "RESP-STATUS"},
			{"FWD-DELIVERED", reports.Skipped, "RESP-STATUS"}, {"TOK-SIGNATURE", reports.Passed, ""},
		}},
	{name: "it never answers requests with a token",
		target: withHook(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Authorization") == "" {
				return false
			}
			hang(w, r)
			return true
		}), exit: 1, problem: incomplete,
		wants: []want{
			{"HOOK-VALID", reports.Failed, "timed out"}, {"HOOK-ANONYMOUS", reports.Passed, ""},
			{"HOOK-ALG-NONE", reports.Skipped, "HOOK-VALID"}, {"RESP-STATUS", reports.Passed, "to a stranger"},
		}},
	{name: "it dies of a hostile body and does not come back",
		target: withHook(diesAt(func(r *http.Request) bool {
			return r.Header.Get(service.HeaderCheck) == "LIVE-HOOK-BODY" && r.ContentLength == 0
		})),
		exit: 1, problem: "did not come back", hint: "Restart it",
		wants: []want{
			{"LIVE-HOOK-BODY", reports.Failed, "did not come back"}, {"LIVE-HOOK-BURST", reports.Errored, "did not come back"}, {"LIVE-HOOK-ABORT", reports.Errored, "did not come back"}, {"LIVE-PROCESS", reports.Failed, "LIVE-HOOK-BODY"},
			{"HOOK-ALG-NONE", reports.Passed, ""}, {"LIVE-AUTH-BURST", reports.Passed, ""},
		}},
}

// A server may serve several hosts at one port, and know each by its name alone: the
// webhook's is the public URL's, whatever machine connect_to leads to.
func TestAWebhookBehindItsPublicHostIsSound(t *testing.T) {
	t.Parallel()
	h := plain()
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Host == "hook1.shop.example" {
			return false
		}
		http.NotFound(w, r)
		return true
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"RESP-*", "SIG-*", "HOOK-VALID", "HOOK-WRONG-KEY", "FWD-DELIVERED"}, Skip: []string{"SIG-UNCHECKED"}})
	if ids := failed(run); len(ids) > 0 || find(t, run, "HOOK-VALID").Outcome != reports.Passed {
		t.Errorf("failed: %v", ids)
	}
	if told := toldOf(t, run); !strings.Contains(told, "by the host of its public URL, hook1.shop.example") {
		t.Errorf("it is not told how the webhook is called:\n%s", told)
	}
}
