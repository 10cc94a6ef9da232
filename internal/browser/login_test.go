package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// shop is a site with a login form; / says who is logged in.
func shop(t testing.TB) *site {
	s := newSite(t, map[string]string{"/login": `<form action=/session method=post>
		<input name=user value=preset> <input name=password type=password> <select name=lang><option>en<option>no</select>
		<input name=terms type=checkbox value=yes> <textarea name=note></textarea> <button disabled>Log in</button>
		<script>setTimeout(() => document.querySelector("button").disabled = false, 50)</script></form>`})
	s.mux.HandleFunc("POST /session", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(30 * time.Millisecond)
		who := fmt.Sprintf("%s/%s/%s/%s/%s", r.FormValue("user"), r.FormValue("password"), r.FormValue("lang"), r.FormValue("terms"), r.FormValue("note"))
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: url.QueryEscape(who), Path: "/", HttpOnly: true})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("sid")
		if err != nil {
			writeHTML(w, "<p id=out>nobody</p>")
			return
		}
		writeHTML(w, "<p id=in>hello</p><script>document.title = decodeURIComponent(`"+c.Value+"`)</script>")
	})
	return s
}

func title(t testing.TB, p *browser.Page) string {
	t.Helper()
	st, err := p.State(withTimeout(t))
	if err != nil {
		t.Fatal(err)
	}
	return st.Title
}

func TestLoginSteps(t *testing.T) {
	s := shop(t)
	fill := []browser.Field{{Selector: "[name=user]", Value: "ada"}, {Selector: "[name=password]", Value: "pässword"},
		{Selector: "select", Value: "no"}, {Selector: "[name=terms]", Value: "true"}, {Selector: "textarea", Value: "hi"}}
	for name, steps := range map[string][]browser.Step{
		"by click": {{Goto: s.URL + "/login"}, {WaitFor: "form"}, {Fill: fill}, {Click: "button"}, {WaitFor: "#in"}},
		// No wait at the end: what the click started is waited for.
		"by key": {{Goto: s.URL + "/login"}, {Fill: fill}, {WaitFor: "button:enabled"}, {Click: "[name=user]"}, {Press: "Enter"}},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUser(t, chrome(t), browser.Login{Steps: steps})
			if got := title(t, visitAs(t, u, s.URL, nil)); got != "ada/pässword/no/yes/hi" {
				t.Errorf("logged in as %q", got)
			}
			stranger := newUser(t, chrome(t), browser.Login{})
			if got := title(t, visitAs(t, stranger, s.URL, nil)); got != "Test page" {
				t.Errorf("another user is logged in as %q", got)
			}
		})
	}
}

func TestStepErrorsSayWhere(t *testing.T) {
	s := shop(t)
	open := browser.Step{Goto: s.URL + "/login?code=secret"}
	for _, tt := range []struct {
		name   string
		step   browser.Step
		action string
		want   string
	}{
		{"an element that never comes", browser.Step{WaitFor: "#never"}, "wait_for", "no such element"},
		{"an element that cannot be seen", browser.Step{Click: "script"}, "click", "not visible"},
		{"a selector that is none", browser.Step{Click: "::::"}, "click", "not a CSS selector"},
		{"a field that is not there", browser.Step{Fill: []browser.Field{{Selector: "#pin", Value: "hunter2"}}}, "fill", "no such element"},
		{"a value that a list does not have", browser.Step{Fill: []browser.Field{{Selector: "select", Value: "hunter2"}}}, "fill", "does not take"},
		{"a key that is none", browser.Step{Press: "Return"}, "press", "no such key"},
		{"a page that is not there", browser.Step{Goto: s.URL + "/gone?hunter2"}, "goto", "404"},
		{"a server that is not there", browser.Step{Goto: "http://127.0.0.1:1/"}, "goto", "ERR_"},
		{"nothing", browser.Step{}, "step", "exactly one"},
		{"two actions", browser.Step{Click: "a", Press: "b"}, "step", "exactly one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second) // a busy machine has to get to the second step
			defer cancel()
			_, err := chrome(t).NewUser(ctx, browser.Login{Steps: []browser.Step{open, tt.step}})
			e := errorAs[*browser.StepError](t, err)
			if e.Number != 2 || e.Action != tt.action || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want step 2, %s, %q", err, tt.action, tt.want)
			}
			if !strings.HasPrefix(tt.step.Goto, "http") && (e.URL != s.URL+"/login" || e.Title != "Test page") {
				t.Errorf("it was at %q, %q", e.URL, e.Title)
			}
			for _, secret := range []string{"hunter2", "secret"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells a secret: %v", err)
				}
			}
		})
	}
}

func TestStepErrorsSayThatTheLoginWasRefused(t *testing.T) {
	s := shop(t)
	s.mux.HandleFunc("GET /strict", func(w http.ResponseWriter, r *http.Request) {
		writeHTML(w, `<form action=/refuse method=post><input name=password><button>Log in</button></form>`)
	})
	ctx, cancel := context.WithCancel(withTimeout(t))
	defer cancel()
	s.mux.HandleFunc("POST /refuse", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		time.AfterFunc(2*time.Second, cancel) // which is the patience with what comes after it
	})
	_, err := chrome(t).NewUser(ctx, browser.Login{Steps: []browser.Step{{Goto: s.URL + "/strict"}, {Click: "button"}, {WaitFor: ".account"}}})
	if e := errorAs[*browser.StepError](t, err); e.Number != 3 || e.Status != 401 || !strings.Contains(err.Error(), "which answered 401") {
		t.Errorf("got %v, want step 3 and that /refuse answered 401", err)
	}
}

func TestLoginWithoutSteps(t *testing.T) {
	s := newSite(t, map[string]string{"/{$}": `<script>document.title = localStorage.session + " " + document.cookie; localStorage.session = "changed"</script>`})
	u := newUser(t, chrome(t), browser.Login{
		Cookies:      []browser.Cookie{{Name: "a", Value: "1"}, {Name: "h", Value: "2", HTTPOnly: true}, {Name: "d", Value: "3", Domain: "localhost", SameSite: "Lax"}},
		LocalStorage: map[string]string{"session": "stored"},
	})
	p := visitAs(t, u, s.URL+"/", nil)
	if got := title(t, p); got != "stored a=1" {
		t.Errorf("the page saw %q", got)
	}
	if got := find(t, p.Record(), "GET", s.URL).Header.Get("Cookie"); got != "a=1; h=2" {
		t.Errorf("sent %q", got)
	}
	if got := title(t, visitAs(t, u, s.URL+"/", nil)); got != "changed a=1" {
		t.Errorf("a second page saw %q: what the page stored is overwritten", got)
	}
	if got := title(t, visitAs(t, u, s.elsewhere()+"/", nil)); !strings.Contains(got, "d=3") {
		t.Errorf("the other host saw %q", got)
	}
}

func TestLoginHeadersGoToTheirOriginOnly(t *testing.T) {
	var mu sync.Mutex
	got := map[string]string{}
	note := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got[r.Host+r.URL.Path] = r.Header.Get("X-Gate")
		mu.Unlock()
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Type", "text/javascript")
	}
	other := newSite(t, nil)
	other.mux.HandleFunc("/", note)
	s := newSite(t, nil)
	s.mux.HandleFunc("GET /same", note)
	s.mux.HandleFunc("POST /post", note)
	s.mux.Handle("GET /away", http.RedirectHandler(other.URL+"/redirected", http.StatusFound))
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		note(w, r)
		writeHTML(w, fmt.Sprintf(`<script src=/same></script><script src="%s/cross"></script><script src=/away></script>
			<script src="https://chat.kindlycdn.com/kindly-chat.js"></script>
			<script>fetch("/post", {method: "POST", body: "b"})</script>`, other.URL))
	})
	kindly := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { note(w, r) })
	u := newUser(t, chrome(t), browser.Login{Headers: map[string]string{"X-Gate": "open"}})
	p := visitAs(t, u, s.URL+"/", kindly)
	host, otherHost := strings.TrimPrefix(s.URL, "http://"), strings.TrimPrefix(other.URL, "http://")
	mu.Lock()
	defer mu.Unlock()
	for url, want := range map[string]string{
		host + "/": "open", host + "/same": "open", host + "/post": "open",
		otherHost + "/cross": "", otherHost + "/redirected": "", "chat.kindlycdn.com/kindly-chat.js": "",
	} {
		if have, ok := got[url]; !ok || have != want {
			t.Errorf("%s got %q (asked: %v), want %q", url, have, ok, want)
		}
	}
	if q := find(t, p.Record(), "GET", "/same"); q.Header.Get("X-Gate") != "open" {
		t.Errorf("recorded headers: %v", q.Header)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	l := browser.Login{
		Steps: []browser.Step{{Fill: []browser.Field{{Selector: "#p", Value: "hunter2"}}}}, Cookies: []browser.Cookie{{Name: "sid", Value: "hunter2"}},
		Headers: map[string]string{"Authorization": "hunter2"}, LocalStorage: map[string]string{"t": "hunter2"},
	}
	r := browser.CallResult{Outcome: browser.OutcomeToken, Token: "hunter2"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{l, l.Steps, l.Cookies, r, &r, []any{l, r}} {
			if got := fmt.Sprintf(format, v); strings.Contains(got, "hunter2") {
				t.Errorf("%s of %T tells a secret: %s", format, v, got)
			}
		}
	}
}
