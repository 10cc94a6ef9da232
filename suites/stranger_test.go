package suites_test

import (
	"io"
	"net/http"
	"strings"
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
	for name, row := range map[string]struct {
		callback string
		login    *browser.Login
		outcome  reports.Outcome
		exit     int
	}{
		"null, and no login":        {"async () => null", nil, reports.Skipped, 2},
		"null after a login":        {"async () => null", login, reports.Failed, 1},
		"nothing, and no login":     {"async () => {}", nil, reports.Failed, 1},
		"asks, and loses the token": {`async (chatId) => { await fetch("/auth", {method: "POST", body: chatId}); return null }`, nil, reports.Failed, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				if r.URL.Path == "/" {
					io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><body><script>window.kindlyOptions = {getAuthToken: `+row.callback+`}</script>`+snippet)
				}
			})
			run := suites.RunQuietly(t.Context(), target.Target{PageURL: url, Login: row.login}, suites.Options{Browser: sharedBrowser(t)})
			if c := find(t, run, "PAGE-CALLBACK-TOKEN"); c.Outcome != row.outcome || run.ExitCode != row.exit {
				describe(t, c)
				t.Errorf("it is %s, and the exit code %d (%s)", c.Outcome, run.ExitCode, run.Problem)
			}
			if row.exit == 2 && !strings.Contains(run.Hint, "page.login") {
				t.Errorf("the way out is %q", run.Hint)
			}
		})
	}
}
