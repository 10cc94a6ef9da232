package suites_test

import (
	"bytes"
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

// Where a page's request is refused for one of the usual reasons, the reason is
// named, and the endpoint is judged as if the page asked rightly.
func TestMistakesOfThePagesRequestAreNamed(t *testing.T) {
	t.Parallel()
	const ask = `(id) => fetch("%s", {method: "POST"%s, body: JSON.stringify({chatId: id})}).then(r => r.ok ? r.json() : {}).then(d => d.token)`
	const jsonType = `, headers: {"Content-Type": "application/json"}`
	only := func(ok func(*http.Request) bool, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if !ok(r) {
				http.Error(w, "not like that", status)
				return
			}
			sound(w, r)
		}
	}
	for _, row := range []struct {
		name, script, more, says string
		auth                     http.HandlerFunc
	}{
		{"the session is not sent", fmt.Sprintf(ask, "/auth", jsonType+`, credentials: "omit"`), "", "cookies", sound},
		{"the body is not said to be JSON", fmt.Sprintf(ask, "/auth", ""), "", "application/json",
			only(func(r *http.Request) bool { return r.Header.Get("Content-Type") == "application/json" }, 415)},
		{"a slash is missing", fmt.Sprintf(ask, "/auth", jsonType), "", "slash",
			only(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/") }, 404)},
		{"the CSRF token of the cookie is not sent", fmt.Sprintf(ask, "/auth", jsonType), "", "CSRF token",
			only(func(r *http.Request) bool { return r.Header.Get("X-Csrftoken") == "fedcba9876543210" }, 403)},
		{"the CSRF token of the tag is not sent", fmt.Sprintf(ask, "/auth", jsonType), `<meta content="abcdef" name="csrf-token">`, "CSRF token",
			only(func(r *http.Request) bool { return r.Header.Get("X-Csrf-Token") == "abcdef" }, 419)},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/auth") {
					row.auth(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				io.Copy(w, bytes.NewReader([]byte(html(row.script, row.more))))
			})
			shop := target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{
				{Name: "sid", Value: "0123456789", HTTPOnly: true, SameSite: "Lax"},
				{Name: "csrftoken", Value: "fedcba9876543210", SameSite: "Lax"},
			}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-*"}, Browser: sharedBrowser(t)})
			if c := find(t, run, "AUTH-POST-TOKEN"); c.Outcome != reports.Failed || !strings.Contains(c.Actual, row.says) {
				t.Errorf("AUTH-POST-TOKEN must fail and say %q", row.says)
				describe(t, c)
			}
			for _, id := range []string{"AUTH-NO-SESSION", "AUTH-BIND-CHAT", "AUTH-CHATID-TYPE", "AUTH-IDENTITY-BODY"} {
				if c := find(t, run, id); c.Outcome != reports.Passed {
					t.Errorf("%s is %s", id, c.Outcome)
					describe(t, c)
				}
			}
		})
	}
}
