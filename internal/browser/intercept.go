package browser

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// patterns are the URLs that Chrome asks about before it sends them. They are
// wider than what is meant: intercept looks closely. All URLs are asked about
// where headers are added, since they must be taken off again after a redirect.
func patterns(everything bool) []*fetch.RequestPattern {
	if everything {
		return []*fetch.RequestPattern{{URLPattern: "*"}}
	}
	var out []*fetch.RequestPattern
	for _, host := range kindlyHosts {
		for _, scheme := range []string{"http", "https"} {
			out = append(out,
				&fetch.RequestPattern{URLPattern: scheme + "://" + host + "/*"},
				&fetch.RequestPattern{URLPattern: scheme + "://*." + host + "/*"})
		}
	}
	for _, path := range []string{"/kindly-chat.js", "/kindly-chat-pure.js", "/mock/v1/"} { // see isMockURL
		for _, host := range []string{"localhost", "*.localhost", "127.*", "[::1]"} {
			out = append(out, &fetch.RequestPattern{URLPattern: "http*://" + host + path + "*"},
				&fetch.RequestPattern{URLPattern: "http*://" + host + ":*" + path + "*"})
		}
	}
	return append(out, &fetch.RequestPattern{URLPattern: "http*://*" + probePath})
}

// probePath is what the chat client asks other hosts for to see whether the page lets
// it. That it was asked is all: the answer is empty, and comes from here.
const probePath = "/kindlytest-probe"

// isProbe says so of a URL.
func isProbe(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && u.Path == probePath
}

// probed is the answer to it.
func probed(kind network.ResourceType) *answer {
	media := map[network.ResourceType]string{
		network.ResourceTypeScript: "text/javascript", network.ResourceTypeStylesheet: "text/css", network.ResourceTypeDocument: "text/html", network.ResourceTypeImage: "image/svg+xml",
	}[kind]
	a := &answer{header: http.Header{"Access-Control-Allow-Origin": {"*"}}}
	if media != "" {
		a.header.Set("Content-Type", media)
	}
	return a
}

// intercept decides what becomes of a request that Chrome holds.
func (p *Page) intercept(s *session, ev fetch.EventRequestPaused) {
	ctx := p.life
	switch {
	case p.opts.real:
		tell(ctx, s, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: ev.RequestID, Headers: p.withHeaders(ev)})
	case p.opts.blank:
		fulfill(ctx, s, ev.RequestID, &answer{header: http.Header{"Content-Type": {"text/html"}}})
	case isProbe(ev.Request.URL) && p.opts.kindly != nil:
		fulfill(ctx, s, ev.RequestID, probed(ev.ResourceType))
	case isKindlyURL(ev.Request.URL) && p.opts.kindly == nil && !wire.IsLoopback(ev.Request.URL):
		fail(ctx, s, ev.RequestID, network.ErrorReasonBlockedByClient)
	case isKindlyURL(ev.Request.URL) && p.opts.kindly != nil:
		fulfill(ctx, s, ev.RequestID, p.ask(ctx, s, ev))
	default:
		tell(ctx, s, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: ev.RequestID, Headers: p.withHeaders(ev)})
	}
}

func entries(h http.Header) []*fetch.HeaderEntry {
	out := []*fetch.HeaderEntry{}
	for name, values := range h {
		for _, v := range values {
			out = append(out, &fetch.HeaderEntry{Name: name, Value: v})
		}
	}
	return out
}

func fail(ctx context.Context, s *session, id fetch.RequestID, reason network.ErrorReason) {
	tell(ctx, s, fetch.FailRequest, fetch.FailRequestParams{RequestID: id, ErrorReason: reason})
}

func fulfill(ctx context.Context, s *session, id fetch.RequestID, a *answer) {
	if a.failed {
		fail(ctx, s, id, network.ErrorReasonFailed)
		return
	}
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	_, err := call(ctx, s, fetch.FulfillRequest, fetch.FulfillRequestParams{
		RequestID: id, ResponseCode: int64(status), ResponseHeaders: entries(a.header), Body: a.body.Bytes(),
	})
	if err != nil { // headers that Chrome does not take; a page that is gone does not mind
		fail(ctx, s, id, network.ErrorReasonFailed)
	}
}

// ask lets the handler answer.
func (p *Page) ask(ctx context.Context, s *session, ev fetch.EventRequestPaused) *answer {
	req, err := p.handlerRequest(ctx, s, ev)
	if err != nil {
		return &answer{failed: true}
	}
	return p.serve(req)
}

// serve is the handler's answer to a request.
func (p *Page) serve(req *http.Request) *answer {
	a := &answer{header: http.Header{}}
	if req == nil || p.opts.kindly == nil {
		a.failed = true
		return a
	}
	func() {
		defer func() {
			if v := recover(); v != nil { // as net/http does for its handlers
				a.failed = true
			}
		}()
		p.opts.kindly.ServeHTTP(a, req)
	}()
	a.WriteHeader(http.StatusOK) // unless it has said another
	if a.body.Len() > maxAnswer {
		a.failed = true
	}
	return a
}

// handlerRequest is the request as a server would see it.
func (p *Page) handlerRequest(ctx context.Context, s *session, ev fetch.EventRequestPaused) (*http.Request, error) {
	body, err := postData(ctx, s, ev)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(ev.Request.URL)
	if err != nil {
		return nil, fmt.Errorf("the intercepted URL: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, ev.Request.Method, ev.Request.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the intercepted request: %w", err)
	}
	req.URL = &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	req.RequestURI = u.RequestURI()
	req.Host = u.Host
	req.RemoteAddr = "127.0.0.1:0"
	req.Header = httpHeader(ev.Request.Headers)
	return req, nil
}

func postData(ctx context.Context, s *session, ev fetch.EventRequestPaused) ([]byte, error) {
	body := joinEntries(ev.Request.PostDataEntries)
	if body == nil && ev.Request.HasPostData && ev.NetworkID != "" {
		got, err := call(ctx, s, network.GetRequestPostData, network.GetRequestPostDataParams{RequestID: ev.NetworkID})
		switch {
		case err == nil:
			body = got.PostData
		case isTooLarge(err):
			return nil, fmt.Errorf("the intercepted request's body: %w", err)
		} // else it is a stream, which cannot be had
	}
	return body, nil
}

// maxAnswer bounds what a handler may answer: more fails the request.
const maxAnswer = 16 << 20

// An answer is what a handler writes.
type answer struct {
	header http.Header
	sent   bool
	status int
	body   bytes.Buffer
	failed bool
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.sent || status < 200 { // an informational answer is none
		return
	}
	a.sent, a.status = true, status
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", http.DetectContentType(b))
	}
	if a.body.Len() > maxAnswer {
		return 0, http.ErrContentLength
	}
	return a.body.Write(b)
}
