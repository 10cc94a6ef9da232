package browser_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// A login that lets nobody in is described by what its page shows, and by the cookies
// that the browser did not take.
func TestAStepThatFailsSaysWhatThePageShows(t *testing.T) {
	const fields = `<input id=email name=email><input id=password name=password type=password>`
	form := func(more string) string {
		return `<form action=/session method=post>` + fields + `<button>Log in</button></form>` + more
	}
	click, wait := browser.Step{Click: "button"}, browser.Step{WaitFor: ".account"}
	for _, row := range []struct {
		name, login, next string // the two pages
		cookie            string
		steps             []browser.Step
		want              func(e *browser.StepError) bool
		says              string
	}{
		{"a message", form(""), form(`<p class="form-error">Invalid email or password</p>`), "", []browser.Step{click, wait},
			func(e *browser.StepError) bool { return e.Says == "Invalid email or password" && e.Password }, `which says "Invalid email or password"`},
		{"a message without a mark", form(""), form(`<p>Feil brukernavn eller passord</p>`), "", []browser.Step{click, wait},
			func(e *browser.StepError) bool { return e.Says == "Feil brukernavn eller passord" }, "Feil"},
		{"no message", form(""), `<h1>Welcome to the shop</h1>`, "", []browser.Step{click, wait},
			func(e *browser.StepError) bool { return e.Showing == browser.Showing{} }, ""},
		{"a captcha", form(`<div class="g-recaptcha" data-sitekey="k"></div>`), form(`<div class="g-recaptcha" data-sitekey="k"></div>`), "", []browser.Step{click, wait},
			func(e *browser.StepError) bool { return e.Captcha }, ""},
		{"a one-time code", form(""), `<p>Enter the code</p><input name=otp autocomplete=one-time-code>`, "", []browser.Step{click, wait},
			func(e *browser.StepError) bool { return e.Code && !e.Password }, ""},
		{"a request that is refused", form(`<script>document.forms[0].onsubmit = (e) => { e.preventDefault(); fetch("/api/login?of=ada", {method: "POST"}) }</script>`), "", "", []browser.Step{click, wait},
			func(e *browser.StepError) bool {
				return strings.Contains(e.Failed, "/api/login 404") && !strings.Contains(e.Failed, "ada")
			}, "/api/login 404"},
		{"a script that throws", form(`<script>document.forms[0].onsubmit = (e) => { e.preventDefault(); nowhere.send() }</script>`), "", "", []browser.Step{click, wait},
			func(e *browser.StepError) bool { return strings.Contains(e.Failed, "nowhere is not defined") }, "nowhere is not defined"},
		{"a cover", form(`<div id="banner" style="position:fixed;inset:0"><p>We value your privacy</p></div>`), "", "", []browser.Step{click},
			func(e *browser.StepError) bool { return e.Cover == "#banner" }, "covers it"},
		{"a cookie of another domain", form(""), `<p>Hello</p>`, "sid=1; Domain=shop.example", []browser.Step{click, wait},
			func(e *browser.StepError) bool { return len(e.Refused) == 1 && e.Refused[0].Name == "sid" }, "did not take the cookie sid"},
		{"a cookie that is too large", form(""), `<p>Hello</p>`, "sid=" + strings.Repeat("x", 4200), []browser.Step{click, wait},
			func(e *browser.StepError) bool { return len(e.Refused) == 1 }, "NameValuePairExceedsMaxSize"},
		{"a cookie for other sites over http", form(""), `<p>Hello</p>`, "sid=1; SameSite=None", []browser.Step{click, wait},
			func(e *browser.StepError) bool { return len(e.Refused) == 1 }, "SameSiteNoneInsecure"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			s.mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { writeHTML(w, row.login) })
			s.mux.HandleFunc("POST /session", func(w http.ResponseWriter, _ *http.Request) {
				if row.cookie != "" {
					w.Header().Set("Set-Cookie", row.cookie)
				}
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				io.WriteString(w, row.next)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := chrome(t).NewUser(ctx, browser.Login{Steps: append([]browser.Step{{Goto: s.URL + "/login"}}, row.steps...)})
			if e := errorAs[*browser.StepError](t, err); !row.want(e) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %v\n%+v, %v", err, e.Showing, e.Refused)
			}
		})
	}
}
