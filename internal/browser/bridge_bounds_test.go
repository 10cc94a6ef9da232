package browser

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The bridge listens on this machine, where any process can call it.

func startedBridge(t *testing.T, s *httptest.Server) *bridge {
	t.Helper()
	roots := x509.NewCertPool()
	if c := s.Certificate(); c != nil {
		roots.AddCert(c)
	}
	b, err := startBridge(Options{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// connected asks a bridge for a connection, as Chrome does.
func connected(t *testing.T, b *bridge, to string) (net.Conn, *bufio.Reader, error) {
	t.Helper()
	conn, err := net.Dial("tcp", b.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", to, to)
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err == nil && res.StatusCode != 200 {
		err = errors.New(res.Status)
	}
	return conn, r, err
}

// Kindly's hosts are answered elsewhere, unless it is the real Kindly that is watched.
func TestBridgeLeadsToKindlyOnlyWhereItIsReal(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	for _, real := range []bool{false, true} {
		b, err := startBridge(Options{RealKindly: real, Resolve: map[string]string{"chat.kindlycdn.com": s.Listener.Addr().String()}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.close)
		if _, _, err := connected(t, b, "chat.kindlycdn.com:443"); (err == nil) != real {
			t.Errorf("real Kindly: %t, connected: %v", real, err)
		}
	}
}

func TestBridgeTakesTLSAndWebSocketsOnly(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", r.Method, r.Host, r.Header.Get("Upgrade"))
	})
	plain, overTLS := httptest.NewServer(echo), httptest.NewTLSServer(echo)
	t.Cleanup(plain.Close)
	t.Cleanup(overTLS.Close)
	b := startedBridge(t, overTLS)
	to := plain.Listener.Addr().String()
	for _, tt := range []struct{ name, sent, want string }{
		{"a WebSocket", "GET /chat HTTP/1.1\r\nHost: " + to + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "GET " + to + " websocket"},
		{"a page", "GET / HTTP/1.1\r\nHost: " + to + "\r\n\r\n", ""},
		{"a form", "POST / HTTP/1.1\r\nHost: " + to + "\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n", ""},
		{"another protocol", "SSH-2.0-x\r\n\r\n", ""},
		{"a header without an end", "GET / HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", maxConnect), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, r, err := connected(t, b, to)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, tt.sent) // it may be cut off
			got := ""
			if res, err := http.ReadResponse(r, nil); err == nil {
				text, _ := io.ReadAll(res.Body)
				got = string(text)
			}
			if got != tt.want {
				t.Errorf("the answer is %q, not %q", got, tt.want)
			}
		})
	}
	t.Run("TLS", func(t *testing.T) {
		conn, _, err := connected(t, b, overTLS.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // the bridge's own key
		if err := c.HandshakeContext(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestBridgeBoundsItsConnections(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	b := startedBridge(t, s)
	to := s.Listener.Addr().String()
	var open []net.Conn
	for range maxConnections {
		conn, _, err := connected(t, b, to)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
	}
	if _, _, err := connected(t, b, to); err == nil {
		t.Error("one more connection was taken")
	}
	for _, conn := range open {
		conn.Close()
	}
	for range 100 {
		if _, _, err := connected(t, b, to); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("there is no room although the others are gone")
}

func TestBridgeBoundsWhatItRemembers(t *testing.T) {
	b := startedBridge(t, httptest.NewUnstartedServer(nil))
	why := errors.New("refused")
	for i := range 3 * maxFailed {
		b.note(fmt.Sprintf("host-%d.example:443", i), why)
	}
	browser := &Browser{bridge: b}
	if n := len(b.failed); n != maxFailed {
		t.Errorf("%d hosts are remembered", n)
	}
	if browser.ConnectionError(fmt.Sprintf("https://host-%d.example/", 3*maxFailed-1)) == nil || browser.ConnectionError("https://host-0.example/") != nil {
		t.Error("not the last ones are remembered")
	}
}
