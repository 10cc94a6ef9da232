package suites_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A token that the callback gets and does not give can be left lying about all the
// same: that the callback returns the wrong thing hides no leak.
func TestATokenThatTheCallbackLosesIsLookedForToo(t *testing.T) {
	t.Parallel()
	const fetches = `(await (await fetch("/token", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chat_id: id})})).json())`
	for _, tt := range []struct {
		name, callback string
		want           reports.Outcome
	}{
		{"the whole answer, and the token in the console", `async (id) => { const d = ` + fetches + `; console.log(d.token); return d; }`, reports.Failed},
		{"the whole answer", `async (id) => ` + fetches, reports.Passed},
		{"nothing, and the token in the storage", `async (id) => { localStorage.setItem("jwt", ` + fetches + `.token) }`, reports.Failed},
		{"nothing, of nobody", `async (id) => null`, reports.Skipped},
	} {
		t.Run(tt.name, func(t *testing.T) {
			requireBrowser(t)
			e := plainEndpoint{who: func(*http.Request) string { return "user-ada" }}
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					e.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				io.WriteString(w, html(tt.callback, ""))
			})
			run := suites.RunQuietly(t.Context(), target.Target{PageURL: url + "/"}, suites.Options{Only: []string{"PAGE-TOKEN-LEAK"}, Browser: sharedBrowser(t)})
			expect(t, run, map[string]reports.Outcome{"PAGE-TOKEN-LEAK": tt.want})
		})
	}
}

// Who is logged out and gets a text in the place of a token gets no token of anybody:
// that is the page's own mistake.
func TestATextIsNobodysToken(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	for text, cause := range map[string]string{"null": "token-missing-made-text", "login required": "token-text", "<!doctype html><title>Log in</title>": "token-html"} {
		t.Run(cause, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				io.WriteString(w, html(fmt.Sprintf(`(id) => document.cookie ? "a.b.c" : %q`, text), ""))
			})
			shop := target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "9f2c7be1a0d4"}}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"PAGE-LOGGED-OUT"}, Browser: sharedBrowser(t)})
			c := find(t, run, "PAGE-LOGGED-OUT")
			if c.Outcome != reports.Failed || c.Cause != cause || strings.Contains(c.Actual, "got a token") {
				t.Errorf("it is put down to %q", c.Cause)
				describe(t, c)
			}
		})
	}
}
