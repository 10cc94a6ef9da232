package wire

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures/hostile"
)

// A request never outlives its timeout, whatever answers; and what answers in time is an answer.
func TestNoServerHoldsARequestBeyondItsTimeout(t *testing.T) {
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(hostile.Certificate())
	for _, a := range hostile.Answers {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			url, stop, err := hostile.Listen(a)
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			c := newClient(t, Options{Timeout: testTimeout, TLS: &tls.Config{RootCAs: trust}})
			ex := inTime(t, c, url)
			if ex.Status() != a.Status || a.Status == 0 && ex.Err == nil {
				t.Errorf("status %d, %v; want %d", ex.Status(), ex.Err, a.Status)
			}
			if len(ex.Body()) > 1<<20 {
				t.Errorf("%d bytes were kept", len(ex.Body()))
			}
			if strings.Contains(a.Name, "drip") && ex.Kind() != KindTimeout {
				t.Errorf("kind %q (%v), want a time-out", ex.Kind(), ex.Err)
			}
			c.Close() // before the server waits for its connections
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

// The server answers the first request of a connection, and no other.
func TestKeptAliveConnectionThatFallsSilent(t *testing.T) {
	url, stop, err := hostile.Listen(answer(t, "one answer, and silence on the connection that was kept"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	c := newClient(t, Options{Timeout: testTimeout})
	if ex := inTime(t, c, url); ex.Status() != 200 {
		t.Fatalf("first request: %v", ex.Err)
	}
	if ex := inTime(t, c, url); ex.Kind() != KindTimeout {
		t.Errorf("second request: status %d, %v", ex.Status(), ex.Err)
	}
	for range 3 { // it has learnt to ask on new ones
		if ex := inTime(t, c, url); ex.Status() != 200 {
			t.Errorf("a later request: status %d, %v", ex.Status(), ex.Err)
		}
	}
}

// A service that is slow now and then keeps its connections: they are not what is
// wrong.
func TestSlownessIsNotTakenForSilence(t *testing.T) {
	var conns, requests atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if requests.Add(1)%3 == 0 {
			_, _ = io.Copy(io.Discard, r.Body) // else nobody notices that the client has gone
			<-r.Context().Done()
		}
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := newClient(t, Options{Timeout: testTimeout})
	for range 9 {
		inTime(t, c, server.URL)
	}
	if got := conns.Load(); got > 4 { // a new one after each that was given up
		t.Errorf("9 requests, of which 3 hang, took %d connections", got)
	}
	c.Close()
}

func TestHangUpOnAHandshakeThatStalls(t *testing.T) {
	url, stop, err := hostile.Listen(answer(t, "a handshake that stalls"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	c := newClient(t, Options{Timeout: testTimeout})
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

func answer(t *testing.T, name string) hostile.Answer {
	t.Helper()
	for _, a := range hostile.Answers {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("no answer is called %q", name)
	panic("not reached")
}
