package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// mockOf serves a handler as serve does, on a free port.
func mockOf(t *testing.T, h http.Handler) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(l, h)
	t.Cleanup(func() {
		s.http.Close()
		<-s.failed
	})
	return l.Addr().String()
}

func TestSlowBodiesDoNotKeepOthersOut(t *testing.T) {
	address := mockOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	for range maxConnections + 6 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nslow"); err != nil {
			t.Fatal(err)
		}
	}
	client := &http.Client{Timeout: 5 * time.Second} // a slow body may take twice that
	res, err := client.Get("http://" + address + "/")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
}

func TestAnAnswerMayTakeLongerThanItsBody(t *testing.T) {
	const each = 50 * time.Millisecond
	ended := make(chan error, 1)
	address := mockOf(t, inTime(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		if err == nil {
			select {
			case <-time.After(4 * each): // the answer itself
			case <-r.Context().Done():
				err = r.Context().Err()
			}
		}
		ended <- err
	}), each, 1))
	for range 3 { // one slot: each gives it back
		res, err := http.Post("http://"+address, "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if err := <-ended; err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("status %d, %v", res.StatusCode, err)
		}
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nslow")
	select {
	case err := <-ended:
		if err == nil {
			t.Error("half a body was taken for a whole one")
		}
	case <-time.After(5 * time.Second):
		t.Error("a body has no end")
	}
}

func TestShortAdminTokenIsRefusedWhereOthersReachIt(t *testing.T) {
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard,
		lookupEnv: func(name string) (string, bool) { return "a", name == adminTokenVariable }}
	var errs strings.Builder
	a.stderr = &errs
	if code := a.run(t.Context(), []string{"serve", "--listen", "0.0.0.0:0", "--db", "/dev/null"}); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(errs.String(), adminTokenVariable+" has 1 character") || !strings.Contains(errs.String(), "hint: openssl rand") {
		t.Errorf("it says %q", errs.String())
	}
}
