// Package listen stands between the real Kindly and a local app: it passes on
// what comes to the byte, both ways, and tells a recording and a mock's journal.
//
//	p, err := listen.New(listen.Options{ForwardTo: u, Kindly: k, Bot: "listen", Webhook: "app", Secret: secret, Recorder: rec})
//	go p.Server().Serve(listener)
//	…
//	p.Close() // after the server: what is still on its way into the journal
//
// Headers go on as they are spelled, except for those that say how the next
// connection carries the message (RFC 9110, 7.6.1), and Host, which is the app's:
// servers of developers refuse other names.
package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Options say what stands behind the proxy, and who is told.
type Options struct {
	// ForwardTo is the app. If it has a path, all goes there; otherwise each
	// request keeps its own.
	ForwardTo *url.URL
	TLS       *tls.Config // trust, for an app with https; the system's if nil

	// Kindly journals what comes, as of Bot and Webhook, which it knows.
	Kindly       *mockkindly.Kindly
	Bot, Webhook string
	Secret       string       // of the webhook; empty: signatures are not judged
	Keys         []*token.Key // Keys[0] is the uploaded one

	Recorder *recording.Recorder // nil: nothing is recorded
	// Told is called for each delivery, one after the other.
	Told func(Delivery)

	Now func() time.Time // time.Now if nil
}

// A Delivery is one that went through.
type Delivery struct {
	Seq uint64 // of its event in the journal; 0 if it is not there
	// Recorded is which line of the recording it is, from 1; 0 if it is not there.
	Recorded int
	mockkindly.Overheard
	Err error // it could not be recorded, or journalled
}

// keep is how much of a body is kept for journal and recording, in bytes.
const keep = 1 << 20

// waiting bounds the deliveries on their way into the journal.
const waiting = 256

// A Proxy passes deliveries on. It is an http.Handler.
type Proxy struct {
	opts      Options
	transport *http.Transport
	proxy     *httputil.ReverseProxy
	tell      chan *transit
	told      sync.WaitGroup
}

// New returns a proxy. Close it when nobody calls it any more.
func New(o Options) (*Proxy, error) {
	if o.ForwardTo == nil || o.ForwardTo.Host == "" || o.ForwardTo.Scheme != "http" && o.ForwardTo.Scheme != "https" {
		return nil, errors.New("listen: ForwardTo is no absolute http or https URL")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Proxy{opts: o, tell: make(chan *transit, waiting)}
	p.transport = &http.Transport{
		TLSClientConfig: o.TLS,
		// A server under development is restarted, and a POST that meets its
		// closing connection would be lost.
		IdleConnTimeout: time.Second, MaxIdleConnsPerHost: 64,
		DisableCompression: true, MaxResponseHeaderBytes: 1 << 20,
	}
	p.proxy = &httputil.ReverseProxy{
		Rewrite: p.rewrite, ModifyResponse: p.answered, ErrorHandler: p.failed, Transport: p.transport,
		FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0), // it is told in the journal
	}
	p.told.Go(p.journal)
	return p, nil
}

// Close waits until all is in the journal.
func (p *Proxy) Close() {
	close(p.tell)
	p.told.Wait()
	p.transport.CloseIdleConnections()
}

// Server returns a server that speaks HTTP/1.1 and HTTP/2 without TLS, and
// keeps in mind how headers are spelled.
func (p *Proxy) Server() *http.Server {
	s := &http.Server{
		Handler: p, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHead,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, spellingKey{}, c) },
		Protocols:   &http.Protocols{},
		ErrorLog:    log.New(io.Discard, "", 0),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	return s
}

type transitKey struct{}

func transitOf(ctx context.Context) *transit { return ctx.Value(transitKey{}).(*transit) }

// ServeHTTP passes one request on.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := &transit{proxy: p, at: p.opts.Now(), start: time.Now(), request: r, lines: linesOf(r)}
	// The transport closes the body where it fails, and the server does so anyway.
	body := &copied{ReadCloser: io.NopCloser(r.Body), left: r.ContentLength, ended: func() { rearm(r) }}
	t.body, r.Body = body, body
	if r.ContentLength == 0 {
		rearm(r)
	}
	r = r.WithContext(context.WithValue(r.Context(), transitKey{}, t))
	// An app may answer before it has read all; the server would wait for the rest.
	_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/2 is so, a test's recorder is not
	// The server would add what the app has not sent.
	w.Header()["Date"], w.Header()["Content-Type"] = nil, nil
	defer func() {
		broken := recover() // ReverseProxy's way to break off an answer that breaks off
		t.finish(r.Context(), broken != nil)
		p.tell <- t
		if broken != nil {
			panic(broken)
		}
	}()
	p.proxy.ServeHTTP(w, r)
}

// rewrite makes the request to the app.
func (p *Proxy) rewrite(r *httputil.ProxyRequest) {
	to := p.opts.ForwardTo
	u := *r.In.URL
	u.Scheme, u.Host, u.User = to.Scheme, to.Host, nil
	if to.Path != "" && to.Path != "/" {
		u.Path, u.RawPath = to.Path, to.RawPath
	}
	u.RawQuery = strings.Trim(to.RawQuery+"&"+r.In.URL.RawQuery, "&")
	r.Out.URL, r.Out.Host = &u, ""
	r.Out.Header = passedOn(transitOf(r.In.Context()).lines)
}

// answered sees the answer's head.
func (p *Proxy) answered(res *http.Response) error {
	t := transitOf(res.Request.Context())
	t.response = res
	t.answer = &copied{ReadCloser: res.Body, left: res.ContentLength, last: t.acknowledge}
	if res.ContentLength == 0 || res.Body == http.NoBody || res.Request.Method == http.MethodHead {
		t.acknowledge()
	}
	if res.StatusCode != http.StatusSwitchingProtocols { // its body is a connection
		res.Body = t.answer
	}
	return nil
}

// failed answers in the place of an app that does not.
func (p *Proxy) failed(w http.ResponseWriter, r *http.Request, err error) {
	t := transitOf(r.Context())
	t.err = err
	if r.Context().Err() != nil {
		return // nobody waits for it any more
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(t.body, keep)) // what came is worth knowing all the same
	t.acknowledge()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = io.WriteString(w, "kindlytest listen: the app behind it gave no answer\n")
}

// journal tells of each delivery, one after the other.
func (p *Proxy) journal() {
	for t := range p.tell {
		d := Delivery{Overheard: t.overheard(), Recorded: t.recorded, Err: t.recordErr}
		e, err := p.opts.Kindly.Overhear(d.Overheard)
		d.Seq, d.Err = e.Seq, errors.Join(d.Err, err)
		if p.opts.Told != nil {
			p.opts.Told(d)
		}
	}
}

// exchange is a transit as the journal keeps it.
func (t *transit) exchange() wire.Exchange {
	sent, _, _ := t.body.seen()
	ex := wire.Exchange{
		At: t.at, Duration: t.took, Err: t.err,
		Request: wire.Request{Method: t.request.Method, URL: t.publicURL(), ConnectTo: t.proxy.opts.ForwardTo.String(), Header: http.Header{}, Body: sent},
	}
	for _, h := range t.lines {
		ex.Request.Header[h.Name] = append(ex.Request.Header[h.Name], h.Value)
	}
	if res := t.response; res != nil && t.err == nil {
		kept, size, _ := t.answer.seen()
		body, cut := decoded(res.Header.Get("Content-Encoding"), kept)
		ex.Response = &wire.Response{Status: res.StatusCode, Header: res.Header, Body: body, Truncated: cut || size > len(kept)}
	}
	return ex
}
