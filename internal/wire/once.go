package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// errCutOff is that of a request whose connection was closed instead of an answer.
var errCutOff = fmt.Errorf("the connection was closed before an answer came: %w", io.EOF)

// once sends a request once. A transport sends those again that change nothing where a
// connection is closed that had been used before. But the service may have ended of that
// very request: the next one finds nobody there, or kills it once more. In HTTP/2 it is
// said which requests were not looked at, and those may go again.
func once(t *http.Transport, req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context()) // ends with that of the request
	var http2, written, again atomic.Bool
	res, err := t.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			c, ok := i.Conn.(*tls.Conn)
			http2.Store(ok && c.ConnectionState().NegotiatedProtocol == "h2")
		},
		WroteRequest: func(i httptrace.WroteRequestInfo) { written.Store(i.Err == nil && !http2.Load()) },
		GetConn: func(string) {
			if written.Load() {
				again.Store(true)
				cancel(errCutOff)
			}
		},
	})))
	if !again.Load() {
		return res, err
	}
	if err == nil {
		res.Body.Close()
	}
	return nil, errCutOff
}
