package suites_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A shape is a sound way to ask for a token that no fixture has: the page's
// callback, and the endpoint.
type shape struct {
	callback string
	endpoint func(t *testing.T) http.HandlerFunc
	// skipped are the checks of the endpoint that can't be judged of it, besides
	// those that need a second user, another origin or another kind of body.
	skipped []string
	partly  string // the run is incomplete, for this
}

var shapes = map[string]shape{
	"both sides in base64": {
		callback: `async (id) => { const r = await fetch("/auth", {method: "POST", body: btoa(JSON.stringify({chatId: id}))}); return r.ok ? JSON.parse(atob(await r.text())).token : null; }`,
		endpoint: asksFor(func(_ *http.Request, body []byte) string {
			plain, _ := base64.StdEncoding.DecodeString(string(body))
			return member(plain, "chatId")
		}, func(w http.ResponseWriter, token string) {
			w.Header().Set("Content-Type", "application/octet-stream")
			io.WriteString(w, base64.StdEncoding.EncodeToString([]byte(`{"token":"`+token+`"}`)))
		}),
	},
	"gRPC-Web as text": {
		callback: `async (id) => {
			const message = "\x0a\x24" + id;
			const r = await fetch("/auth/shop.Tokens/Issue", {method: "POST", headers: {"Content-Type": "application/grpc-web-text", "X-Grpc-Web": "1"}, body: btoa("\0\0\0\0" + String.fromCharCode(message.length) + message)});
			const frames = (await r.text()).match(/.{4}/g).map(atob).join(""); // each is padded
			const end = 5 + frames.charCodeAt(3) * 256 + frames.charCodeAt(4);
			return frames.charCodeAt(0) === 0 ? frames.slice(frames.indexOf("eyJ"), end) : null;
		}`,
		endpoint: asksFor(func(_ *http.Request, body []byte) string {
			plain, _ := base64.StdEncoding.DecodeString(string(body))
			if len(plain) != 7+36 {
				return ""
			}
			return string(plain[7:])
		}, func(w http.ResponseWriter, token string) {
			w.Header().Set("Content-Type", "application/grpc-web-text+proto")
			message := "\x0a" + string(binary.AppendUvarint(nil, uint64(len(token)))) + token
			io.WriteString(w, frame(0, message)+frame(128, "grpc-status:0\r\n"))
		}, func(w http.ResponseWriter, text string, _ int) {
			w.Header().Set("Content-Type", "application/grpc-web-text+proto")
			io.WriteString(w, frame(128, "grpc-status:16\r\ngrpc-message:"+text+"\r\n"))
		}),
	},
	"gRPC-Web, whose errors stand in the head": {
		callback: `async (id) => {
			const text = new TextEncoder().encode(id);
			const body = Uint8Array.of(0, 0, 0, 0, 6 + text.length, 0x08, 0x07, 0x12, 2 + text.length, 0x0a, text.length, ...text); // {1: 7, 2: {1: id}}
			const r = await fetch("/auth/shop.Tokens/Issue", {method: "POST", headers: {"Content-Type": "application/grpc-web+proto", "X-Grpc-Web": "1"}, body});
			const answer = new Uint8Array(await r.arrayBuffer());
			if (answer.length === 0) return null;
			const end = 5 + answer[3] * 256 + answer[4];
			const message = new TextDecoder("latin1").decode(answer.subarray(5, end));
			return message.slice(message.indexOf("eyJ"));
		}`,
		endpoint: asksFor(func(_ *http.Request, body []byte) string {
			if len(body) != 11+36 || body[6] != 7 || body[8] != 38 || body[10] != 36 {
				return ""
			}
			return string(body[11:])
		}, func(w http.ResponseWriter, token string) {
			w.Header().Set("Content-Type", "application/grpc-web+proto")
			message := "\x0a" + string(binary.AppendUvarint(nil, uint64(len(token)))) + token
			w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...))
			io.WriteString(w, "\x80\x00\x00\x00\x0fgrpc-status:0\r\n")
		}, func(w http.ResponseWriter, text string, _ int) {
			w.Header().Set("Content-Type", "application/grpc-web+proto")
			w.Header().Set("Grpc-Status", "16")
			w.Header().Set("Grpc-Message", text)
		}),
	},
	"bytes of a form that nobody knows": { // MessagePack
		callback: `async (id) => { const t = (s) => [0xd9, s.length, ...new TextEncoder().encode(String(s))]; const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/msgpack"}, body: Uint8Array.of(0x81, ...t("chatId"), ...t(id))}); return r.ok ? (await r.json()).token : null; }`,
		endpoint: asksFor(func(_ *http.Request, body []byte) string {
			id, ok := strings.CutPrefix(string(body), "\x81\xd9\x06chatId\xd9\x24")
			if !ok {
				return ""
			}
			return id
		}, asJSON),
		skipped: []string{"AUTH-CHATID-QUERY"},
	},
	"the chat id is its 16 bytes in base64": {
		callback: `async (id) => { const bytes = id.replaceAll("-", "").match(/../g).map((x) => parseInt(x, 16)); const r = await fetch("/auth?c=" + new Uint8Array(bytes).toBase64({alphabet: "base64url", omitPadding: true}), {method: "POST"}); return r.ok ? (await r.json()).token : null; }`,
		endpoint: asksFor(func(r *http.Request, _ []byte) string {
			b, err := base64.RawURLEncoding.DecodeString(r.URL.Query().Get("c"))
			if err != nil || len(b) != 16 {
				return ""
			}
			return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
		}, asJSON),
		skipped: []string{"AUTH-CHATID-QUERY"}, // the page itself sends it there
	},
	"the chat id is in a file of a form": {
		callback: `async (id) => { const body = new FormData(); body.set("meta", new Blob([JSON.stringify({chat: {id}})], {type: "application/json"}), "meta.json"); const r = await fetch("/auth", {method: "POST", body}); return r.ok ? (await r.json()).token : null; }`,
		endpoint: asksFor(func(r *http.Request, body []byte) string {
			r.Body = io.NopCloser(bytes.NewReader(body))
			file, _, err := r.FormFile("meta")
			if err != nil {
				return ""
			}
			var in struct{ Chat struct{ ID any } }
			json.NewDecoder(file).Decode(&in)
			id, _ := in.Chat.ID.(string)
			return id
		}, asJSON),
	},
	"SOAP, whose faults have status 500": {
		callback: `async (id) => {
			const body = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><Issue xmlns="urn:shop"><chatId>' + id + '</chatId></Issue></e:Body></e:Envelope>';
			const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "text/xml; charset=utf-8", SOAPAction: '"urn:Issue"'}, body});
			return r.ok ? new DOMParser().parseFromString(await r.text(), "text/xml").querySelector("token").textContent : null;
		}`,
		endpoint: asksFor(func(r *http.Request, body []byte) string {
			var in struct {
				Chat string `xml:"Body>Issue>chatId"`
			}
			if r.Header.Get("SOAPAction") == "" || xml.Unmarshal(body, &in) != nil {
				return ""
			}
			return in.Chat
		}, func(w http.ResponseWriter, token string) { soap(w, "<token>"+token+"</token>") },
			func(w http.ResponseWriter, text string, _ int) {
				w.Header().Set("Content-Type", "text/xml; charset=utf-8")
				w.WriteHeader(http.StatusInternalServerError)
				soap(w, "<e:Fault><faultcode>e:Client</faultcode><faultstring>"+text+"</faultstring></e:Fault>")
			}),
	},
	"a form action that answers 200 whatever it says": { // SvelteKit
		callback: `async (id) => {
			const body = new FormData(); body.set("chatId", id);
			const answer = await (await fetch("/auth?/token", {method: "POST", headers: {"x-sveltekit-action": "true"}, body})).json();
			if (answer.type !== "success") return null;
			const data = JSON.parse(answer.data);
			return data[data[0].token];
		}`,
		endpoint: asksFor(func(r *http.Request, body []byte) string {
			r.Body = io.NopCloser(bytes.NewReader(body))
			return r.PostFormValue("chatId")
		}, func(w http.ResponseWriter, token string) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(map[string]any{"type": "success", "status": 200, "data": `[{"token":1},"` + token + `"]`})
		}, func(w http.ResponseWriter, text string, status int) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(map[string]any{"type": "failure", "status": status, "data": `[{"message":1},"` + text + `"]`})
		}),
	},
	"a batch that is answered line by line": { // tRPC
		callback: `async (id) => {
			const r = await fetch("/auth/token?batch=1", {method: "POST", headers: {"content-type": "application/json", "trpc-accept": "application/jsonl"}, body: JSON.stringify({0: {json: {chatId: id}}})});
			return r.ok ? JSON.parse((await r.text()).trim().split("\n")[1])[2][0][0].json : null;
		}`,
		endpoint: asksFor(func(_ *http.Request, body []byte) string {
			var in map[string]struct{ JSON struct{ ChatID string } }
			json.Unmarshal(body, &in)
			return in["0"].JSON.ChatID
		}, func(w http.ResponseWriter, token string) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"0":[[0],[null,0,0]]}`+"\n"+`[1,0,[[{"json":"`+token+`"}]]]`+"\n")
		}),
	},
	"a CSRF token that each answer replaces": {
		callback: `async (id) => {
			window.csrf ??= (await fetch("/csrf")).headers.get("X-CSRF-Token");
			const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json", "X-CSRF-Token": window.csrf}, body: JSON.stringify({chatId: id})});
			window.csrf = r.headers.get("X-CSRF-Token") ?? window.csrf;
			return r.ok ? (await r.json()).token : null;
		}`,
		endpoint: csrf,
		skipped: []string{"AUTH-NO-SESSION", "AUTH-BAD-SESSION", "AUTH-METHOD", "AUTH-CHATID-QUERY", "AUTH-IDENTITY-BODY",
			"AUTH-CONCURRENT", "AUTH-CSRF", "AUTH-COOKIE-FLAGS", "AUTH-HOST-HEADER", "LIVE-AUTH-BURST"},
		partly: "X-Csrf-Token seems to work only once",
	},
	"an access token in memory that ends soon": {
		callback: `async (id) => {
			const renew = async () => { const r = await fetch("/access", {method: "POST"}); window.access = r.ok ? await r.text() : ""; };
			const ask = () => fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json", Authorization: "Bearer " + window.access}, body: JSON.stringify({chatId: id})});
			if (!window.access) await renew();
			let r = await ask();
			if (r.status === 401) { await renew(); r = await ask(); }
			return r.ok ? (await r.json()).token : null;
		}`,
		endpoint: accessTokens,
		skipped:  []string{"AUTH-COOKIE-FLAGS", "AUTH-CSRF"},
	},
	"the session is in a form (OAuth's token exchange)": {
		callback: inRequest(`new URLSearchParams({grant_type: "urn:ietf:params:oauth:grant-type:token-exchange", subject_token: sessionStorage.access, chat_id: id})`),
		endpoint: bearerIn(func(r *http.Request) (session, id string) {
			return r.PostFormValue("subject_token"), r.PostFormValue("chat_id")
		}),
		skipped: []string{"AUTH-COOKIE-FLAGS", "AUTH-CSRF"},
	},
	"the session is in the path": {
		callback: strings.Replace(inRequest(`JSON.stringify({chatId: id})`), `"/auth"`, `"/auth/" + sessionStorage.access + "/kindly"`, 1),
		endpoint: bearerIn(func(r *http.Request) (session, id string) {
			body, _ := io.ReadAll(r.Body)
			return strings.Split(r.URL.Path+"//", "/")[2], member(body, "chatId")
		}),
		skipped: []string{"AUTH-COOKIE-FLAGS", "AUTH-CSRF"},
	},
	"a session cookie that each answer replaces": {
		callback: askAuth,
		endpoint: rotating,
	},
	"the answer is where a redirect leads, once": {
		callback: askAuth,
		endpoint: func(t *testing.T) http.HandlerFunc {
			var kept sync.Map
			return func(w http.ResponseWriter, r *http.Request) {
				if name, ok := strings.CutPrefix(r.URL.Path, "/auth/answers/"); ok {
					token, there := kept.LoadAndDelete(name)
					asksFor(func(*http.Request, []byte) string { return "00000000-0000-4000-8000-000000000000" }, func(w http.ResponseWriter, _ string) {
						if !there {
							http.Error(w, "gone", http.StatusGone)
							return
						}
						asJSON(w, token.(string))
					})(t)(w, post(r))
					return
				}
				asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, func(w http.ResponseWriter, token string) {
					name := strconv.Itoa(len(token)) + strconv.FormatInt(time.Now().UnixNano(), 36)
					kept.Store(name, token)
					w.Header().Set("Location", "/auth/answers/"+name)
					w.WriteHeader(http.StatusSeeOther)
				})(t)(w, r)
			}
		},
	},
	"the chat id has a prefix": {
		callback: `async (id) => { const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({conversation: "kindly:web:" + id})}); return r.ok ? (await r.json()).token : null; }`,
		endpoint: asksFor(func(_ *http.Request, body []byte) string {
			id, ok := strings.CutPrefix(member(body, "conversation"), "kindly:web:")
			if !ok {
				return ""
			}
			return id
		}, asJSON),
	},
	"the chat id is in a cookie": {
		callback: `async (id) => { document.cookie = "kindly_chat=" + id + "; path=/; SameSite=Lax"; const r = await fetch("/auth", {method: "POST"}); return r.ok ? (await r.json()).token : null; }`,
		endpoint: asksFor(func(r *http.Request, _ []byte) string {
			c, err := r.Cookie("kindly_chat")
			if err != nil {
				return ""
			}
			return c.Value
		}, asJSON),
	},
	"the chat id is 32 capital digits": {
		callback: `async (id) => { const r = await fetch("/auth/" + id.replaceAll("-", "").toUpperCase(), {method: "POST"}); return r.ok ? (await r.json()).token : null; }`,
		endpoint: asksFor(func(r *http.Request, _ []byte) string {
			hex := strings.ToLower(strings.TrimPrefix(r.URL.Path, "/auth/"))
			if len(hex) != 32 {
				return ""
			}
			return strings.Join([]string{hex[:8], hex[8:12], hex[12:16], hex[16:20], hex[20:]}, "-")
		}, asJSON),
	},
	"a value that works once is fetched before": {
		callback: `async (id) => {
			const {nonce} = await (await fetch("/auth/nonces", {method: "POST"})).json();
			const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json", "X-Nonce": nonce}, body: JSON.stringify({chatId: id})});
			return r.ok ? (await r.json()).token : null;
		}`,
		endpoint: func(t *testing.T) http.HandlerFunc {
			var nonces sync.Map
			return func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/auth/nonces" {
					nonce := rand.Text()
					nonces.Store(nonce, true)
					fmt.Fprintf(w, `{"nonce": %q}`, nonce)
					return
				}
				if _, ok := nonces.LoadAndDelete(r.Header.Get("X-Nonce")); !ok && r.Method == http.MethodPost {
					http.Error(w, "nonce", http.StatusForbidden)
					return
				}
				asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, asJSON)(t)(w, r)
			}
		},
	},
	"only the request for a value that works once has the session": {
		callback: `async (id) => {
			const {nonce} = await (await fetch("/auth/nonces", {method: "POST"})).json();
			const r = await fetch("/auth", {method: "POST", credentials: "omit", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id, nonce})});
			return r.ok ? (await r.json()).token : null;
		}`,
		endpoint: toldBefore(true),
		skipped:  []string{"AUTH-CSRF", "AUTH-COOKIE-FLAGS"},
	},
	"only the request for the number of a session has the session": {
		callback: `async (id) => {
			const {nonce} = await (await fetch("/auth/nonces", {method: "POST"})).json();
			const r = await fetch("/auth", {method: "POST", credentials: "omit", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id, nonce})});
			return r.ok ? (await r.json()).token : null;
		}`,
		endpoint: toldBefore(false),
		skipped:  []string{"AUTH-CSRF", "AUTH-COOKIE-FLAGS"},
	},
	"a ticket for the chat is fetched before, and works once": {
		callback: `async (id) => {
			const t = await fetch("/auth/tickets", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})});
			if (!t.ok) return null;
			const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id, ticket: (await t.json()).ticket})});
			return r.ok ? (await r.json()).token : null;
		}`,
		endpoint: func(t *testing.T) http.HandlerFunc {
			var tickets sync.Map // the chat of each
			chat := func(_ *http.Request, body []byte) string { return member(body, "chatId") }
			return func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/auth/tickets" {
					body, _ := io.ReadAll(r.Body)
					id := member(body, "chatId")
					r.Body = io.NopCloser(bytes.NewReader(body))
					asksFor(chat, func(w http.ResponseWriter, _ string) {
						ticket := rand.Text()
						tickets.Store(ticket, id)
						fmt.Fprintf(w, `{"ticket": %q}`, ticket)
					})(t)(w, r)
					return
				}
				asksFor(func(r *http.Request, body []byte) string {
					id, _ := tickets.LoadAndDelete(member(body, "ticket"))
					if id != chat(r, body) {
						return ""
					}
					return id.(string)
				}, asJSON)(t)(w, r)
			}
		},
	},
	"the token is ready a while later, at an address of its own": {
		callback: `async (id) => {
			const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})});
			while (r.status === 202) {
				const job = await fetch(r.headers.get("Location"));
				if (job.status === 200) return (await job.json()).token;
				if (job.status !== 202) break;
				await new Promise((done) => setTimeout(done, 20));
			}
			return null;
		}`,
		endpoint: func(t *testing.T) http.HandlerFunc {
			var mu sync.Mutex
			jobs, asked := map[string]string{}, map[string]int{}
			return func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				name, isJob := strings.CutPrefix(r.URL.Path, "/auth/jobs/")
				switch asked[name]++; {
				case !isJob:
					asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, func(w http.ResponseWriter, token string) {
						name := rand.Text()
						jobs[name] = token
						w.Header().Set("Location", "/auth/jobs/"+name)
						w.WriteHeader(http.StatusAccepted)
					})(t)(w, r)
				case jobs[name] == "" || !loggedIn(r):
					http.NotFound(w, r)
				case asked[name] < 3:
					w.WriteHeader(http.StatusAccepted)
				default:
					w.Header().Set("Cache-Control", "no-store")
					w.Header().Set("X-Content-Type-Options", "nosniff")
					asJSON(w, jobs[name])
					delete(jobs, name)
				}
			}
		},
	},
	"the token stands in a tag of a page": {
		callback: `async (id) => { const r = await fetch("/auth", {method: "POST", body: new URLSearchParams({chat: id})}); return r.ok ? new DOMParser().parseFromString(await r.text(), "text/html").querySelector("meta[name=kindly]").content : null; }`,
		endpoint: asksFor(func(r *http.Request, body []byte) string {
			r.Body = io.NopCloser(bytes.NewReader(body))
			return r.PostFormValue("chat")
		}, func(w http.ResponseWriter, token string) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, `<turbo-frame id="chat"><meta name="kindly" content="`+token+`"></turbo-frame>`)
		}),
	},
	"what the page makes anew for each request: a key, a time and a nonce": {
		callback: `async (id) => {
			const nonce = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
			const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID(), "X-Timestamp": String(Date.now())},
				body: JSON.stringify({chatId: id, meta: {nonce, at: new Date().toISOString()}})});
			return r.ok ? (await r.json()).token : null;
		}`,
		endpoint: func(t *testing.T) http.HandlerFunc {
			var used sync.Map
			return func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				var in struct{ Meta struct{ Nonce, At string } }
				json.Unmarshal(body, &in)
				_, again := used.LoadOrStore(in.Meta.Nonce, true)
				_, twice := used.LoadOrStore(r.Header.Get("Idempotency-Key"), true)
				if _, err := time.Parse(time.RFC3339, in.Meta.At); r.Method == http.MethodPost && loggedIn(r) && (again || twice || err != nil || len(in.Meta.Nonce) != 32 || !uuid(r.Header.Get("Idempotency-Key")) || len(r.Header.Get("X-Timestamp")) != 13) {
					http.Error(w, "a request like this was here before", http.StatusConflict)
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, asJSON)(t)(w, r)
			}
		},
	},
	"JSON that no script tag can read": {
		callback: `async (id) => { const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})}); return r.ok ? JSON.parse((await r.text()).slice(5)).token : null; }`,
		endpoint: asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, func(w http.ResponseWriter, token string) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, ")]}'\n"+`{"token":"`+token+`"}`)
		}),
	},
	"the token comes on a stream that is open all the time": {
		callback: `(() => {
			const waiting = new Map();
			let opened;
			return async (id) => {
				opened ??= new Promise((done) => {
					const events = new EventSource("/auth/events");
					events.onopen = () => done(true);
					events.onerror = () => { events.close(); opened = undefined; done(false); };
					events.onmessage = (e) => { const {chat, token} = JSON.parse(e.data); waiting.get(chat)?.(token); };
				});
				if (!await opened) return null;
				const token = new Promise((done) => waiting.set(id, done));
				const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})});
				return r.ok ? token : null;
			};
		})()`,
		endpoint: func(t *testing.T) http.HandlerFunc {
			var mu sync.Mutex
			open := map[chan string]bool{}
			return func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/auth/events" {
					body, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
					asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, func(w http.ResponseWriter, token string) {
						mu.Lock()
						defer mu.Unlock()
						for c := range open {
							c <- fmt.Sprintf(`{"chat": %q, "token": %q}`, member(body, "chatId"), token)
						}
						w.WriteHeader(http.StatusAccepted)
					})(t)(w, r)
					return
				}
				if !loggedIn(r) {
					http.Error(w, "log in", http.StatusUnauthorized)
					return
				}
				events := make(chan string, 100)
				mu.Lock()
				open[events] = true
				mu.Unlock()
				defer func() { mu.Lock(); defer mu.Unlock(); delete(open, events) }()
				w.Header().Set("Content-Type", "text/event-stream")
				w.Header().Set("Cache-Control", "no-store")
				io.WriteString(w, ": hello\n\n")
				for {
					w.(http.Flusher).Flush()
					select {
					case e := <-events:
						fmt.Fprintf(w, "data: %s\n\n", e)
					case <-r.Context().Done():
						return
					}
				}
			}
		},
		skipped: []string{"AUTH-FORM", "AUTH-CONTENT-TYPE", "AUTH-NO-STORE", "AUTH-NO-SESSION", "AUTH-BAD-SESSION", "AUTH-METHOD", "AUTH-CHATID-QUERY", "AUTH-IDENTITY-BODY",
			"AUTH-CONCURRENT", "AUTH-CORS-FOREIGN", "AUTH-CSRF", "AUTH-COOKIE-FLAGS", "AUTH-HOST-HEADER", "AUTH-NOSNIFF", "LIVE-AUTH-BURST"},
		partly: "stream of events",
	},
	"the token comes in two parts": {
		callback: `async (id) => { const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})}); return r.ok ? (await r.json()).payload + "." + r.headers.get("X-Signature") : null; }`,
		endpoint: asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, func(w http.ResponseWriter, token string) {
			dot := strings.LastIndex(token, ".")
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Signature", token[dot+1:])
			fmt.Fprintf(w, `{"payload": %q}`, token[:dot])
		}),
	},
	"the chat id is told before, and asked for by its hash": {
		callback: `async (id) => {
			await fetch("/auth/chats", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})});
			const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(id));
			const r = await fetch("/auth?c=" + [...new Uint8Array(sum)].map((b) => b.toString(16).padStart(2, "0")).join(""), {method: "POST"});
			return r.ok ? (await r.json()).token : null;
		}`,
		endpoint: func(t *testing.T) http.HandlerFunc {
			var chats sync.Map // by their hash
			return func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/auth/chats" {
					asksFor(func(r *http.Request, _ []byte) string {
						id, _ := chats.Load(r.URL.Query().Get("c"))
						text, _ := id.(string)
						return text
					}, asJSON)(t)(w, r)
					return
				}
				body, _ := io.ReadAll(r.Body)
				if id := member(body, "chatId"); loggedIn(r) && uuid(id) {
					sum := sha256.Sum256([]byte(id))
					chats.Store(hex.EncodeToString(sum[:]), id)
				}
			}
		},
		skipped: []string{"AUTH-CHATID-QUERY", "AUTH-CONCURRENT", "LIVE-AUTH-BURST"},
		partly:  "hashed",
	},
}

// Whatever its shape, a sound endpoint is judged, and nothing is said against it;
// and who signs for those that are not logged in is found out.
func TestEndpointsOfOddShapesAreJudged(t *testing.T) {
	t.Parallel()
	for name, s := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			look := func(endpoint http.HandlerFunc, only ...string) reports.Run {
				shop := target.Target{PageURL: withPage(t, s.callback, endpoint) + "/", Login: bySID}
				return suites.RunQuietly(t.Context(), shop, suites.Options{Only: only, Browser: sharedBrowser(t)})
			}
			run := look(s.endpoint(t), "PAGE-CALLBACK-*", "PAGE-LOGGED-OUT", "AUTH", "TOK-SUB-STABLE", "LIVE-AUTH-*")
			noneIs(t, run, reports.Failed, reports.Warned, reports.Errored)
			if (s.partly == "") != (run.Problem == "") || !strings.Contains(run.Problem, s.partly) {
				t.Errorf("the run says %q, want %q in it", run.Problem, s.partly)
			}
			if s.partly != "" && !strings.Contains(run.Hint, "endpoint in kindlytest.yaml") {
				t.Errorf("the way out is said to be %q", run.Hint)
			}
			for _, c := range run.Checks {
				if c.Outcome == reports.Skipped && !slices.Contains(s.skipped, c.ID) && !strings.Contains(skippedAnyway, " "+c.ID+" ") && (strings.HasPrefix(c.ID, "AUTH-") || strings.HasPrefix(c.ID, "LIVE-AUTH-")) {
					t.Errorf("%s is skipped", c.ID)
					describe(t, c)
				}
			}
			id := "AUTH-NO-SESSION"
			if slices.Contains(s.skipped, id) {
				id = "PAGE-LOGGED-OUT"
			}
			endpoint := s.endpoint(t)
			open := look(func(w http.ResponseWriter, r *http.Request) {
				r.AddCookie(&http.Cookie{Name: "sid", Value: "0123456789"})
				r.Header.Set(allMember, "1")
				endpoint(w, r)
			}, id)
			if c := find(t, open, id); c.Outcome != reports.Failed {
				t.Errorf("a token for everybody: %s is %s", id, c.Outcome)
				describe(t, c)
			}
		})
	}
}

// skippedAnyway are what needs a second user, another origin, or JSON in the body.
const skippedAnyway = " AUTH-BIND-SESSION AUTH-CORS-PREFLIGHT AUTH-CORS-VARY AUTH-BODY-MALFORMED AUTH-BODY-TEXT-PLAIN LIVE-AUTH-BODY "

// The way out that the run names where only the page can ask: a request for a test
// user that can be made again.
func TestWhatOnlyThePageCanAskIsDescribedByHand(t *testing.T) {
	t.Parallel()
	s := shapes["a CSRF token that each answer replaces"]
	byHand := asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, asJSON)(t)
	for name, want := range map[string]reports.Outcome{"sound": reports.Passed, "a token for everybody": reports.Failed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := s.endpoint(t)
			at := withPage(t, s.callback, func(w http.ResponseWriter, r *http.Request) {
				tested := r.Header.Get("Authorization") == "Bearer test-user-7f21"
				if r.URL.Path != "/auth" || !tested && r.Header.Get("X-CSRF-Token") != "" {
					page(w, r)
					return
				}
				if r.Header.Del("Cookie"); tested || want == reports.Failed {
					r.Header.Set("Cookie", "sid=0123456789")
				}
				byHand(w, r)
			})
			shop := target.Target{PageURL: at + "/", Login: bySID, Endpoint: &target.EndpointConfig{URL: at + "/auth", ChatIDField: "chatId", Header: http.Header{"Authorization": {"Bearer test-user-7f21"}}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"PAGE-CALLBACK-*", "AUTH", "LIVE-AUTH-*"}, Browser: sharedBrowser(t)})
			if c := find(t, run, "AUTH-NO-SESSION"); c.Outcome != want {
				t.Errorf("AUTH-NO-SESSION is %s", c.Outcome)
				describe(t, c)
			}
			if want == reports.Passed {
				noneIs(t, run, reports.Failed, reports.Warned, reports.Errored)
				if run.ExitCode != 0 {
					t.Errorf("exit code %d, and the run says %q", run.ExitCode, run.Problem)
				}
			}
		})
	}
}

// A header that the protocol wants, or that all users' pages send, is no session: a
// request that is refused for the lack of it says nothing of who may ask.
func TestAHeaderThatAllSendIsNoSession(t *testing.T) {
	t.Parallel()
	people := map[string]string{"0123456789": "7", "9876543210": "8"}
	for name, tt := range map[string]struct {
		header string
		second *browser.Login
	}{
		"of the protocol":    {"Connect-Protocol-Version", nil},
		"alike in two pages": {"X-Client", &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "9876543210", SameSite: "Lax", HTTPOnly: true}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			callback := strings.Replace(askAuth, `"Content-Type"`, `"`+tt.header+`": "web", "Content-Type"`, 1)
			for guests, want := range map[bool]reports.Outcome{false: reports.Passed, true: reports.Failed} {
				at := withPage(t, callback, func(w http.ResponseWriter, r *http.Request) {
					who := "guest"
					if c, err := r.Cookie("sid"); err == nil && people[c.Value] != "" {
						who = people[c.Value]
					}
					switch id := chatIDOf(r); {
					case r.Header.Get(tt.header) == "" || !uuid(id):
						http.Error(w, "what?", http.StatusBadRequest)
					case who == "guest" && !guests:
						http.Error(w, "log in", http.StatusUnauthorized)
					default:
						asJSON(w, mintFor(who, id))
					}
				})
				run := suites.RunQuietly(t.Context(), target.Target{PageURL: at + "/", Login: bySID, Second: tt.second}, suites.Options{Only: []string{"AUTH-NO-SESSION"}, Browser: sharedBrowser(t)})
				if c := find(t, run, "AUTH-NO-SESSION"); c.Outcome != want {
					t.Errorf("a token for guests: %t; AUTH-NO-SESSION is %s", guests, c.Outcome)
					describe(t, c)
				}
			}
		})
	}
}
