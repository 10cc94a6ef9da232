package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// The widget's behaviour, in a real browser, against a stub of the mock.

const (
	widgetTag = `<script id="kindly-chat" src="https://chat.kindlycdn.com/kindly-chat.js" data-bot-key="bot-1" async></script>`
	fakeToken = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl"
)

func optionsPage(options string) string { return "<script>" + options + "</script>" + widgetTag }

func TestWidgetHandsTheTokenOver(t *testing.T) {
	for _, tt := range []struct {
		name, options           string
		outcome, kind, optionsN string
		sync, authenticated     bool
		errorText               string
	}{
		{"a promise", `kindlyOptions = {getAuthToken: async (id) => TOKEN}`, "token", "string", "kindlyOptions", false, true, ""},
		{"a value", `kindlyOptions = {getAuthToken: (id) => TOKEN}`, "token", "string", "kindlyOptions", true, true, ""},
		{"the other name", `kindlySettings = {getAuthToken: () => TOKEN}`, "token", "string", "kindlySettings", true, true, ""},
		{"both names", `kindlySettings = {getAuthToken: () => "wrong"}; kindlyOptions = {getAuthToken: () => TOKEN}`, "token", "string", "both", true, true, ""},
		{"a slow promise", `kindlyOptions = {getAuthToken: () => new Promise((r) => setTimeout(() => r(TOKEN), 700))}`, "token", "string", "kindlyOptions", false, true, ""},
		{"a thenable", `kindlyOptions = {getAuthToken: () => ({then(f) { f(TOKEN) }})}`, "token", "string", "kindlyOptions", false, true, ""},
		{"null", `kindlyOptions = {getAuthToken: () => null}`, "empty", "null", "kindlyOptions", true, false, ""},
		{"a promise of null", `kindlyOptions = {getAuthToken: async () => null}`, "empty", "null", "kindlyOptions", false, false, ""},
		{"an object", `kindlyOptions = {getAuthToken: () => ({token: TOKEN})}`, "not-a-string", "object", "kindlyOptions", true, false, ""},
		{"it throws", `kindlyOptions = {getAuthToken: () => { throw new Error("no session") }}`, "threw", "object", "kindlyOptions", true, false, "no session"},
		{"it rejects", `kindlyOptions = {getAuthToken: () => Promise.reject(new Error("no " + TOKEN))}`, "rejected", "object", "kindlyOptions", false, false, "no (token)"},
		{"there is none", `kindlyOptions = {}`, "undefined", "undefined", "kindlyOptions", true, false, ""},
		{"there are no options", ``, "undefined", "undefined", "none", true, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := &stubKindly{}
			s := newSite(t, map[string]string{"/{$}": optionsPage(strings.ReplaceAll(tt.options, "TOKEN", `"`+fakeToken+`"`))})
			p := visit(t, s.URL+"/", k)
			got := k.settled(t, 1)
			if got["outcome"] != tt.outcome || got["type"] != tt.kind || got["sync"] != tt.sync || got["error"] != tt.errorText || got["reason"] != "INITIAL_CONNECT" {
				t.Errorf("settled: %v", got)
			}
			start := k.all("/client")[0].Body
			if start["bot_key"] != "bot-1" || start["build"] != "kindly-chat" || start["script_id"] != "kindly-chat" || start["options"] != tt.optionsN || start["page_url"] != s.URL+"/" {
				t.Errorf("client: %v", start)
			}
			p.Settle(withTimeout(t))
			tokens := k.all("/token")
			if tt.authenticated != (len(tokens) == 1) || tt.authenticated && tokens[0].Body["token"] != fakeToken {
				t.Errorf("tokens handed over: %v", tokens)
			}
			assertQuiet(t, p, tt.name)
		})
	}
}

// assertQuiet fails if the widget left anything where it must not.
func assertQuiet(t *testing.T, p *browser.Page, name string) {
	t.Helper()
	rec := p.Record()
	if len(rec.Console)+len(rec.Exceptions)+len(rec.CSP) > 0 {
		t.Errorf("the page is not quiet: %v %v %v", rec.Console, rec.Exceptions, rec.CSP)
	}
	st, err := p.State(withTimeout(t))
	if err != nil {
		t.Fatal(err)
	}
	stored, _ := json.Marshal([]any{st.LocalStorage, st.SessionStorage, st.Cookies, st.URL})
	if strings.Contains(string(stored), fakeToken) || len(st.LocalStorage)+len(st.SessionStorage)+len(st.Cookies) > 0 {
		t.Errorf("the widget stored something: %s", stored)
	}
	for _, q := range rec.Requests {
		if strings.Contains(q.URL, fakeToken) || strings.Contains(string(q.Body), fakeToken) && !strings.HasSuffix(q.URL, "/token") {
			t.Errorf("the token is in %s", q.URL)
		}
	}
}

func TestWidgetReportsInOrder(t *testing.T) {
	k := &stubKindly{}
	s := newSite(t, map[string]string{"/": optionsPage(`kindlyOptions = {getAuthToken: () => "` + fakeToken + `"}`)})
	visit(t, s.URL, k)
	k.settled(t, 1)
	eventually(t, "the token is handed over", func() bool { return len(k.all("/token")) == 1 })
	var got []string
	for _, c := range k.all("") {
		part := c.Path[strings.LastIndex(c.Path, "/")+1:]
		if phase, ok := c.Body["phase"].(string); ok {
			part = phase
		}
		got = append(got, part)
		if ct := c.Head.Get("Content-Type"); !strings.HasPrefix(ct, "text/plain") {
			t.Errorf("%s is sent as %q, which needs a preflight", part, ct)
		}
	}
	if want := "client chats called settled token"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestWidgetRenewsBeforeExpiry(t *testing.T) {
	const status = `document.querySelector(".kindly-status").textContent + "|" + document.querySelector(".kindly-why").textContent`
	page := optionsPage(`let n = 0; kindlyOptions = {getAuthToken: () => "` + fakeToken + `" + n++}`)
	t.Run("30 s before the end", func(t *testing.T) {
		k := &stubKindly{expires: func(n int) time.Time { return time.Now().Add(time.Duration(n) * 15 * time.Minute) }}
		s := newSite(t, map[string]string{"/": page})
		p := visit(t, s.URL, k)
		k.settled(t, 1)
		if err := p.Advance(withTimeout(t), 14*time.Minute); err != nil {
			t.Fatal(err)
		}
		if n := len(k.all("/token")); n != 1 {
			t.Fatalf("a minute before the end: %d tokens", n)
		}
		if err := p.Advance(withTimeout(t), 35*time.Second); err != nil {
			t.Fatal(err)
		}
		if got := k.settled(t, 2); got["reason"] != "EXPIRED" {
			t.Errorf("settled: %v", got)
		}
	})
	t.Run("a short-lived token at half its life, not without pause", func(t *testing.T) {
		k := &stubKindly{expires: func(int) time.Time { return time.Now().Add(2 * time.Second) }}
		s := newSite(t, map[string]string{"/": page})
		visit(t, s.URL, k)
		eventually(t, "a second token", func() bool { return len(k.all("/token")) >= 2 })
		calls := k.all("/token")
		if gap := calls[len(calls)-1].At.Sub(calls[0].At); len(calls) > 2 || gap < 900*time.Millisecond {
			t.Errorf("%d tokens within %v", len(calls), gap)
		}
	})
	t.Run("not again when the page gives a remembered token", func(t *testing.T) {
		end := time.Now().Add(2 * time.Second)
		k := &stubKindly{expires: func(int) time.Time { return end }}
		s := newSite(t, map[string]string{"/": page})
		p := visit(t, s.URL, k)
		k.settled(t, 2)
		if err := p.Advance(withTimeout(t), time.Hour); err != nil {
			t.Fatal(err)
		}
		if n := len(k.all("/token")); n != 2 {
			t.Errorf("%d tokens", n)
		}
		if got := script(t, p, status); got != "Not authenticated|The token has expired" {
			t.Errorf("after its end: %s", got)
		}
	})
	t.Run("in time when a mock that was started anew got the remembered token", func(t *testing.T) {
		end := time.Now().Add(15 * time.Minute)
		k := &stubKindly{expires: func(int) time.Time { return end }, more: `,"renew_in_ms":1`}
		s := newSite(t, map[string]string{"/": page})
		p := visit(t, s.URL, k)
		k.settled(t, 1)
		eventually(t, "authenticated", func() bool { return strings.HasPrefix(script(t, p, status), "Authenticated") })
		script(t, p, `kindlyChat.sendMessage("hello").then(() => "")`)
		k.settled(t, 2)
		eventually(t, "a second token", func() bool { return len(k.all("/token")) == 2 })
		for _, step := range []struct {
			d time.Duration
			n int
		}{{14 * time.Minute, 2}, {40 * time.Second, 3}, {time.Hour, 3}} {
			if err := p.Advance(withTimeout(t), step.d); err != nil {
				t.Fatal(err)
			}
			if n := len(k.all("/token")); n != step.n {
				t.Errorf("%v later: %d tokens, want %d", step.d, n, step.n)
			}
		}
	})
	t.Run("not when it was refused", func(t *testing.T) {
		k := &stubKindly{refuse: true}
		s := newSite(t, map[string]string{"/": page})
		p := visit(t, s.URL, k)
		k.settled(t, 1)
		if err := p.Advance(withTimeout(t), time.Hour); err != nil {
			t.Fatal(err)
		}
		if n := len(k.all("/token")); n != 1 {
			t.Errorf("%d tokens", n)
		}
	})
}

func TestWidgetStartsHoweverItIsLoaded(t *testing.T) {
	const options = `<script>kindlyOptions = {getAuthToken: () => "` + fakeToken + `"}</script>`
	const src = `src="https://chat.kindlycdn.com/kindly-chat.js" data-bot-key="bot-1"`
	for _, tt := range []struct{ name, html string }{
		{"plain, in the head", options + `<head><script id=kindly-chat ` + src + `></script></head><body>text`},
		{"async", options + `<script id=kindly-chat ` + src + ` async></script>`},
		{"defer", options + `<script id=kindly-chat ` + src + ` defer></script>`},
		{"a module", options + `<script id=kindly-chat type=module ` + src + `></script>`},
		{"without an id", options + `<script ` + src + `></script>`},
		{"headless", options + `<script id=kindly-chat src="https://chat.kindlycdn.com/kindly-chat-pure.js" data-bot-key="bot-1"></script>`},
		{"inserted by a script, late", options + `<script>setTimeout(() => { const s = document.createElement("script"); s.id = "kindly-chat";
			s.src = "https://chat.kindlycdn.com/kindly-chat.js"; s.dataset.botKey = "bot-1"; document.head.append(s) }, 50)</script>`},
		{"imported", options + `<script id=kindly-chat data-bot-key="bot-1" type="text/plain"></script><script>import("https://chat.kindlycdn.com/kindly-chat.js")</script>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := &stubKindly{}
			s := newSite(t, map[string]string{"/": tt.html})
			p := visit(t, s.URL, k)
			k.settled(t, 1)
			if got := k.all("/client"); len(got) != 1 || got[0].Body["bot_key"] != "bot-1" {
				t.Errorf("client: %v", got)
			}
			assertQuiet(t, p, tt.name)
		})
	}
}

func TestWidgetsPageAPI(t *testing.T) {
	k := &stubKindly{replies: `{"reply":"Hi <b>Ada</b>\n\nHow are you?","buttons":[
		{"button_type":"link","label":"Docs","value":"https://example.com/"},{"button_type":"link","label":"Bad","value":"javascript:alert(1)"},
		{"button_type":"quick_reply","label":"Fine","value":"fine"}],"image_carousel":[{"imageUrl":"https://example.com/a.png","title":"A"}]}`}
	s := newSite(t, map[string]string{"/": optionsPage(`
		window.seen = []; document.addEventListener("kindly:load", () => seen.push("load event"));
		document.addEventListener("kindly:message", (e) => seen.push("event " + e.detail.newMessage.sender + " " + e.detail.chatLog.length));
		kindlyOptions = {getAuthToken: () => "` + fakeToken + `", context: {plan: "gold", self: () => 1}, onLoad() { seen.push("onLoad " + typeof window.kindlyChat.openChat) },
			onMessage(m, log) { seen.push("onMessage " + m.message + " " + log.length) }}`)})
	p := visit(t, s.URL, k)
	k.settled(t, 1)
	script(t, p, `kindlyChat.openChat()`)
	got := script(t, p, `kindlyChat.sendMessage("hello").then(() => JSON.stringify({seen, context: kindlyChat.getContext(),
		log: document.querySelector("[role=log]").innerText, status: document.querySelector("[role=status]").textContent,
		hrefs: [...document.querySelectorAll("[role=log] a")].map((a) => a.href), open: !document.querySelector("[role=dialog]").hidden}))`)
	for _, want := range []string{`"onLoad function"`, `"load event"`, `"onMessage hello 1"`, `"event USER 1"`, `"event BOT 2"`, `"onMessage How are you? 3"`,
		`"context":{"plan":"gold"}`, "Authenticated as Ada Lovelace", `"https://example.com/"`, `Fine`, `"open":true`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if strings.Contains(got, "javascript:") {
		t.Errorf("a link that runs code: %s", got)
	}
	if m := k.all("/messages"); len(m) != 1 || m[0].Body["text"] != "hello" || fmt.Sprint(m[0].Body["context"]) != "map[plan:gold]" {
		t.Errorf("messages: %v", m)
	}
	script(t, p, `[...document.querySelectorAll("[role=log] button")].find((b) => b.textContent === "Fine").click()`)
	eventually(t, "the button sends its value", func() bool { m := k.all("/messages"); return len(m) == 2 && m[1].Body["text"] == "fine" })
	if got := script(t, p, `kindlyChat.closeChat(); kindlyChat.hideBubble(); [document.querySelector("[role=dialog]").hidden, document.querySelector(".kindly-bubble").hidden].join()`); got != "true,true" {
		t.Errorf("closed and hidden: %s", got)
	}
	assertQuiet(t, p, "api")
}

// script runs an expression in the page, as the page's own code would.
func script(t *testing.T, p *browser.Page, js string) string {
	t.Helper()
	got, err := browser.EvaluateString(withTimeout(t), p, js)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestWidgetCanBeUnmountedAndLoadedAgain(t *testing.T) {
	const load = `window.load = () => { const s = document.createElement("script"); s.id = "kindly-chat";
		s.src = "https://chat.kindlycdn.com/kindly-chat.js"; s.dataset.botKey = "bot-1"; document.body.append(s); };
		window.unmount = () => { for (const id of ["kindly-chat", "kindly-chat-api"]) document.getElementById(id)?.remove(); };`
	k := &stubKindly{}
	s := newSite(t, map[string]string{"/": `<body><script>` + load + `kindlyOptions = {getAuthToken: (id) => "` + fakeToken + `" + id}; load()</script>`})
	p := visit(t, s.URL, k)
	k.settled(t, 1)
	t.Run("loaded twice, it connects once and tells", func(t *testing.T) {
		script(t, p, `load()`)
		eventually(t, "the second start is told", func() bool { return len(k.all("/client")) == 2 })
		p.Settle(withTimeout(t))
		if n := len(k.all("/mock/v1/chats")); n != 1 {
			t.Errorf("%d chats", n)
		}
	})
	t.Run("unmounted, it asks for no tokens", func(t *testing.T) {
		script(t, p, `unmount()`)
		if err := p.Advance(withTimeout(t), time.Hour); err != nil {
			t.Fatal(err)
		}
		if n := len(k.all("/token")); n != 1 {
			t.Errorf("%d tokens", n)
		}
		if got := script(t, p, `document.adoptedStyleSheets.length`); got != "0" {
			t.Errorf("%s style sheets are left", got)
		}
	})
	t.Run("loaded again, it makes a new chat", func(t *testing.T) {
		script(t, p, `load()`)
		k.settled(t, 2)
		eventually(t, "the token of the new chat", func() bool {
			tokens := k.all("/token")
			return len(tokens) == 2 && strings.HasSuffix(tokens[1].Body["token"].(string), chatID+"2")
		})
	})
	assertQuiet(t, p, "remount")
}

func TestWidgetNeedsNoMoreThanKindlysHosts(t *testing.T) {
	const policy = "default-src 'none'; script-src https://chat.kindlycdn.com 'nonce-n'; connect-src https://bot.kindly.ai; style-src 'none'; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'"
	for _, attributes := range []string{`data-bot-key="bot-1"`, `data-bot-key="bot-1" data-shadow-dom="1"`} {
		t.Run(attributes, func(t *testing.T) {
			k := &stubKindly{replies: `{"reply":"hi","buttons":[{"button_type":"quick_reply","label":"a","value":"b"}]}`}
			s := newSite(t, nil)
			s.mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Security-Policy", policy)
				writeHTML(w, `<script nonce=n>kindlyOptions = {getAuthToken: () => "`+fakeToken+`"}</script><script id=kindly-chat src="https://chat.kindlycdn.com/kindly-chat.js" `+attributes+`></script>`)
			})
			p := visit(t, s.URL, k)
			k.settled(t, 1)
			script(t, p, `kindlyChat.openChat(); kindlyChat.sendMessage("hello").then(() => "")`)
			got := script(t, p, `(() => { const host = document.getElementById("kindly-chat-api"); const root = host.shadowRoot ?? host;
				return [!!host.shadowRoot, getComputedStyle(root.querySelector(".kindly-root")).position, root.querySelector("[role=log]").textContent].join("|") })()`)
			if want := fmt.Sprint(strings.Contains(attributes, "shadow")) + "|fixed|hellohia"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			assertQuiet(t, p, attributes)
			if html := script(t, p, `document.documentElement.outerHTML`); strings.Contains(html, " style=") || strings.Contains(html, "<style") {
				t.Error("the widget put inline styles into the page")
			}
		})
	}
}

func TestWidgetSurvivesAKindlyThatIsAway(t *testing.T) {
	s := newSite(t, map[string]string{"/": optionsPage(`kindlyOptions = {getAuthToken: () => "` + fakeToken + `"}`)})
	away := &stubKindly{}
	p := visit(t, s.URL, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/mock/") {
			panic("away")
		}
		away.ServeHTTP(w, r)
	}))
	eventually(t, "it says that it is not connected", func() bool {
		return script(t, p, `document.querySelector("[role=status]").textContent`) == "Not connected"
	})
	for _, e := range p.Record().Console {
		if !e.Kindly {
			t.Errorf("blamed on the page: %+v", e)
		}
	}
	if ex := p.Record().Exceptions; len(ex) > 0 {
		t.Errorf("exceptions: %v", ex)
	}
}

func TestFourUsersAtOnce(t *testing.T) {
	b := chrome(t)
	errs := make(chan error)
	for i := range 4 {
		go func() { errs <- oneOfMany(t.Context(), b, i) }()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func oneOfMany(ctx context.Context, b *browser.Browser, i int) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	k := &stubKindly{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		c, _ := r.Cookie("who")
		writeHTML(w, optionsPage(`kindlyOptions = {getAuthToken: async () => "`+fakeToken+c.Value+`"}`))
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	u, err := b.NewUser(ctx, browser.Login{Cookies: []browser.Cookie{{Name: "who", Value: fmt.Sprint(i)}}})
	if err != nil {
		return err
	}
	defer u.Close()
	p, err := u.Visit(ctx, srv.URL, k)
	if err != nil {
		return err
	}
	defer p.Close()
	for range 5 {
		p.Record()
		if r, err := p.Call(ctx, "c"); err != nil || r.Token != fmt.Sprint(fakeToken, i) {
			return fmt.Errorf("user %d: %v %v", i, r, err)
		}
	}
	p.Settle(ctx)
	if tokens := k.all("/token"); len(tokens) != 1 || tokens[0].Body["token"] != fmt.Sprint(fakeToken, i) {
		return fmt.Errorf("user %d handed over %d tokens", i, len(tokens))
	}
	return nil
}
