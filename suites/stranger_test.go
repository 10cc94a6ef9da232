package suites_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A page that gives strangers no token does what it should: without a login, that is no
// mistake of it, nor anything to be green on. With one, or where nothing is returned, it is.
func TestAStrangerGetsNoToken(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	login := &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "0123456789"}}}
	asks := func(url, then string) string {
		return `async (chatId) => { const r = await fetch("` + url + `", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId})}); ` + then + ` }`
	}
	for name, row := range dueOf(t, map[string]struct {
		callback string
		login    *browser.Login
		outcome  reports.Outcome
		exit     int
	}{
		"null, and no login":         {"async () => null", nil, reports.Skipped, 2},
		"null after 401":             {asks("/auth/401", "return r.ok ? (await r.json()).token : null"), nil, reports.Skipped, 2},
		"undefined after 401":        {asks("/auth/401", "return (await r.json()).token"), nil, reports.Skipped, 2},
		"an error after 403":         {asks("/auth/403", "if (!r.ok) throw new Error(r.status)"), nil, reports.Skipped, 2},
		"an error after the login":   {asks("/auth/302", "return (await r.json()).token"), nil, reports.Skipped, 2},
		"null after 401 and a login": {asks("/auth/401", "return r.ok ? (await r.json()).token : null"), login, reports.Failed, 1},
		"nothing, whatever is said":  {`(chatId) => { fetch("/auth/401", {method: "POST", body: chatId}) }`, nil, reports.Failed, 1},
		"what 401 says":              {asks("/auth/401", "return r.json()"), nil, reports.Failed, 1},
		"the CSRF token is not sent": {asks("/auth/csrf", "return r.ok ? (await r.json()).token : null"), nil, reports.Failed, 1},
		"a token, and then 401":      {asks("/auth/once", "return r.ok ? (await r.json()).token : null"), nil, reports.Passed, 1},
		"null after a login":         {"async () => null", login, reports.Failed, 1},
		"nothing, and no login":      {"async () => {}", nil, reports.Failed, 1},
		"asks, and loses the token":  {`async (chatId) => { await fetch("/auth", {method: "POST", body: chatId}); return null }`, nil, reports.Failed, 1},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Bool
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				switch r.URL.Path {
				case "/auth/401", "/auth/403":
					status, _ := strconv.Atoi(r.URL.Path[len("/auth/"):])
					says(status, "application/json", `{"error":"log in"}`)(w, r)
				case "/auth/once":
					if asked.CompareAndSwap(false, true) {
						give(w, chatIDOf(r))
						return
					}
					says(401, "application/json", `{"error":"log in"}`)(w, r)
				case "/auth/302":
					http.Redirect(w, r, "/login", http.StatusFound)
				case "/auth/csrf":
					if r.Header.Get("X-Csrf-Token") == "abcdef" {
						give(w, chatIDOf(r))
						return
					}
					w.WriteHeader(http.StatusForbidden)
				case "/":
					io.WriteString(w, `<!doctype html><meta name="csrf-token" content="abcdef"><link rel="icon" href="data:,"><body><script>window.kindlyOptions = {getAuthToken: `+row.callback+`}</script>`+snippet)
				}
			})
			run := suites.RunQuietly(t.Context(), target.Target{PageURL: url, Login: row.login}, suites.Options{Browser: sharedBrowser(t)})
			if c := find(t, run, "PAGE-CALLBACK-TOKEN"); c.Outcome != row.outcome || run.ExitCode != row.exit {
				describe(t, c)
				t.Errorf("it is %s, and the exit code %d (%s)", c.Outcome, run.ExitCode, run.Problem)
			}
			if c := find(t, run, "AUTH-POST-TOKEN"); c.Outcome != row.outcome && row.exit == 2 || row.outcome == reports.Passed && c.Outcome != reports.Failed {
				t.Errorf("AUTH-POST-TOKEN is %s", c.Outcome)
				describe(t, c)
			}
			if row.exit == 2 && !strings.Contains(run.Hint, "page.login") {
				t.Errorf("the way out is %q", run.Hint)
			}
		})
	}
}
