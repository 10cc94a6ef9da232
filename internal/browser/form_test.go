package browser_test

import (
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
)

func TestLoginFormsAreRead(t *testing.T) {
	for name, row := range map[string]struct {
		html string
		want browser.Form
	}{
		"by ids": {`<form><input id=email type=email><input id=password type=password><button id=go>Log in</button></form>`,
			browser.Form{User: "#email", Password: "#password", Submit: "#go"}},
		"by names, beside a search": {`<form><input name=q placeholder=Search><button>Find</button></form>
			<form><input name="user[login]"><input name="user[pw]" type=password><input type=hidden name=t><input type=submit value=In></form>`,
			browser.Form{User: `input[name="user\[login\]"]`, Password: `input[name="user\[pw\]"]`, Submit: `input[type="submit"]`}},
		"the first of two steps": {`<input name=identifier autocomplete=username><button type=button>Next</button>`,
			browser.Form{User: `input[name="identifier"]`, Submit: `button[type="button"]`}},
		"a code": {`<form><input id=otp autocomplete=one-time-code inputmode=numeric><button>Go</button></form>`,
			browser.Form{Code: "#otp", Submit: "button"}},
		"ids that are made anew": {`<form><input id=":r1:" type=email><input id=":r2:" type=password><button>Go</button></form>`,
			browser.Form{User: `input[type="email"]`, Password: `input[type="password"]`, Submit: "button"}},
		"ids that are made anew, beside a search and a newsletter": {`<header><form><input id=":r1:" type=search><button type=submit>Find</button></form></header>
			<main><form><input id=":r2:" type=email><input id=":r3:" type=password><button type=submit>Log in</button></form></main>
			<form><input id=":r4:" type=email><button type=submit>Subscribe</button></form>`,
			browser.Form{User: "main > form > input:nth-of-type(1)", Password: `input[type="password"]`, Submit: "main > form > button"}},
		"a password beside one of a form that is not shown": {`<form hidden><input type=email><input type=password><button>Join</button></form>
			<form><p><input type=email></p><p><input type=password></p><button>Log in</button></form>`,
			browser.Form{User: "body > form:nth-of-type(2) > p:nth-of-type(1) > input", Password: "body > form:nth-of-type(2) > p:nth-of-type(2) > input", Submit: "body > form:nth-of-type(2) > button"}},
		"no form": {`<p>Welcome</p><form><input name=q><button>Find</button></form>`, browser.Form{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, map[string]string{"/{$}": row.html})
			got, err := visit(t, s.URL+"/", nil).LoginForm(withTimeout(t))
			if err != nil || got != row.want {
				t.Errorf("got %+v, %v, want %+v", got, err, row.want)
			}
		})
	}
}
