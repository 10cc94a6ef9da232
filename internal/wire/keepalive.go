package wire

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// Some servers, and what stands before them, answer the first request of a
// connection and fall silent, though they keep it open. Who asks them anew each
// time is answered.

// A reuse is what was seen of a host's connections that were used again.
type reuse struct {
	answered bool // one was answered, ever
	silent   int  // how many were not in time, since then
}

// silentOften is how many requests in a row may get no answer on connections that
// had been used, where others had been answered: the service may be slow.
const silentOften = 3

func (r reuse) broken() bool { return r.silent >= silentOften || r.silent > 0 && !r.answered }

// watchReuse notes whether a request goes out on a connection that was used before.
// What it returns learns from how it ended.
func (c *Client) watchReuse(ctx context.Context, host string) (context.Context, func(error)) {
	reused := new(atomic.Bool)
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused.Store(i.Reused) }}
	return httptrace.WithClientTrace(ctx, trace), func(err error) {
		if !reused.Load() || err != nil && !isTimeout(err) {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		r := c.reuses[host]
		switch {
		case r.broken(): // for good: the server stays what it is
		case err != nil:
			r.silent++
		default:
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
func (c *Client) transportFor(rawURL, host, version string) *http.Transport {
	key := transportKey{own: c.opts.Gates.Certificate(rawURL), http: version}
	c.mu.Lock()
	defer c.mu.Unlock()
	key.anew = c.reuses[host].broken()
	t := c.transports[key]
	if t == nil {
		t = newTransport(c.opts, key.own)
		t.DisableKeepAlives = key.anew
		t.Protocols = protocols(version)
		c.transports[key] = t
	}
	return t
}
