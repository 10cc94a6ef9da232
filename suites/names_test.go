package suites_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// withPage serves a page with this callback, and an endpoint at any other path than "/".
func withPage(t *testing.T, callback string, endpoint http.HandlerFunc) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			endpoint(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, html(callback, ""))
	})
}

// bySID is logged in by the cookie that loggedIn knows.
var bySID = &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "0123456789", SameSite: "Lax", HTTPOnly: true}}}

const askAuth = `async (id) => { const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})}); return r.ok ? (await r.json()).token : null; }`

// Browsers know all names under localhost; few resolvers do.
func TestNamesUnderLocalhostAreThisMachine(t *testing.T) {
	t.Parallel()
	at := strings.Replace(withPage(t, askAuth, sound), "127.0.0.1", "shop.kindlytest.localhost", 1)
	run := suites.RunQuietly(t.Context(), target.Target{PageURL: at + "/", Login: bySID}, suites.Options{Only: []string{"AUTH-POST-TOKEN", "AUTH-NO-SESSION", "LIVE-PROCESS"}, Browser: sharedBrowser(t)})
	noneIs(t, run, reports.Failed, reports.Errored)
	if run.ExitCode != 0 {
		t.Errorf("exit code %d, and the run says %q", run.ExitCode, run.Problem)
	}
}

// An endpoint whose name the browser can resolve and the harness can't did not die.
func TestAnUnknownNameIsNoDeath(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	at, err := url.Parse(withPage(t, askAuth, sound))
	if err != nil {
		t.Fatal(err)
	}
	const name = "shop.kindlytest.invalid"
	b, err := browser.Launch(t.Context(), browser.Options{Resolve: map[string]string{name: at.Host}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	run := suites.RunQuietly(t.Context(), target.Target{PageURL: "http://" + name + "/", Login: bySID}, suites.Options{Only: []string{"AUTH-POST-TOKEN", "AUTH-NO-SESSION", "LIVE-PROCESS"}, Browser: b, Timeout: 3 * time.Second})
	noneIs(t, run, reports.Failed)
	if run.ExitCode != 2 || !strings.Contains(run.Problem, name) || strings.Contains(run.Problem, "kills") || !strings.Contains(run.Hint, "resolve") {
		t.Errorf("exit code %d, and the run says %q (%s): want it to name the host, and the key that gives its address", run.ExitCode, run.Problem, run.Hint)
	}
}
