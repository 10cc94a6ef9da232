package wire

import (
	"bytes"
	"io"
	"net/http"
)

// protocols are those that a transport speaks; nil: what the connection agrees on.
func protocols(version string) *http.Protocols {
	p := &http.Protocols{}
	switch version {
	case "1.1":
		p.SetHTTP1(true)
	case "2":
		p.SetHTTP2(true)
		p.SetUnencryptedHTTP2(true)
	default:
		return nil
	}
	return p
}

// roundTrip sends a request in the version of HTTP that it wants. A server without
// TLS says only by an error that it does not speak HTTP/2: it refuses what every
// such connection begins with, so that it has not read the request.
func (c *Client) roundTrip(req *http.Request, r Request) (*http.Response, error) {
	version, host, url := r.Form.HTTP, req.URL.Host, req.URL.String()
	if version != "2" || req.URL.Scheme != "http" {
		return once(c.transportFor(url, host, version, r.Form.Anew), req)
	}
	c.mu.Lock()
	spoken := c.spoken[host]
	c.mu.Unlock()
	if spoken != "" {
		return c.transportFor(url, host, spoken, r.Form.Anew).RoundTrip(req)
	}
	res, err := c.transportFor(url, host, version, r.Form.Anew).RoundTrip(req)
	if err != nil && req.Context().Err() == nil && (Exchange{Err: err}).Kind() != KindUnreachable {
		version = "1.1"
		again := req.Clone(req.Context())
		again.Body = io.NopCloser(bytes.NewReader(r.Body))
		res, err = c.transportFor(url, host, version, r.Form.Anew).RoundTrip(again)
	}
	if err == nil {
		c.mu.Lock()
		c.spoken[host] = version
		c.mu.Unlock()
	}
	return res, err
}
