package suites_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// memberNumber is how a shop calls a member, whom its tokens name otherwise.
const memberNumber = "1001"

// A numbered webhook answers whoever names the member's number in the context as it
// answers the member. notes: it puts the number into the chat's context itself.
func numbered(h http.Handler, notes, believes bool) http.HandlerFunc {
	var known atomic.Value // the answer that the member got
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		var asked struct {
			Context map[string]any `json:"context"`
		}
		json.Unmarshal(body, &asked)
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		out := answer.Body.Bytes()
		if answer.Code == http.StatusOK && r.Header.Get("Authorization") != "" {
			var said map[string]any
			json.Unmarshal(out, &said)
			if notes {
				said["new_context"] = map[string]any{"member_no": memberNumber}
			}
			out, _ = json.Marshal(said)
			known.Store(out)
		} else if before := known.Load(); believes && before != nil && asked.Context["member_no"] == memberNumber && r.Header.Get("Authorization") == "" {
			out = before.([]byte)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		w.Write(out)
	}
}

// Somebody can be named by what the shop calls them, and not only by what stands in
// the token: the page sends it, or the webhook notes it in the chat's context.
func TestAMemberIsNamedAsTheShopNamesThem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		notes, believes bool
		page            bool // it sends the number
		want            reports.Outcome
	}{
		{"the webhook notes the number and believes it", true, true, false, reports.Failed},
		{"the page sends the number and the webhook believes it", false, true, true, reports.Failed},
		{"the webhook notes the number and believes no context", true, false, false, reports.Passed},
		{"the page sends the number and the webhook believes no context", false, false, true, reports.Passed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			shop := target.Target{PrivateKey: ourKey()}
			if tt.page {
				shop = plainEndpointOf(t, plainEndpoint{})
				shop.Endpoint.ChatIDField, shop.Endpoint.Body = "", map[string]any{"chat_id": target.ChatID, "member_no": memberNumber}
			}
			shop.Webhooks = []target.Webhook{{URL: "https://hook1.shop.example/kindly", Secret: plainSecret, ConnectTo: serve(t, numbered(plain(), tt.notes, tt.believes))}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-USER-ID"}})
			c := find(t, run, "HOOK-USER-ID")
			if c.Outcome != tt.want || tt.want == reports.Failed && !strings.Contains(c.Actual, "the context names the member's member_no") {
				t.Errorf("it is %s, want %s", c.Outcome, tt.want)
				describe(t, c)
			}
		})
	}
}

// An error that shows what is inside may be that of a member who is not found.
func TestTheErrorForAnUnknownMemberIsReadToo(t *testing.T) {
	t.Parallel()
	e := plainEndpoint{}
	shop := plainEndpointOf(t, e)
	shop.Endpoint.ChatIDField, shop.Endpoint.Body = "", map[string]any{"chat_id": target.ChatID, "member_no": memberNumber}
	shop.Endpoint.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		var asked map[string]any
		if json.Unmarshal(body, &asked) == nil && asked["member_no"] != nil && asked["member_no"] != memberNumber {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "Traceback (most recent call last):\n  File \"/srv/shop/views.py\", line 12, in token\nKeyError")
			return
		}
		e.ServeHTTP(w, r)
	})
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-ERROR-LEAK"}})
	if c := find(t, run, "AUTH-ERROR-LEAK"); c.Outcome != reports.Warned || !strings.Contains(c.Actual, "member_no") {
		t.Error("the stack trace is not seen")
		describe(t, c)
	}
}

// Which cookie is the session shows by whose token comes without it, or, where all
// get the same one, by its name.
func TestTheSessionsCookieIsFoundWhereAnybodyGetsAToken(t *testing.T) {
	t.Parallel()
	sessionOr := func(other string) func(*http.Request) string {
		return func(r *http.Request) string {
			if c, err := r.Cookie("session"); err == nil && c.Value == "9f2c7be1a0d4" {
				return "user-ada"
			}
			return other
		}
	}
	for _, tt := range []struct {
		name   string
		cookie string
		who    func(*http.Request) string
		want   reports.Outcome
		says   string
	}{
		{"strangers are guests", "session", sessionOr("guest"), reports.Warned, `"session" lacks HttpOnly, SameSite`},
		{"all are one user", "session", sessionOr("user-ada"), reports.Warned, `"session" lacks HttpOnly, SameSite`},
		{"all are one user, and no cookie has a session's name", "theme", sessionOr("user-ada"), reports.Skipped, "AUTH-NO-SESSION"},
		{"strangers get none", "session", sessionOr(""), reports.Warned, `"session" lacks HttpOnly, SameSite`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			requireBrowser(t)
			e := plainEndpoint{who: tt.who}
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					e.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				io.WriteString(w, html(`async (id) => (await (await fetch("/token", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chat_id: id})})).json()).token`, ""))
			})
			shop := target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{{Name: tt.cookie, Value: "9f2c7be1a0d4"}}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-COOKIE-FLAGS"}, Browser: sharedBrowser(t)})
			if c := find(t, run, "AUTH-COOKIE-FLAGS"); c.Outcome != tt.want || !strings.Contains(c.Actual+c.Reason, tt.says) {
				t.Errorf("it is %s, want %s", c.Outcome, tt.want)
				describe(t, c)
			}
		})
	}
}
