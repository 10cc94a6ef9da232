// Package wire sends one HTTP request exactly as it is written, and keeps both
// sides as a value. All HTTP that leaves the mock or the harness goes through
// its Client, so that the promises made to the other side hold in one place:
// a redirect is followed only within an origin and where that is asked for, a body is never read past a bound, a request
// never outlives its timeout, and the sender names itself.
//
//	client := wire.NewClient(wire.Options{Timeout: 10 * time.Second})
//	defer client.Close()
//	ex := client.Do(ctx, wire.Request{Method: "POST", URL: u, Header: h, Body: b})
//	if ex.Err != nil { … } // no response: refused, reset, timed out
package wire

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Request is what is to be sent. Header keys go out as they are spelled; a
// key with several values goes out as several lines. Host and the body's length
// are not taken from Header, so that recorded headers can be sent again. A user
// name in the URL goes out as Basic authorization, if Header has none.
type Request struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
	// Host replaces the URL's host in the Host header; empty keeps it.
	Host string
	// ConnectTo is the URL that is really called, where that differs from URL
	// (a webhook under development: public name, local server).
	ConnectTo string
	// Timeout replaces Options.Timeout for this exchange, if it is not 0.
	Timeout time.Duration
	// Open, if not nil, makes of what came back what is to be read: an answer may
	// stand in another one.
	Open func(*Response) `json:"-"`
	// Follow has redirects followed as browsers do, within the origin: what comes back
	// is the last answer.
	Follow bool `json:"-"`
	// Way, if not nil, sends it: with what must be asked before it, or after.
	Way Way `json:"-"`
	// Form is how the request is written on the wire.
	Form Form `json:"-"`
}

// A Way sends a request, and others that belong to it, each by send, and returns the
// last answer, or why there is none.
type Way interface {
	Send(ctx context.Context, r Request, send Send) (*Response, error)
}

// Send sends one request, with the redirects that it follows.
type Send func(context.Context, Request) (*Response, error)

// A Form is what of a request neither its header nor its body say. The zero value
// is what net/http and the connection make of it.
type Form struct {
	// Spelling of names of headers, by the name as it stands in Header. Host and
	// Content-Length are the transport's own; HTTP/2 has small letters only.
	Spelling map[string]string
	HTTP     string // "1.1" or "2"; where a server without TLS does not speak 2, 1.1
	Chunked  bool   // the body's length is not told before it (HTTP/1.1)
	Anew     bool   // on a connection of its own: who keeps one may meet the same process again
}

// Clone returns a deep copy, so that a probe can change one thing.
func (r Request) Clone() Request {
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Body = bytes.Clone(r.Body)
	return r
}

// A Response is what came back, whatever its status.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte
	Truncated bool   // the body was longer than Options.MaxBody
	Coding    string // the Content-Encoding that was undone; "" if the body is as it came
}

// An Exchange is one request and what became of it. Exactly one of Response
// and Err is set.
type Exchange struct {
	At       time.Time
	Request  Request
	Response *Response
	Err      error         // no usable response; see Kind
	Duration time.Duration // until the body was read, or the error
}

// Status is the response's status, 0 where there was none.
func (e Exchange) Status() int {
	if e.Response == nil {
		return 0
	}
	return e.Response.Status
}

// Body is the response's body, nil where there was none.
func (e Exchange) Body() []byte {
	if e.Response == nil {
		return nil
	}
	return e.Response.Body
}

// Clip is the exchange with a copy of at most so many bytes of the response's body,
// for those who keep many.
func (e Exchange) Clip(most int) Exchange {
	if len(e.Body()) > most {
		short := *e.Response
		short.Body, short.Truncated = bytes.Clone(short.Body[:most]), true
		e.Response = &short
	}
	return e
}

// Options configure a Client. The zero value is usable.
type Options struct {
	Timeout   time.Duration // of a whole exchange; 10 s if 0
	MaxBody   int64         // bytes of a response body that are kept; 1 MiB if 0
	UserAgent string        // sent where a request has none of its own
	MaxConns  int           // connections kept open to one host; 64 if 0
	TLS       *tls.Config   // trust for https; the system's if nil
	// Wait is called before each request and may delay it (a rate limit).
	Wait func(context.Context) error
	// Resolve maps host names to the address to dial instead ("127.0.0.1:8443",
	// or an address without a port to keep the URL's), like curl's --resolve.
	Resolve map[string]string
	// Gates go with the requests to their origins. They are not in the Exchange.
	Gates Gates
	// Proxy is called through, but for hosts that Resolve names.
	Proxy Proxy
	// Control sees the address that is about to be dialled, after name
	// resolution, and may refuse it.
	Control func(network, address string) error
	Now     func() time.Time // time.Now if nil
}

// A Client sends requests. It is safe for concurrent use.
type Client struct {
	opts Options

	mu         sync.Mutex
	transports map[transportKey]*http.Transport
	reuses     map[string]reuse  // by host and port
	spoken     map[string]string // the HTTP of hosts and ports without TLS that were called in HTTP/2
}

// NewClient returns a client that owns its connections; Close drops them.
func NewClient(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxConns == 0 {
		o.MaxConns = 64
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Resolve = lowerKeys(o.Resolve)
	return &Client{opts: o, transports: map[transportKey]*http.Transport{}, reuses: map[string]reuse{}, spoken: map[string]string{}}
}

// lowerKeys returns host names as ResolveAddress looks them up.
func lowerKeys(resolve map[string]string) map[string]string {
	out := make(map[string]string, len(resolve))
	for host, to := range resolve {
		out[strings.ToLower(host)] = to
	}
	return out
}

func newTransport(o Options, own *tls.Certificate) *http.Transport {
	dialer := &net.Dialer{Timeout: o.Timeout}
	if o.Control != nil {
		dialer.ControlContext = controlOf(o.Control)
	}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialThis(ctx, dialer, network, ResolveAddress(o.Resolve, address))
		},
		Proxy:                  proxyOf(o),
		OnProxyConnectResponse: connected,
		TLSClientConfig:        tlsConfig(o.TLS, own),
		TLSHandshakeTimeout:    o.Timeout,
		MaxIdleConnsPerHost:    o.MaxConns, // the default of 2 costs a third of the throughput
		// Shorter than servers keep theirs (2 s, 5 s): a POST that crosses the
		// server's closing would look like a reset.
		IdleConnTimeout:        time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		DisableCompression:     true, // nothing is asked for that the sender has not written
		ForceAttemptHTTP2:      true,
		// A server may give up a connection, on a header that is too long for it, and
		// hold it open: net/http waits on. Whoever lives answers a ping.
		HTTP2: &http.HTTP2Config{SendPingTimeout: o.Timeout / 4, PingTimeout: o.Timeout / 2},
	}
}

// dialThis dials an address; localhost is both loopback addresses, as for browsers: a
// server may listen on one of them only, and the list of hosts may know the other.
func dialThis(ctx context.Context, dialer *net.Dialer, network, address string) (net.Conn, error) {
	c, err := dialer.DialContext(ctx, network, address)
	host, port, bad := net.SplitHostPort(address)
	if !errors.Is(err, syscall.ECONNREFUSED) || bad != nil || !strings.EqualFold(host, "localhost") {
		return c, err
	}
	for _, ip := range []string{"::1", "127.0.0.1"} {
		if c, again := dialer.DialContext(ctx, network, net.JoinHostPort(ip, port)); again == nil {
			return c, nil
		}
	}
	return nil, err
}

// ResolveAddress returns the address to dial for host:port. All names under
// localhost are this machine, as browsers have it (RFC 6761, 6.3): few resolvers
// know them.
func ResolveAddress(overrides map[string]string, address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	host = strings.ToLower(host)
	to, ok := overrides[host]
	switch {
	case !ok && strings.HasSuffix(strings.TrimSuffix(host, "."), ".localhost"):
		to = "localhost"
	case !ok:
		return address
	}
	if _, _, err := net.SplitHostPort(to); err == nil {
		return to
	}
	return net.JoinHostPort(strings.Trim(to, "[]"), port)
}

// proxyOf is nil where there is no proxy.
func proxyOf(o Options) func(*http.Request) (*url.URL, error) {
	if o.Proxy.IsZero() {
		return nil
	}
	find := o.Proxy.Except(slices.Sorted(maps.Keys(o.Resolve))...).Func()
	return func(r *http.Request) (*url.URL, error) { return find(r.URL) }
}

// Close drops the idle connections.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.transports {
		t.CloseIdleConnections()
	}
}

// Gates are those that the client's requests are taken through.
func (c *Client) Gates() Gates { return c.opts.Gates }

// Do sends r and returns what came back. It never returns an Exchange without
// a Response or an Err.
func (c *Client) Do(ctx context.Context, r Request) Exchange {
	ex := Exchange{Request: r, At: c.opts.Now()}
	if c.opts.Wait != nil {
		if err := c.opts.Wait(ctx); err != nil {
			ex.Err = &notSentError{err}
			return ex
		}
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.Timeout, c.opts.Timeout))
	defer cancel()
	start := time.Now()
	if r.Way != nil {
		ex.Response, ex.Err = r.Way.Send(ctx, r, c.follow)
	} else {
		ex.Response, ex.Err = c.follow(ctx, r)
	}
	ex.Duration = time.Since(start)
	if ex.Response != nil && r.Open != nil {
		r.Open(ex.Response)
	}
	return ex
}

// follow sends r, and what redirects make of it where it follows them.
func (c *Client) follow(ctx context.Context, r Request) (*Response, error) {
	answer, err := c.send(ctx, r)
	for hops := 0; r.Follow && err == nil && hops < maxHops; hops++ {
		next, ok := redirected(r, answer)
		if !ok {
			break
		}
		r = next
		answer, err = c.send(ctx, r)
	}
	return answer, err
}

func (c *Client) send(ctx context.Context, r Request) (response *Response, err error) {
	ctx, explain := watchCertificate(ctx)
	req, err := c.newRequest(ctx, r)
	if err != nil {
		return nil, err
	}
	ctx, learn := c.watchReuse(ctx, req.URL.Host)
	defer func() { learn(err) }()
	req = req.WithContext(ctx)
	// Not http.Client: it turns a redirect with a broken Location into an error.
	res, err := c.roundTrip(req, r)
	if err != nil {
		return nil, explain(orProxy(err))
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusProxyAuthRequired && c.relayed(req) {
		return nil, refusedByProxy(res)
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		// Nobody asked for it. It has no body (RFC 9110, 15.2.2): what follows is
		// of another protocol, on a connection that no context ends.
		return &Response{Status: res.StatusCode, Header: res.Header}, nil
	}
	body, err := readBody(res, c.opts.MaxBody+1)
	if err != nil {
		return nil, fmt.Errorf("reading the answer's body after status %d: %w", res.StatusCode, err)
	}
	out := &Response{Status: res.StatusCode, Header: res.Header, Body: body}
	if int64(len(body)) > c.opts.MaxBody {
		out.Body, out.Truncated = body[:c.opts.MaxBody], true
	}
	out.decode(c.opts.MaxBody)
	return out, nil
}

func (c *Client) newRequest(ctx context.Context, r Request) (*http.Request, error) {
	target := r.URL
	if r.ConnectTo != "" {
		target = r.ConnectTo
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target, bytes.NewReader(r.Body))
	if err != nil {
		// The wrapper of url.Error repeats the URL, which may hold a token.
		var ue *url.Error
		if errors.As(err, &ue) {
			err = errors.New("the URL is not valid")
		}
		return nil, fmt.Errorf("the request cannot be sent: %w", err)
	}
	req.Header = sendable(r.Header)
	if r.Form.Chunked && len(r.Body) > 0 {
		req.ContentLength = -1
	}
	if _, ok := req.Header["User-Agent"]; !ok && c.opts.UserAgent != "" {
		req.Header.Set("User-Agent", c.opts.UserAgent)
	}
	if password, _ := req.URL.User.Password(); req.URL.User != nil && !has(req.Header, "Authorization") {
		req.SetBasicAuth(req.URL.User.Username(), password)
	}
	c.opts.Gates.pass(req, target)
	spell(req.Header, r.Form.Spelling)
	// With ConnectTo the local server sees its own name: development servers
	// refuse foreign Host headers.
	req.Host = r.Host
	if r.Host != "" && c.relayed(req) { // else the proxy would be asked for that host
		req.URL.Opaque = "//" + req.URL.Host + req.URL.EscapedPath()
	}
	return req, nil
}

// relayed says whether a proxy reads a request, and does not only connect.
func (c *Client) relayed(req *http.Request) bool {
	find := proxyOf(c.opts)
	if find == nil || req.URL.Scheme != "http" {
		return false
	}
	through, err := find(req)
	return through != nil || err != nil
}

// sendable copies h without what net/http writes itself. It knows those names
// in one spelling only, and would send recorded ones a second time.
func sendable(h http.Header) http.Header {
	out := make(http.Header, len(h)+1)
	for name, values := range h {
		switch strings.ToLower(name) {
		case "host", "content-length", "transfer-encoding", "trailer":
		case "user-agent":
			out["User-Agent"] = slices.Clone(values)
		default:
			out[name] = slices.Clone(values)
		}
	}
	return out
}

// spell renames headers.
func spell(h http.Header, spelling map[string]string) {
	for name, spelled := range spelling {
		values, there := h[name]
		if !there || spelled == name {
			continue
		}
		delete(h, name)
		h[spelled] = values
		if name == "User-Agent" {
			h[name] = []string{""} // net/http would write its own
		}
	}
}

// has looks a header up in any spelling.
func has(h http.Header, name string) bool {
	for k := range h {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}

// HeaderValue returns the first value of a header in any spelling of its name.
func HeaderValue(h http.Header, name string) string {
	for k, v := range h {
		if len(v) > 0 && http.CanonicalHeaderKey(k) == http.CanonicalHeaderKey(name) {
			return v[0]
		}
	}
	return ""
}
