package suites_test

import (
	"fmt"
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

// Pages whose chat never starts: each must fail, and say what holds it up.

func TestBadChats(t *testing.T)     { runBad(t, badChats) }
func TestBadCallbacks(t *testing.T) { runBad(t, badCallbacks) }

// chat judges the page alone.
var chat = suites.Options{Only: []string{"PAGE"}}

// tag is a page with Kindly's script element, written in another way.
func tag(element string) func(*testing.T) target.Target {
	return page(200, strings.Replace(html(given, ""), snippet, element, 1))
}

const kindlyURL = "https://chat.kindlycdn.com/kindly-chat.js"

var badChats = []bad{
	{name: "a consent banner holds the script back",
		target: tag(strings.Replace(snippet, "<script", `<script type="text/plain"`, 1)), opts: chat, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, `the script tag has the type "text/plain"`}, {"PAGE-WIDGET", reports.Failed, "page.steps"},
			{"PAGE-CALLBACK-TOKEN", reports.Passed, "a string"}, {"PAGE-CSP", reports.Skipped, "see PAGE-WIDGET"}}},
	{name: "the script's URL waits in a data attribute",
		target: tag(`<script id="kindly-chat" data-cookie-src="` + kindlyURL + `" data-bot-key="bot"></script>`), opts: chat, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, "URL in data-cookie-src"}}},
	{name: "its hash is of another script",
		target: tag(strings.Replace(snippet, "<script", `<script crossorigin integrity="sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="`, 1)), opts: chat, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, "integrity"}}},
	{name: "today's browsers skip it",
		target: tag(strings.Replace(snippet, "<script", `<script nomodule`, 1)), opts: chat, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, "nomodule"}}},
	{name: "it stands in a template",
		target: tag("<template>" + snippet + "</template>"), opts: chat, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, "<template>"}}},
	{name: "it is put in as text",
		target: tag(`<div id="place"></div><script>place.innerHTML = "<script id='kindly-chat' src='` + kindlyURL + `' data-bot-key='bot'></" + "script>"</script>`), opts: chat, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, "innerHTML"}}},
	{name: "it comes from another host",
		target: tag(strings.Replace(snippet, "chat.kindlycdn.com", "cdn.shop.example", 1)), opts: chat, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, `comes from "https://cdn.shop.example/kindly-chat.js"`}}},
	{name: "the policy blocks it",
		target: tag(`<meta http-equiv="Content-Security-Policy" content="script-src 'unsafe-inline'">` + snippet), opts: chat, exit: 1,
		wants: []want{{"PAGE-CSP", reports.Failed, "script-src"}, {"PAGE-WIDGET", reports.Skipped, "see PAGE-CSP"}, {"PAGE-CALLBACK-TOKEN", reports.Passed, "a string"}, {"PAGE-ERRORS", reports.Passed, ""}}},
	{name: "the page breaks the client",
		target: tag(`<script>Array.prototype.push = function () { throw new TypeError("closed") }</script>` + snippet), opts: chat, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, "threw: TypeError: closed"}, {"PAGE-WIDGET", reports.Failed, "Array.prototype.push"}, {"PAGE-ERRORS", reports.Skipped, "PAGE-WIDGET"}}},
	{name: "the page's fetch goes nowhere",
		target: tag(`<script>window.fetch = () => new Promise(() => {})</script>` + snippet), opts: chat, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, "fetch"}}},
	{name: "the page keeps the token to itself", // as one does that is too busy, or reloads
		target: tag(`<script>const ask = window.fetch; window.fetch = (to, o) => /token/.test(to) ? new Promise(() => {}) : ask(to, o)</script>` + snippet),
		opts:   suites.Options{Only: []string{"PAGE-CALLBACK-TOKEN"}, Timeout: time.Second}, exit: 2, problem: "was not handed in time",
		wants: []want{{"PAGE-CALLBACK-TOKEN", reports.Errored, "a string of"}}},
	{name: "there is no tag", target: tag(""), opts: chat, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, "no such element within 2s"}, {"PAGE-WIDGET", reports.Failed, "page.steps"}}},
	{name: "it loads kindlytest serve's client", // which is no mistake
		target: func(t *testing.T) target.Target {
			return tag(strings.Replace(snippet, kindlyURL, nobodyHome+"/kindly-chat.js", 1))(t)
		}, opts: chat,
		wants: []want{{"PAGE-WIDGET", reports.Passed, "/kindly-chat.js"}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}}},
	{name: "it inserts the script at each render",
		target: tag(snippet + `<script>const add = () => { const s = document.createElement("script"); s.id = "kindly-chat"; s.dataset.botKey = "bot"; s.src = "` + kindlyURL +
			`"; document.head.append(s) }; setTimeout(add, 300); setTimeout(add, 600)</script>`), opts: chat,
		wants: []want{{"PAGE-WIDGET-ONCE", reports.Warned, "script elements"}}},
	{name: "a development build mounts it twice",
		target: tag(`<script>const add = () => { const s = document.createElement("script"); s.id = "kindly-chat"; s.dataset.botKey = "bot"; s.src = "` + kindlyURL +
			`"; document.head.append(s); return () => s.remove() }; const unmount = add(); unmount(); add()</script>`), opts: chat,
		wants: []want{{"PAGE-WIDGET-ONCE", reports.Informed, "StrictMode"}}},
	{name: "it mounts it again, a moment later",
		target: tag(`<script>const add = () => { const s = document.createElement("script"); s.id = "kindly-chat"; s.dataset.botKey = "bot"; s.src = "` + kindlyURL +
			`"; document.head.append(s); return s }; const first = add(); first.onload = () => setTimeout(() => { first.remove(); add() }, 300)</script>`), opts: chat,
		wants: []want{{"PAGE-WIDGET-ONCE", reports.Warned, "started 2 times"}}},
	{name: "a route takes it out and puts it in again",
		target: tag(snippet + `<script>document.addEventListener("kindly:load", () => setTimeout(() => { const old = document.getElementById("kindly-chat");
			old.remove(); history.pushState({}, "", "/orders"); const s = document.createElement("script"); s.id = "kindly-chat"; s.dataset.botKey = "bot"; s.src = old.src; document.head.append(s) }, 300), {once: true})</script>`), opts: chat,
		wants: []want{{"PAGE-WIDGET-ONCE", reports.Informed, "another route"}}},
	{name: "it goes on to another document",
		target: tag(snippet + `<script>onload = () => { if (!location.search) setTimeout(() => location.replace("/?on"), 100) }</script>`), opts: chat,
		wants: []want{{"PAGE-WIDGET-ONCE", reports.Passed, "once"}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}}},
	{name: "its doorstep has a chat without a callback",
		target: pageFrom(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			if r.URL.Path == "/" {
				io.WriteString(w, strings.Replace(html("0", ""), "{getAuthToken: 0}", "{}", 1)+`<script>document.addEventListener("kindly:load", () => location.replace("/app"))</script>`)
				return
			}
			io.WriteString(w, html(given, ""))
		}), opts: suites.Options{Only: []string{"PAGE-CALLBACK-DEFINED", "PAGE-CALLBACK-NAME", "PAGE-CALLBACK-TOKEN", "PAGE-CALLBACK-TIME", "PAGE-CALLBACK-KEPT"}},
		wants: []want{{"PAGE-CALLBACK-DEFINED", reports.Passed, ""}, {"PAGE-CALLBACK-NAME", reports.Passed, ""}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}, {"PAGE-CALLBACK-TIME", reports.Passed, ""}, {"PAGE-CALLBACK-KEPT", reports.Passed, ""}}},
	{name: "it loses its callback on another route",
		target: tag(snippet + `<a href="/orders">Orders</a><script>addEventListener("popstate", () => { kindlyOptions = {context: {}} })</script>`), opts: chat,
		wants: []want{{"PAGE-CALLBACK-KEPT", reports.Warned, "kindlyOptions was replaced by one without it"}, {"PAGE-CALLBACK-FRESH", reports.Skipped, ""}}},
	{name: "it loses its callback at once",
		target: tag(snippet + `<script>document.addEventListener("kindly:message", () => {}); addEventListener("load", () => setTimeout(() => { kindlyOptions = {context: {}} }, 400))</script>`), opts: chat,
		wants: []want{{"PAGE-CALLBACK-KEPT", reports.Warned, "kindlyOptions was replaced"}, {"PAGE-CALLBACK-RENEW", reports.Skipped, "PAGE-CALLBACK-KEPT"}}},
	{name: "its route takes chat and callback out together",
		target: tag(snippet + `<script>addEventListener("popstate", () => { document.getElementById("kindly-chat-root")?.remove(); document.getElementById("kindly-chat")?.remove();
			for (const e of document.querySelectorAll("[id^=kindly]")) e.remove(); delete window.kindlyOptions })</script>`), opts: chat,
		wants: []want{{"PAGE-CALLBACK-KEPT", reports.Passed, ""}}},
	{name: "its route computes for ever", // what was seen until then counts, and nobody waits longer than for a visit
		target: tag(snippet + `<script>addEventListener("popstate", () => setTimeout(() => { for (;;); }))</script>`),
		opts:   suites.Options{Only: []string{"PAGE-CALLBACK-KEPT"}},
		wants:  []want{{"PAGE-CALLBACK-KEPT", reports.Passed, "2 times"}}},
	{name: "a script never ends", // what was not seen holds no key that one could know of
		target: pageFrom(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow.js" {
				w.Header().Set("Content-Type", "text/javascript")
				io.WriteString(w, "// ")
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				return
			}
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, html(given, `<script async src="/slow.js"></script>`))
		}), opts: suites.Options{Only: []string{"PAGE-PRIVATE-KEY"}, Timeout: 2 * impatience}, // of which a page gets four times
		wants: []want{{"PAGE-PRIVATE-KEY", reports.Passed, "/slow.js was not read in time"}}},
	{name: "the private key is at the end of a big bundle",
		target: func(t *testing.T) target.Target {
			private := customersKey(t)
			bundle := strings.Repeat("function a(e,t){return e&&t?e:t}\n", 9<<20/33) + fmt.Sprintf("var env=JSON.parse(%q)", fmt.Sprintf(`{"KEY":%q}`, private))
			return pageFrom(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/bundle.js" {
					w.Header().Set("Content-Type", "text/javascript")
					io.WriteString(w, bundle)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				io.WriteString(w, html(given, `<script src="/bundle.js"></script>`))
			})(t)
		}, opts: suites.Options{Only: []string{"PAGE-PRIVATE-KEY"}, Timeout: 10 * time.Second}, exit: 1,
		wants: []want{{"PAGE-PRIVATE-KEY", reports.Failed, "/bundle.js"}}},
	{name: "the private key is in a bundle that comes slowly",
		target: func(t *testing.T) target.Target {
			private := customersKey(t)
			return pageFrom(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/bundle.js" {
					w.Header().Set("Content-Type", "text/javascript")
					io.WriteString(w, "/* ")
					w.(http.Flusher).Flush()
					time.Sleep(2 * time.Second)
					fmt.Fprintf(w, "%s */", private)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				io.WriteString(w, html(given, `<script>onload = () => document.head.append(Object.assign(document.createElement("script"), {src: "/bundle.js"}))</script>`))
			})(t)
		}, opts: suites.Options{Only: []string{"PAGE-PRIVATE-KEY"}, Timeout: 10 * time.Second}, exit: 1,
		wants: []want{{"PAGE-PRIVATE-KEY", reports.Failed, "/bundle.js"}}},
	{name: "the private key lies beside the page",
		target: func(t *testing.T) target.Target {
			private := customersKey(t)
			return pageFrom(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/public/private.pem" {
					w.Write(private)
					return
				}
				w.Header().Set("Content-Type", "text/html") // for every address, as single-page apps do
				io.WriteString(w, html(given, ""))
			})(t)
		}, opts: suites.Options{Only: []string{"PAGE-PRIVATE-KEY"}}, exit: 1,
		wants: []want{{"PAGE-PRIVATE-KEY", reports.Failed, "/public/private.pem"}}},
	{name: "every address is the page", target: page(200, html(given, "-----BEGIN PRIVATE KEY-----")), opts: suites.Options{Only: []string{"PAGE-PRIVATE-KEY"}},
		wants: []want{{"PAGE-PRIVATE-KEY", reports.Passed, "usual names"}}},
	{name: "another tag has another bot's key",
		target: func(t *testing.T) target.Target {
			target := tag(snippet + strings.Replace(snippet, `"bot"`, `"other"`, 1))(t)
			target.BotKey = "bot"
			return target
		}, opts: chat, exit: 1,
		wants: []want{{"PAGE-WIDGET", reports.Failed, `"other"`}}},
}

// fetching is a callback as the documentation has it.
const fetching = `async (chatId) => {
	const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId})});
	return (await r.json()).token;
}`

// shopWith is a page with a callback, and an endpoint that answers it.
func shopWith(callback string, auth http.HandlerFunc) func(*testing.T) target.Target {
	return func(t *testing.T) target.Target {
		target := pageFrom(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/auth" {
				auth(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, html(callback, ""))
		})(t)
		target.Login = &browser.Login{Cookies: []browser.Cookie{{Name: "session", Value: "ada-7f31", SameSite: "Lax"}, {Name: "csrftoken", Value: "c5rf", SameSite: "Lax"}}}
		return target
	}
}

// says is an endpoint that always answers the same.
func says(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

const someToken = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"

func quiet(words ...string) []want {
	var out []want
	for _, w := range words {
		out = append(out, want{"PAGE-CALLBACK-TOKEN", reports.Failed, w})
	}
	return append(out, want{"PAGE-ERRORS", reports.Passed, ""})
}

// silenced is quiet for a callback whose failure Chrome tells the console too:
// it is said once.
func silenced(words ...string) []want {
	out := quiet(words...)
	out[len(out)-1] = want{"PAGE-ERRORS", reports.Skipped, "PAGE-CALLBACK-TOKEN"}
	return out
}

var badCallbacks = []bad{
	{name: "the framework's CSRF check refuses it", opts: chat, exit: 1,
		target: shopWith(fetching, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-CSRFToken") == "c5rf" {
				says(200, "application/json", `{"token": "`+someToken+`"}`)(w, r)
				return
			}
			says(403, "text/html", "<title>403 Forbidden</title><style>p {}</style><p>CSRF verification failed. Request aborted.")(w, r)
		}),
		wants: quiet(`POST /auth: 403 text/html, "403 Forbidden CSRF verification failed.`, "cookie csrftoken, in the header X-Csrftoken", "CSRF token with the request")},
	{name: "a middleware sends it to the login", opts: chat, exit: 1,
		target: shopWith(fetching, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/login?next=/auth", http.StatusTemporaryRedirect)
		}),
		wants: quiet("POST /auth: 307 to /login?next=/auth", "401 instead of a redirect")},
	{name: "the endpoint fails", opts: chat, exit: 1,
		target: shopWith(strings.Replace(fetching, "return", "if (!r.ok) return null; return", 1), says(500, "application/json", `{"error": "secretOrPrivateKey must be an asymmetric key"}`)),
		wants:  quiet(`POST /auth: 500 application/json, "secretOrPrivateKey must be an asymmetric key"`)},
	{name: "it is not there", opts: chat, exit: 1, target: shopWith(fetching, http.NotFound), wants: quiet("POST /auth: 404 text/plain")},
	{name: "it answers a page", opts: chat, exit: 1, target: shopWith(fetching, says(200, "text/html", "<!doctype html><title>Shop</title><p>Welcome")), wants: quiet(`200 text/html, "Shop Welcome"`, "answer JSON")},
	{name: "it answers an envelope", opts: chat, exit: 1, target: shopWith(fetching, says(200, "application/json", `{"statusCode": 401, "message": "Unauthorized"}`)),
		wants: quiet(`"Unauthorized"`, "envelope {message, statusCode}")},
	{name: "its envelope is called HTML, as PHP does", opts: chat, exit: 1, target: shopWith(fetching, says(200, "text/html; charset=UTF-8", `{"success": false, "message": "No such customer"}`)),
		wants: quiet(`"No such customer"`, "envelope {message, success}", "not 200")},
	{name: "the member has another name", opts: chat, exit: 1, target: shopWith(fetching, says(200, "application/json", `{"data": {"jwt": "`+someToken+`"}}`)),
		wants: quiet("the answer of POST /auth has `data.jwt`, the page reads `token`: it gave undefined")},
	{name: "it returns nothing", opts: chat, exit: 1, target: shopWith(`(chatId) => { fetch("/auth", {method: "POST", body: JSON.stringify({chatId})}).then((r) => r.json()).then((d) => d.token) }`,
		says(200, "application/json", `{"token": "`+someToken+`"}`)), wants: quiet("it gave undefined though POST /auth brought a token", "return fetch")},
	{name: "it returns the whole answer", opts: chat, exit: 1, target: shopWith(strings.Replace(fetching, ".token", "", 1), says(200, "application/json", `{"token": "`+someToken+`"}`)),
		wants: quiet("of type object, not a string; the token is in the answer of POST /auth")},
	{name: "CORS forbids it", opts: chat, exit: 1, target: crossOrigin(`credentials: "include"`, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "content-type")
	}), wants: silenced("blocked by CORS policy", "must not be the wildcard '*' when the request's credentials mode is 'include'")},
	{name: "it sends no credentials", opts: chat, exit: 1, target: crossOrigin("", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Headers", "content-type")
	}), wants: quiet("with them the same request brings a token", `credentials: "include"`)},
	{name: "its own policy forbids it", opts: chat, exit: 1,
		target: page(200, `<meta http-equiv="Content-Security-Policy" content="connect-src https://bot.kindly.ai">`+html(fetching, "")),
		wants:  silenced("the page's own Content-Security-Policy", "connect-src")},
	{name: "its token is 3 MB", opts: chat, exit: 1, target: page(200, html(`() => "a".repeat(3 << 20)`, "")), wants: quiet("too long for a token")},
}

// crossOrigin is a page whose endpoint is on another port, which wants the
// session's cookie.
func crossOrigin(credentials string, cors func(http.ResponseWriter, *http.Request)) func(*testing.T) target.Target {
	return func(t *testing.T) target.Target {
		api := serve(t, func(w http.ResponseWriter, r *http.Request) {
			cors(w, r)
			switch _, err := r.Cookie("session"); {
			case r.Method == http.MethodOptions:
				w.WriteHeader(http.StatusNoContent)
			case err != nil:
				says(401, "application/json", `{"error": "log in"}`)(w, r)
			default:
				says(200, "application/json", `{"token": "`+someToken+`"}`)(w, r)
			}
		})
		callback := fmt.Sprintf(`async (chatId) => {
			const r = await fetch("%s/auth", {method: "POST", %s headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId})});
			return r.ok ? (await r.json()).token : null;
		}`, api, strings.TrimPrefix(credentials+",", ","))
		return shopWith(callback, http.NotFound)(t)
	}
}

// customersKey is a private key, as PEM.
func customersKey(t *testing.T) []byte {
	t.Helper()
	pair, err := customerKeys()
	if err != nil {
		t.Fatal(err)
	}
	return pair.Private
}
