package console_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/console"
)

// object is JSON as a test writes it.
type object = map[string]any

// A fake speaks the mock's admin API with whatever a test puts into it: more
// than a real mock keeps, and worse than a real mock says.
type fake struct {
	*httptest.Server
	mu     sync.Mutex
	events []object // seq is the index + 1
	chats  []object // the newest first
	users  []object
	faults object
	report object   // what GET /mock/v1/checks/report answers
	told   []string // of the stream of checks, each with its name
	boot   string
	resets int
	missed int // events that were not kept for the streams
	// version counts changes of the state.
	version int
	held    map[string]chan struct{} // answers to a request line wait for it
	more    chan struct{}            // closed and replaced when events come
	bearer  string                   // wanted, if not empty
	calls   []string
}

func newFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{more: make(chan struct{}), boot: "boot1", report: object{"schema": 2, "checks": []object{}, "summary": object{}}, held: map[string]chan struct{}{}, faults: object{"slow_ms": 0, "refuse_tokens": false, "call_twice": false, "renew_early": false, "clock_forward_minutes": 0, "rotate_secret": false}}
	mux := http.NewServeMux()
	mux.Handle("/", console.Handler())
	for pattern, h := range map[string]func(*http.Request) any{
		"GET /mock/v1/health": func(*http.Request) any {
			return object{"status": "ok", "checks": true, "events": len(f.events), "now": time.Now()}
		},
		"GET /mock/v1/faults":        func(*http.Request) any { return f.faults },
		"GET /mock/v1/users":         func(*http.Request) any { return object{"users": f.users} },
		"GET /mock/v1/chats":         f.getChats,
		"GET /mock/v1/chats/{id}":    f.getChat,
		"GET /mock/v1/journal":       f.getJournal,
		"GET /mock/v1/checks":        f.getChecks,
		"GET /mock/v1/checks/report": func(*http.Request) any { return f.report },
		"PUT /mock/v1/faults": func(r *http.Request) any {
			_ = json.NewDecoder(r.Body).Decode(&f.faults)
			f.version++
			return f.faults
		},
	} {
		mux.HandleFunc(pattern, f.answer(h))
	}
	mux.HandleFunc("GET /mock/v1/stream", f.stream)
	mux.HandleFunc("GET /mock/v1/checks/stream", f.checksStream)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(func() { f.CloseClientConnections(); f.Close() })
	return f
}

func (f *fake) allowed(w http.ResponseWriter, r *http.Request) bool {
	f.calls = append(f.calls, r.Method+" "+r.URL.RequestURI())
	if f.bearer == "" || r.Header.Get("Authorization") == "Bearer "+f.bearer {
		return true
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusUnauthorized)
	fmt.Fprint(w, `{"title":"Unauthorized","detail":"The token is missing or wrong."}`)
	return false
}

func (f *fake) answer(h func(*http.Request) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		if !f.allowed(w, r) {
			f.mu.Unlock()
			return
		}
		body, _ := json.Marshal(h(r))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Kindlytest-State", f.state())
		hold := f.held[r.Method+" "+r.URL.Path]
		delete(f.held, r.Method+" "+r.URL.Path)
		f.mu.Unlock()
		if hold != nil {
			hold <- struct{}{} // it is made
			<-hold             // and may go
		}
		_, _ = w.Write(body)
	}
}

// state is what the header says. The lock is held.
func (f *fake) state() string { return fmt.Sprintf("%s.%d.%d", f.boot, f.resets, f.version) }

// hold lets the next answer to a request be made when it comes, but not sent. It
// waits for that with do, and returns what sends it.
func (f *fake) hold(request string, do func()) (send func()) {
	held := make(chan struct{})
	f.change(func() { f.held[request] = held })
	do()
	<-held
	return func() { close(held) }
}

// change changes the fake, and wakes the streams.
func (f *fake) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
	f.version++
	close(f.more)
	f.more = make(chan struct{})
}

// reset forgets events and chats.
func (f *fake) reset() {
	f.change(func() { f.events, f.chats, f.resets = nil, nil, f.resets+1 })
}

func (f *fake) getJournal(r *http.Request) any {
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	chat := r.URL.Query().Get("chat")
	found := []object{}
	for _, e := range f.events[min(max(after, 0), len(f.events)):] {
		if len(found) < limit && (chat == "" || e["chat"] == chat) {
			found = append(found, e)
		}
	}
	return object{"events": found}
}

func (f *fake) getChats(r *http.Request) any {
	from := 0
	for i, c := range f.chats {
		if c["id"] == r.URL.Query().Get("before") {
			from = i + 1
		}
	}
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	end := min(from+limit, len(f.chats))
	return object{"chats": f.chats[from:end], "more": end < len(f.chats)}
}

func (f *fake) getChat(r *http.Request) any {
	for _, c := range f.chats {
		if c["id"] == r.PathValue("id") {
			return c
		}
	}
	return object{}
}

func (f *fake) stream(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	ok := f.allowed(w, r)
	f.mu.Unlock()
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	at, _ := strconv.Atoi(r.URL.Query().Get("after"))
	f.mu.Lock()
	w.Header().Set("Kindlytest-State", f.state())
	resets, missed := f.resets, f.missed
	f.mu.Unlock()
	w.WriteHeader(http.StatusOK)
	for {
		events, more := f.since(at)
		f.mu.Lock()
		if f.resets != resets {
			resets, at = f.resets, 0
			fmt.Fprintf(w, "event: reset\ndata: {\"state\":%q}\n\n", f.state())
			f.mu.Unlock()
			continue
		}
		if n := f.missed - missed; n > 0 {
			missed = f.missed
			fmt.Fprintf(w, "event: gap\ndata: {\"dropped\":%d}\n\n", n)
		}
		if r.URL.Query().Get("chats") == "true" {
			f.writeChats(w, events)
		}
		f.mu.Unlock()
		for _, e := range events {
			at++
			data, _ := json.Marshal(e)
			if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", at, data); err != nil {
				return
			}
		}
		w.(http.Flusher).Flush()
		select {
		case <-more:
		case <-r.Context().Done():
			return
		}
	}
}

// writeChats writes the state of the chats of events. The lock is held.
func (f *fake) writeChats(w io.Writer, events []object) {
	for _, e := range events {
		state := object{"id": e["chat"], "bot_key": e["bot"], "created": e["at"], "version": f.version}
		for _, c := range f.chats {
			if c["id"] == e["chat"] {
				state = c
			}
		}
		data, _ := json.Marshal(state)
		fmt.Fprintf(w, "event: chat\ndata: %s\n\n", data)
	}
}

// since returns the events after a number, and what is closed when there are
// more. A mock that was started anew has fewer than a stream may ask for.
func (f *fake) since(at int) ([]object, chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.events[min(at, len(f.events)):], f.more
}

// happen adds events, and numbers them.
func (f *fake) happen(events ...object) {
	f.change(func() {
		for _, e := range events {
			e["seq"] = len(f.events) + 1
			if e["at"] == nil {
				e["at"] = time.Now().Format(time.RFC3339Nano)
			}
			f.events = append(f.events, e)
		}
	})
}

// delivery is a webhook.delivered event.
func delivery(chat string, status int, change object) object {
	d := object{
		"webhook": "order-status", "with_token": status == 200, "reason": "hooks.example.com is on the list", "status": status,
		"url": "https://hooks.example.com/kindly", "at": time.Now().Format(time.RFC3339Nano), "duration_ms": 34,
		"decision": object{"allowed": true, "pattern": "hooks.example.com", "reason": "the host is the pattern's"},
		"request": object{"method": "POST", "url": "https://hooks.example.com/kindly", "headers": []object{
			{"name": "Authorization", "value": "Bearer " + shownToken(object{"sub": "u1"})}, {"name": "Content-Type", "value": "application/json"},
			{"name": "Kindly-Hmac", "value": "uEeD0Q7eW9btdx6LFvvlpwkzQBWdbknsQkg1C27Cx7Q="}},
			"body": `{"chat_id":"` + chat + `","message":"where is my order?","context":{"plan":"gold"},"exchange":{"id":1234}}`},
		"response": object{"status": status, "headers": []object{{"name": "Content-Type", "value": "application/json"}}, "body": `{"reply":"It is on its way."}`},
		"bubbles":  []string{"It is on its way."},
	}
	maps.Copy(d, change)
	return object{"kind": "webhook.delivered", "bot": "demo", "chat": chat, "delivery": d}
}

// shownToken is a token as the mock shows it: without its signature.
func shownToken(claims object) string {
	part := func(v any) string {
		raw, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	return strings.Join([]string{part(object{"alg": "RS256"}), part(claims), "<signature removed>"}, ".")
}

// getChecks offers two areas.
func (f *fake) getChecks(*http.Request) any {
	rule := func(id string) object {
		return object{"id": id, "level": "MUST", "requirement": id + " holds.", "broken": id + " does not hold.", "consequence": "Bad.", "help": "Mend it.", "source": "https://docs.example/"}
	}
	return object{"target": object{"page": "http://localhost:3000/"}, "runs": []object{}, "lacks": []object{{"hint": "no private key was given", "checks": []string{"HOOK-EXPIRED"}}},
		"areas": []object{{"id": "TOK", "name": "Token", "checks": []object{rule("TOK-ALG"), rule("TOK-EXP")}}, {"id": "HOOK", "name": "Webhook", "checks": []object{rule("HOOK-EXPIRED")}}}}
}

// tell sends an event of the stream of checks.
func (f *fake) tell(name string, data object) {
	text, _ := json.Marshal(data)
	f.change(func() { f.told = append(f.told, fmt.Sprintf("event: %s\ndata: %s\n\n", name, text)) })
}

func (f *fake) checksStream(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Kindlytest-State", f.state())
	f.mu.Unlock()
	for at := 0; ; {
		f.mu.Lock()
		for _, text := range f.told[at:] {
			fmt.Fprint(w, text)
		}
		at = len(f.told)
		more := f.more
		f.mu.Unlock()
		w.(http.Flusher).Flush()
		select {
		case <-more:
		case <-r.Context().Done():
			return
		}
	}
}
