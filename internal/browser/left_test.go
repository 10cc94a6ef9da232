package browser_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// What the steps of a login have left makes another user the same, without steps.
func TestALoginsLeavingsMakeAnotherUserTheSame(t *testing.T) {
	var logins atomic.Int32
	s := newSite(t, map[string]string{
		"/login": `<button>Log in</button><script>document.querySelector("button").onclick = async () => {
			await fetch("/session", {method: "POST"}); localStorage.user = "ada"; sessionStorage.tab = "hunter2"; location.href = "/account" }</script>`,
		"/account": `<p class=account>Ada</p>`,
		"/{$}":     `<script>document.title = [localStorage.user, sessionStorage.tab, document.cookie.includes("theme=dark")].join("|")</script>`,
	})
	s.Config.Handler.(*http.ServeMux).HandleFunc("POST /session", func(w http.ResponseWriter, _ *http.Request) {
		logins.Add(1)
		for _, c := range []http.Cookie{
			{Name: "sid", Value: "0123456789", HttpOnly: true, SameSite: http.SameSiteStrictMode, Path: "/"},
			{Name: "remember", Value: "me", MaxAge: 3600, SameSite: http.SameSiteLaxMode, Path: "/"},
			{Name: "theme", Value: "dark", Path: "/"},
			{Name: "admin", Value: "no", Path: "/admin"},
		} {
			http.SetCookie(w, &c)
		}
	})
	login := browser.Login{Keep: true, Steps: []browser.Step{{Goto: s.URL + "/login"}, {Click: "button"}, {WaitFor: ".account"}}}
	first := newUser(t, chrome(t), login)
	left, ok := first.Left()
	if !ok || len(left.Steps) != 0 || left.Keep {
		t.Fatalf("it left %v, %t", left, ok)
	}
	second := newUser(t, chrome(t), left)
	look := func(u *browser.User) (string, []browser.StoredCookie) {
		p := visitAs(t, u, s.URL+"/", nil)
		state, err := p.State(withTimeout(t))
		if err != nil {
			t.Fatal(err)
		}
		for i := range state.Cookies {
			state.Cookies[i].Expires = state.Cookies[i].Expires.Truncate(time.Second)
		}
		slices.SortFunc(state.Cookies, func(a, b browser.StoredCookie) int { return strings.Compare(a.Name, b.Name) })
		return state.Title, state.Cookies
	}
	wantTitle, wantCookies := look(first)
	gotTitle, gotCookies := look(second)
	if wantTitle != "ada|hunter2|true" || gotTitle != wantTitle {
		t.Errorf("the first user's page shows %q, the second's %q", wantTitle, gotTitle)
	}
	if diff := cmp.Diff(wantCookies, gotCookies); diff != "" || len(wantCookies) != 4 {
		t.Errorf("%d cookies, and the second user's differ: %s", len(wantCookies), diff)
	}
	if n := logins.Load(); n != 1 {
		t.Errorf("%d logins", n)
	}
	if _, ok := newUser(t, chrome(t), browser.Login{Steps: login.Steps}).Left(); ok {
		t.Error("it keeps what nobody asked for")
	}
}
