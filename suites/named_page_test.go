package suites_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// allows is an endpoint of another origin, with the CORS headers that it adds; ""
// for one takes it away.
func allows(auth http.HandlerFunc, preflight int, change map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Methods", "POST")
		h.Set("Access-Control-Allow-Headers", "content-type")
		for name, value := range change {
			if value == "" {
				h.Del(name)
				continue
			}
			h.Set(name, strings.ReplaceAll(value, "ORIGIN", r.Header.Get("Origin")))
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(preflight)
			return
		}
		auth(w, r)
	}
}

// collects is a page's own statistics: it calls while the page's callback runs, once.
func collects(call string) string {
	return `<script>{ const { getAuthToken } = kindlyOptions; let once = true;
		kindlyOptions.getAuthToken = async (id) => { const given = getAuthToken(id); if (once) { once = false; await new Promise((on) => setTimeout(on, 50)); ` + call + `.catch(() => {}); await new Promise((on) => setTimeout(on, 50)) } return given } }</script>`
}

// mintAt is a token that an identity provider made then, for an hour.
func mintAt(t time.Time) string {
	part := func(v any) string {
		text, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return part(map[string]any{"alg": "RS256"}) + "." + part(map[string]any{"iss": "https://id.example", "aud": "graph", "iat": t.Unix(), "exp": t.Add(time.Hour).Unix()}) + ".c2lnbmF0dXJl"
}

// Where a callback gives no token, the mistake is named, with a fix that mends it;
// and what would mislead is not said.
func TestOneMistakeOfACallbackIsNamedAlone(t *testing.T) {
	t.Parallel()
	const (
		jsonType = `{method: "POST", credentials: "include", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})}`
		fetched  = `async (id) => { const r = await fetch("AUTH", ` + jsonType + `); `
		asking   = fetched + `return (await r.json()).token }`
		plainly  = `async (id) => { const r = await fetch("AUTH", {method: "POST", body: JSON.stringify({chatId: id})}); return (await r.json()).token }`
		bearing  = `async (id) => { const r = await fetch("AUTH", {method: "POST", headers: {Authorization: "Bearer " + localStorage.getItem("nowhere")}, body: JSON.stringify({chatId: id})}); return (await r.json()).token }`
	)
	gives := func(answer string) http.HandlerFunc { // TOKEN in it is the token
		return func(w http.ResponseWriter, r *http.Request) {
			if !loggedIn(r) {
				http.Error(w, "log in", http.StatusUnauthorized)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, strings.ReplaceAll(answer, "TOKEN", mint(chatIDOf(r))))
		}
	}
	givesText := func(answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if !loggedIn(r) {
				http.Error(w, "log in", http.StatusUnauthorized)
				return
			}
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, strings.ReplaceAll(answer, "TOKEN", mint(chatIDOf(r))))
		}
	}
	only := func(ok func(*http.Request) bool, status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if !ok(r) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				io.WriteString(w, body)
				return
			}
			sound(w, r)
		}
	}
	fails := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no key", http.StatusInternalServerError) }
	const same, elsewhere, otherSite = "/auth", "127.0.0.1", "localhost"
	type mistake struct {
		name, callback, at string // at: the endpoint's place
		auth               http.HandlerFunc
		more               string // of the page
		cause              string
		says               []string
		unsaid             string
	}
	for _, row := range due(t, []mistake{
		{"the Response is returned", fetched + `return r }`, same, sound, "", "callback-whole-answer", []string{"await response.json()"}, "Let the endpoint"},
		{"JSON is not waited for", fetched + `const d = r.json(); return d.token }`, same, sound, "", "callback-not-awaited", []string{"Wait for"}, "another name"},
		{"a member too many is read", fetched + `const d = await r.json(); return d.data.token }`, same, sound, "", "callback-member-name", []string{"has `token`"}, "return null"},
		{"JSON is parsed twice", fetched + `return JSON.parse(await r.json()).token }`, same, sound, "", "callback-throws", []string{"Leave JSON.parse out"}, "return null"},
		{"the answer is read twice", fetched + `console.log(await r.text()); return (await r.json()).token }`, same, sound, "", "callback-throws", []string{"Read the answer once"}, "return null"},
		{"JSON is written twice", asking, same, gives(`"{\"token\":\"TOKEN\"}"`), "", "callback-encoded-twice", []string{"not res.json(JSON.stringify"}, "another name"},
		{"signing is not waited for", asking, same, gives(`{"token":{}}`), "", "callback-answer-without-token", []string{"await sign("}, ""},
		{"signing gives nothing", asking, same, gives(`{}`), "", "callback-answer-without-token", []string{"leaves out what is undefined"}, ""},
		{"the token is a buffer", asking, same, gives(`{"token":{"type":"Buffer","data":[101]}}`), "", "callback-answer-without-token", []string{"token.toString()"}, ""},
		{"the answer is said to be compressed", asking, same, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			sound(w, r)
		}, "", "callback-unreadable", []string{"ERR_CONTENT_DECODING_FAILED", "Content-Encoding"}, "Let the endpoint answer {"},
		{"two allow the origin", asking, elsewhere, allows(sound, 204, map[string]string{"Access-Control-Allow-Origin": "ORIGIN, ORIGIN"}), "", "callback-cors", []string{"let one of them"}, "2xx"},
		{"the preflight wants a session", asking, elsewhere, allows(sound, 401, nil), "", "callback-cors", []string{"with 204", "before anything looks for a session"}, "own origin"},
		{"a header is not allowed", asking, elsewhere, allows(sound, 204, map[string]string{"Access-Control-Allow-Headers": ""}), "", "callback-cors", []string{"Name that header"}, "own origin"},
		{"the origin has a slash", asking, elsewhere, allows(sound, 204, map[string]string{"Access-Control-Allow-Origin": "ORIGIN/"}), "", "callback-cors", []string{"no slash at the end"}, "2xx"},
		{"an error has no CORS headers", asking, elsewhere, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodOptions {
				fails(w, r)
				return
			}
			allows(sound, 204, nil)(w, r)
		}, "", "callback-endpoint-error", []string{"no key", "speaks only of those"}, "Access-Control"},
		{"the cookie is not for other sites", asking, otherSite, allows(func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "0123456789", SameSite: http.SameSiteNoneMode})
			sound(w, r)
		}, 204, nil), "", "callback-cookie-kept-back", []string{"SameSiteNoneInsecure", "with Secure"}, `credentials: "include"`},
		{"it redirects to https", asking, same, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+r.Host+r.URL.Path, http.StatusMovedPermanently)
		}, "", "callback-redirected", []string{"Call the URL that answers"}, "running"},
		{"it redirects to a slash", asking, same, func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/") {
				http.Redirect(w, r, r.URL.Path+"/", http.StatusMovedPermanently)
				return
			}
			sound(w, r)
		}, "", "callback-redirected", []string{"Call the URL that answers"}, "401"},
		{"the tag's CSRF token is wanted, in no words", asking, same, only(func(r *http.Request) bool { return r.Header.Get("X-Csrf-Token") == "csrf_8f3a91" }, 422, `{}`),
			`<meta name="csrf-param" content="authenticity_token"><meta name="csrf-token" content="csrf_8f3a91">`, "callback-csrf", []string{"of the tag csrf-token, in the header X-Csrf-Token", "(confirmed)"}, "name of the chat id"},
		{"403 is said, and nothing else", asking, same, only(func(*http.Request) bool { return false }, 403, ``), "", "callback-unauthorized", []string{"Spring"}, ""},
		{"null is sent for the session", bearing, same, only(func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer s" }, 401, `{}`),
			"", "callback-bearer-missing", []string{"“null”", "where the page keeps"}, "[removed]"},
		{"the type is not said", plainly, same, only(func(r *http.Request) bool { return r.Header.Get("Content-Type") == "application/json" }, 400, `{}`),
			"", "callback-without-content-type", []string{"text/plain"}, "name of the chat id"},
		{"the chat id has another name", asking, same, func(w http.ResponseWriter, r *http.Request) {
			var body map[string]string
			json.NewDecoder(r.Body).Decode(&body)
			if id := body["chat_id"]; len(id) == 36 && loggedIn(r) {
				give(w, id)
				return
			}
			http.Error(w, `{"detail":"Field required"}`, http.StatusUnprocessableEntity)
		}, "", "callback-chat-id-name", []string{"under the name chat_id"}, "content type"},
		{"Bearer is written twice", strings.Replace(bearing, `"Bearer " + localStorage.getItem("nowhere")`, `"Bearer " + "Bearer s"`, 1), same, only(func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer s" }, 401, `{}`),
			"", "callback-bearer-garbled", []string{"twice", "brings a token"}, "cookie"},
		{"the session's token is in quotes", strings.Replace(bearing, `localStorage.getItem("nowhere")`, `JSON.stringify("s")`, 1), same, only(func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer s" }, 401, `{}`),
			"", "callback-bearer-garbled", []string{"in quotes", "JSON.parse"}, "cookie"},
		{"the body is no text", strings.Replace(asking, "JSON.stringify({chatId: id})", "{chatId: id}", 1), same, only(func(r *http.Request) bool { return chatIDOf(r) != "" }, 400, `{}`),
			"", "callback-chat-id-not-sent", []string{"“[object Object]”", "Write the body as JSON"}, "content type"},
		{"the argument is taken for an object", strings.Replace(asking, "async (id)", "async ({id})", 1), same, only(func(r *http.Request) bool { return chatIDOf(r) != "" }, 422, `{}`),
			"", "callback-chat-id-not-sent", []string{"the body “{}”", "its one argument"}, "content type"},
		{"no key is there", asking, same, only(func(*http.Request) bool { return false }, 500, `{"error":"secretOrPrivateKey must have a value"}`),
			"", "callback-endpoint-error", []string{"The key is not there", "not waited for"}, `\n`},
		{"the key can't be read", asking, same, only(func(*http.Request) bool { return false }, 500, `{"error":"error:1E08010C:DECODER routines::unsupported"}`),
			"", "callback-endpoint-error", []string{`has \n as two characters`}, "not waited for"},
		{"another error", asking, same, only(func(*http.Request) bool { return false }, 500, `{"error":"relation users does not exist"}`),
			"", "callback-endpoint-error", []string{"its own log"}, `\n`},
		{"a server of files answers", asking, same, only(func(*http.Request) bool { return false }, 405, "<html><head><title>405 Not Allowed</title></head><body><center>nginx/1.25.3</center></body></html>"),
			"", "callback-endpoint-refuses", []string{"server of files", "proxy_pass"}, "take the method"},
		{"no session goes with it", asking, otherSite, allows(only(func(*http.Request) bool { return false }, 401, `{"error":"log in"}`), 204, nil),
			"", "callback-unauthorized", []string{"no cookie and no Authorization went with it", "own origin"}, "does the cookie"},
		{"the token is text, and read as JSON", asking, same, givesText("TOKEN"), "", "callback-reads-text-as-json", []string{"the token itself", "response.text()"}, "return null"},
		{"the same, and the error is swallowed", strings.Replace(asking, "return (await r.json()).token", "try { return (await r.json()).token } catch { return null }", 1), same, givesText("TOKEN"), "", "callback-reads-text-as-json", []string{"the token itself"}, "where the answer has it"},
		{"the JSON is guarded against other sites", asking, same, givesText(")]}',\n{\"token\":\"TOKEN\"}"), "", "callback-answer-mixed", []string{"before the JSON", ")]}'"}, "return null"},
		{"PHP warns before the JSON", asking, same, givesText("<br />\n<b>Deprecated</b>: nothing in line 12<br />\n{\"token\":\"TOKEN\"}"), "", "callback-answer-mixed", []string{"display_errors"}, "catch-all"},
		{"the answer is read before it is there", `(id) => { const x = new XMLHttpRequest(); x.open("POST", "AUTH"); x.setRequestHeader("Content-Type", "application/json"); x.send(JSON.stringify({chatId: id})); return x.responseText }`, same, sound, "", "callback-not-awaited", []string{"at once", "new Promise"}, "another name"},
		{"the variable that is returned is filled later", `(id) => { let t = null; fetch("AUTH", ` + jsonType + `).then((r) => r.json()).then((d) => { t = d.token }); return t }`, same, sound, "", "callback-not-awaited", []string{"it gave null at once"}, "another name"},
		{"scripts may not read the answer", strings.Replace(asking, "method:", "mode: \"no-cors\", method:", 1), elsewhere, allows(sound, 204, nil), "", "callback-no-cors", []string{"no-cors"}, "Content-Encoding"},
		{"a window is opened, and waited for", `(id) => new Promise((done) => { const w = window.open("/pop", "auth", "width=300,height=200"); if (!w) return done(null); addEventListener("message", (e) => done(e.data)) })`, same, sound, "", "callback-opens-window", []string{"nobody has clicked"}, "running"},
		{"a window is opened, and looked after", `(id) => new Promise((done, no) => { const w = window.open("/pop"); const t = setInterval(() => { if (!w || w.closed) { clearInterval(t); no(new Error("window closed by the user")) } }, 50) })`, same, sound, "", "callback-opens-window", []string{"nobody has clicked", "window closed by the user"}, "running"},
		{"the page gives up", strings.Replace(asking, "method:", "signal: AbortSignal.timeout(250), method:", 1), same, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Sec-Fetch-Mode") != "" { // as the page asks
				time.Sleep(time.Second)
			}
			sound(w, r)
		}, "", "callback-gives-up", []string{"some seconds", "signal timed out"}, "running"},
		{"a variable of the build is missing", strings.ReplaceAll(asking, `"AUTH"`, `"/undefined" + "AUTH"`), same, sound, "", "callback-html", []string{"NEXT_PUBLIC_", "/undefined/auth: 200"}, "catch-all"},
		{"the token is in a header that is not exposed", strings.Replace(asking, "(await r.json()).token", `r.headers.get("X-Token")`, 1), elsewhere, allows(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Token", mint(chatIDOf(r)))
			io.WriteString(w, "{}")
		}, 204, nil), "", "callback-member-name", []string{"header X-Token", "Access-Control-Expose-Headers"}, "where the answer has it"},
		{"GET has no body", strings.Replace(asking, `method: "POST", `, "", 1), same, sound, "", "callback-throws", []string{`method: "POST"`}, "return null"},
		{"a library has not come yet", `async (id) => (await window.Clerk.session.getToken())`, same, sound, "", "callback-throws", []string{"is not there when the chat calls it"}, "return null"},
		{"a consent is waited for", `async (id) => { if (!window.consent) return null; const r = await fetch("AUTH", ` + jsonType + `); return (await r.json()).token }`, same, sound, "", "callback-asks-nobody", []string{"on which condition", "consent"}, "return fetch"},
		{"the session's cookie is for another path", asking, same, func(w http.ResponseWriter, r *http.Request) {
			if c, err := r.Cookie("account"); err != nil || c.Value != "4711" {
				http.Error(w, "log in", http.StatusUnauthorized)
				return
			}
			sound(w, r)
		}, `<script>document.cookie = "account=4711; path=/members"</script>`, "callback-cookie-kept-back", []string{"is for /members alone", "Path=/"}, "own site"},
		{"an old session's cookie comes first", asking, same, func(w http.ResponseWriter, r *http.Request) {
			if c, err := r.Cookie("account"); err != nil || c.Value != "4711" {
				http.Error(w, "log in", http.StatusUnauthorized)
				return
			}
			sound(w, r)
		}, `<script>document.cookie = "account=4711; path=/"; document.cookie = "account=1147; path=/auth"</script>`, "callback-cookie-twice", []string{"two cookies called account", "end the old one"}, "reach it"},
		{"the endpoint's words are of CSRF, and JSON is what it wants", plainly, same, only(func(r *http.Request) bool { return r.Header.Get("Content-Type") == "application/json" }, 400, `{"errors":[{"message":"blocked as a potential Cross-Site Request Forgery (CSRF)"}]}`),
			"", "callback-without-content-type", []string{"brings a token"}, "Django"},
		{"the CSRF token's cookie is kept from scripts", asking, same, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Xsrf-Token") != "abcdef" {
				http.SetCookie(w, &http.Cookie{Name: "XSRF-TOKEN", Value: "abcdef", Path: "/", HttpOnly: true})
				http.Error(w, "{}", http.StatusForbidden)
				return
			}
			sound(w, r)
		}, "", "callback-csrf", []string{"HttpOnly"}, "Django"},
		{"the session is not known, and no login is named", asking, same, only(func(*http.Request) bool { return false }, 500, `{"message":"Route [login] not defined."}`), "", "callback-endpoint-error", []string{"Accept: application/json"}, "setting"},
		{"the framework redirects what is no request for JSON", asking, same, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept") != "application/json" {
				http.Redirect(w, r, "/", http.StatusFound)
				return
			}
			sound(w, r)
		}, "", "callback-without-accept", []string{"Accept: application/json"}, "URL that answers"},
		{"a validation sends back to the page", asking, same, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/", http.StatusFound)
		}, "", "callback-redirected", []string{"where JSON is not asked for"}, "URL that answers"},
		{"Node is not there at the edge", asking, same, only(func(*http.Request) bool { return false }, 500, `{"error":"The edge runtime does not support Node.js 'crypto' module."}`), "", "callback-endpoint-error", []string{"Web Crypto"}, "setting"},
		{"* is to allow a header where cookies go along", asking, elsewhere, allows(sound, 204, map[string]string{"Access-Control-Allow-Headers": "*"}), "", "callback-cors", []string{"stands for no header where cookies go along"}, "2xx"},
		{"the preflight is refused without CORS headers", asking, elsewhere, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			allows(sound, 204, nil)(w, r)
		}, "", "callback-cors", []string{"the preflight is answered 401", "before anything looks for a session"}, "own origin"},
		{"a refusal has no CORS headers", asking, elsewhere, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodOptions {
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			allows(sound, 204, nil)(w, r)
		}, "", "callback-unauthorized", []string{"status 401", "speaks only of those", "with errors, too"}, "2xx"},
		{"no credentials are sent, and the refusal has no CORS headers", strings.Replace(asking, `credentials: "include", `, "", 1), elsewhere, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodOptions && !loggedIn(r) {
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			allows(sound, 204, nil)(w, r)
		}, "", "callback-without-credentials", []string{`credentials: "include"`, "brings a token"}, "with errors, too"},
		{"the same, and there is no preflight", strings.Replace(plainly, "JSON.stringify({chatId: id})", "id", 1), elsewhere, func(w http.ResponseWriter, r *http.Request) {
			if !loggedIn(r) {
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			allows(func(w http.ResponseWriter, r *http.Request) {
				id, _ := io.ReadAll(r.Body)
				give(w, string(id))
			}, 204, nil)(w, r)
		}, "", "callback-without-credentials", []string{`credentials: "include"`}, "preflight"},
		{"no credentials are sent, and none are allowed", strings.Replace(asking, `credentials: "include", `, "", 1), elsewhere, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodOptions {
				sound(w, r)
				return
			}
			allows(sound, 204, nil)(w, r)
		}, "", "callback-unauthorized", []string{"status 401", "speaks only of those"}, "2xx"},
		{"an Observable is given", `(id) => ({subscribe() {}, pipe() {}})`, same, sound, "", "callback-gives-object", []string{"an Observable", "firstValueFrom"}, "return fetch"},
		{"a client's whole answer is given, without the request", `(id) => ({data: {token: ""}, status: 200})`, same, sound, "", "callback-gives-object", []string{"the members data, status", ".data.token"}, "return fetch"},
		{"braces keep the JSON", `(id) => fetch("AUTH", ` + jsonType + `).then((r) => { r.json() }).then((d) => d.token)`, same, sound, "", "callback-no-return", []string{"within braces", "return r.json()"}, "another name"},
		{"a second argument is called", `async (id, done) => { ` + `const r = await fetch("AUTH", ` + jsonType + `); done((await r.json()).token) }`, same, sound, "", "callback-throws", []string{"no second argument"}, "return null"},
		{"a framework's function is called too late", `(id) => { throw new Error("[nuxt] A composable that requires access to the Nuxt instance was called outside of a plugin") }`, same, sound, "", "callback-throws", []string{"long after the component was set up"}, "return null"},
		{"a file of before the deploy is loaded", `async (id) => (await import("/assets/auth-4f2a.js")).token(id)`, same, sound, "", "callback-throws", []string{"since before a deploy"}, "return null"},
		{"two slashes begin the path", strings.ReplaceAll(asking, `"AUTH"`, `"/" + "AUTH"`), same, sound, "", "callback-unreachable", []string{"Two slashes"}, "running"},
		{"the nonce of a script's variable is wanted", asking, same, only(func(r *http.Request) bool { return r.Header.Get("X-Wp-Nonce") == "4b7e01c9d2" }, 401, `{"code":"rest_forbidden"}`),
			`<script>var wpApiSettings = {"root":"/wp-json/","nonce":"4b7e01c9d2"}</script>`, "callback-csrf", []string{"of the script's variable nonce, in the header X-Wp-Nonce"}, "reach it"},
		{"Craft's token stands in a script beside its field's name", asking, same, only(func(r *http.Request) bool { return r.Header.Get("X-CSRF-Token") == "x8Kq2vX0pRt7aLcNfUe5" }, 400, `{"error":"Unable to verify your data submission."}`),
			`<script>window.csrfTokenName = "CRAFT_CSRF_TOKEN"; window.csrfTokenValue = "x8Kq2vX0pRt7aLcNfUe5";</script>`, "callback-csrf", []string{"of the script's variable csrfTokenValue, in the header X-Csrf-Token", "(confirmed)"}, "reach it"},
		{"a token of Django's stands in a script", asking, same, only(func(r *http.Request) bool { return r.Header.Get("X-CSRFToken") == "kT9vQ2mXc4" }, 403, `{"detail":"no"}`),
			`<script>const appCsrf = "kT9vQ2mXc4"</script>`, "callback-csrf", []string{"of the script's variable appCsrf, in the header X-Csrftoken"}, "reach it"},
		{"the nonce is that of another day", asking, same, only(func(*http.Request) bool { return false }, 403, `{"code":"rest_cookie_invalid_nonce","message":"Cookie check failed"}`), "", "callback-csrf", []string{"inferred from the answers", "comes from a cache"}, "Django"},
		{"WordPress has no such action", strings.ReplaceAll(asking, "AUTH", "/auth/admin-ajax.php"), same, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, "0")
		}, "", "callback-endpoint-refuses", []string{"no handler for that action"}, "content type"},
		{"a bare text is sent", strings.Replace(asking, "JSON.stringify({chatId: id})", "JSON.stringify(id)", 1), same, sound, "", "callback-chat-id-bare", []string{"{\"chatId\": …}", "an object in JSON"}, "name of the chat id"},
		{"a form is sent", `async (id) => { const r = await fetch("AUTH", {method: "POST", body: new URLSearchParams({chatId: id})}); return (await r.json()).token }`, same,
			only(func(r *http.Request) bool { return r.Header.Get("Content-Type") == "application/json" }, 422, `{}`), "", "callback-chat-id-bare", []string{"an object in JSON"}, "name of the chat id"},
		{"a script's header is wanted", asking, same, only(func(r *http.Request) bool { return r.Header.Get("X-Requested-With") == "XMLHttpRequest" }, 403, `{}`), "", "callback-without-header", []string{"X-Requested-With: XMLHttpRequest"}, "Spring"},
		{"the access token has expired", strings.Replace(bearing, `localStorage.getItem("nowhere")`, `"`+mintAt(time.Now().Add(-2*time.Hour))+`"`, 1), same, only(func(*http.Request) bool { return false }, 401, `{}`), "", "callback-unauthorized", []string{"expired 1h", "new access token"}, "cookie"},
		{"the access token is for another API", strings.Replace(bearing, `localStorage.getItem("nowhere")`, `"`+mintAt(time.Now())+`"`, 1), same, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="The audience 'graph' is invalid"`)
			w.WriteHeader(http.StatusUnauthorized)
		}, "", "callback-unauthorized", []string{"The audience 'graph' is invalid", "Compare iss and aud"}, "cookie or header"},
		{"the guard says 404", asking, same, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Clerk-Auth-Status", "signed-out")
			http.NotFound(w, r)
		}, "", "callback-unauthorized", []string{"signed-out", "whatever the status"}, "route"},
		{"a gateway has no such path", asking, same, only(func(*http.Request) bool { return false }, 403, `{"message":"Missing Authentication Token"}`), "", "endpoint-behind-other", []string{"no such path or method", "no token is missing"}, "Spring"},
		{"a firewall answers", asking, same, only(func(*http.Request) bool { return false }, 406, `<h1>Not Acceptable!</h1><p>This error was generated by Mod_Security.</p>`), "", "endpoint-behind-other", []string{"a firewall", "inferred from the answers", "firewall's log"}, "name of the chat id"},
		{"GET is wanted", asking, same, only(func(*http.Request) bool { return false }, 405, ``), "", "callback-endpoint-refuses", []string{"take the method"}, "name of the chat id"},
		{"null is given at once, and the policy blocks the statistics", `async (id) => { if (!window.consent) return null; const r = await fetch("AUTH", ` + jsonType + `); return (await r.json()).token }`, same, sound,
			`<meta http-equiv="Content-Security-Policy" content="connect-src 'self' https://*.kindly.ai">` + collects(`fetch("http://localhost:1/collect")`), "callback-asks-nobody", []string{"on which condition"}, "collect"},
		{"null is given at once, and statistics go elsewhere", `async (id) => { if (!window.consent) return null; const r = await fetch("AUTH", ` + jsonType + `); return (await r.json()).token }`, same, sound,
			collects(`fetch("http://localhost:1/collect", {mode: "no-cors", method: "POST"})`), "callback-asks-nobody", []string{"on which condition"}, "collect"},
		{"no chat id is sent, and statistics go elsewhere", strings.Replace(asking, "{chatId: id}", "{}", 1), same, only(func(r *http.Request) bool { return chatIDOf(r) != "" }, 422, `{}`),
			collects(`fetch("http://localhost:1/collect", {mode: "no-cors", method: "POST"})`), "callback-chat-id-not-sent", []string{"the body “{}”"}, "collect"},
		{"no chat id is sent, and statistics go to the page's own site", strings.Replace(asking, "{chatId: id}", "{}", 1), same, only(func(r *http.Request) bool { return chatIDOf(r) != "" }, 422, `{}`),
			collects(`fetch("/collect", {method: "POST"})`), "callback-chat-id-not-sent", []string{"the body “{}”"}, "collect"},
	}, func(m mistake) string { return m.name }) {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			at := same
			if row.at != same {
				at = strings.Replace(serve(t, row.auth), "127.0.0.1", row.at, 1) + "/auth"
			}
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/auth") {
					row.auth(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprint(w, html(strings.ReplaceAll(row.callback, "AUTH", at), row.more))
			})
			shop := target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "0123456789", HTTPOnly: true, SameSite: "Lax"}}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"PAGE-CALLBACK-TOKEN", "PAGE-ERRORS", "AUTH-POST-TOKEN", "AUTH-CORS-PREFLIGHT"}, Browser: sharedBrowser(t)})
			text := namesAlone(t, run, row.cause, row.says...)
			if row.unsaid != "" && strings.Contains(run.Causes[0].Fix+run.Causes[0].Seen, row.unsaid) {
				t.Errorf("%q is said:\n%s", row.unsaid, text)
			}
		})
	}
}

// Where the page still waits for the endpoint, it is the endpoint that is silent; and who
// was never seen to answer has not died.
func TestAnEndpointThatNeverAnswersIsNamed(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/auth" {
			hang(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, html(fmt.Sprintf(fetchIt, "", "{chatId: id}"), ""))
	})
	shop := target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "0123456789", HTTPOnly: true, SameSite: "Lax"}}}}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Timeout: time.Second, Only: []string{"PAGE-CALLBACK-TOKEN", "AUTH-CONCURRENT", "AUTH-POST-TOKEN", "LIVE-*"}, Browser: sharedBrowser(t)})
	namesAlone(t, run, "callback-endpoint-silent", "ends with an answer")
}

// What is exactly a webhook's secret is on the page by no accident; a short one may be.
func TestASecretInWhatThePageLoadsIsNamed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, secret string
		page         string // SECRET in it is the secret
		cause        string
	}{
		{"in a script", plainSecret, `<script>window.env = {NEXT_PUBLIC_KINDLY_SECRET: "SECRET"}</script>`, "secret-in-page"},
		{"with signs that JSON escapes", `p8"Zk\\d93-0f7c2e9a`, `<script type="application/json">{"secret":SECRET}</script>`, "secret-in-page"},
		{"a word", "shop", `<p>SECRET</p>`, ""},
		{"nowhere", plainSecret, `<p>Shop</p>`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			written := row.secret
			if quoted, _ := json.Marshal(row.secret); string(quoted) != `"`+row.secret+`"` {
				written = string(quoted)
			}
			url := serve(t, says(200, "text/html", html("async () => null", strings.ReplaceAll(row.page, "SECRET", written))))
			shop := target.Target{PageURL: url + "/", Webhooks: []target.Webhook{{Name: "orders", URL: "https://hooks.shop.example/kindly", ConnectTo: serve(t, plain().ServeHTTP), Secret: row.secret}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"PAGE-PRIVATE-KEY"}, Browser: sharedBrowser(t)})
			if row.cause == "" {
				if found := findings(run); len(found) > 0 {
					t.Errorf("it names %q", found)
				}
				return
			}
			if text := namesAlone(t, run, row.cause, "that of orders"); strings.Contains(text, row.secret) {
				t.Errorf("it shows the secret:\n%s", text)
			}
		})
	}
}

// Whom the page never reaches was never seen to live, and has not died of what is sent
// later: a bundle that still calls localhost is one mistake.
func TestWhoWasNeverThereHasNotDied(t *testing.T) {
	t.Parallel()
	at := strings.Replace(nobodyHome, "127.0.0.1", "localhost", 1)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, html(`async (id) => { const r = await fetch("`+at+`/auth", {method: "POST", body: JSON.stringify({chatId: id})}); return (await r.json()).token }`, ""))
	})
	shop := target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "0123456789", HTTPOnly: true, SameSite: "Lax"}}}}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"PAGE-CALLBACK-TOKEN", "AUTH-CONCURRENT", "AUTH-POST-TOKEN", "AUTH-CORS-PREFLIGHT", "LIVE-*"}, Browser: sharedBrowser(t)})
	namesAlone(t, run, "callback-unreachable", "the visitor's own computer")
}

// An endpoint that signs what it finds under another name than the page's has one
// mistake. It is judged as if it were mended, and so are webhooks.
func TestAChatIDThatIsNotReadIsFoundUnderItsOtherName(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/auth" {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, html(fmt.Sprintf(fetchIt, "", "{chatId: id}"), ""))
			return
		}
		var body map[string]any
		json.NewDecoder(r.Body).Decode(&body)
		chat := map[string]any{}
		if id, ok := body["chat_id"]; ok {
			chat["id"] = id
		}
		now := time.Now().Unix()
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{"token": sign(t, map[string]any{"iat": now, "exp": now + 300, "iss": "shop", "sub": "7", "name": "Ada Lovelace", "chat": chat})})
	})
	shop := targetOf(t, plain())
	shop.PageURL, shop.PublicKeys = url+"/", []*token.Key{publicOf(t)}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t),
		Only: []string{"PAGE-CALLBACK-*", "AUTH-POST-TOKEN", "AUTH-BIND-CHAT", "AUTH-FRESH", "TOK-CHAT*", "HOOK-VALID", "HOOK-EXPIRED"}})
	for _, id := range []string{"AUTH-BIND-CHAT", "HOOK-VALID", "HOOK-EXPIRED"} {
		if c := find(t, run, id); c.Outcome != reports.Passed {
			t.Errorf("%s is %s", id, c.Outcome)
			describe(t, c)
		}
	}
	namesAlone(t, run, "token-chat-id-not-read", "under the name chat_id")
}

// A token that is made with the page, or when it loads, can be for no chat: there is none.
func TestATokenThatIsMadeBeforeItsChatIsNamed(t *testing.T) {
	t.Parallel()
	var count atomic.Int64
	made := func(chat map[string]any) string {
		now := time.Now().Unix()
		return sign(t, map[string]any{"jti": count.Add(1), "iat": now, "exp": now + 300, "iss": "shop", "sub": "7", "name": "Ada Lovelace", "chat": chat})
	}
	for _, row := range []struct{ name, callback, script, says string }{
		{"written into the page", `() => "` + made(map[string]any{"webhook_domains": []string{}}) + `"`, "", "written into"},
		{"written into the page for a chat of the server's", `async (chatId) => window.token`, `<script>window.token = "` + made(map[string]any{"id": "f0e1d2c3-0000-4000-8000-1234567890ab"}) + `"</script>`, "written into"},
		{"written into a script", `() => config.kindlyToken`, `<script src="/config.js"></script>`, "/config.js"},
		{"asked for when the page loads", `() => ready`, `<script>const ready = fetch("/auth", {method: "POST"}).then((r) => r.json()).then((a) => a.token)</script>`, "the page asked"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/auth":
					w.Header().Set("Content-Type", "application/json")
					fmt.Fprintf(w, `{"token":%q}`, made(map[string]any{}))
				case "/config.js":
					w.Header().Set("Content-Type", "text/javascript")
					fmt.Fprintf(w, `const config = {kindlyToken: %q}`, made(map[string]any{}))
				default:
					w.Header().Set("Content-Type", "text/html")
					fmt.Fprint(w, strings.Replace(html(row.callback, ""), "<script>", row.script+"<script>", 1))
				}
			})
			shop := target.Target{PageURL: url + "/", PublicKeys: []*token.Key{publicOf(t)}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Only: []string{"PAGE-CALLBACK-*", "AUTH-POST-TOKEN", "AUTH-FRESH", "AUTH-METHOD", "TOK-CHAT", "TOK-CHAT-ID"}})
			namesAlone(t, run, "token-made-before-chat", row.says, "before the chat was made", "(confirmed)")
		})
	}
}
