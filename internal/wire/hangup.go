package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
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
	req, err := c.newRequest(ctx, r)
	if err != nil {
		return err
	}
	conn, err := c.dial(ctx, req)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // a server that reads nothing
	defer stop()
	req.ContentLength = int64(len(r.Body) + promised)
	req.Header.Set("Content-Length", strconv.FormatInt(req.ContentLength, 10))
	if _, err := io.WriteString(conn, r.Method+" "+req.URL.RequestURI()+" HTTP/1.1\r\nHost: "+host(req)+"\r\n"); err != nil {
		return err
	}
	if err := req.Header.Write(conn); err != nil {
		return err
	}
	_, err = conn.Write(append([]byte("\r\n"), r.Body...))
	return err
}

// dial opens a connection as the transport would, for HTTP/1.1 alone.
func (c *Client) dial(ctx context.Context, req *http.Request) (net.Conn, error) {
	port := req.URL.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[req.URL.Scheme]
	}
	conn, err := c.transport.DialContext(ctx, "tcp", net.JoinHostPort(req.URL.Hostname(), port))
	if err != nil || req.URL.Scheme != "https" {
		return conn, err
	}
	trust := c.opts.TLS.Clone()
	if trust == nil {
		trust = &tls.Config{}
	}
	if trust.ServerName == "" {
		trust.ServerName = req.URL.Hostname()
	}
	secure := tls.Client(conn, trust)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return secure, nil
}

func host(req *http.Request) string {
	if req.Host != "" {
		return req.Host
	}
	return req.URL.Host
}
