package wire

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
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
