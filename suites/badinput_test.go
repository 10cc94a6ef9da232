package suites_test

import (
	"cmp"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/browser"
)

// A bad target, and what a run against it must say.
type bad struct {
	name   string
	target func(t *testing.T) suites.Target
	opts   suites.Options
	// wants are outcomes of checks and words that the row must hold: what was
	// seen, or why it was not judged.
	wants []want
	// problem and hint are words that the run's own must hold; "" wants none.
	problem, hint string
	exit          int
}

type want struct {
	id      string
	outcome reports.Outcome
	says    string
}

const (
	// impatience is how long the tests' runs wait for one request.
	impatience = 2 * time.Second
	// patience is how long a run may take, whatever the target does.
	patience = 30 * time.Second
)

// anyExit is an exit code that depends on what comes first.
const anyExit = -1

func TestBadPages(t *testing.T)           { runBad(t, badPages) }
func TestBadWebhooks(t *testing.T)        { runBad(t, badWebhooks) }
func TestBadEndpoints(t *testing.T)       { runBad(t, badEndpoints) }
func TestBadHooksWithTokens(t *testing.T) { runBad(t, badHooksWithTokens) }
func TestBadSetups(t *testing.T)          { runBad(t, badSetups) }

func runBad(t *testing.T, rows []bad) {
	requireBrowser(t)
	each(t, rows, func(row bad) string { return row.name }, func(t *testing.T, row bad) {
		target := row.target(t)
		o := row.opts
		o.Timeout = cmp.Or(o.Timeout, impatience)
		if o.BrowserPath == "" {
			o.Browser = sharedBrowser(t)
		}
		started := time.Now()
		run := suites.RunQuietly(t.Context(), target, o)
		row.judge(t, run, time.Since(started))
	})
}

func (row bad) judge(t *testing.T, run reports.Run, took time.Duration) {
	t.Helper()
	t.Logf("in %s, exit code %d\n  problem %s\n  hint    %s\n  %+v", took.Round(time.Millisecond), run.ExitCode, run.Problem, run.Hint, run.Summary)
	seen := map[string]bool{}
	for _, c := range run.Checks {
		if slices.Contains([]reports.Outcome{reports.Failed, reports.Warned, reports.Errored}, c.Outcome) && !seen[c.Actual+c.Reason] {
			seen[c.Actual+c.Reason] = true
			describe(t, c)
		}
	}
	for _, text := range [][2]string{{row.problem, run.Problem}, {row.hint, run.Hint}} {
		if want, got := text[0], text[1]; !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("the run says %q, want %q in it", got, want)
		}
	}
	for _, w := range row.wants {
		c := find(t, run, w.id)
		if c.Outcome != w.outcome || !strings.Contains(c.Actual+c.Reason+c.Fix, w.says) {
			t.Errorf("%s must be %s and say %q", w.id, w.outcome, w.says)
			describe(t, c)
		}
	}
	if run.ExitCode != row.exit && row.exit != anyExit {
		t.Errorf("exit code %d, want %d", run.ExitCode, row.exit)
	}
	if took > patience {
		t.Errorf("it took %s, more than %s", took, patience)
	}
}

// serve runs a handler on loopback until the test ends. Handlers that wait end
// with their request's context.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// nobodyHome is the URL of a port where nothing listens.
func nobodyHome(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return "http://" + l.Addr().String()
}

// hang reads the request and never answers.
func hang(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

const snippet = `<script id="kindly-chat" src="https://chat.kindlycdn.com/kindly-chat.js" data-bot-key="bot" async></script>`

// html is a page with a callback, Kindly's snippet and more.
func html(callback, more string) string {
	return `<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script>window.kindlyOptions = {getAuthToken: ` +
		callback + `}</script>` + snippet + more
}

// given is the callback of pages that are about something else: to a browser,
// it is a token.
const given = `(id) => "a.b.c"`

// page is a target whose page is served at every path.
func page(status int, body string) func(*testing.T) suites.Target {
	return pageFrom(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

func pageFrom(h http.HandlerFunc) func(*testing.T) suites.Target {
	return func(t *testing.T) suites.Target { return suites.Target{PageURL: serve(t, h) + "/"} }
}

// widget selects what is judged by opening the page once; hasty does not wait
// for a page that never comes, and lenient does for one that is much work.
var (
	widget  = suites.Options{Only: []string{"PAGE-WIDGET*", "PAGE-CALLBACK-T*"}}
	hasty   = suites.Options{Only: widget.Only, Timeout: time.Second}
	lenient = suites.Options{Only: widget.Only, Timeout: 6 * time.Second}
)

var badPages = []bad{
	{name: "nothing listens",
		target:  func(t *testing.T) suites.Target { return suites.Target{PageURL: nobodyHome(t) + "/"} },
		problem: "ERR_CONNECTION_REFUSED", hint: "Is it running?", exit: 2},
	{name: "its server answers 500",
		target: page(500, "<title>Oops</title>"), opts: widget, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, "status 500"}}},
	{name: "it has no widget",
		target: page(200, "<title>Shop</title>"), opts: widget, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, "no such element"}, {"PAGE-CALLBACK-TOKEN", reports.Skipped, "PAGE-WIDGET"}}},
	{name: "its script has another id",
		target: page(200, strings.Replace(html(given, ""), `id="kindly-chat"`, `id="chat"`, 1)), opts: widget, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, `the id "chat"`}}},
	{name: "its callback never settles",
		target: page(200, html(`() => new Promise(() => {})`, "")), opts: widget, exit: 1,
		wants: []want{{"PAGE-CALLBACK-TOKEN", reports.Failed, "not settled after 2s"}, {"PAGE-CALLBACK-TIME", reports.Warned, "not settled after 2s"}}},
	{name: "its callback throws",
		target: page(200, html(`() => { throw new Error("no session here") }`, "")), opts: widget, exit: 1,
		wants: []want{{"PAGE-CALLBACK-TOKEN", reports.Failed, "it threw: no session here"}}},
	{name: "its callback rejects",
		target: page(200, html(`async () => { throw new Error("no session here") }`, "")), opts: widget, exit: 1,
		wants: []want{{"PAGE-CALLBACK-TOKEN", reports.Failed, "rejected: no session here"}}},
	{name: "its server never answers",
		target: pageFrom(hang), opts: hasty, exit: 2,
		problem: "not done within 4s", hint: "--timeout"},
	{name: "its server sends half a document and stalls",
		target: pageFrom(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, html(given, "<p>and then"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}), opts: hasty, exit: 2, problem: "not done within 4s", hint: "--timeout"},
	{name: "it redirects to a login page",
		target: pageFrom(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, "/login?next=/", http.StatusFound)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<title>Please log in</title>")
		}), opts: widget, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, `("Please log in"), to which the page redirected`}}},
	{name: "it redirects for ever",
		target: pageFrom(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"a", http.StatusFound) }),
		opts:   widget, exit: 2, problem: "ERR_TOO_MANY_REDIRECTS", hint: "Open it"},
	{name: "it alerts for ever",
		target: page(200, html(given, `<script>for (;;) alert("hello")</script>`)), opts: hasty, exit: 2,
		problem: "not done within 4s", hint: "--timeout"},
	{name: "it computes for ever",
		target: page(200, html(given, `<script>for (;;);</script>`)), opts: hasty, exit: 2,
		problem: "not done within 4s", hint: "--timeout"},
	{name: "it computes for ever once it is loaded",
		target: page(200, html(given, `<script>onload = () => setTimeout(() => { for (;;); })</script>`)), opts: hasty, exit: 2,
		problem: "state: ", hint: "too busy"},
	{name: "it opens windows and does not want to be left",
		target: page(200, html(given, `<script>
			onbeforeunload = (e) => { e.preventDefault(); return "stay"; };
			setInterval(() => { open("/", "_blank"); confirm("stay?"); prompt("why?"); }, 50);
		</script>`)), opts: widget,
		wants: []want{{"PAGE-WIDGET", reports.Passed, ""}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}}},
	{name: "it is 20 MB long",
		target: page(200, html(given, strings.Repeat("<p>"+strings.Repeat("paragraph ", 1000), 20<<20/10000))), opts: lenient,
		wants: []want{{"PAGE-WIDGET", reports.Passed, ""}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}}},
	{name: "it reloads for ever",
		target: page(200, html(given, `<script>onload = () => { location.href = "/?" + Math.random() }</script>`)), opts: widget, exit: anyExit,
		wants: []want{{"PAGE-WIDGET-ONCE", reports.Warned, "times"}}}, // what else is seen depends on the moment
	{name: "it says much on the console",
		target: page(200, html(given, `<script>for (let i = 0; i < 3000; i++) console.log("line", i, {i})</script>`)), opts: lenient,
		wants: []want{{"PAGE-WIDGET", reports.Passed, ""}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}}},
	{name: "it does nothing but fill the console",
		target: page(200, html(given, `<script>setInterval(() => { for (let i = 0; i < 20000; i++) console.log("line", i, {i}) })</script>`)), opts: hasty,
		problem: "not done within 4s", hint: "too busy", exit: 2},
	{name: "its login form is another one",
		target: func(t *testing.T) suites.Target {
			target := page(200, html(given, `<form><input id="user"></form>`))(t)
			target.Login = &browser.Login{Steps: []browser.Step{{Goto: target.PageURL}, {Fill: []browser.Field{{Selector: "#email", Value: "ada@shop.example"}}}}}
			return target
		}, opts: hasty, exit: 2, problem: "login step 2: fill #email: no such element", hint: "page.login"},
}

// hookOf is a target that has nothing but a webhook.
func hookOf(h http.HandlerFunc) func(*testing.T) suites.Target {
	return func(t *testing.T) suites.Target { return hookAt(serve(t, h)) }
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

func hookAt(url string) suites.Target {
	return suites.Target{Webhooks: []suites.Webhook{{URL: "https://hooks.shop.example/kindly", ConnectTo: url, Secret: "not much of a secret"}}}
}

var badWebhooks = []bad{
	{name: "nothing listens",
		target:  func(t *testing.T) suites.Target { return hookAt(nobodyHome(t)) },
		problem: "could not be called", hint: "Is it running?", exit: 2},
	{name: "its name is unknown",
		target:  func(*testing.T) suites.Target { return hookAt("http://nowhere.invalid/") },
		problem: "could not be called", hint: "Is it running?", exit: 2},
	{name: "it never answers",
		target: hookOf(hang), exit: 1,
		wants: []want{
			{"HOOK-ANONYMOUS", reports.Failed, "timed out"}, {"RESP-STATUS", reports.Failed, "timed out"},
			{"RESP-TIME", reports.Skipped, "RESP-STATUS"}, {"SIG-WRONG", reports.Skipped, "RESP-STATUS"},
			{"RESP-ADDITIVE", reports.Skipped, "RESP-STATUS"}, {"LIVE-HOOK-BURST", reports.Skipped, "RESP-STATUS"},
			{"LIVE-HOOK-ABORT", reports.Skipped, "RESP-STATUS"}, {"FWD-HTTPS", reports.Passed, ""},
		}},
	{name: "it closes the connection",
		target: hookOf(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }), exit: 1,
		wants: []want{{"HOOK-ANONYMOUS", reports.Failed, "reset"}, {"LIVE-HOOK-BURST", reports.Skipped, "RESP-STATUS"}}},
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
		}), opts: suites.Options{Only: []string{"RESP"}}, exit: 1,
		wants: []want{{"RESP-JSON", reports.Failed, "no Accept-Encoding"}, {"RESP-FIELDS", reports.Skipped, "compressed"}}},
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
		wants: []want{{"RESP-JSON", reports.Failed, "HTML or XML"}, {"SIG-WRONG", reports.Failed, "accepted"}}},
}

// withHook is the sound customer with a webhook of its own, which sees the
// requests first, and says whether it has dealt with them.
func withHook(deals func(http.ResponseWriter, *http.Request) bool) func(*testing.T) suites.Target {
	return func(t *testing.T) suites.Target {
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
		opts: suites.Options{Timeout: time.Second},
		wants: []want{
			{"HOOK-VALID", reports.Failed, "timed out"}, {"HOOK-ANONYMOUS", reports.Failed, "timed out"},
			{"HOOK-ALG-NONE", reports.Skipped, "RESP-STATUS"}, {"HOOK-OTHER-CHAT", reports.Skipped, "RESP-STATUS"},
			{"HOOK-TOKEN-ECHO", reports.Skipped, "RESP-STATUS"}, {"LIVE-HOOK-BODY", reports.Skipped, "RESP-STATUS"},
			{"FWD-DELIVERED", reports.Failed, "timed out"}, {"TOK-SIGNATURE", reports.Passed, ""},
		}},
	{name: "it never answers requests with a token",
		target: withHook(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Authorization") == "" {
				return false
			}
			hang(w, r)
			return true
		}), opts: suites.Options{Timeout: time.Second}, exit: 1,
		wants: []want{
			{"HOOK-VALID", reports.Failed, "timed out"}, {"HOOK-ANONYMOUS", reports.Passed, ""},
			{"HOOK-ALG-NONE", reports.Skipped, "RESP-STATUS"}, {"RESP-STATUS", reports.Failed, "timed out"},
		}},
	{name: "it dies of a hostile body and does not come back",
		target: withHook(diesAt(func(r *http.Request) bool {
			return r.Header.Get(suites.HeaderCheck) == "LIVE-HOOK-BODY" && r.ContentLength == 0
		})),
		exit: 1, problem: "did not come back", hint: "Restart it",
		wants: []want{
			{"LIVE-HOOK-BODY", reports.Failed, "did not come back"}, {"LIVE-HOOK-BURST", reports.Errored, "died after"},
			{"HOOK-ALG-NONE", reports.Passed, ""}, {"LIVE-AUTH-BURST", reports.Passed, ""},
		}},
}

// endpointAt is a target that has nothing but a configured auth endpoint.
func endpointAt(url string) suites.Target {
	return suites.Target{Endpoint: &suites.EndpointConfig{URL: url, Header: http.Header{"Cookie": {"sid=0123456789"}}}}
}

func endpointOf(h http.HandlerFunc) func(*testing.T) suites.Target {
	return func(t *testing.T) suites.Target { return endpointAt(serve(t, h) + "/auth") }
}

var badEndpoints = []bad{
	{name: "nothing listens",
		target:  func(t *testing.T) suites.Target { return endpointAt(nobodyHome(t) + "/auth") },
		problem: "could not be called", hint: "Is it running", exit: 2},
	{name: "it never answers",
		target: endpointOf(hang), problem: "did not answer within 2s", hint: "--timeout", exit: 2},
	{name: "it wants a session that nobody gave",
		target: func(t *testing.T) suites.Target {
			target := endpointOf(sound)(t)
			target.Endpoint.Header = nil
			return target
		}, opts: suites.Options{Only: []string{"AUTH-POST-TOKEN", "AUTH-CORS-VARY"}}, exit: 1,
		wants: []want{{"AUTH-POST-TOKEN", reports.Failed, "--endpoint-header-file"}, {"AUTH-CORS-VARY", reports.Skipped, "no page was given"}}},
	{name: "it is not there", target: endpointOf(http.NotFound), exit: 1,
		wants: []want{{"AUTH-POST-TOKEN", reports.Failed, "status 404"}, {"TOK-ALG", reports.Skipped, "AUTH-POST-TOKEN"}}},
	{name: "it answers HTML",
		target: endpointOf(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!doctype html><title>Shop</title>") }), exit: 1,
		wants: []want{{"AUTH-POST-TOKEN", reports.Failed, "no JSON object"}, {"TOK-ALG", reports.Skipped, "AUTH-POST-TOKEN"}}},
	{name: "it redirects to the login page",
		target: endpointOf(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }), exit: 1,
		wants: []want{{"AUTH-POST-TOKEN", reports.Failed, "status 302 to /login"}, {"TOK-ALG", reports.Skipped, "AUTH-POST-TOKEN"}}},
	{name: "its URL is none",
		target:  func(*testing.T) suites.Target { return endpointAt("http://[::1/auth") },
		problem: "could not be called", hint: "is the URL right", exit: 2},
}

// reference is the sound customer, changed.
func reference(change func(*testing.T, *suites.Target)) func(*testing.T) suites.Target {
	return func(t *testing.T) suites.Target {
		target := start(t, fixtures.Options{})
		change(t, &target)
		return target
	}
}

var badSetups = []bad{
	{name: "the browser is not there",
		target: page(200, html(given, "")), opts: suites.Options{BrowserPath: "/no/such/chrome"}, exit: 2,
		problem: "/no/such/chrome", hint: "--browser"},
	{name: "the browser is none",
		target: page(200, html(given, "")), opts: suites.Options{BrowserPath: "/bin/false"}, exit: 2,
		problem: "/bin/false", hint: "--browser"},
	{name: "there is no public key",
		target: reference(func(_ *testing.T, target *suites.Target) { target.PublicKeys, target.PublicPEM = nil, nil }),
		opts:   suites.Options{Only: []string{"TOK", "FWD", "HOOK-VALID", "HOOK-OTHER-CHAT", "HOOK-WRONG-KEY"}},
		wants: []want{
			{"TOK-SIGNATURE", reports.Skipped, "public key"}, {"TOK-KEY-SIZE", reports.Skipped, "public key"},
			{"FWD-DELIVERED", reports.Skipped, "no public key was given"}, {"TOK-ALG", reports.Passed, ""},
			{"HOOK-VALID", reports.Passed, ""}, {"HOOK-OTHER-CHAT", reports.Passed, ""}, {"HOOK-WRONG-KEY", reports.Passed, ""},
		}},
	{name: "the public key is another one",
		target: reference(func(t *testing.T, target *suites.Target) {
			pair, err := customerKeys()
			if err != nil {
				t.Fatal(err)
			}
			other, err := token.ParsePublicKey("other.pem", pair.Public)
			if err != nil {
				t.Fatal(err)
			}
			target.PublicKeys, target.PublicPEM, target.PrivateKey = []*token.Key{other}, pair.Public, nil
		}),
		opts: suites.Options{Only: []string{"TOK-SIGNATURE", "FWD-DELIVERED", "HOOK-VALID"}}, exit: 1,
		wants: []want{{"TOK-SIGNATURE", reports.Failed, "another, unknown key signed it"}, {"FWD-DELIVERED", reports.Skipped, "TOK-SIGNATURE"}}},
}

func TestWebhookRedirectIsNotFollowed(t *testing.T) {
	var followed atomic.Int64
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	target := start(t, fixtures.Options{})
	target.Webhooks[0].ConnectTo = serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	o := options(t, target)
	o.Only, o.Timeout = []string{"FWD", "HOOK", "SIG"}, impatience
	run := suites.RunQuietly(t.Context(), target, o)
	if n := followed.Load(); n != 0 {
		t.Errorf("%d requests, perhaps with a token, followed the redirect", n)
	}
	bad{exit: 1, wants: []want{
		{"FWD-REDIRECT", reports.Failed, "status 307 to " + elsewhere},
		{"FWD-DELIVERED", reports.Failed, "status 307"}, {"HOOK-VALID", reports.Failed, "status 307"},
	}}.judge(t, run, 0)
}

func TestNothingToCheck(t *testing.T) {
	target := hookAt(nobodyHome(t))
	for _, row := range []struct {
		name    string
		target  suites.Target
		opts    suites.Options
		problem string
	}{
		{"no target", suites.Target{}, suites.Options{}, "nothing to check: give a page"},
		{"all that is selected is deselected", target, suites.Options{Only: []string{"HOOK-VALID"}, Skip: []string{"HOOK"}}, "leave no check"},
		{"only what the target does not offer", target, suites.Options{Only: []string{"PAGE"}}, "no page was given"},
		{"a typing error", target, suites.Options{Only: []string{"HOOK-VALLID"}}, "did you mean HOOK-VALID?"},
		{"a pattern that matches nothing", target, suites.Options{Skip: []string{"NOSUCH-*"}}, `"NOSUCH-*" selects no check`},
		{"an expected failure that is no check", target, suites.Options{ExpectedFailures: map[string]string{"HOOK-NOTHING": "x"}}, `"HOOK-NOTHING"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			run := suites.Run(t.Context(), row.target, row.opts)
			if run.ExitCode != 2 || !strings.Contains(run.Problem, row.problem) {
				t.Errorf("exit code %d, problem %q; want 2 and %q", run.ExitCode, run.Problem, row.problem)
			}
			if run.Schema == 0 || run.Tool.Name == "" || run.Started.IsZero() {
				t.Errorf("the run is empty: %+v", run)
			}
		})
	}
}
