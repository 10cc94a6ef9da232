package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/widget"
)

// chromePath is the Chrome that all tests use; empty: the one that is found.
var chromePath = os.Getenv("KINDLYTEST_BROWSER")

// shared is one Chrome for the tests that need no Chrome of their own.
var shared = sync.OnceValues(func() (*browser.Browser, error) {
	return browser.Launch(context.Background(), browser.Options{Path: chromePath, UserAgentSuffix: "kindlytest/test"})
})

func TestMain(m *testing.M) {
	code := m.Run()
	if b, err := shared(); err == nil {
		if err := b.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "closing Chrome:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// needChrome skips the test where there is no Chrome, unless that is not allowed.
func needChrome(t testing.TB) {
	t.Helper()
	_, err := browser.Find()
	if err == nil || chromePath != "" {
		return
	}
	if os.Getenv("KINDLYTEST_REQUIRE_BROWSER") == "1" {
		t.Fatal(err)
	}
	t.Skip("SKIPPED, nothing was tested: ", err)
}

func chrome(t testing.TB) *browser.Browser {
	t.Helper()
	needChrome(t)
	b, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func withTimeout(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newUser(t testing.TB, b *browser.Browser, l browser.Login) *browser.User {
	t.Helper()
	u, err := b.NewUser(withTimeout(t), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

// visit opens a page as a fresh user and waits until it is quiet.
func visit(t testing.TB, url string, kindly http.Handler) *browser.Page {
	t.Helper()
	return visitAs(t, newUser(t, chrome(t), browser.Login{}), url, kindly)
}

func visitAs(t testing.TB, u *browser.User, url string, kindly http.Handler) *browser.Page {
	t.Helper()
	ctx := withTimeout(t)
	p, err := u.Visit(ctx, url, kindly)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	p.Settle(ctx)
	return p
}

// site is a server whose pages are given as path → HTML, and whose other
// handlers are given as pattern → handler.
type site struct {
	*httptest.Server
	mux *http.ServeMux
}

func newSite(t testing.TB, pages map[string]string) *site {
	t.Helper()
	s := &site{mux: http.NewServeMux()}
	s.Server = httptest.NewServer(s.mux)
	t.Cleanup(s.Close)
	s.mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for path, html := range pages {
		s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { writeHTML(w, html) })
	}
	return s
}

func writeHTML(w http.ResponseWriter, html string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, "<!doctype html><title>Test page</title><link rel=icon href=data:,>"+html)
}

// elsewhere is the site's URL under another host name: another site to Chrome.
func (s *site) elsewhere() string { return strings.Replace(s.URL, "127.0.0.1", "localhost", 1) }

func find(t testing.TB, rec browser.Record, method, urlPart string) browser.Request {
	t.Helper()
	for _, q := range rec.Requests {
		if q.Method == method && strings.Contains(q.URL, urlPart) {
			return q
		}
	}
	t.Fatalf("no %s request for %q in %v", method, urlPart, rec.Requests)
	return browser.Request{}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("did not happen within 10 s: %s", what)
}

// stubKindly speaks the widget's side of the mock's API, and keeps what it got.
type stubKindly struct {
	mu      sync.Mutex
	calls   []stubCall
	expires func(n int) time.Time // of the n-th token
	refuse  bool
	replies string // JSON
	hints   string // more members of the answer to a new chat, JSON
	renew   string // and to a token
	more    string // and to a message
	tokens  int
	chats   int
}

type stubCall struct {
	Path string
	Body map[string]any
	Head http.Header
	At   time.Time
}

const chatID = "7d9f2c4e-0000-4000-8000-00000000000"

func (k *stubKindly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	switch r.URL.Path {
	case "/kindly-chat.js", "/kindly-chat-pure.js":
		w.Header().Set("Content-Type", widget.ContentType)
		if r.URL.Path == "/kindly-chat.js" {
			w.Write(widget.Script(nil))
		} else {
			w.Write(widget.Pure(nil))
		}
		return
	}
	raw, _ := io.ReadAll(r.Body)
	call := stubCall{Path: r.URL.Path, Head: r.Header, At: time.Now()}
	if err := json.Unmarshal(raw, &call.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, call)
	k.answer(w, call)
}

func (k *stubKindly) answer(w http.ResponseWriter, c stubCall) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case c.Path == "/mock/v1/chats":
		k.chats++
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id":"%s%d"%s}`, chatID, k.chats, k.hints)
	case strings.HasSuffix(c.Path, "/token") && k.refuse:
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		io.WriteString(w, `{"type":"about:blank","title":"refused","status":422,"violations":[]}`)
	case strings.HasSuffix(c.Path, "/token"):
		k.tokens++
		expires := time.Now().Add(15 * time.Minute)
		if k.expires != nil {
			expires = k.expires(k.tokens)
		}
		fmt.Fprintf(w, `{"authenticated":true,"user":{"name":"Ada Lovelace","sub":"u1"},"expires":%q%s}`, expires.UTC().Format(time.RFC3339Nano), k.renew)
	case strings.HasSuffix(c.Path, "/messages"):
		fmt.Fprintf(w, `{"replies":[%s]%s}`, k.replies, k.more)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (k *stubKindly) all(suffix string) []stubCall {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Collect(func(yield func(stubCall) bool) {
		for _, c := range k.calls {
			if strings.HasSuffix(c.Path, suffix) && !yield(c) {
				return
			}
		}
	})
}

// settled is the report on the n-th settled callback.
func (k *stubKindly) settled(t testing.TB, n int) map[string]any {
	t.Helper()
	var found map[string]any
	eventually(t, fmt.Sprintf("callback %d settles", n), func() bool {
		i := 0
		for _, c := range k.all("/callbacks") {
			if c.Body["phase"] == "settled" {
				if i++; i == n {
					found = c.Body
				}
			}
		}
		return found != nil
	})
	return found
}

func errorAs[E error](t testing.TB, err error) E {
	t.Helper()
	var e E
	if !errors.As(err, &e) {
		t.Fatalf("error is %T (%v), want %T", err, err, e)
	}
	return e
}
