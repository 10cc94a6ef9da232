package console_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/console"
)

func TestHandlerServesThePagesAndNothingElse(t *testing.T) {
	for _, tt := range []struct {
		name, method, path string
		status             int
		contentType        string
	}{
		{"the console", "GET", "/", 200, "text/html; charset=utf-8"},
		{"the inbox", "GET", "/inbox", 200, "text/html; charset=utf-8"},
		{"the checks", "GET", "/checks", 200, "text/html; charset=utf-8"},
		{"a module", "GET", "/assets/console.js", 200, "text/javascript; charset=utf-8"},
		{"a style sheet", "HEAD", "/assets/base.css", 200, "text/css; charset=utf-8"},
		{"the icon", "GET", "/assets/icon.svg", 200, "image/svg+xml"},
		{"a page by its file's name", "GET", "/assets/console.html", 404, ""},
		{"a folder", "GET", "/assets/", 404, ""},
		{"a way out", "GET", "/assets/../console.go", 404, ""},
		{"something else", "GET", "/favicon.ico", 404, ""},
		{"another method", "POST", "/", 405, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			console.Handler().ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d", w.Code, tt.status)
			}
			if tt.status != 200 {
				return
			}
			h := w.Header()
			if got := h.Get("Content-Type"); got != tt.contentType {
				t.Errorf("Content-Type %q", got)
			}
			for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
				if !strings.Contains(h.Get("Content-Security-Policy"), want) {
					t.Errorf("the policy lacks %s", want)
				}
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("headers: %v", h)
			}
		})
	}
}

func TestHandlerAnswersWhatIsUnchanged(t *testing.T) {
	w := httptest.NewRecorder()
	console.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("If-None-Match", w.Header().Get("ETag"))
	again := httptest.NewRecorder()
	console.Handler().ServeHTTP(again, r)
	if again.Code != http.StatusNotModified {
		t.Errorf("status %d", again.Code)
	}
	if body, _ := io.ReadAll(again.Body); len(body) > 0 {
		t.Error("the page was sent again")
	}
}

func TestScriptsHoldNothingThatMakesMarkupOrRunsText(t *testing.T) {
	scripts, err := filepath.Glob("assets/*.js")
	if err != nil || len(scripts) < 10 {
		t.Fatalf("%d scripts: %v", len(scripts), err)
	}
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|setHTML|parseHTML|DOMParser|document\.write|\beval\(|new Function|srcdoc|localStorage|document\.cookie|https?://[^h]`)
	for _, name := range scripts {
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(code), "\n") {
			if found := forbidden.FindString(line); found != "" && !strings.HasPrefix(strings.TrimSpace(line), "//") {
				t.Errorf("%s:%d holds %q", name, i+1, found)
			}
		}
	}
}

func TestConsoleShowsWhatHappens(t *testing.T) {
	f := newFake(t)
	f.happen(visitOf("c1")...)
	p := visit(t, f.URL+"/")
	p.shows("#list", "Accepted: Ada Lovelace", "Refused", "TOK-EXP-MAX", "order-status", "where is my order?")
	p.shows("#foot", "9 events")
	p.shows(".state", "Live")

	t.Run("live", func(t *testing.T) {
		f.happen(delivery("c1", 500, nil))
		p.shows("#foot", "10 events")
		p.shows("#list", "500")
	})
	t.Run("a delivery in detail, by the keyboard", func(t *testing.T) {
		p.do(`document.activeElement.blur()`)
		p.keys("j", "j")
		p.shows("#detail", "order-status", "200", "The token went along.", "hooks.example.com", "the host is the pattern's", "Kindly-Hmac", `"plan": "gold"`, "It is on its way.", "34 ms")
		if got := eval[string](p, `location.hash`); got != "#/event/9" {
			t.Errorf("the address is %s", got)
		}
	})
	t.Run("filter", func(t *testing.T) {
		p.keys("/")
		p.do(`document.activeElement.value = ""`) // DevTools types the key though the page took it
		p.keys("5", "0", "0")
		p.shows("#foot", "1 of 10 events")
		p.do(`document.querySelector("input[type=search]").value = ""; document.querySelector("[data-group=token]").click()`)
		p.shows("#foot", "2 of 10 events")
		p.do(`document.querySelector("[data-group=all]").click()`)
	})
	t.Run("a refused token, with the way out", func(t *testing.T) {
		p.do(`location.hash = "#/event/5"`)
		p.shows("#detail", "Token refused", "TOK-EXP-MAX", "MUST", "at most 900 s", "Let the token live for 15 minutes at most", "Signed by")
	})
	t.Run("help", func(t *testing.T) {
		p.do(`document.activeElement.blur()`)
		p.keys("?")
		p.shows("dialog", "Keyboard", "the next event")
		p.keys("Escape")
	})
	t.Run("a deep link", func(t *testing.T) {
		p := visit(t, f.URL+"/#/delivery/9?q=order&kind=webhook")
		p.shows("#detail", "order-status", "Kindly-Hmac")
		p.shows("#foot", "2 of 10 events")
	})
	t.Run("on a phone, one pane at a time", func(t *testing.T) {
		if err := p.Show(p.ctx, browser.Screen{Width: 390, Height: 800}); err != nil {
			t.Fatal(err)
		}
		visible := func() string {
			return eval[string](p, `[...document.querySelectorAll("main > *")].filter((e) => e.offsetWidth > 0).map((e) => e.className).join()`)
		}
		if got := visible(); got != "detail" {
			t.Errorf("after a link to an event: %s", got)
		}
		p.do(`document.querySelector(".back").click()`)
		if got := visible(); got != "pane" {
			t.Errorf("after Back: %s", got)
		}
		p.do(`document.querySelector("[role=option]:not([hidden])").click()`)
		p.shows("#detail", "Resend")
		if got := visible(); got != "detail" {
			t.Errorf("after a click on an event: %s", got)
		}
		if got := eval[bool](p, `document.documentElement.scrollWidth > innerWidth`); got {
			t.Error("the page is wider than the phone")
		}
	})
	t.Run("on a phone, Reset is behind the question mark", func(t *testing.T) {
		p.do(`document.querySelector("[aria-label=Help]").click()`)
		p.shows("dialog", "Keyboard", "Reset")
		p.do(`[...document.querySelectorAll("dialog button")].find((b) => b.offsetWidth > 0 && b.textContent.startsWith("Reset")).click()`)
		p.shows("dialog", "Forget everything?", "Cancel")
		p.keys("Escape")
	})
	p.isQuiet()
	p.screenshots("console")
}

func TestConsoleKeepsUpWithTheMock(t *testing.T) {
	f := newFake(t)
	f.happen(delivery("c1", 200, nil))
	p := visit(t, f.URL+"/")
	p.shows("#foot", "1 event")
	t.Run("paused, what is read stays", func(t *testing.T) {
		p.keys("p")
		f.happen(delivery("c1", 500, nil))
		p.shows("#foot", "1 event", "1 more since the pause")
		p.shows(".state", "Paused")
		p.keys("p")
		p.shows("#foot", "2 events")
	})
	t.Run("a connection that breaks is made again, and nothing is missed or doubled", func(t *testing.T) {
		f.CloseClientConnections()
		f.happen(delivery("c1", 404, nil))
		p.shows("#foot", "3 events")
		p.shows(".state", "Live")
	})
	t.Run("what was sent again says first with which token", func(t *testing.T) {
		f.happen(delivery("c1", 401, object{"resend_of": 1, "token_state": "none", "with_token": false, "reason": "sent again without"}))
		p.shows("#list", "without a token · resent #1 · ")
		f.happen(delivery("c1", 200, object{"resend_of": 1, "token_state": "same"}))
		p.shows("#list", "resent #1 · with token")
	})
	t.Run("a mock that starts anew is another journal", func(t *testing.T) {
		f.change(func() { f.events, f.boot = nil, "boot2" })
		f.CloseClientConnections()
		f.happen(delivery("c9", 200, object{"webhook": "after-the-restart"}))
		p.shows("#list", "after-the-restart")
		p.shows("#foot", "1 event")
	})
}

// visitOf is what a visit to a customer's page leaves in the journal.
func visitOf(chat string) []object {
	now := time.Now().Unix()
	claims := object{"sub": "u1", "name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true, "iat": now, "exp": now + 900}
	return []object{
		{"kind": "client.started", "bot": "demo", "client": object{"bot_key": "demo", "page_url": "https://shop.example/", "build": "kindly-chat", "options": "kindlyOptions", "callback": "function"}},
		{"kind": "chat.created", "bot": "demo", "chat": chat},
		{"kind": "callback.called", "bot": "demo", "chat": chat, "callback": object{"phase": "called", "reason": "INITIAL_CONNECT"}},
		{"kind": "callback.settled", "bot": "demo", "chat": chat, "callback": object{"phase": "settled", "reason": "INITIAL_CONNECT", "outcome": "token", "elapsed_ms": 12}},
		{"kind": "token.refused", "bot": "demo", "chat": chat, "token": object{"reason": "INITIAL_CONNECT", "token": shownToken(claims), "signed_by": "public.pem", "violations": []object{violation()}}},
		{"kind": "token.accepted", "bot": "demo", "chat": chat, "token": object{"reason": "EXPIRED", "token": shownToken(claims), "accepted": true, "signed_by": "public.pem", "violations": []object{}}},
		{"kind": "message.received", "bot": "demo", "chat": chat, "message": object{"text": "where is my order?"}},
		delivery(chat, 200, object{"webhook": "stock"}),
		delivery(chat, 200, nil),
	}
}

func violation() object {
	return object{"id": "TOK-EXP-MAX", "level": "MUST", "fidelity": "documented", "refused": "documented", "requirement": "exp is after iat and at most 900 s after it.",
		"expected": "at most 900 s", "actual": "86400 s", "fix": "Let the token live for 15 minutes at most; Kindly asks for a new one before it expires."}
}

func TestInboxShowsUsersAndChats(t *testing.T) {
	f := newFake(t)
	f.happen(visitOf("c1")...)
	now := time.Now()
	contacts := []object{
		{"field": "email", "value": "ada@example.com", "verified": true, "stored": true, "why": "email_verified is true"},
		{"field": "phone_number", "value": "+4712345678", "verified": false, "stored": false, "why": "phone_number_verified is not true: shown, but not stored"},
	}
	user := object{"sub": "u1", "name": "Ada Lovelace", "email": "ada@example.com", "picture": "https://pictures.example/ada.png"}
	f.chats = []object{
		{"id": "c1", "bot_key": "demo", "created": now.Add(-time.Minute), "web_url": "https://shop.example/", "authenticated": true, "user": user, "expires": now.Add(13 * time.Minute),
			"token":           shownToken(object{"sub": "u1", "iat": now.Unix() - 120, "exp": now.Unix() + 780}),
			"token_life":      object{"issued": now.Add(-2 * time.Minute), "expires": now.Add(13 * time.Minute), "seconds": 900},
			"webhook_domains": []string{"hooks.example.com"}, "context": object{"plan": "gold"}, "contacts": contacts, "refused": 1,
			"refusals": []object{{"at": now, "reason": "INITIAL_CONNECT", "violations": []object{violation()}}}},
		{"id": "c2", "bot_key": "demo", "created": now.Add(-time.Hour), "web_url": "https://shop.example/help"},
	}
	f.users = []object{{"sub": "u1", "name": "Ada Lovelace", "contacts": contacts, "chats": 1, "last_chat": "c1", "last_seen": now, "bot_key": "demo"}}
	p := visit(t, f.URL+"/inbox")
	p.shows("#list", "Ada Lovelace", "authenticated", "Anonymous visitor", "anonymous")
	p.do(`document.activeElement.blur()`)
	p.keys("j")
	p.shows("#detail", "Ada Lovelace", "ada@example.com", "verified", "stored", "+4712345678", "not verified", "not stored", "shown, but not stored",
		"https://pictures.example/ada.png", "12:", "left", "hooks.example.com", "Refused tokens (1)", "TOK-EXP-MAX", "Let the token live for 15 minutes at most", "where is my order?", "It is on its way.")
	t.Run("users", func(t *testing.T) {
		p.keys("u")
		p.shows("#list", "Ada Lovelace", "1 chat", "+4712345678")
		p.do(`document.querySelector("[role=option]:not([hidden])").click()`)
		p.shows("#detail", "Ada Lovelace", "The last one")
		p.keys("u")
	})
	t.Run("a token that was taken though it is unsafe is marked", func(t *testing.T) {
		mark := object{"id": "TOK-SECRETS", "level": "MUST", "fidelity": "assumed", "requirement": "No claim holds a password.", "expected": "no secrets", "actual": "password (values not shown)", "fix": "Take it out."}
		claims := object{"sub": "u4", "name": "Bob", "iat": now.Unix(), "exp": now.Unix() + 780}
		f.mu.Lock()
		f.chats = append(f.chats, object{"id": "c4", "bot_key": "demo", "created": now, "authenticated": true, "user": object{"sub": "u4", "name": "Bob"}, "expires": now.Add(13 * time.Minute),
			"token": shownToken(claims), "context": object{}, "contacts": []object{}, "refusals": []object{}, "marked": true, "marks": []object{mark}})
		f.mu.Unlock()
		f.happen(object{"kind": "token.accepted", "bot": "demo", "chat": "c4", "token": object{"reason": "INITIAL_CONNECT", "token": shownToken(claims), "accepted": true, "violations": []object{mark}}})
		p.shows("#list", "Bob", "marked")
		p.do(`location.hash = "#/chat/c4"`)
		p.shows("#detail", "Taken, but unsafe or shown wrongly", "TOK-SECRETS", "Take it out.", "token accepted")
	})
	t.Run("live", func(t *testing.T) {
		f.happen(object{"kind": "chat.created", "bot": "demo", "chat": "c3"}, object{"kind": "message.received", "bot": "demo", "chat": "c3", "message": object{"text": "anybody here?"}})
		p.shows("#list", "anybody here?")
	})
	t.Run("a deep link", func(t *testing.T) {
		p.do(`location.hash = "#/chat/c1"`)
		p.shows("#detail", "hooks.example.com")
	})
	p.isQuiet()
	if imgs := eval[int](p, `document.querySelectorAll("main img").length`); imgs != 0 {
		t.Errorf("%d pictures are loaded", imgs)
	}
	p.screenshots("inbox")
}

func TestFaultsAreSwitchedInThePanel(t *testing.T) {
	f := newFake(t)
	p := visit(t, f.URL+"/")
	p.shows(".state", "Live")
	p.keys("f")
	p.shows("dialog", "Kindly is slow", "Refuse every token", "Call getAuthToken twice", "Ask again early", "Clock forward", "Another signing secret")
	p.do(`document.getElementById("fault-slow_ms").click()`)
	p.do(`document.getElementById("fault-rotate_secret").click()`)
	p.shows(".faults", "slow 2000 ms", "another secret")
	f.mu.Lock()
	slow, rotated := f.faults["slow_ms"], f.faults["rotate_secret"]
	f.mu.Unlock()
	if slow != 2000.0 || rotated != true {
		t.Errorf("faults: %v %v", slow, rotated)
	}
	p.screenshots("faults")
	p.do(`[...document.querySelectorAll("dialog button")].find((b) => b.textContent === "All off").click()`)
	p.shows(".faults", "Faults")
	p.isQuiet()
}

func TestTokenComesFromTheFragmentAndLeavesIt(t *testing.T) {
	f := newFake(t)
	f.bearer = "s3cret-of-the-console"
	f.happen(delivery("c1", 200, nil))
	p := visit(t, f.URL+"/#token="+f.bearer)
	p.shows("#foot", "1 event")
	if at := eval[string](p, `location.href`); strings.Contains(at, "s3cret") {
		t.Errorf("the token is still in the address: %s", at)
	}
	t.Run("without it, the page asks", func(t *testing.T) {
		p := visit(t, f.URL+"/")
		p.shows("dialog.token", "This mock wants a token")
		p.do(`document.querySelector("dialog.token input").value = "` + f.bearer + `"; document.querySelector("dialog.token form").requestSubmit()`)
		p.shows("#foot", "1 event")
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if strings.Contains(c, "s3cret") {
			t.Errorf("the token is in a URL: %s", c)
		}
	}
}

func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("/", console.Handler()) // beside the mock's own routes
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/inbox", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}
