package suites_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

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
func page(status int, body string) func(*testing.T) target.Target {
	return pageFrom(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

func pageFrom(h http.HandlerFunc) func(*testing.T) target.Target {
	return func(t *testing.T) target.Target { return target.Target{PageURL: serve(t, h) + "/"} }
}

// asksFor401 is a gate that asks for an authorization.
func asksFor401(challenge string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// widget selects what is judged by opening the page once; hasty does not wait
// long, hopeless not at all for a page that never comes, and lenient does for one
// that is much work.
var (
	widget   = suites.Options{Only: []string{"PAGE-WIDGET*", "PAGE-CALLBACK-T*"}}
	hasty    = suites.Options{Only: widget.Only, Timeout: time.Second}
	hopeless = suites.Options{Only: widget.Only, Timeout: 250 * time.Millisecond}
	lenient  = suites.Options{Only: widget.Only, Timeout: 6 * time.Second}
)

var badPages = []bad{
	{name: "nothing listens",
		target:  func(t *testing.T) target.Target { return target.Target{PageURL: nobodyHome + "/"} },
		problem: "ERR_CONNECTION_REFUSED", hint: "Is it running?", exit: 2},
	{name: "its server answers 500",
		target: page(500, "<title>Oops</title>"), opts: widget, exit: 2, problem: "answers 500 Internal Server Error (\"Oops\")", hint: "right address",
		wants: []want{{"PAGE-WIDGET", reports.Errored, "answers 500"}}},
	{name: "a gate asks for a password",
		target: pageFrom(asksFor401(`Basic realm="staging"`)), opts: widget, exit: 2, problem: "answers 401 Unauthorized", hint: "basic: {user: …, password: …}"},
	{name: "a gate asks for what nobody speaks here",
		target: pageFrom(asksFor401(`Digest realm="staging", nonce="7f"`)), opts: widget, exit: 2, problem: "answers 401 Unauthorized", hint: "asks for Digest authorization, which kindlytest does not speak"},
	{name: "a tunnel warns of itself in its place",
		target: page(200, `<title>ngrok</title><noscript>ERR_NGROK_6024</noscript>`), opts: hasty, exit: 2, problem: "is ngrok, with its warning", hint: "ngrok-skip-browser-warning"},
	{name: "it is in maintenance, and says when to come again",
		target: pageFrom(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			says(503, "text/html", `<title>Service Unavailable</title><div>503</div>`)(w, nil)
		}), opts: hasty, exit: 2, problem: "maintenance mode", hint: "artisan up"},
	{name: "it is not there",
		target: page(404, "<title>Not found</title>"), opts: widget, exit: 2, problem: "answers 404 Not Found (\"Not found\")", hint: "right address",
		wants: []want{{"PAGE-WIDGET", reports.Errored, "answers 404"}, {"PAGE-CALLBACK-TOKEN", reports.Errored, "answers 404"}}},
	{name: "it has the chat on an error page", // as single-page apps on static hosts have
		target: page(404, html(given, "")), opts: widget,
		wants: []want{{"PAGE-WIDGET", reports.Passed, ""}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}}},
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
		target: pageFrom(hang), opts: hopeless, exit: 2,
		problem: "not done within 1s", hint: "--timeout"},
	{name: "its server sends half a document and stalls",
		target: pageFrom(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, html(given, "<p>and then"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}), opts: hopeless, exit: 2, problem: "not done within 1s", hint: "--timeout"},
	{name: "it redirects to a login page",
		target: pageFrom(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, "/login?next=/", http.StatusFound)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<title>Please log in</title>")
		}), opts: widget, exit: 2, problem: `/login?next=/ ("Please log in")`, hint: "page.login",
		wants: []want{{"PAGE-WIDGET", reports.Errored, "leads to a login"}}},
	{name: "a script sends it to a login page, though a login is given",
		target: func(t *testing.T) target.Target {
			target := pageFrom(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				if r.URL.Path == "/" {
					io.WriteString(w, `<script>location.replace("/account/sign-in")</script>`)
					return
				}
				io.WriteString(w, `<title>Sign in</title><input type="password">`)
			})(t)
			target.Login = &browser.Login{Cookies: []browser.Cookie{{Name: "session", Value: "of-yesterday"}}}
			return target
		}, opts: widget, exit: 2, problem: `though a login was given`, hint: "out of date",
		wants: []want{{"PAGE-WIDGET", reports.Errored, "leads to a login"}}},
	{name: "it redirects for ever",
		target: pageFrom(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"a", http.StatusFound) }),
		opts:   widget, exit: 2, problem: "ERR_TOO_MANY_REDIRECTS", hint: "Open it"},
	{name: "it alerts for ever",
		target: page(200, html(given, `<script>for (;;) alert("hello")</script>`)), opts: hopeless, exit: 2,
		problem: "not done within 1s", hint: "--timeout"},
	{name: "it computes for ever",
		target: page(200, html(given, `<script>for (;;);</script>`)), opts: hopeless, exit: 2,
		problem: "not done within 1s", hint: "--timeout"},
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
		// Hidden: to lay it out would take the most time, and is Chrome's affair.
		target: page(200, html(given, "<div hidden>"+strings.Repeat("<p>"+strings.Repeat("paragraph ", 1000), 20<<20/10000)+"</div>")), opts: lenient,
		wants: []want{{"PAGE-WIDGET", reports.Passed, ""}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}}},
	{name: "it reloads for ever",
		target: page(200, html(given, `<script>onload = () => { location.href = "/?" + Math.random() }</script>`)), opts: widget, exit: anyExit,
		wants: []want{{"PAGE-WIDGET-ONCE", reports.Warned, "again and again"}}}, // what else is seen depends on the moment
	{name: "it says much on the console",
		target: page(200, html(given, `<script>for (let i = 0; i < 3000; i++) console.log("line", i, {i})</script>`)), opts: lenient,
		wants: []want{{"PAGE-WIDGET", reports.Passed, ""}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}}},
	{name: "it does nothing but fill the console",
		target: page(200, html(given, `<script>setInterval(() => { for (let i = 0; i < 20000; i++) console.log("line", i, {i}) })</script>`)), opts: hasty,
		problem: "not done within 4s", hint: "too busy", exit: 2},
	{name: "its login form is another one",
		target: func(t *testing.T) target.Target {
			target := page(200, html(given, `<form><input id="user"></form>`))(t)
			target.Login = &browser.Login{Steps: []browser.Step{{Goto: target.PageURL}, {Fill: []browser.Field{{Selector: "#email", Value: "ada@shop.example"}}}}}
			return target
		}, opts: hasty, exit: 2, problem: "login step 2: fill #email: no such element", hint: "page.login"},
}
