package wire

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// drip writes text again and again until the connection is gone.
func drip(conn net.Conn, every time.Duration, text string) {
	for {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
		time.Sleep(every) // the drip itself: a slow server is what is tested
	}
}

// untilGone reads until the client hangs up.
func untilGone(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// A request never outlives its timeout, whatever answers; and what answers in time is an answer.
func TestNoServerHoldsARequestBeyondItsTimeout(t *testing.T) {
	const pause = 5 * time.Millisecond
	packed := bomb(t)
	answers := []struct {
		name   string
		answer func(conn *net.TCPConn)
		status int  // 0: none
		kind   Kind // "": any failure
	}{
		{"nothing", func(c *net.TCPConn) { untilGone(c) }, 0, KindTimeout},
		{"101 and silence", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			untilGone(c)
		}, 101, KindNone},
		{"101 and endless frames", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
			drip(c, 0, strings.Repeat("x", 1<<16))
		}, 101, KindNone},
		{"endless 100 Continue", func(c *net.TCPConn) { drip(c, 0, "HTTP/1.1 100 Continue\r\n\r\n") }, 0, ""},
		{"endless 102, slowly", func(c *net.TCPConn) { drip(c, pause, "HTTP/1.1 102 Processing\r\n\r\n") }, 0, ""},
		{"endless 103 with links", func(c *net.TCPConn) { drip(c, 0, "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n") }, 0, ""},
		{"dripping status line", func(c *net.TCPConn) { drip(c, pause, "H") }, 0, ""},
		{"dripping headers", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			drip(c, pause, "X-Drip: 1\r\n")
		}, 0, KindTimeout},
		{"a bomb of headers", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			drip(c, 0, "X-Bomb: "+strings.Repeat("x", 1<<16)+"\r\n")
		}, 0, ""},
		{"one endless header", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Bomb: ")
			drip(c, 0, strings.Repeat("x", 1<<16))
		}, 0, ""},
		{"dripping body", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
			drip(c, pause, "x")
		}, 0, KindTimeout},
		{"dripping chunks", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			drip(c, pause, "1\r\nx\r\n")
		}, 0, KindTimeout},
		{"a bomb in the chunks' extensions", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			drip(c, 0, "1;"+strings.Repeat("x", 2000)+"\r\nx\r\n")
		}, 0, ""},
		{"endless trailers", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
			drip(c, pause, "X-Trailer: 1\r\n")
		}, 0, ""},
		{"an endless body", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			drip(c, 0, strings.Repeat("x", 1<<16))
		}, 200, KindNone},
		{"a bomb of gzip", func(c *net.TCPConn) { _, _ = c.Write(packed) }, 200, KindNone},
	}
	for _, tt := range answers {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := rawServer(t, func(conn *net.TCPConn, _ string) { tt.answer(conn) })
			ex := inTime(t, newClient(t, Options{Timeout: testTimeout}), url)
			if ex.Status() != tt.status || (tt.status == 0 && ex.Err == nil) {
				t.Errorf("status %d, %v; want %d", ex.Status(), ex.Err, tt.status)
			}
			if tt.kind != "" && ex.Kind() != tt.kind {
				t.Errorf("kind %q (%v), want %q", ex.Kind(), ex.Err, tt.kind)
			}
			if len(ex.Body()) > 1<<20 {
				t.Errorf("%d bytes were kept", len(ex.Body()))
			}
		})
	}
}

const testTimeout = 400 * time.Millisecond

// inTime sends a request, and fails the test if that outlives the timeout.
func inTime(t *testing.T, c *Client, url string) Exchange {
	t.Helper()
	done := make(chan Exchange, 1)
	go func() { done <- c.Do(t.Context(), Request{Method: "POST", URL: url, Body: []byte("{}")}) }()
	select {
	case ex := <-done:
		return ex
	case <-time.After(testTimeout + 5*time.Second): // generous: the machine may be busy
		t.Fatal("the request outlived its timeout")
		panic("not reached")
	}
}

// bomb is an answer of some 16 kB that would be 16 MB unpacked.
func bomb(t *testing.T) []byte {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	zeros := make([]byte, 1<<20)
	for range 16 {
		if _, err := z.Write(zeros); err != nil {
			t.Error(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Error(err)
	}
	return append([]byte("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n\r\n"), packed.Bytes()...)
}

// The server answers the first request of a connection, and no other.
func TestKeptAliveConnectionThatFallsSilent(t *testing.T) {
	url := rawServer(t, func(conn *net.TCPConn, _ string) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		untilGone(conn)
	})
	c := newClient(t, Options{Timeout: testTimeout})
	if ex := inTime(t, c, url); ex.Status() != 200 {
		t.Fatalf("first request: %v", ex.Err)
	}
	if ex := inTime(t, c, url); ex.Kind() != KindTimeout {
		t.Errorf("second request: status %d, %v", ex.Status(), ex.Err)
	}
}

func TestTLSHandshakeThatStalls(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				untilGone(conn)
			}()
		}
	}()
	url := "https://" + l.Addr().String() + "/"
	c := newClient(t, Options{Timeout: testTimeout})
	if ex := inTime(t, c, url); ex.Kind() != KindTimeout {
		t.Errorf("status %d, %v", ex.Status(), ex.Err)
	}
	done := make(chan error, 1)
	go func() { done <- c.HangUp(t.Context(), Request{Method: "POST", URL: url}) }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("HangUp had no handshake, and no error")
		}
	case <-time.After(testTimeout + 5*time.Second):
		t.Error("HangUp outlived its timeout")
	}
}

// A server of HTTP/2 that resets streams, ends everything, or says nothing.
func TestUnhelpfulHTTP2(t *testing.T) {
	for name, answer := range map[string]func(f *http2.Framer, stream uint32) error{
		"resets": func(f *http2.Framer, stream uint32) error { return f.WriteRSTStream(stream, http2.ErrCodeInternal) },
		"refuses": func(f *http2.Framer, stream uint32) error {
			return f.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
		},
		"goes away": func(f *http2.Framer, stream uint32) error { return f.WriteGoAway(stream, http2.ErrCodeNo, nil) },
		"goes away angrily": func(f *http2.Framer, stream uint32) error {
			return f.WriteGoAway(stream, http2.ErrCodeEnhanceYourCalm, nil)
		},
		"pings": func(f *http2.Framer, _ uint32) error {
			for {
				if err := f.WritePing(false, [8]byte{}); err != nil {
					return err
				}
				time.Sleep(time.Millisecond) // the drip itself
			}
		},
		"says nothing": func(*http2.Framer, uint32) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(nil)
			server.TLS = &tls.Config{NextProtos: []string{"h2"}}
			server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
				"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) { answerStreams(conn, answer) },
			}
			server.StartTLS()
			defer server.Close()
			trust := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			c := newClient(t, Options{Timeout: testTimeout, TLS: &tls.Config{RootCAs: trust}})
			if ex := inTime(t, c, server.URL); ex.Err == nil {
				t.Errorf("status %d", ex.Status())
			}
			c.Close()
		})
	}
}

// answerStreams gives each request's stream to answer.
func answerStreams(conn net.Conn, answer func(*http2.Framer, uint32) error) {
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		return
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		if headers, ok := frame.(*http2.HeadersFrame); ok {
			if answer(framer, headers.StreamID) != nil {
				return
			}
		}
	}
}
