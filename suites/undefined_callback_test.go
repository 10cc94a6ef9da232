package suites_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// Where the chat client finds no callback, the report says what became of it: one
// mistake, with the fix that mends it.
func TestAnAbsentCallbackIsAccountedFor(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	const (
		fetched  = `async (chatId) => (await (await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId})})).json()).token`
		function = `{getAuthToken: ` + fetched + `}`
		options  = `window.kindlyOptions = ` + function + `;`
	)
	script := func(code string) string { return "<script>" + code + "</script>" }
	for _, row := range []struct {
		name, head, policy string
		cause              string
		says               []string
	}{
		{"the function is called", script(`const getToken = `+fetched+`; window.kindlyOptions = {getAuthToken: getToken()}`) + snippet, "", "callback-no-function", []string{"it is a promise", "not getToken()"}},
		{"the token itself is written into the page", script(`window.kindlyOptions = {getAuthToken: "eyJ.eyJ.sig"}`) + snippet, "", "callback-no-function", []string{"was string", "Give the function itself"}},
		{"another capital", script(`window.kindlyOptions = {getAuthtoken: `+fetched+`}`) + snippet, "", "callback-misnamed", []string{"window.kindlyOptions.getAuthtoken"}},
		{"another object", script(`window.kindlyoptions = `+function) + snippet, "", "callback-misnamed", []string{"window.kindlyoptions.getAuthToken"}},
		{"on window", script(`function getAuthToken(id) { return (`+fetched+`)(id) }`) + snippet, "", "callback-misnamed", []string{"window.getAuthToken", "as a member of that object"}},
		{"deeper", script(`window.kindlyOptions = {auth: `+function+`}`) + snippet, "", "callback-misnamed", []string{"window.kindlyOptions.auth.getAuthToken"}},
		{"the client is in a frame", script(options) + `<iframe src="/frame"></iframe>`, "", "callback-in-other-document", []string{"a window of its own"}},
		{"the policy forbids code in the page", script(options) + snippet, "script-src 'self' https://*.kindlycdn.com", "callback-script-not-run", []string{"script-src-elem", "nonce"}},
		{"the code has a slip", script(`window.kindlyOptions = {getAuthToken: async () => { fetch("/auth" {}) }}`) + snippet, "", "callback-script-not-run", []string{"SyntaxError"}},
		{"a module's code in a plain script", script(`import { api } from "./api.js"; `+options) + snippet, "", "callback-script-not-run", []string{`type="module"`}},
		{"the template escapes it", script(`window.kindlyOptions = Object.assign({&quot;name&quot;: 1}, `+function+`)`) + snippet, "", "callback-script-not-run", []string{"writes quotes and brackets as HTML"}},
		{"a plugin holds it back", `<script type="rocketlazyloadscript">` + options + `</script>` + snippet, "", "callback-script-not-run", []string{`"rocketlazyloadscript"`, "holds scripts back"}},
		{"what comes before it throws", script(`document.getElementById("nowhere").textContent = ""; `+options) + snippet, "", "callback-script-not-run", []string{"TypeError"}},
		{"its file is not there", `<script src="/js/chat.js"></script>` + snippet, "", "callback-script-not-run", []string{"/js/chat.js: 404", "nothing that the page loads has a getAuthToken"}},
		{"it waits for the page", snippet + script(`addEventListener("load", () => setTimeout(() => { `+options+` }, 700))`), "", "callback-late", []string{"it is set later", "neither a module nor deferred"}},
		{"a second snippet writes the options anew", script(options) + script(`window.kindlyOptions = {position: "left"};`) + snippet, "", "callback-overwritten", []string{"in 2 places", "Object.assign"}},
		{"a constant", script(`const kindlyOptions = `+function) + snippet, "", "callback-not-global", []string{"window.kindlyOptions = {…}"}},
		{"in a module", `<script type="module">var kindlyOptions = ` + function + `</script>` + strings.Replace(snippet, "<script", "<script defer", 1), "", "callback-not-global", []string{"in a function or a module"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				switch r.URL.Path {
				case "/auth":
					sound(w, r)
				case "/frame":
					io.WriteString(w, `<!doctype html><link rel="icon" href="data:,">`+snippet)
				case "/":
					if row.policy != "" {
						w.Header().Set("Content-Security-Policy", row.policy)
					}
					io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><body>`+row.head)
				default:
					http.NotFound(w, r)
				}
			})
			shop := target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "0123456789", HTTPOnly: true, SameSite: "Lax"}}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"PAGE", "AUTH-POST-TOKEN"}, Browser: sharedBrowser(t), Timeout: 5 * time.Second}) // a busy machine needs them
			namesAlone(t, run, row.cause, row.says...)
		})
	}
}
