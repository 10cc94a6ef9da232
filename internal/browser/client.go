package browser

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// A chat client may be kept out by its page: by the script tag, by a policy, by
// functions that the page has put in place of the browser's. PutClient puts it in
// all the same, and leaves all of that as it is: the client runs in an empty frame
// of its own, where the browser's functions are untouched, with the page's window
// and document as its own; and it talks to Kindly through DevTools, which no policy
// of the page is about. What the page itself asks for is under its policy as before.

const (
	clientURL   = "https://chat.kindlycdn.com/kindly-chat-pure.js" // nobody sees the client
	clientFrame = "kindlytest-client"
)

// addFrame makes the frame, and takes out one that was made before.
const addFrame = `(name) => {
	for (const old of [...document.getElementsByName(name)]) old.remove();
	const frame = document.createElement("iframe");
	frame.name = name;
	frame.style.setProperty("display", "none", "important");
	document.documentElement.append(frame);
	return frame.contentWindow.name;
}`

// clientIn is a function that starts a client, given as source, in that frame: it
// stops one that has come to nothing, and takes the client's requests.
func clientIn(source string) string {
	return `(src, botKey) => {
	const window = parent, { document, location } = parent, reportError = (e) => parent.reportError(e);
	const open = new Map(), waiting = [];
	let wake = () => {}, last = 0;
	const fetch = (url, { method, body }) => new Promise((resolve) => {
		open.set(++last, resolve);
		waiting.push({ ID: last, Method: method, URL: String(url), Body: body, At: Date.now() });
		wake();
	});
	globalThis.line = {
		async next() {
			if (waiting.length === 0) await new Promise((resolve) => { wake = resolve; });
			return waiting.shift();
		},
		answer(id, status, body) {
			open.get(id)({ ok: status >= 200 && status < 300, status, json: async () => JSON.parse(body) });
			return open.delete(id);
		},
	};
	const before = Symbol.for("kindlytest.widget");
	parent[before]?.stop();
	delete parent[before];
	Object.defineProperty(document, "currentScript", { value: { id: "kindly-chat", src, dataset: { botKey } }, configurable: true });
	try {
` + source + `
	} finally {
		delete document.currentScript;
	}
	return true;
}`
}

// clientRequest is what a client that was put in asks of Kindly.
type clientRequest struct {
	ID                int
	Method, URL, Body string
	At                float64 // ms since 1970, by the browser's clock
}

// PutClient runs Kindly's chat client in the page, or in the frame of it that has
// the callback, as if a sound script tag had loaded it now. It comes from the
// handler given to Visit, which answers what it asks; that is in the record. lost
// is closed when the client is gone, as with its document.
func (p *Page) PutClient(ctx context.Context, botKey string) (lost <-chan struct{}, err error) {
	source := p.serve(httpRequest(ctx, http.MethodGet, clientURL, ""))
	if source.failed || source.status != http.StatusOK {
		return nil, fmt.Errorf("putting the chat client in: %s is not served", clientURL)
	}
	there := realm{session: p.session}
	if w := p.chatRealm(ctx); w != nil {
		there = *w
	}
	if _, err := evaluateIn[string](ctx, there.session, there.id, addFrame, clientFrame); err != nil {
		return nil, fmt.Errorf("making a frame for the chat client: %w", err)
	}
	frame, err := p.clientRealm(ctx, there.session)
	if err == nil {
		_, err = evaluateIn[bool](ctx, frame.session, frame.id, clientIn(source.body.String()), clientURL, botKey)
	}
	if err != nil {
		return nil, fmt.Errorf("putting the chat client in: %w", err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		p.serveClient(frame)
	}()
	return gone, nil
}

// clientRealm is where the scripts of the frame run that was made last.
func (p *Page) clientRealm(ctx context.Context, s *session) (realm, error) {
	all := p.frames()
	for i := len(all) - 1; i >= 0; i-- {
		if w := all[i]; w.session == s {
			if is, err := evaluateIn[bool](ctx, s, w.id, `(name) => window.name === name`, clientFrame); is && err == nil {
				return w, nil
			}
		}
	}
	return realm{}, errors.New("its frame is gone")
}

// serveClient answers what the client asks, one request after the other, until it
// is gone.
func (p *Page) serveClient(w realm) {
	for {
		r, err := evaluateIn[clientRequest](p.life, w.session, w.id, `() => line.next()`)
		if err != nil {
			return
		}
		a := p.serve(httpRequest(p.life, r.Method, r.URL, r.Body))
		p.record.clientAsked(w, r, a)
		if _, err := evaluateIn[bool](p.life, w.session, w.id, `(...answer) => line.answer(...answer)`, r.ID, a.status, a.body.String()); err != nil {
			return
		}
	}
}

// httpRequest is a request of the client as a server would see it; nil if it is none.
func httpRequest(ctx context.Context, method, url, body string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil
	}
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:0"
	r.URL.Scheme, r.URL.Host = "", ""
	return r
}

// clientAsked records a request of a client that was put in as one of Kindly's own.
func (r *recorder) clientAsked(w realm, asked clientRequest, a *answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed = time.Now()
	r.record("", &hop{seen: r.changed, answeredAt: r.changed, req: Request{
		Method: asked.Method, URL: clip.Text(asked.URL, maxURL), ResourceType: "Fetch", Status: a.status,
		Started: unixTime(asked.At / 1000), Duration: 1, Kindly: true, Frame: w.frame, Target: "page",
	}})
}
