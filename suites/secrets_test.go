package suites_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// leaky are the faults that put credentials where a report might quote them.
var leaky = []string{
	"token-in-console", "token-in-url", "token-in-local-storage", "token-in-cookie", "token-to-analytics",
	"private-key-in-script", "stack-trace-in-errors", "echoes-token",
}

func TestReportsHoldNoSecretsOfTheReferenceCustomer(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]string{"leaky": leaky, "session in the token": {"session-in-token"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handedOut := &recordingRand{}
			o := fixtures.Options{Rand: handedOut}
			for _, name := range faults {
				f, ok := fixtures.FaultByName(name)
				if !ok {
					t.Fatalf("there is no fault %q", name)
				}
				o.Faults = append(o.Faults, f)
			}
			target := start(t, o)
			all := reportsOf(t, target, options(t, target))
			all.lack(t, secretsOf(t, target))
			all.lack(t, handedOut.secrets())
		})
	}
}

// A recordingRand is crypto/rand, and remembers what it gave.
type recordingRand struct {
	mu    sync.Mutex
	given [][]byte
}

func (r *recordingRand) Read(b []byte) (int, error) {
	n, err := rand.Read(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given = append(r.given, bytes.Clone(b[:n]))
	return n, err
}

// secrets are the customer's passwords, webhook secrets and session ids: 12, 24
// and 32 bytes, in hex. What has 16 is public: a bot key, a nonce.
func (r *recordingRand) secrets() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]string{}
	for _, b := range r.given {
		if len(b) != 16 {
			out[hex.EncodeToString(b)] = fmt.Sprintf("a secret of %d bytes", len(b))
		}
	}
	return out
}

// secretsOf are the secrets that a run was given, and what they are.
func secretsOf(t *testing.T, target target.Target) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, l := range []*browser.Login{target.Login, target.Second} {
		for _, step := range l.Steps {
			for _, f := range step.Fill {
				out[f.Value] = "what is filled in at login"
			}
		}
	}
	for _, w := range target.Webhooks {
		out[w.Secret] = "the secret of the webhook"
	}
	if len(out) < 5 {
		t.Fatalf("only %d secrets are known", len(out))
	}
	return out
}

// A tap forwards connections to a server and keeps all that is said.
type tap struct {
	address string
	mu      sync.Mutex
	said    bytes.Buffer
}

func (s *tap) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(p)
}

func listenIn(t *testing.T, server string) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); l.Close(); running.Wait() })
	s := &tap{address: l.Addr().String()}
	running.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.forward(ctx, from, server) })
		}
	})
	return s
}

// forward copies both ways until either side ends.
func (s *tap) forward(ctx context.Context, from net.Conn, server string) {
	defer from.Close()
	to, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer to.Close()
	stop := context.AfterFunc(ctx, func() { from.Close(); to.Close() })
	defer stop()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			io.Copy(io.MultiWriter(s, way[1]), way[0])
			way[1].(*net.TCPConn).CloseWrite()
			ended <- struct{}{}
		}()
	}
	<-ended
	<-ended
}

var (
	setCookie = regexp.MustCompile(`(?i)\nSet-Cookie: \w+=([^;\s]+)`)
	hmacSent  = regexp.MustCompile(`(?i)\nKindly-HMAC: ([A-Za-z0-9+/]{43}=)`)
	signature = regexp.MustCompile(`\bey[\w-]+\.[\w-]+\.([\w-]{300,})`) // RS256 takes 342 characters
)

// secrets are the cookies, signatures and HMACs that went by.
func (s *tap) secrets(t *testing.T) map[string]string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for what, pattern := range map[string]*regexp.Regexp{"a cookie": setCookie, "an HMAC": hmacSent, "a token's signature": signature} {
		found := pattern.FindAllSubmatch(s.said.Bytes(), -1)
		if len(found) == 0 {
			t.Errorf("the tap heard no %s", what)
		}
		for _, m := range found {
			if len(m[1]) >= 8 {
				out[string(m[1])] = what
			}
		}
	}
	return out
}

// rendered are the reports of one run, by format.
type rendered map[string]string

// reportsOf runs everything and renders the result in every form.
func reportsOf(t *testing.T, target target.Target, o suites.Options) rendered {
	t.Helper()
	requireBrowser(t)
	run := suites.RunQuietly(t.Context(), target, o)
	if run.Summary.Passed < 50 {
		t.Fatalf("hardly anything was checked: %+v %s", run.Summary, run.Problem)
	}
	return rendering(t, target, run)
}

// rendering is a run in every form.
func rendering(t *testing.T, target target.Target, run reports.Run) rendered {
	t.Helper()
	out := rendered{}
	for _, format := range reports.Formats() {
		var b strings.Builder
		if err := reports.Write(&b, run, format); err != nil {
			t.Fatal(err)
		}
		out[string(format)] = b.String()
	}
	var b strings.Builder
	term := &reports.Terminal{W: &b, Verbose: true}
	term.Start(target.PageURL, len(run.Checks))
	for _, c := range run.Checks {
		term.Done(c)
	}
	if err := term.Finish(run); err != nil {
		t.Fatal(err)
	}
	out["terminal"] = b.String()
	return out
}

// credentials are what no report may show, whoever's they are.
var credentials = map[string]*regexp.Regexp{
	"a token with its signature": regexp.MustCompile(`\bey[\w-]{8,}\.[\w-]{2,}\.[\w-]{4,}`),
	"a private key":              regexp.MustCompile(`PRIVATE KEY-----(\s|\\r|\\n|&#\w+;)*[A-Za-z0-9+/]{20}`),
}

// lack fails where a report holds a secret, plainly or as it is encoded in a
// form, in Basic authorization, or in hex.
func (all rendered) lack(t *testing.T, secrets map[string]string) {
	t.Helper()
	for format, text := range all {
		for secret, what := range secrets {
			for _, form := range []string{
				secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(secret)),
			} {
				if i := strings.Index(text, form); i >= 0 {
					t.Errorf("%s holds %s: …%s…", format, what, text[max(0, i-200):min(len(text), i+len(form)+40)])
					break
				}
			}
		}
		for what, pattern := range credentials {
			if at := pattern.FindStringIndex(text); at != nil {
				t.Errorf("%s holds %s: …%s…", format, what, text[max(0, at[0]-300):min(len(text), at[1]+20)])
			}
		}
	}
}
