package suites_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// Frameworks bind what protects from CSRF to the session, and look at it first: a request
// with the user's own and no session is refused before anybody asks who is logged in. Anyone
// who opens the login page has both, though, and must get no token either.
func TestWhoOpensTheLoginPageGetsNoToken(t *testing.T) {
	t.Parallel()
	boundTo := func(sid string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte("csrf of "+sid)))[:32] }
	for i, way := range []struct {
		name, tag, headers, member, refusal string
		sent                                func(r *http.Request, body map[string]any) string
	}{
		{name: "in the header of Rails and Laravel", tag: `<meta name="csrf-param" content="authenticity_token"><meta name="csrf-token" content="%s">`, headers: `, "X-CSRF-TOKEN": document.querySelector("meta[name=csrf-token]").content`,
			sent: func(r *http.Request, _ map[string]any) string { return r.Header.Get("X-CSRF-Token") }},
		{name: "in the header of Angular and Spring", headers: `, "X-XSRF-TOKEN": document.cookie.match(/XSRF-TOKEN=([^;]*)/)[1]`,
			sent: func(r *http.Request, _ map[string]any) string { return r.Header.Get("X-XSRF-Token") }},
		{name: "in the header of Express, fetched", headers: `, "X-CSRF-Token": (await (await fetch("/csrf")).json()).csrfToken`,
			sent: func(r *http.Request, _ map[string]any) string { return r.Header.Get("X-CSRF-Token") }},
		{name: "as a nonce of WordPress", tag: `<script>const shop = {"ajaxurl":"/auth","nonce":"%s"}</script>`, member: `, _ajax_nonce: shop.nonce`, refusal: "-1",
			sent: func(_ *http.Request, body map[string]any) string { return fmt.Sprint(body["_ajax_nonce"]) }},
		{name: "in the body", tag: `<input type="hidden" name="_token" value="%s">`, member: `, _token: document.querySelector("[name=_token]").value`,
			sent: func(_ *http.Request, body map[string]any) string { return fmt.Sprint(body["_token"]) }},
	} {
		for _, guests := range []bool{false, true} {
			if !guests && i > 0 {
				continue // where it is sound, the ways are alike
			}
			t.Run(fmt.Sprintf("%s, tokens for guests: %t", way.name, guests), func(t *testing.T) {
				t.Parallel()
				e := plainEndpoint{who: func(r *http.Request) string {
					if user := plainSession(r); user != "" || !guests {
						return user
					}
					return "guest"
				}}
				callback := `async (id) => fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"` + way.headers + `}, body: JSON.stringify({chat_id: id` + way.member + `})}).then(r => r.ok ? r.json() : {}).then(d => d.token)`
				url := serve(t, func(w http.ResponseWriter, r *http.Request) {
					var sid string
					if c, err := r.Cookie("sid"); err == nil {
						sid = c.Value
					}
					switch r.URL.Path {
					case "/csrf":
						w.Header().Set("Content-Type", "application/json")
						fmt.Fprintf(w, `{"csrfToken":%q}`, boundTo(sid))
						return
					case "/auth":
						body, _ := io.ReadAll(r.Body)
						var members map[string]any
						json.Unmarshal(body, &members)
						if sid == "" || way.sent(r, members) != boundTo(sid) {
							http.Error(w, cmp.Or(way.refusal, "Page Expired"), map[bool]int{false: 419, true: 403}[way.refusal != ""])
							return
						}
						r.Body = io.NopCloser(bytes.NewReader(body))
						e.ServeHTTP(w, r)
						return
					}
					if sid == "" {
						sid = "visitor-3d90b7"
						http.SetCookie(w, &http.Cookie{Name: "sid", Value: sid, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
					}
					http.SetCookie(w, &http.Cookie{Name: "XSRF-TOKEN", Value: boundTo(sid), Path: "/", SameSite: http.SameSiteLaxMode})
					tag := strings.ReplaceAll(way.tag, "%s", boundTo(sid))
					switch {
					case r.URL.Path == "/login":
						w.Header().Set("Content-Type", "text/html")
						fmt.Fprint(w, "<!doctype html><title>Log in</title><form>", tag, "<input type=password></form><script>const r = new XMLHttpRequest(); r.open('GET', '/csrf', false); r.send()</script>")
					case plainSession(r) == "":
						http.Redirect(w, r, "/login", http.StatusFound)
					default:
						w.Header().Set("Content-Type", "text/html")
						fmt.Fprint(w, html(callback, tag))
					}
				})
				shop := target.Target{PageURL: url + "/", PublicKeys: []*token.Key{publicOf(t)},
					Login: &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "9f2c7be1a0d4", HTTPOnly: true, SameSite: "Lax"}}}}
				run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-NO-SESSION", "PAGE-LOGGED-OUT"}, Browser: sharedBrowser(t)})
				c := find(t, run, "AUTH-NO-SESSION")
				if want := map[bool]reports.Outcome{false: reports.Passed, true: reports.Failed}[guests]; c.Outcome != want {
					t.Errorf("AUTH-NO-SESSION is %s", c.Outcome)
					describe(t, c)
				}
				alone := shop
				alone.PageURL, alone.Login = "", nil
				alone.Endpoint = &target.EndpointConfig{URL: url + "/auth", ChatIDField: "chat_id", Header: http.Header{"Cookie": {"sid=9f2c7be1a0d4"}, "X-Csrf-Token": {boundTo("9f2c7be1a0d4")}}}
				if way.name == "in the header of Rails and Laravel" {
					c := find(t, suites.RunQuietly(t.Context(), alone, suites.Options{Only: []string{"AUTH-NO-SESSION"}}), "AUTH-NO-SESSION")
					if c.Outcome != reports.Skipped || !strings.Contains(c.Reason, "X-Csrf-Token") {
						t.Errorf("without a page, AUTH-NO-SESSION is %s: %s", c.Outcome, c.Reason)
						describe(t, c)
					}
				}
				if guests && (c.Cause != "endpoint-knows-nobody" || !strings.Contains(c.Actual, "not logged in")) {
					t.Errorf("AUTH-NO-SESSION, %q, says %q", c.Cause, c.Actual)
				}
			})
		}
	}
}
