package wire

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// Some servers, and what stands before them, answer the first request of a
// connection and fall silent, though they keep it open; or close it without having
// said so, so that the next request is cut off. Who asks them anew each time is
// answered.

// A reuse is what was seen of a host's connections that were used again.
type reuse struct {
	answered bool // one was answered, ever
	silent   int  // how many were not in time, since then
	closed   bool // one was cut off, and the service was not found to be gone since
}

// silentOften is how many requests in a row may get no answer on connections that
// had been used, where others had been answered: the service may be slow.
const silentOften = 3

func (r reuse) broken() bool {
	return r.closed || r.silent >= silentOften || r.silent > 0 && !r.answered
}

// watchReuse notes whether a request goes out on a connection that was used before.
// What it returns learns from how it ended.
func (c *Client) watchReuse(ctx context.Context, host string) (context.Context, func(error)) {
	reused := new(atomic.Bool)
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused.Store(i.Reused) }}
	return httptrace.WithClientTrace(ctx, trace), func(err error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		r, kind := c.reuses[host], Exchange{Err: err}.Kind()
		switch {
		case r.closed && kind == KindUnreachable:
			r.closed = false // it had ended
		case r.broken(): // for good: the server stays what it is
		case !reused.Load():
		case kind == KindReset:
			r.closed = true
		case kind == KindTimeout:
			r.silent++
		case kind == KindNone:
			r = reuse{answered: true}
		}
		c.reuses[host] = r
	}
}

// A transportKey tells transports apart: by the certificate that they present, and
// by whether they keep connections, and by what they speak.
type transportKey struct {
	own  *tls.Certificate
	anew bool
	http string
}

// transportFor is the transport of requests to a URL.
func (c *Client) transportFor(rawURL, host, version string, anew bool) *http.Transport {
	key := transportKey{own: c.opts.Gates.Certificate(rawURL), http: version}
	c.mu.Lock()
	defer c.mu.Unlock()
	key.anew = anew || c.reuses[host].broken()
	t := c.transports[key]
	if t == nil {
		t = newTransport(c.opts, key.own)
		t.DisableKeepAlives = key.anew
		t.Protocols = protocols(version)
		c.transports[key] = t
	}
	return t
}
