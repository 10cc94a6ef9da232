package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
)

// promised is how many bytes HangUp promises beyond those that it sends.
const promised = 1000

// HangUp sends r as far as its body goes, having promised a longer one, and then
// closes the connection: a client whose network failed halfway. It speaks
// HTTP/1.1, and returns an error if even that much could not be sent.
func (c *Client) HangUp(ctx context.Context, r Request) error {
	if c.opts.Wait != nil {
		if err := c.opts.Wait(ctx); err != nil {
			return &notSentError{err}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	ctx, explain := watchCertificate(ctx)
	req, err := c.newRequest(ctx, r)
	if err != nil {
		return err
	}
	half := &halfBody{rest: r.Body}
	req.Body, req.GetBody, req.ContentLength = half, nil, int64(len(r.Body)+promised)
	t := c.transportFor(req.URL.String(), req.URL.Host, "", false).Clone() // by the same way, proxies and gates included
	defer t.CloseIdleConnections()
	t.ForceAttemptHTTP2, t.TLSNextProto = false, map[string]func(string, *tls.Conn) http.RoundTripper{}
	if t.TLSClientConfig != nil { // a copy, in which HTTP/2 is offered once that was spoken
		t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	t.WriteBufferSize = 1 // what is read of the body is sent at once
	res, err := t.RoundTrip(req)
	if err == nil { // it did not wait for the rest
		return res.Body.Close()
	}
	if half.sent {
		return nil
	}
	return explain(err)
}

var errHungUp = errors.New("hung up")

// A halfBody fails once its text was taken, which ends the connection.
type halfBody struct {
	rest []byte
	sent bool
}

func (b *halfBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		b.sent = true
		return 0, errHungUp
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *halfBody) Close() error { return nil }

var _ io.ReadCloser = (*halfBody)(nil)
