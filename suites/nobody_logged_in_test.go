package suites_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// Whom the login's steps did not let in gets no token, and that is no mistake of the
// page: the run says why nobody is logged in. A cookie that browsers do not take keeps
// all users out, and is.
func TestALoginThatLetsNobodyInIsTold(t *testing.T) {
	t.Parallel()
	const form = `<form action="/session" method="post"><input id="email" name="email"><input id="password" name="password" type="password"><button>Log in</button></form>`
	const waits = `async (id) => { if (!document.cookie.includes("sid")) return null; const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})}); return (await r.json()).token }`
	asks := strings.Replace(waits, `if (!document.cookie.includes("sid")) return null;`, "", 1)
	type row struct {
		name, callback string
		session        http.HandlerFunc
		waitFor        string
		cause          string // of the run's first finding; "" if it can't be judged
		says           []string
	}
	for _, row := range due(t, []row{
		{"the password is another", waits, says(200, "text/html", form+`<p role="alert">Wrong password</p>`), "", "", []string{`"Wrong password"`, "right ones"}},
		{"the password is another, and is waited for", waits, says(200, "text/html", form+`<p role="alert">Wrong password</p>`), ".account", "", []string{"Wrong password", "login that was refused"}},
		{"a code is asked for", waits, says(200, "text/html", `<input name="otp">`), "", "", []string{"one-time code", "${totp:NAME}"}},
		{"too many have tried", waits, says(200, "text/html", form+`<p role="alert">Too many login attempts. Please try again in 897 seconds.</p>`), ".account", "", []string{"897 seconds", "no more tries"}},
		{"a captcha is asked for, in words", waits, says(200, "text/html", form+`<p role="alert">Please complete the captcha</p>`), ".account", "", []string{"steps can't solve", "storage_state"}},
		{"a captcha is in the way", waits, says(200, "text/html", form+`<div class="h-captcha" data-sitekey="k"></div>`), ".account", "", []string{"captcha", "storage_state"}},
		{"no cookie is set", waits, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, "", "", []string{"left no cookie", "trust proxy"}},
		{"browsers drop the cookie, and the page asks nobody", waits, func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "0123456789", SameSite: http.SameSiteNoneMode, Path: "/"})
			http.Redirect(w, r, "/", http.StatusFound)
		}, "", "callback-cookie-kept-back", []string{"SameSiteNoneInsecure", "with Secure"}},
		{"browsers drop the cookie, and the endpoint knows nobody", asks, func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "0123456789", Domain: "shop.example", Path: "/"})
			http.Redirect(w, r, "/", http.StatusFound)
		}, "", "callback-cookie-kept-back", []string{"InvalidDomain", "with it the same request brings a token", "without Domain"}},
		{"the cookie's life is over when it comes", waits, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Set-Cookie", "sid=0123456789; Path=/; Max-Age=-1")
			http.Redirect(w, r, "/", http.StatusFound)
		}, "", "callback-cookie-kept-back", []string{"EndsAtOnce", "Let the cookie live"}},
		{"the cookie has ended by the server's clock", asks, func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "0123456789", Path: "/", Expires: time.Now().Add(-30 * time.Minute)})
			http.Redirect(w, r, "/", http.StatusFound)
		}, "", "callback-cookie-kept-back", []string{"EndsAtOnce", "with it the same request brings a token", "server's clock"}},
		{"browsers drop the cookie, and it is waited for", asks, func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "__Host-sid", Value: "0123456789", Path: "/account", Secure: true})
			http.Redirect(w, r, "/", http.StatusFound)
		}, ".account", "", []string{"__Host-sid", "Path=/"}},
	}, func(row row) string { return row.name }) {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/auth":
					sound(w, r)
				case "/session":
					row.session(w, r)
				case "/login":
					says(200, "text/html", form)(w, r)
				default:
					w.Header().Set("Content-Type", "text/html")
					fmt.Fprint(w, html(row.callback, ""))
				}
			})
			steps := []browser.Step{{Goto: url + "/login"}, {Fill: []browser.Field{{Selector: "#email", Value: "ada@example.com"}, {Selector: "#password", Value: "hunter2hunter2"}}}, {Click: "button"}}
			if row.waitFor != "" {
				steps = append(steps, browser.Step{WaitFor: row.waitFor})
			}
			run := suites.RunQuietly(t.Context(), target.Target{PageURL: url + "/", Login: &browser.Login{Steps: steps}},
				suites.Options{Only: []string{"PAGE-CALLBACK-TOKEN", "AUTH-POST-TOKEN"}, Browser: sharedBrowser(t), Timeout: impatience})
			if row.cause != "" {
				namesAlone(t, run, row.cause, row.says...)
				return
			}
			if text := run.Problem + " " + run.Hint; run.ExitCode != 2 || len(run.Causes) > 0 {
				t.Errorf("exit code %d, causes %+v: want 2 and none", run.ExitCode, run.Causes)
			} else {
				for _, want := range row.says {
					if !strings.Contains(text, want) {
						t.Errorf("%q is not said:\n%s", want, text)
					}
				}
			}
		})
	}
}
