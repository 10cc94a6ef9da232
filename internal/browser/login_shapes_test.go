package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/totp"
)

func setSession(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: "sid", Value: name, Path: "/", HttpOnly: true})
}

// A login whose answers nobody reads keeps its requests open for ever.
func TestNoStepWaitsForAnswersThatNobodyReads(t *testing.T) {
	s := newSite(t, map[string]string{"/login": `<button id=a>1</button><button id=b>2</button><button id=c>3</button>
		<script>
		fetch("/poll");                                           // hangs
		setInterval(() => fetch("/tick"), 40);                    // never quiet
		for (const b of document.querySelectorAll("button")) b.onclick = () => fetch("/step/" + b.id, {method: "POST"}); // unread
		</script>`})
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	s.mux.HandleFunc("GET /poll", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	s.mux.HandleFunc("GET /tick", func(w http.ResponseWriter, r *http.Request) {})
	var mu sync.Mutex
	var order []string
	s.mux.HandleFunc("POST /step/{id}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, r.PathValue("id"))
		setSession(w, strings.Join(order, ""))
		w.Write(make([]byte, 1<<20))
	})
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		c, _ := r.Cookie("sid")
		writeHTML(w, fmt.Sprintf("<script>document.title = %q</script>", c))
	})
	began := time.Now()
	u := newUser(t, chrome(t), browser.Login{Steps: []browser.Step{{Goto: s.URL + "/login"}, {Click: "#a"}, {Click: "#b"}, {Click: "#c"}}})
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("the login took %v", took)
	}
	if got := title(t, visitAs(t, u, s.URL+"/", nil)); got != "sid=abc" {
		t.Errorf("logged in as %q: a step did not wait for the one before", got)
	}
}

// The password is asked on a second page, then a code; the same selectors all along.
func TestTwoStepsAndAOneTimeCode(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	key, err := totp.Parse(secret)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, map[string]string{"/login": `<form action=/password method=post><input name=value><button>Next</button></form>`})
	s.mux.HandleFunc("POST /password", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(200 * time.Millisecond) // a slow answer: the next step must not meet the old page
		writeHTML(w, "<form action=/code method=post><input name=value type=password><button>Next</button></form>")
	})
	s.mux.HandleFunc("POST /code", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("value") != "hunter2" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		writeHTML(w, "<form action=/done method=post><input name=value inputmode=numeric><button>Next</button></form>")
	})
	s.mux.HandleFunc("POST /done", func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		if v := r.FormValue("value"); v == key.Code(now) || v == key.Code(now.Add(-30*time.Second)) {
			writeHTML(w, "<p class=account>welcome</p>")
		}
	})
	field := "[name=value]"
	newUser(t, chrome(t), browser.Login{Steps: []browser.Step{{Goto: s.URL + "/login"},
		{Fill: []browser.Field{{Selector: field, Value: "ada"}}}, {Click: "button"},
		{Fill: []browser.Field{{Selector: field, Value: "hunter2"}}}, {Click: "button"},
		{Fill: []browser.Field{{Selector: field, Code: key.Code}}}, {Click: "button"}, {WaitFor: ".account"}}})
}

// The app sends its visitors to an identity provider of another origin, and takes
// a code back.
func TestOpenIDConnect(t *testing.T) {
	provider := newSite(t, nil)
	app := newSite(t, nil)
	provider.mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		writeHTML(w, fmt.Sprintf(`<form action=/signin method=post><input type=hidden name=back value=%q><input name=user><button>Sign in</button></form>`, r.FormValue("redirect_uri")))
	})
	provider.mux.HandleFunc("POST /signin", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sso", Value: "1"})
		http.Redirect(w, r, r.FormValue("back")+"?code=c-"+r.FormValue("user"), http.StatusFound)
	})
	app.mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, provider.elsewhere()+"/authorize?redirect_uri="+app.URL+"/callback", http.StatusFound)
	})
	app.mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(100 * time.Millisecond) // it asks the provider
		setSession(w, strings.TrimPrefix(r.FormValue("code"), "c-"))
		writeHTML(w, `<script>location.replace("/")</script>`)
	})
	app.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		c, _ := r.Cookie("sid")
		writeHTML(w, fmt.Sprintf("<script>document.title = %q</script>", c))
	})
	u := newUser(t, chrome(t), browser.Login{Steps: []browser.Step{{Goto: app.URL + "/login"},
		{Fill: []browser.Field{{Selector: "[name=user]", Value: "ada"}}}, {Click: "button"}}})
	if got := title(t, visitAs(t, u, app.URL+"/", nil)); got != "sid=ada" {
		t.Errorf("logged in as %q", got)
	}
}

func TestAFailedLoginShowsThePage(t *testing.T) {
	s := newSite(t, map[string]string{"/login": `<p>Wrong password for ada@example.com</p><form><input id=email type=email value=ada@example.com><input name=pw type=password value=hunter2><input type=hidden name=csrf value=s3cret><button disabled>Go</button></form>`})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := chrome(t).NewUser(ctx, browser.Login{Steps: []browser.Step{{Goto: s.URL + "/login"}, {Click: "#submit"}},
		Secret: func(text string) bool { return strings.Contains(text, "ada@example.com") }})
	e := errorAs[*browser.StepError](t, err)
	if want := `with the fields #email (email), [name="pw"] (password), button (submit, disabled)`; !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, secret := range []string{"ada@", "hunter2", "s3cret"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in %v", secret, err)
		}
	}
	if len(e.Picture) == 0 || e.Down() {
		t.Errorf("a picture of %d bytes, down: %t", len(e.Picture), e.Down())
	}
}

func TestAnAppThatIsDownIsNoWrongStep(t *testing.T) {
	s := newSite(t, nil)
	s.mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	for url, want := range map[string]bool{"http://127.0.0.1:1/": true, s.URL + "/login": true, s.URL + "/gone": false} {
		_, err := chrome(t).NewUser(withTimeout(t), browser.Login{Steps: []browser.Step{{Goto: url}}})
		if e := errorAs[*browser.StepError](t, err); e.Down() != want {
			t.Errorf("%v: down is %t", err, e.Down())
		}
	}
}

// What Playwright has stored: cookies, and the local storage of several origins.
func TestStorageOfSeveralOrigins(t *testing.T) {
	other := newSite(t, map[string]string{"/frame": `<script>parent.postMessage(localStorage.device, "*")</script>`})
	s := newSite(t, nil)
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		writeHTML(w, fmt.Sprintf(`<script>onmessage = (e) => document.title = localStorage.token + " " + document.cookie + " " + e.data</script><iframe src="%s/frame"></iframe>`, other.URL))
	})
	u := newUser(t, chrome(t), browser.Login{
		Cookies: []browser.Cookie{{Name: "sid", Value: "1", Domain: "127.0.0.1", Path: "/", Expires: time.Now().Add(time.Hour)}},
		Storage: map[string]map[string]string{s.URL: {"token": "t"}, other.URL: {"device": "d"}},
	})
	p := visitAs(t, u, s.URL+"/", nil)
	eventually(t, "the page sees all of it", func() bool { return title(t, p) == "t sid=1 d" })
}

func TestStepsOnThePage(t *testing.T) {
	s := newSite(t, map[string]string{"/{$}": `<div style="height: 4000px"></div><div id=end>end</div><script>
		if (!localStorage.consent) {
			const b = document.createElement("button"); b.id = "accept"; b.textContent = "Accept";
			b.onclick = () => { localStorage.consent = "1"; b.remove(); };
			document.body.prepend(b);
		}
		new IntersectionObserver(([e]) => { if (e.isIntersecting) document.title = "chat of " + localStorage.consent; }).observe(document.querySelector("#end"));
		</script>`})
	steps := []browser.Step{{Click: "#accept"}, {Scroll: "bottom"}, {Idle: time.Millisecond}}
	u := newUser(t, chrome(t), browser.Login{})
	p := visitAs(t, u, s.URL+"/", nil)
	if err := p.Do(withTimeout(t), steps, false, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the chat starts", func() bool { return title(t, p) == "chat of 1" })
	again := visitAs(t, u, s.URL+"/", nil)
	if err := again.Do(withTimeout(t), steps, true, nil); err != nil {
		t.Errorf("who has consented is asked again: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if e := errorAs[*browser.StepError](t, again.Do(ctx, steps, false, nil)); !strings.HasPrefix(e.Error(), "page step 1: click #accept: no such element") {
		t.Errorf("got %v", e)
	}
}
