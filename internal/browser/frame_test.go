package browser_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
)

const framed = `<script>window.kindlyOptions = {getAuthToken: (id) => "frame." + id}</script>`

// A chat in a frame has its callback there.
func TestCallFindsTheCallbackInAFrame(t *testing.T) {
	s := newSite(t, map[string]string{"/frame": framed})
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { writeHTML(w, `<iframe src="/frame"></iframe>`) })
	s.mux.HandleFunc("GET /foreign", func(w http.ResponseWriter, _ *http.Request) {
		writeHTML(w, `<iframe src="`+strings.Replace(s.URL, "127.0.0.1", "localhost", 1)+`/frame"></iframe>`)
	})
	for _, path := range []string{"/", "/foreign"} {
		p := visit(t, s.URL+path, nil)
		got, err := p.Call(withTimeout(t), "chat")
		if err != nil || got.Token != "frame.chat" {
			t.Errorf("%s: got %v %v, want the frame's token", path, got, err)
		}
		here, err := p.Presence(withTimeout(t))
		if err != nil || here.Callback != "function" || !strings.HasSuffix(here.URL, "/frame") {
			t.Errorf("%s: got %+v %v, want the frame's callback", path, here, err)
		}
	}
}

// The page's own callback comes before a frame's.
func TestCallPrefersThePage(t *testing.T) {
	s := newSite(t, map[string]string{"/frame": framed,
		"/{$}": `<script>window.kindlyOptions = {getAuthToken: () => "page"}</script><iframe src="/frame"></iframe>`})
	if got, err := visit(t, s.URL, nil).Call(withTimeout(t), "chat"); err != nil || got.Token != "page" {
		t.Errorf("got %v %v, want the page's token", got, err)
	}
}

func TestWanderSeesTheCallbackGo(t *testing.T) {
	s := newSite(t, map[string]string{"/{$}": `<a href="/logout">Log out</a><a href="/orders">Orders</a>
		<script>
			window.kindlyOptions = {getAuthToken: () => "a.b.c"};
			window.seen = [];
			addEventListener("popstate", () => { seen.push(location.pathname); if (location.pathname === "/orders") window.kindlyOptions = {}; });
		</script>`})
	p := visit(t, s.URL, nil)
	looks, err := p.Wander(withTimeout(t))
	if err != nil || len(looks) == 0 || looks[0].Callback != "undefined" || !looks[0].Options {
		t.Errorf("got %+v %v, want a callback that is gone", looks, err)
	}
	var seen []string
	if err := p.Evaluate(withTimeout(t), "seen", &seen); err != nil || len(seen) == 0 || seen[0] != "/orders" {
		t.Errorf("the router saw %v %v, want /orders first, and never /logout", seen, err)
	}
	for _, path := range seen {
		if path == "/logout" {
			t.Error("the router was sent to the logout")
		}
	}
}

func TestWanderEndsWhereThePageLeaves(t *testing.T) {
	s := newSite(t, map[string]string{"/{$}": `<a href="/other">Other</a><script>
		window.kindlyOptions = {getAuthToken: () => "a.b.c"};
		addEventListener("popstate", () => location.reload());</script>`, "/other": "elsewhere"})
	looks, err := visit(t, s.URL, nil).Wander(withTimeout(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range looks {
		if l.Callback != "function" {
			t.Errorf("got %+v: another document was taken for the page", l)
		}
	}
}

// A page on a laptop may load the chat client from a mock on the same machine:
// it is answered here like Kindly's own.
func TestClientOfAMockIsAnswered(t *testing.T) {
	for _, host := range []string{"http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"} {
		s := newSite(t, map[string]string{"/{$}": `<script id="kindly-chat" src="` + host + `/kindly-chat.js" data-bot-key="bot"></script>`})
		kindly := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, `window.client = "`+r.URL.Path+`"`)
		})
		p := visit(t, s.URL, kindly)
		var client string
		if err := p.Evaluate(withTimeout(t), "window.client", &client); err != nil || client != "/kindly-chat.js" {
			t.Errorf("%s: got %q %v, want the client", host, client, err)
		}
	}
	for raw, want := range map[string]bool{
		"http://localhost:8080/kindly-chat.js": true, "http://127.0.0.1/kindly-chat-pure.js": true,
		"https://chat.kindlycdn.com/kindly-chat.js": false, "http://shop.example/kindly-chat.js": false, "http://localhost/chat.js": false, "://": false,
	} {
		if got := browser.MockClient(raw); got != want {
			t.Errorf("%s: got %t, want %t", raw, got, want)
		}
	}
}

func TestStateTellsHowScriptsAreHeldBack(t *testing.T) {
	s := newSite(t, map[string]string{"/{$}": `<input type=password><input type=password hidden>
		<script>Array.prototype.push = function () {}; const own = window.fetch; window.fetch = (...a) => own(...a)</script>
		<script id=a type="text/plain" src="/x.js" integrity="sha256-x"></script><script id=b nomodule src="/x.js"></script><template><script id=c src="/x.js"></script></template>`})
	state, err := visit(t, s.URL, nil).State(withTimeout(t))
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]browser.Script{}
	for _, sc := range state.Scripts {
		byID[sc.ID] = sc
	}
	if a, b, c := byID["a"], byID["b"], byID["c"]; a.Type != "text/plain" || a.Integrity == "" || a.NoModule || !b.NoModule || b.Template || !c.Template {
		t.Errorf("got %+v", byID)
	}
	if got := strings.Join(state.Replaced, " "); got != "Array.prototype.push fetch" {
		t.Errorf("replaced: got %q", got)
	}
	if state.Passwords != 1 {
		t.Errorf("got %d fields for passwords, want the one that is seen", state.Passwords)
	}
}
