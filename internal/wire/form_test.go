package wire

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestFormIsThatOnTheWire reads what a server gets, byte for byte.
func TestFormIsThatOnTheWire(t *testing.T) {
	for _, row := range []struct {
		name string
		form Form
		want []string
	}{
		{"as usual", Form{}, []string{"POST / HTTP/1.1", "Content-Type: a/b", "Kindly-HMAC: m", "Content-Length: 2"}},
		{"other spelling", Form{Spelling: map[string]string{"Content-Type": "content-type", "Kindly-HMAC": "KINDLY-HMAC", "User-Agent": "user-agent", "X-None": "x-none"}},
			[]string{"content-type: a/b", "KINDLY-HMAC: m", "user-agent: test/1"}},
		{"chunked", Form{Chunked: true}, []string{"Transfer-Encoding: chunked"}},
		{"HTTP/2, where the server has only 1.1", Form{HTTP: "2"}, []string{"POST / HTTP/1.1"}},
	} {
		heads := make(chan string, 2)
		url := rawServer(t, func(conn *net.TCPConn, head string) {
			if strings.HasPrefix(head, "PRI ") {
				io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				return
			}
			heads <- head
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		})
		c := NewClient(Options{UserAgent: "test/1"})
		ex := c.Do(context.Background(), Request{Method: "POST", URL: url, Header: http.Header{"Content-Type": {"a/b"}, "Kindly-HMAC": {"m"}}, Body: []byte("{}"), Form: row.form})
		c.Close()
		if ex.Status() != 200 {
			t.Fatalf("%s: %v", row.name, ex.Err)
		}
		head := <-heads
		for _, line := range row.want {
			if !strings.Contains("\r\n"+head, "\r\n"+line+"\r\n") {
				t.Errorf("%s: there is no line %q in\n%s", row.name, line, head)
			}
		}
		if n := strings.Count(strings.ToLower(head), "user-agent:"); n != 1 {
			t.Errorf("%s: %d User-Agents in\n%s", row.name, n, head)
		}
	}
}

func TestHTTP2IsSpokenWithoutTLS(t *testing.T) {
	for version, want := range map[string]string{"2": "HTTP/2.0", "1.1": "HTTP/1.1", "": "HTTP/1.1"} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
		s.Config.Protocols = &http.Protocols{}
		s.Config.Protocols.SetHTTP1(true)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
		c := NewClient(Options{})
		for range 2 {
			ex := c.Do(context.Background(), Request{Method: "POST", URL: s.URL, Body: []byte("{}"), Form: Form{HTTP: version}})
			if string(ex.Body()) != want {
				t.Errorf("%q: %s, %v", version, ex.Body(), ex.Err)
			}
		}
		c.Close()
		s.Close()
	}
}
