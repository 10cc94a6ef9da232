package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/kindlytest/kindlytest/internal/porttest"
)

func TestKinds(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	serve := func(f func(*net.TCPConn)) string {
		return rawServer(t, func(conn *net.TCPConn, _ string) { f(conn) })
	}
	write := func(s string) func(*net.TCPConn) {
		return func(conn *net.TCPConn) { _, _ = io.WriteString(conn, s) }
	}
	tests := []struct {
		name, url string
		want      Kind
	}{
		{"an answer", serve(write("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")), KindNone},
		{"nobody listens", "http://" + porttest.Nobody, KindUnreachable},
		{"the name is unknown", "http://nobody.invalid/", KindUnreachable},
		{"closed without an answer", serve(func(*net.TCPConn) {}), KindReset},
		{"reset without an answer", serve(func(c *net.TCPConn) { _ = c.SetLinger(0) }), KindReset},
		{"closed within the head", serve(write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n")), KindReset},
		{"closed within the body", serve(write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")), KindReset},
		{"reset within the body", serve(func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
			time.Sleep(50 * time.Millisecond)
			_ = c.SetLinger(0)
		}), KindReset},
		{"silence", serve(func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }), KindTimeout},
		{"silence within the body", serve(func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
			_, _ = io.Copy(io.Discard, c)
		}), KindTimeout},
		{"no HTTP", serve(write("220 mail.example.com ESMTP\r\n")), KindOther},
		{"no TLS", "https" + strings.TrimPrefix(plain.URL, "http"), KindOther},
		{"no URL", "http://a b/", KindOther},
	}
	client := newClient(t, Options{Timeout: 500 * time.Millisecond})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ex := client.Do(context.Background(), Request{Method: "POST", URL: tt.url, Body: []byte("{}")})
			if ex.Kind() != tt.want || (ex.Response == nil) == (ex.Err == nil) {
				t.Errorf("kind %q, want %q: %v", ex.Kind(), tt.want, ex.Err)
			}
			if ex.Duration > 2*time.Second {
				t.Errorf("took %v", ex.Duration)
			}
		})
	}
}

// The server may close before it has read the request; what the client sees
// then is a matter of luck, but always a reset.
func TestClosedAtOnceIsAReset(t *testing.T) {
	url := accepting(t, func(*net.TCPConn) {})
	client := newClient(t, Options{})
	for _, length := range []int{2, 4 << 20} {
		for range 100 {
			ex := client.Do(context.Background(), Request{Method: "POST", URL: url, Body: bytes.Repeat([]byte("{"), length)})
			if ex.Kind() != KindReset || ex.ClosedForLength() != (length > longBody) {
				t.Fatalf("a body of %d bytes: kind %q, closed for its length: %t: %#v %v", length, ex.Kind(), ex.ClosedForLength(), ex.Err, ex.Err)
			}
		}
	}
}

func TestHTTP2StreamResetIsAReset(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("not HTTP/2 but %s", r.Proto)
		}
		panic(http.ErrAbortHandler)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	client := newClient(t, Options{TLS: srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()})
	ex := client.Do(context.Background(), Request{Method: "POST", URL: srv.URL, Body: []byte("{}")})
	if ex.Kind() != KindReset {
		t.Errorf("kind %q: %v", ex.Kind(), ex.Err)
	}
}

// Node.js gives up an HTTP/2 connection on a header that is too long for it, and holds
// it open: that is no silence.
func TestHTTP2ConnectionThatIsGivenUpIsAReset(t *testing.T) {
	srv := httptest.NewUnstartedServer(nil)
	srv.EnableHTTP2 = true
	srv.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) {
		io.ReadFull(conn, make([]byte, len(http2.ClientPreface)))
		framer := http2.NewFramer(conn, conn)
		framer.WriteSettings()
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			if h := frame.Header(); h.Type == http2.FrameHeaders {
				framer.WriteGoAway(h.StreamID, http2.ErrCodeCompression, nil)
			}
		}
	}}
	srv.StartTLS()
	defer srv.Close()
	client := newClient(t, Options{Timeout: 4 * time.Second, TLS: srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()})
	if ex := client.Do(context.Background(), Request{Method: "POST", URL: srv.URL, Body: []byte("{}")}); ex.Kind() != KindReset {
		t.Errorf("kind %q: %v", ex.Kind(), ex.Err)
	}
}

func TestCancel(t *testing.T) {
	arrived := make(chan struct{})
	url := rawServer(t, func(conn *net.TCPConn, _ string) {
		close(arrived)
		_, _ = io.Copy(io.Discard, conn)
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-arrived; cancel() }()
	ex := newClient(t, Options{}).Do(ctx, Request{Method: "GET", URL: url})
	if ex.Kind() != KindCanceled || ex.Duration > 2*time.Second {
		t.Errorf("kind %q after %v: %v", ex.Kind(), ex.Duration, ex.Err)
	}
}
