package suites_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// From run to run a session is kept, and no verdict rests on one that has ended.
func TestALoginIsKeptFromRunToRun(t *testing.T) {
	t.Parallel()
	var logins, age atomic.Int32 // age: sessions of an earlier one are forgotten
	var broken atomic.Bool       // the endpoint gives nobody a token
	const ask = `async (id) => { const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})}); return r.ok ? (await r.json()).token : null; }`
	shop := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		of, _ := r.Cookie("age")
		known := of != nil && of.Value == fmt.Sprint(age.Load())
		switch {
		case r.URL.Path == "/login":
			io.WriteString(w, `<form method=post action=/session><button>Log in</button></form>`)
		case r.URL.Path == "/session":
			logins.Add(1)
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "0123456789", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
			http.SetCookie(w, &http.Cookie{Name: "age", Value: fmt.Sprint(age.Load()), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
			io.WriteString(w, `<p class=account>Ada</p>`)
		case r.URL.Path == "/auth" && (!known || broken.Load()):
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case r.URL.Path == "/auth":
			sound(w, r)
		default:
			io.WriteString(w, html(ask, ""))
		}
	})
	shopTarget := func() target.Target { // each run has read its file anew
		return target.Target{PageURL: shop + "/", Login: &browser.Login{Steps: []browser.Step{{Goto: shop + "/login"}, {Click: "button"}, {WaitFor: ".account"}}}}
	}
	kept := &subject.Logins{}
	for i, step := range []struct {
		what    string
		before  func()
		logins  int32 // in this run
		outcome reports.Outcome
	}{
		{"the first run logs in", func() {}, 1, reports.Passed},
		{"the second has its session", func() {}, 0, reports.Passed},
		{"one that gives no token is not trusted", func() { broken.Store(true) }, 1, reports.Failed},
		{"and goes on to serve", func() { broken.Store(false) }, 0, reports.Passed},
		{"one that was forgotten is made anew", func() { age.Add(1) }, 1, reports.Passed},
		{"which is kept", func() {}, 0, reports.Passed},
		{"an app that forgets again", func() { age.Add(1) }, 1, reports.Passed},
		{"is logged into each time", func() {}, 1, reports.Passed},
	} {
		step.before()
		was := logins.Load()
		run := suites.RunQuietly(t.Context(), shopTarget(), suites.Options{
			Only: []string{"PAGE-CALLBACK-TOKEN", "AUTH-POST-TOKEN", "AUTH-COOKIE-FLAGS"}, Browser: sharedBrowser(t), Timeout: impatience, Logins: kept,
		})
		c := find(t, run, "PAGE-CALLBACK-TOKEN")
		if n := logins.Load() - was; n != step.logins && !(c.Outcome == reports.Failed && n >= step.logins) || c.Outcome != step.outcome {
			describe(t, c)
			t.Errorf("%d, %s: %d logins, want %d; %s, want %s; %s", i+1, step.what, n, step.logins, c.Outcome, step.outcome, run.Problem)
		}
		if step.outcome != reports.Passed {
			continue
		}
		for _, id := range []string{"AUTH-POST-TOKEN", "AUTH-COOKIE-FLAGS"} {
			if c := find(t, run, id); c.Outcome != reports.Passed {
				describe(t, c)
			}
		}
		if text := fmt.Sprintf("%+v", run); strings.Contains(text, "0123456789") {
			t.Error("the report tells the session")
		}
	}
}
