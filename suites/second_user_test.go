package suites_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// Who can choose whose token they get is found by the second user, also where that
// user's session has ended on the way: they log in again.
func TestTheSecondUserLogsInAgain(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	var ended atomic.Bool // of the second user's first session
	at := withPage(t, askAuth, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			name := "second"
			if ended.Load() {
				name = "second again"
			}
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: strings.ReplaceAll(name, " ", "-"), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
			return
		}
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		r.Body = io.NopCloser(bytes.NewReader(body))
		var sent map[string]any
		if json.Unmarshal(body, &sent) != nil {
			ended.Store(true)
		}
		who := "7"
		if c, err := r.Cookie("sid"); err == nil && (c.Value == "second" && !ended.Load() || c.Value == "second-again") {
			who = "8"
		} else if !loggedIn(r) {
			http.Error(w, "log in", http.StatusUnauthorized)
			return
		}
		if named, _ := sent["user_id"].(string); named == "7" || named == "8" {
			who = named
		}
		id := chatIDOf(r)
		if !uuid(id) {
			http.Error(w, "chat id", http.StatusBadRequest)
			return
		}
		asJSON(w, mintFor(who, id))
	})
	second := &browser.Login{Steps: []browser.Step{{Goto: at + "/login"}}}
	run := suites.RunQuietly(t.Context(), target.Target{PageURL: at + "/", Login: bySID, Second: second},
		suites.Options{Only: []string{"AUTH-BODY-MALFORMED", "AUTH-IDENTITY-BODY"}, Concurrency: 1, Browser: sharedBrowser(t)})
	if c := find(t, run, "AUTH-IDENTITY-BODY"); c.Outcome != reports.Failed || !ended.Load() {
		t.Errorf("AUTH-IDENTITY-BODY is %s; the session had ended: %t", c.Outcome, ended.Load())
		describe(t, c)
	}
}

// A header by which a gateway says who somebody is can be written by anybody where the
// app does not see to it that it comes from the gateway.
func TestTheHeaderOfAGatewayIsNotBelieved(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	for _, believes := range []bool{true, false} {
		people := map[string]string{"0123456789": "7", "9876543210": "8"}
		at := withPage(t, askAuth, func(w http.ResponseWriter, r *http.Request) {
			c, err := r.Cookie("sid")
			id := chatIDOf(r)
			if err != nil || people[c.Value] == "" || !uuid(id) {
				http.Error(w, "log in", http.StatusUnauthorized)
				return
			}
			who := people[c.Value]
			if named := r.Header.Get("X-User-Id"); believes && named != "" {
				who = named
			}
			asJSON(w, mintFor(who, id))
		})
		second := &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "9876543210", SameSite: "Lax", HTTPOnly: true}}}
		run := suites.RunQuietly(t.Context(), target.Target{PageURL: at + "/", Login: bySID, Second: second}, suites.Options{Only: []string{"AUTH-IDENTITY-BODY"}, Browser: sharedBrowser(t)})
		want, says := reports.Passed, ""
		if believes {
			want, says = reports.Failed, "X-User-Id"
		}
		if c := find(t, run, "AUTH-IDENTITY-BODY"); c.Outcome != want || !strings.Contains(c.Actual, says) {
			t.Errorf("AUTH-IDENTITY-BODY is %s, want %s", c.Outcome, want)
			describe(t, c)
		}
	}
}

// Code that takes the session for granted throws without it: that cookie is the session.
func TestACookieWithoutWhichTheEndpointFailsIsTheSession(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	at := withPage(t, askAuth, func(w http.ResponseWriter, r *http.Request) {
		id := chatIDOf(r)
		if !loggedIn(r) {
			http.Error(w, "cannot read properties of undefined", http.StatusInternalServerError)
			return
		}
		if !uuid(id) {
			http.Error(w, "chat id", http.StatusBadRequest)
			return
		}
		asJSON(w, mint(id))
	})
	login := &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "0123456789"}}}
	run := suites.RunQuietly(t.Context(), target.Target{PageURL: at + "/", Login: login}, suites.Options{Only: []string{"AUTH-COOKIE-FLAGS"}, Browser: sharedBrowser(t)})
	if c := find(t, run, "AUTH-COOKIE-FLAGS"); c.Outcome != reports.Warned || !strings.Contains(c.Actual, "sid") {
		t.Errorf("AUTH-COOKIE-FLAGS is %s: %s %s", c.Outcome, c.Actual, c.Reason)
	}
}

// A proxy that logs people in is the session of a page that has no other.
func TestAPageBehindAProxyThatLogsPeopleIn(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	people := map[string]string{"f81d4fae-7dec-11d0": "7", "0b2c9d33-41aa-9e1f": "8"}
	at := withPage(t, askAuth, func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("_oauth2_proxy")
		id := chatIDOf(r)
		if err != nil || people[c.Value] == "" || !uuid(id) {
			http.Error(w, "log in", http.StatusUnauthorized)
			return
		}
		asJSON(w, mintFor(people[c.Value], id))
	})
	as := func(value string) *browser.Login {
		return &browser.Login{Cookies: []browser.Cookie{{Name: "_oauth2_proxy", Value: value, HTTPOnly: true, SameSite: "Lax"}}}
	}
	run := suites.RunQuietly(t.Context(), target.Target{PageURL: at + "/", Login: as("f81d4fae-7dec-11d0"), Second: as("0b2c9d33-41aa-9e1f")},
		suites.Options{Only: []string{"AUTH-NO-SESSION", "AUTH-BAD-SESSION", "AUTH-BIND-SESSION"}, Browser: sharedBrowser(t)})
	for _, id := range []string{"AUTH-NO-SESSION", "AUTH-BAD-SESSION", "AUTH-BIND-SESSION"} {
		if c := find(t, run, id); c.Outcome != reports.Passed {
			t.Errorf("%s is %s", id, c.Outcome)
			describe(t, c)
		}
	}
}

// The second user logs in once, when the first one has their token.
func TestTheSecondUserLogsInOnceTheFirstHasTheirToken(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	for _, concurrency := range []int{0, 1} {
		var tokens, logins, early atomic.Int32
		at := withPage(t, askAuth, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				if logins.Add(1); tokens.Load() == 0 {
					early.Add(1)
				}
				http.SetCookie(w, &http.Cookie{Name: "sid", Value: "second", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
				io.WriteString(w, "<p id=welcome>Welcome</p>")
				return
			}
			c, err := r.Cookie("sid")
			id := chatIDOf(r)
			if err != nil || !uuid(id) {
				http.Error(w, "log in", http.StatusUnauthorized)
				return
			}
			asJSON(w, mintFor(map[bool]string{true: "8", false: "7"}[c.Value == "second"], id))
			tokens.Add(1)
		})
		second := &browser.Login{Steps: []browser.Step{{Goto: at + "/login"}, {WaitFor: "#welcome"}}}
		run := suites.RunQuietly(t.Context(), target.Target{PageURL: at + "/", Login: bySID, Second: second},
			suites.Options{Only: []string{"AUTH-BIND-SESSION"}, Concurrency: concurrency, Browser: sharedBrowser(t)})
		if got := find(t, run, "AUTH-BIND-SESSION").Outcome; logins.Load() != 1 || early.Load() != 0 || got != reports.Passed {
			t.Errorf("concurrency %d: %d logins, %d of them before the first user had a token; AUTH-BIND-SESSION is %s", concurrency, logins.Load(), early.Load(), got)
		}
	}
}
