package wire

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A server that closes its connections without having said so cuts off one request,
// and not every other one. One that had ended is asked as before.
func TestConnectionsThatAreClosedUnsaidAreNotUsedAgain(t *testing.T) {
	url := accepting(t, func(conn *net.TCPConn) {
		in := bufio.NewReader(conn)
		for n := 0; ; n++ {
			r, err := http.ReadRequest(in)
			if err != nil || n == 1 {
				return
			}
			io.Copy(io.Discard, r.Body)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
	})
	c := newClient(t, Options{})
	cutOff := 0
	for range 10 {
		if ex := c.Do(t.Context(), Request{Method: "POST", URL: url, Body: []byte("{}")}); ex.Err != nil {
			if cutOff++; ex.Kind() != KindReset {
				t.Errorf("kind %q (%v)", ex.Kind(), ex.Err)
			}
		}
	}
	if cutOff > 1 {
		t.Errorf("%d of 10 were cut off", cutOff)
	}
}

// A closeTold tells when it is closed.
type closeTold struct {
	net.Conn
	told func()
}

func (c closeTold) Close() error {
	c.told()
	return c.Conn.Close()
}

// A POST must never arrive twice, and a reused connection that the server has
// closed must not look like the server's failure.
func TestIdleConnectionsClosedByTheServer(t *testing.T) {
	var requests atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	srv.Config.IdleTimeout = 50 * time.Millisecond
	srv.Start()
	defer srv.Close()
	client := newClient(t, Options{})
	given := make(chan struct{}, 3) // up by the client, for the server has closed it
	tr := client.transportFor(srv.URL, strings.TrimPrefix(srv.URL, "http://"), "", false)
	dial := tr.DialContext
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return closeTold{conn, sync.OnceFunc(func() { given <- struct{}{} })}, err
	}
	for range 3 {
		if ex := client.Do(context.Background(), Request{Method: "POST", URL: srv.URL, Body: []byte("{}")}); ex.Err != nil {
			t.Fatal(ex.Err)
		}
		<-given
	}
	if requests.Load() != 3 {
		t.Errorf("%d requests arrived", requests.Load())
	}
}
