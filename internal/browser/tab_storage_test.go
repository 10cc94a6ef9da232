package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// app keeps its session in session storage.
func app(t testing.TB) *site {
	return newSite(t, map[string]string{
		"/login": `<button>Log in</button><script>document.querySelector("button").onclick = () => {
			sessionStorage.session = "hunter2"; sessionStorage["å \"{}"] = "<æ"; }</script>`,
		"/{$}": `<script>document.title = [sessionStorage.session ?? "nobody", sessionStorage["å \"{}"], history.length, document.referrer].join("|")</script>`,
		"/logout": `<script>const was = sessionStorage.session; delete sessionStorage.session;
			if (was) { window.name = was; location.reload() } else document.title = "logged out " + window.name</script>`,
	})
}

func loginAt(s *site) browser.Login {
	return browser.Login{Steps: []browser.Step{{Goto: s.URL + "/login"}, {Click: "button"}}}
}

func TestASessionOfTheLoginsTabIsInEachTabOfTheUser(t *testing.T) {
	s := app(t)
	stranger := newUser(t, chrome(t), browser.Login{})
	fresh := title(t, visitAs(t, stranger, s.URL+"/", nil))
	if !strings.HasPrefix(fresh, "nobody|") {
		t.Fatalf("without a login the page saw %q", fresh)
	}
	want := "hunter2|<æ" + strings.TrimPrefix(fresh, "nobody|") // all else as in any new tab
	u := newUser(t, chrome(t), loginAt(s))
	if got := u.SessionStorage(); len(got) != 1 || got[0]["session"] != "hunter2" || len(stranger.SessionStorage()) > 0 {
		t.Errorf("the login left session storage in %d origins, another's in %d", len(got), len(stranger.SessionStorage()))
	}
	if got := fmt.Sprintf("%v %+v %#v", u, u, u); strings.Contains(got, "hunter2") {
		t.Error("the printed user tells the session")
	}
	for _, which := range []string{"first", "second"} {
		p := visitAs(t, u, s.URL+"/", nil)
		if got := title(t, p); got != want {
			t.Errorf("the %s page saw %q, want %q", which, got, want)
		}
		if n := len(p.Record().Requests); n != 1 {
			t.Errorf("the %s page's record has %d requests, want its document only: %v", which, n, p.Record().Requests)
		}
	}
	if got := title(t, visitAs(t, stranger, s.URL+"/", nil)); got != fresh {
		t.Errorf("another user saw %q", got)
	}
	if got := title(t, visitAs(t, u, s.elsewhere()+"/", nil)); got != fresh {
		t.Errorf("another origin saw %q", got)
	}
}

func TestAPageThatRemovesTheSessionDoesNotGetItAgain(t *testing.T) {
	s := app(t)
	u := newUser(t, chrome(t), loginAt(s))
	p := visitAs(t, u, s.URL+"/logout", nil)
	eventually(t, "the page is reloaded without a session", func() bool { return title(t, p) == "logged out hunter2" })
	if got := title(t, visitAs(t, u, s.URL+"/", nil)); !strings.HasPrefix(got, "hunter2|") {
		t.Errorf("a later tab saw %q: what one tab removes is its own", got)
	}
}

func TestASessionIsKeptWhenTheLoginEndsElsewhere(t *testing.T) {
	s := app(t)
	steps := append(loginAt(s).Steps, browser.Step{Goto: s.elsewhere() + "/"})
	u := newUser(t, chrome(t), browser.Login{Steps: steps})
	if got := title(t, visitAs(t, u, s.URL+"/", nil)); !strings.HasPrefix(got, "hunter2|") {
		t.Errorf("the page saw %q", got)
	}
}

// A worker that the login registers answers for the whole origin.
func TestASessionIsCopiedPastAServiceWorker(t *testing.T) {
	s := app(t)
	s.mux.HandleFunc("GET /worker.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write([]byte(`onfetch = (e) => e.respondWith(new Response("<script>document.title = 'worker ' + sessionStorage.session; sessionStorage.session = 'spent'</script>", {headers: {"Content-Type": "text/html"}}))`))
	})
	s.mux.HandleFunc("GET /with-worker", func(w http.ResponseWriter, r *http.Request) {
		writeHTML(w, `<button>Log in</button><script>document.querySelector("button").onclick = async () => {
			sessionStorage.session = "hunter2"; await navigator.serviceWorker.register("/worker.js"); await navigator.serviceWorker.ready;
			document.body.append(Object.assign(document.createElement("p"), {id: "in", textContent: "in"})); }</script>`)
	})
	u := newUser(t, chrome(t), browser.Login{Steps: []browser.Step{{Goto: s.URL + "/with-worker"}, {Click: "button"}, {WaitFor: "#in"}}})
	if got := title(t, visitAs(t, u, s.URL+"/", nil)); got != "worker hunter2" {
		t.Errorf("the page saw %q", got)
	}
}
