package suites_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A service worker that adds the session stands between the page and the wire: the
// page is asked instead.
func TestSessionOfAServiceWorkerIsJudgedThroughThePage(t *testing.T) {
	t.Parallel()
	const worker = `
		self.addEventListener("install", () => self.skipWaiting());
		self.addEventListener("activate", (e) => e.waitUntil(clients.claim()));
		self.addEventListener("fetch", (e) => {
			if (!e.request.url.endsWith("/auth")) return;
			e.respondWith(e.request.text().then((body) => fetch("/auth", {method: "POST", body, headers: {"Content-Type": "application/json", "X-Session": "0123456789"}})));
		});`
	const script = `async (id) => {
		await navigator.serviceWorker.register("/sw.js");
		await navigator.serviceWorker.ready;
		if (!navigator.serviceWorker.controller) await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done));
		const answer = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})});
		return answer.ok ? (await answer.json()).token : null;
	}`
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/auth":
			if r.Header.Get("X-Session") == "0123456789" {
				r.AddCookie(&http.Cookie{Name: "sid", Value: "0123456789"})
			}
			sound(w, r)
		case "/sw.js":
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, worker)
		default:
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, html(script, ""))
		}
	})
	shop := target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{{Name: "other", Value: "x", SameSite: "Lax"}}}}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-*"}, Browser: sharedBrowser(t), Timeout: 5 * time.Second})
	for id, want := range map[string]reports.Outcome{"AUTH-POST-TOKEN": reports.Passed, "AUTH-BIND-CHAT": reports.Passed,
		"AUTH-CHATID-TYPE": reports.Passed, "AUTH-FRESH": reports.Passed, "AUTH-NO-SESSION": reports.Skipped} {
		if c := find(t, run, id); c.Outcome != want {
			t.Errorf("%s is %s, want %s", id, c.Outcome, want)
			describe(t, c)
		}
	}
	if run.ExitCode != 2 || !strings.Contains(run.Problem, "service worker") || !strings.Contains(run.Hint, "endpoint in kindlytest.yaml") {
		t.Errorf("exit code %d, and the run says %q: want it to be incomplete for the service worker", run.ExitCode, run.Problem)
	}
}

// A signed request can't be made again: the page is asked instead, and what a
// sound or an unsound endpoint makes of odd chat ids is seen all the same.
func TestSignedRequestsAreJudgedThroughThePage(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		chatID func(string) any
		want   map[string]reports.Outcome
	}{
		"sound":               {func(id string) any { return id }, map[string]reports.Outcome{"AUTH-BIND-CHAT": reports.Passed, "AUTH-CHATID-HOSTILE": reports.Passed, "AUTH-POST-TOKEN": reports.Passed}},
		"the chat id is cut":  {func(id string) any { return strings.TrimSpace(id) }, map[string]reports.Outcome{"AUTH-CHATID-HOSTILE": reports.Warned}},
		"one chat id for all": {func(string) any { return "1" }, map[string]reports.Outcome{"AUTH-BIND-CHAT": reports.Failed}},
	} {
		t.Run(name, func(t *testing.T) {
			const script = `async (id) => {
				const body = JSON.stringify({chatId: id}), nonce = String(performance.now());
				const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("key" + body + nonce));
				const signature = [...new Uint8Array(sum)].map((b) => b.toString(16).padStart(2, "0")).join("");
				const answer = await fetch("/auth", {method: "POST", headers: {"X-Signature": signature, "X-Nonce": nonce}, body});
				return answer.ok ? (await answer.json()).token : null;
			}`
			seen := map[string]bool{}
			var mu = make(chan struct{}, 1)
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/auth" {
					w.Header().Set("Content-Type", "text/html")
					io.WriteString(w, html(script, ""))
					return
				}
				body, err := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				sum := sha256.Sum256([]byte("key" + string(body) + r.Header.Get("X-Nonce")))
				signed := err == nil && r.Header.Get("X-Signature") == hex.EncodeToString(sum[:])
				mu <- struct{}{}
				again := seen[r.Header.Get("X-Signature")]
				seen[r.Header.Get("X-Signature")] = true
				<-mu
				id := chatIDOf(r)
				if again || !signed || !loggedIn(r) || id == "" {
					http.Error(w, fmt.Sprint("again: ", again), http.StatusForbidden)
					return
				}
				give(w, tt.chatID(id))
			})
			shop := target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "0123456789", SameSite: "Lax"}}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-*"}, Browser: sharedBrowser(t)})
			for id, want := range tt.want {
				if c := find(t, run, id); c.Outcome != want {
					t.Errorf("%s is %s, want %s", id, c.Outcome, want)
					describe(t, c)
				}
			}
			if !strings.Contains(run.Problem, "signed") {
				t.Errorf("the run does not say that it is incomplete: %q", run.Problem)
			}
		})
	}
}

// Whose token a request gets that can't be made again is seen on the pages of two users.
func TestTwoUsersAreToldApartWhereOnlyTheirPagesCanAsk(t *testing.T) {
	t.Parallel()
	callback := strings.Replace(askAuth, `"Content-Type"`, `"X-Nonce": crypto.randomUUID(), "Content-Type"`, 1)
	second := &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "9876543210", SameSite: "Lax", HTTPOnly: true}}}
	for name, tt := range map[string]struct {
		people map[string]string // their sub by session
		want   reports.Outcome
	}{
		"each their own": {map[string]string{"0123456789": "7", "9876543210": "8"}, reports.Passed},
		"one for both":   {map[string]string{"0123456789": "7", "9876543210": "7"}, reports.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen sync.Map
			at := withPage(t, callback, func(w http.ResponseWriter, r *http.Request) {
				c, err := r.Cookie("sid")
				if err != nil || tt.people[c.Value] == "" {
					http.Error(w, "log in", http.StatusUnauthorized)
					return
				}
				id := chatIDOf(r)
				if _, again := seen.LoadOrStore(r.Header.Get("X-Nonce"), true); again || !uuid(id) {
					http.Error(w, "again", http.StatusForbidden)
					return
				}
				asJSON(w, mintFor(tt.people[c.Value], id))
			})
			run := suites.RunQuietly(t.Context(), target.Target{PageURL: at + "/", Login: bySID, Second: second}, suites.Options{Only: []string{"AUTH-POST-TOKEN", "AUTH-BIND-SESSION"}, Browser: sharedBrowser(t)})
			if c := find(t, run, "AUTH-BIND-SESSION"); c.Outcome != tt.want {
				t.Errorf("AUTH-BIND-SESSION is %s, want %s", c.Outcome, tt.want)
				describe(t, c)
			}
		})
	}
}

// A page that lets a call hang, and each one after it, is opened again: neither does
// the run wait for it without end, nor is anybody accused of what the last call did.
func TestAPageThatHangsIsOpenedAgain(t *testing.T) {
	t.Parallel()
	const script = `async (id) => {
		window.socket ??= new Promise((done) => { const s = new WebSocket("ws://" + location.host + "/live"); s.onopen = () => done(s); });
		const s = await window.socket;
		return new Promise((done) => { s.onmessage = (e) => done(JSON.parse(e.data).token); s.send(JSON.stringify({chatId: id})); });
	}`
	var hung, after atomic.Int32
	live := websocket.Server{Handler: func(c *websocket.Conn) {
		for {
			var m struct{ ChatID any }
			if websocket.JSON.Receive(c, &m) != nil {
				return
			}
			if m.ChatID == nil { // lost for good
				hung.Add(1)
				io.Copy(io.Discard, c)
				return
			}
			if hung.Load() > 0 {
				after.Add(1)
			}
			var token any // null: refused
			if id, _ := m.ChatID.(string); len(id) == 36 {
				token = mint(id)
			}
			websocket.JSON.Send(c, map[string]any{"token": token})
		}
	}}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/live":
			live.ServeHTTP(w, r)
		default:
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, html(script, ""))
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	shop := target.Target{PageURL: url + "/"}
	run := suites.RunQuietly(ctx, shop, suites.Options{Only: []string{"AUTH-CHATID-TYPE", "AUTH-BIND-CHAT"}, Browser: sharedBrowser(t), Timeout: 3 * time.Second})
	for _, id := range []string{"AUTH-CHATID-TYPE", "AUTH-BIND-CHAT"} {
		if c := find(t, run, id); c.Outcome != reports.Passed {
			t.Errorf("%s is %s", id, c.Outcome)
			describe(t, c)
		}
	}
	if hung.Load() == 0 || after.Load() < 3 {
		t.Errorf("%d calls hung, and %d came after: want each odd chat id to meet a page that answers", hung.Load(), after.Load())
	}
}

// A token that comes over a WebSocket: no request is there that could be made again,
// and the page is asked instead.
func TestATokenFromAWebSocketIsJudgedThroughThePage(t *testing.T) {
	t.Parallel()
	const script = `(id) => new Promise((done) => {
		const socket = new WebSocket("ws://" + location.host + "/live");
		socket.onopen = () => socket.send(JSON.stringify({chatId: id}));
		socket.onmessage = (e) => { socket.close(); done(JSON.parse(e.data).token); };
		socket.onclose = () => done(null); // a refusal
	})`
	for name, tt := range map[string]struct {
		chatID func(string) string
		want   reports.Outcome
	}{
		"sound":               {func(id string) string { return id }, reports.Passed},
		"one chat id for all": {func(string) string { return "1" }, reports.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			live := websocket.Server{Handler: func(c *websocket.Conn) {
				var asked struct{ ChatID string }
				if websocket.JSON.Receive(c, &asked) == nil && len(asked.ChatID) == 36 {
					websocket.JSON.Send(c, map[string]string{"token": mint(tt.chatID(asked.ChatID))})
				}
			}}
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path != "/live":
					w.Header().Set("Content-Type", "text/html")
					io.WriteString(w, html(script, ""))
				case loggedIn(r):
					live.ServeHTTP(w, r)
				default:
					http.Error(w, "log in", http.StatusUnauthorized)
				}
			})
			shop := target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "0123456789", SameSite: "Lax"}}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"PAGE-CALLBACK-*", "AUTH-*"}, Browser: sharedBrowser(t)})
			if c := find(t, run, "AUTH-BIND-CHAT"); c.Outcome != tt.want {
				t.Errorf("AUTH-BIND-CHAT is %s, want %s", c.Outcome, tt.want)
				describe(t, c)
			}
			for _, c := range run.Checks {
				if tt.want == reports.Passed && (c.Outcome == reports.Failed || c.Outcome == reports.Warned) {
					t.Errorf("%s is %s", c.ID, c.Outcome)
					describe(t, c)
				}
			}
			if tt.want == reports.Passed && (run.ExitCode != 2 || !strings.Contains(run.Problem, "WebSocket") || !strings.Contains(run.Hint, "endpoint in kindlytest.yaml")) {
				t.Errorf("exit code %d, and the run says %q: want it to be incomplete for the WebSocket", run.ExitCode, run.Problem)
			}
		})
	}
}
