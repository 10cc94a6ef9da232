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

// That no chat client starts for who is logged out says nothing of the callback, unless
// the page is not for them: where it means to have a chat, the callback is called all
// the same, and else the pass is a weak one.
func TestWhoIsLoggedOutIsJudgedByTheCallback(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	heldBack := func(page string) http.HandlerFunc { // until the login has clicked the banner away
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			if loggedIn(r) {
				io.WriteString(w, page)
				return
			}
			io.WriteString(w, strings.Replace(page, "<script id", `<script type="text/plain" id`, 1))
		}
	}
	everybodys := html(`(id) => "a.b.c"`, "")
	users := html(fmt.Sprintf(fetchIt, "", "{chatId: id}"), "")
	for _, row := range []struct {
		name    string
		page    http.HandlerFunc
		outcome reports.Outcome
		weak    bool
		says    string
	}{
		{"consent holds the client back, and everybody gets a token", heldBack(everybodys), reports.Failed, false, "put in"},
		{"consent holds the client back, and nobody gets a token", heldBack(users), reports.Passed, false, "no token"},
		{"there is no chat", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			if loggedIn(r) {
				io.WriteString(w, users)
			}
		}, reports.Passed, true, "page.steps"},
		{"the login stands in its place", func(w http.ResponseWriter, r *http.Request) {
			if !loggedIn(r) && r.URL.Path == "/" {
				http.Redirect(w, r, "/welcome", http.StatusFound)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			if loggedIn(r) {
				io.WriteString(w, users)
			}
		}, reports.Passed, false, "/welcome"},
		{"a gateway stands in its place", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			if loggedIn(r) {
				io.WriteString(w, users)
				return
			}
			w.WriteHeader(http.StatusBadGateway)
		}, reports.Skipped, false, "502"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/auth" {
					sound(w, r)
					return
				}
				row.page(w, r)
			})
			shop := target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "0123456789", HTTPOnly: true, SameSite: "Lax"}}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"PAGE-LOGGED-OUT"}, Browser: sharedBrowser(t)})
			if c := find(t, run, "PAGE-LOGGED-OUT"); c.Outcome != row.outcome || c.Weak != row.weak || !strings.Contains(c.Actual+c.Reason, row.says) {
				t.Errorf("it must be %s and say %q", row.outcome, row.says)
				describe(t, c)
			}
		})
	}
}
