package browser_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// What the widget makes of replies, which strangers write.

// attacks are replies that want to run code, load something, or lay themselves
// over the page. Each that succeeds calls pwned().
var attacks = []string{
	`<script>pwned()</script>after`,
	`<img src=x onerror=pwned()>`,
	`<svg onload=pwned()><script>pwned()</script></svg>`,
	`<svg><style><img src=x onerror=pwned()></style></svg>`,
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=pwned()&gt;">`,
	`<form><math><mtext></form><form><mglyph><style></math><img src onerror=pwned()>`,
	`<noscript><p title="</noscript><img src=x onerror=pwned()>">`,
	`<template><img src=x onerror=pwned()></template>`,
	`<iframe srcdoc="<script>parent.pwned()</script>"></iframe>`,
	`<object data="javascript:pwned()"></object><embed src="javascript:pwned()">`,
	`<a href="javascript:pwned()">x</a><a href=" java&#10;script:pwned()">x</a><a href="data:text/html,<script>pwned()</script>">x</a><a href="vbscript:pwned()">x</a>`,
	`<a href="blob:https://example.com/1">x</a><a href="https://example.com/" onclick="pwned()" style="position:fixed;inset:0" id=kindly-chat target=_self>link</a>`,
	`<svg><a xlink:href="javascript:pwned()"><text>x</text></a></svg>`,
	`<b onmouseover=pwned() style="position:fixed;inset:0;z-index:9999" class=kindly-head id=x>bold</b>`,
	`<p><details open ontoggle=pwned()>x</details><marquee onstart=pwned()>x</marquee><video><source onerror=pwned()></video>`,
	`<base href="https://evil.example/"><meta http-equiv=refresh content="0;url=https://evil.example/"><link rel=stylesheet href="https://evil.example/x.css"><style>*{display:none}</style>`,
	`<form action="https://evil.example/"><input autofocus onfocus=pwned()><button formaction="javascript:pwned()">x</button></form>`,
	`<input name=attributes><form id=a><input name=childNodes><input name=nodeName></form>`,
	`<plaintext><img src=x onerror=pwned()>`,
	`<![CDATA[<img src=x onerror=pwned()>]]><?xml version="1.0"?><!--><img src=x onerror=pwned()>-->`,
	`<x:script xmlns:x="http://www.w3.org/1999/xhtml">pwned()</x:script>`,
	strings.Repeat("<b>", 3000) + "deep" + strings.Repeat("<p>many", 3000),
}

func TestWidgetsRepliesAreHarmless(t *testing.T) {
	replies, err := json.Marshal(object{"reply": "x", "buttons": []object{
		{"button_type": "link", "label": "<img src=x onerror=pwned()>", "value": "javascript:pwned()"}, {"button_type": "constructor", "label": "x", "value": "1"}},
		"image_carousel": []object{{"imageUrl": "javascript:pwned()", "title": "<img src=x onerror=pwned()>", "linkUrl": "javascript:pwned()"}}})
	if err != nil {
		t.Fatal(err)
	}
	list := []string{string(replies)}
	for _, a := range attacks {
		one, err := json.Marshal(object{"reply": a})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(one))
	}
	for _, tt := range []struct{ name, attributes, before string }{
		{"in the document", ``, ``},
		{"in a shadow tree", ` data-shadow-dom="1"`, ``},
		{"in a browser without Document.parseHTML", ``, `delete Document.parseHTML;`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := &stubKindly{replies: strings.Join(list, ",")}
			s := newSite(t, map[string]string{"/{$}": `<script>` + tt.before + `window.hits = 0; window.pwned = () => { hits++ }; window.alert = pwned; kindlyOptions = {getAuthToken: () => "` + fakeToken + `"}</script>` +
				strings.Replace(widgetTag, " async", tt.attributes+" async", 1)})
			p := visit(t, s.URL+"/", k)
			k.settled(t, 1)
			script(t, p, `kindlyChat.openChat(); kindlyChat.sendMessage("hello").then(() => "")`)
			script(t, p, walk+`; window.found = inspect()`)
			p.Settle(withTimeout(t))
			var got struct {
				Strange []string
				Hits    int
				Links   []string
			}
			if err := json.Unmarshal([]byte(script(t, p, `JSON.stringify({...found, hits})`)), &got); err != nil {
				t.Fatal(err)
			}
			if len(got.Strange) > 0 || got.Hits > 0 {
				t.Errorf("%d attacks ran; in the log: %q", got.Hits, got.Strange)
			}
			if fmt.Sprint(got.Links) != "[https://example.com/]" {
				t.Errorf("links: %q", got.Links)
			}
			for _, q := range p.Record().Requests {
				if !q.Kindly && !strings.HasPrefix(q.URL, s.URL) && !strings.HasPrefix(q.URL, "data:") {
					t.Errorf("a reply made the page ask for %s", q.URL)
				}
			}
			assertQuiet(t, p, "attacks")
		})
	}
}

type object = map[string]any

// walk finds what should not be in the log, having hovered and clicked all over it.
const walk = `window.inspect = () => {
	const root = document.getElementById("kindly-chat-api").shadowRoot ?? document;
	const log = root.querySelector("[role=log]");
	const allowed = {B: [], I: [], EM: [], STRONG: [], BR: [], P: [], UL: ["class", "aria-label", "tabindex"], OL: [], LI: ["class"], A: ["href", "target", "rel"],
		DIV: ["class", "data-sender"], BUTTON: ["type", "class", "disabled", "title"]};
	const strange = [];
	for (const e of log.querySelectorAll("*")) {
		const names = Object.hasOwn(allowed, e.nodeName) ? allowed[e.nodeName] : null;
		if (!names) strange.push(e.nodeName);
		else for (const a of e.attributes) if (!names.includes(a.name)) strange.push(e.nodeName + " " + a.name);
		for (const c of e.classList) if (!/^kindly-(message|buttons|carousel|slide|pictures)$/.test(c)) strange.push("class " + c);
		if (e.nodeName === "A" && (e.target !== "_blank" || !e.rel.includes("noopener"))) strange.push(e.outerHTML);
		e.dispatchEvent(new MouseEvent("mouseover", {bubbles: true}));
	}
	for (const b of log.querySelectorAll("button")) b.click();
	return {strange, links: [...log.querySelectorAll("a")].map((a) => a.href)};
}`

func TestWidgetShowsSimpleHTML(t *testing.T) {
	k := &stubKindly{}
	p := strictPage(t, k)
	for _, tt := range []struct{ name, reply, html string }{
		{"text", `a < b & c`, `a &lt; b &amp; c`},
		{"emphasis", `<b>b</b> <i>i</i> <em>em</em> <strong>s</strong>`, `<b>b</b> <i>i</i> <em>em</em> <strong>s</strong>`},
		{"entities", `caf&eacute; &lt;b&gt;`, `café &lt;b&gt;`},
		{"a list", "<ul>\n <li>one</li>\n <li>two</li>\n</ul>", `<ul><li>one</li><li>two</li></ul>`},
		{"lines", `one<br>two`, `one<br>two`},
		{"a link", `<a href="https://example.com/?a=1&amp;b=2">x</a>`, `<a href="https://example.com/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer nofollow">x</a>`},
		{"mail and phone", `<a href="mailto:a@example.com">m</a><a href="tel:+47">t</a>`, `<a href="mailto:a@example.com" target="_blank" rel="noopener noreferrer nofollow">m</a><a href="tel:+47" target="_blank" rel="noopener noreferrer nofollow">t</a>`},
		{"a link to nowhere", `<a href="">x</a><a>y</a>`, `xy`},
		{"what is not allowed keeps its text", `<h1 class=x>Hi <u>there</u></h1>`, `Hi there`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			one, err := json.Marshal(object{"reply": tt.reply})
			if err != nil {
				t.Fatal(err)
			}
			k.mu.Lock()
			k.replies = string(one)
			k.mu.Unlock()
			got := script(t, p, `kindlyChat.sendMessage("x").then(() => [...document.querySelectorAll("[data-sender=BOT]")].at(-1).innerHTML)`)
			if got != tt.html {
				t.Errorf("got %s, want %s", got, tt.html)
			}
		})
	}
	assertQuiet(t, p, "simple HTML")
}

// Of a webhook that has no answer for the user the chat shows why, and the page is
// told nothing of it.
func TestWidgetShowsWhatIsWrongWithAWebhook(t *testing.T) {
	k := &stubKindly{}
	p := strictPage(t, k)
	for name, row := range map[string]struct{ reply, want string }{
		"another status":  {`{"webhook":"orders","status":500}`, "The webhook orders answered 500: Kindly reads answers of status 200"},
		"no answer":       {`{"webhook":"orders","status":0,"error":"no answer: refused"}`, "The webhook orders did not answer: no answer: refused"},
		"no JSON":         {`{"webhook":"orders","status":200,"answer_error":"HTML or XML"}`, "The webhook orders gave an answer that Kindly can't read: HTML or XML"},
		"nothing":         {`{"webhook":"orders","status":200,"reply":"Hi"}`, ""},
		"not a webhook's": {`{"dialogue":"hello","reply":"Hi"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			k.mu.Lock()
			k.replies = row.reply
			k.mu.Unlock()
			got := script(t, p, `(async () => {
				document.querySelectorAll("[data-sender=NOTE]").forEach((e) => e.remove());
				const told = []; document.addEventListener("kindly:message", (e) => told.push(e.detail.newMessage.sender));
				await kindlyChat.sendMessage("x");
				return [...document.querySelectorAll("[data-sender=NOTE]")].map((e) => e.textContent).join() + (told.includes("NOTE") ? " and the page was told" : "");
			})()`)
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// strictPage is a page with the widget that forbids markup from strings.
func strictPage(t *testing.T, k *stubKindly) *browser.Page {
	t.Helper()
	const policy = "default-src 'none'; script-src https://chat.kindlycdn.com; connect-src https://bot.kindly.ai; style-src 'none'; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'"
	s := newSite(t, nil)
	s.mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		writeHTML(w, `<script id=kindly-chat src="https://chat.kindlycdn.com/kindly-chat.js" data-bot-key="bot-1"></script>`)
	})
	return visit(t, s.URL+"/", k)
}

func TestWidgetSaysWhyNobodyIsAuthenticated(t *testing.T) {
	for _, tt := range []struct {
		name, options, want string
		refuse              bool
	}{
		{"no function", ``, "The page has no getAuthToken", false},
		{"no token", `kindlyOptions = {getAuthToken: () => null}`, "getAuthToken gave no token", false},
		{"refused", `kindlyOptions = {getAuthToken: () => "` + fakeToken + `"}`, "The token was refused", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, map[string]string{"/": optionsPage(tt.options)})
			p := visit(t, s.URL, &stubKindly{refuse: tt.refuse})
			eventually(t, tt.want, func() bool {
				return script(t, p, `document.querySelector(".kindly-status").textContent + "|" + document.querySelector(".kindly-why").textContent`) == "Not authenticated|"+tt.want
			})
		})
	}
}

func TestWidgetActsOutTheMocksFaults(t *testing.T) {
	t.Run("calling twice", func(t *testing.T) {
		k := &stubKindly{hints: `,"hints":{"call_twice":true}`}
		s := newSite(t, map[string]string{"/": optionsPage(`let n = 0; kindlyOptions = {getAuthToken: async () => "` + fakeToken + `" + n++}`)})
		visit(t, s.URL, k)
		eventually(t, "two tokens", func() bool { return len(k.all("/token")) == 2 })
		if a, b := k.all("/token")[0].Body["token"], k.all("/token")[1].Body["token"]; a == b {
			t.Error("both calls handed over the same token")
		}
	})
	t.Run("calling again early", func(t *testing.T) {
		k := &stubKindly{renew: `,"renew_in_ms":100`}
		s := newSite(t, map[string]string{"/": optionsPage(`kindlyOptions = {getAuthToken: () => "` + fakeToken + `"}`)})
		visit(t, s.URL, k)
		if got := k.settled(t, 2); got["reason"] != "EXPIRED" {
			t.Errorf("settled: %v", got)
		}
	})
}

func TestWidgetShowsRepliesInTheOrderOfTheMessages(t *testing.T) {
	s := newSite(t, map[string]string{"/": optionsPage(`kindlyOptions = {}`)})
	k, answered := &stubKindly{}, make(chan struct{})
	p := visit(t, s.URL, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/messages") {
			k.ServeHTTP(w, r)
			return
		}
		var in struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		switch in.Text {
		case "slow":
			<-answered
		case "broken":
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprintf(w, `{"replies":[{"reply":"re: %s"}]}`, in.Text)
		if in.Text == "fast" {
			time.AfterFunc(300*time.Millisecond, func() { close(answered) }) // it is in the page first
		}
	}))
	k.settled(t, 1)
	got := script(t, p, `Promise.allSettled(["slow", "broken", "fast"].map((text) => kindlyChat.sendMessage(text)))
		.then(() => [...document.querySelectorAll("[role=log] > *")].map((e) => e.textContent).join())`)
	if want := "slow,broken,fast,re: slow,re: fast"; got != want {
		t.Errorf("the log is %q, want %q", got, want)
	}
}
