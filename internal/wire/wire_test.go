package wire

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// rawServer gives each connection to serve, after the request's head was read.
func rawServer(t *testing.T, serve func(conn *net.TCPConn, head string)) (url string) {
	t.Helper()
	return accepting(t, func(conn *net.TCPConn) { serve(conn, readHead(conn)) })
}

// accepting gives each connection to serve, and closes it then.
func accepting(t *testing.T, serve func(*net.TCPConn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn.(*net.TCPConn))
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/"
}

func readHead(r io.Reader) string {
	var head strings.Builder
	b := bufio.NewReader(r)
	for {
		line, err := b.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String()
		}
	}
}

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	c := NewClient(o)
	t.Cleanup(c.Close)
	return c
}

func TestEndlessBodyIsBounded(t *testing.T) {
	url := rawServer(t, func(conn *net.TCPConn, _ string) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n")
		for chunk := make([]byte, 64<<10); ; {
			if _, err := conn.Write(chunk); err != nil {
				return
			}
		}
	})
	ex := newClient(t, Options{MaxBody: 1000}).Do(context.Background(), Request{Method: "GET", URL: url})
	if ex.Err != nil || len(ex.Body()) != 1000 || !ex.Response.Truncated || ex.Duration > 2*time.Second {
		t.Errorf("%d bytes, %v, after %v", len(ex.Body()), ex.Err, ex.Duration)
	}
}

func TestBodyOfExactlyTheBoundIsWhole(t *testing.T) {
	url := rawServer(t, func(conn *net.TCPConn, _ string) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n1234")
	})
	ex := newClient(t, Options{MaxBody: 4}).Do(context.Background(), Request{Method: "GET", URL: url})
	if string(ex.Body()) != "1234" || ex.Response.Truncated {
		t.Errorf("%q, %v", ex.Body(), ex.Err)
	}
}

func TestWait(t *testing.T) {
	stop := errors.New("stop")
	var requests atomic.Int32
	url := rawServer(t, func(*net.TCPConn, string) { requests.Add(1) })
	client := newClient(t, Options{Wait: func(context.Context) error { return stop }})
	if ex := client.Do(context.Background(), Request{URL: url}); !errors.Is(ex.Err, stop) || requests.Load() != 0 {
		t.Errorf("%v, %d requests", ex.Err, requests.Load())
	}
}

func TestControlMayRefuse(t *testing.T) {
	url := rawServer(t, func(*net.TCPConn, string) { t.Error("it was dialled") })
	no := errors.New("not there")
	client := newClient(t, Options{Control: func(_, address string) error {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			t.Errorf("address %q is not resolved", address)
		}
		return no
	}})
	ex := client.Do(context.Background(), Request{URL: strings.Replace(url, "127.0.0.1", "localhost", 1)})
	if !errors.Is(ex.Err, no) {
		t.Errorf("err %v", ex.Err)
	}
}

// headOf returns the request's head as the server sees it.
func headOf(t *testing.T, o Options, change func(*Request)) string {
	t.Helper()
	heads := make(chan string, 1)
	url := rawServer(t, func(conn *net.TCPConn, head string) {
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		heads <- head
	})
	r := Request{Method: "POST", URL: url, Body: []byte("{}"), Header: http.Header{}}
	change(&r)
	if ex := newClient(t, o).Do(context.Background(), r); ex.Err != nil {
		t.Fatal(ex.Err)
	}
	return <-heads
}

func TestHeadersGoOutAsWritten(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
		want   []string // lines, each exactly once
		not    []string
	}{
		{"spelling", http.Header{"Kindly-HMAC": {"a"}}, []string{"Kindly-HMAC: a"}, nil},
		{"twice the same name", http.Header{"Kindly-HMAC": {"a", "b"}}, []string{"Kindly-HMAC: a", "Kindly-HMAC: b"}, nil},
		{"twice, spelled differently", http.Header{"Authorization": {"a"}, "authorization": {"b"}},
			[]string{"Authorization: a", "authorization: b"}, nil},
		{"its own user agent", http.Header{"User-Agent": {"x"}}, []string{"User-Agent: x"}, []string{"kindlytest"}},
		{"its own user agent, lower case", http.Header{"user-agent": {"x"}}, []string{"User-Agent: x"}, []string{"kindlytest", "user-agent: x"}},
		{"our user agent", http.Header{}, []string{"User-Agent: kindlytest"}, []string{"Go-http-client", "Accept-Encoding"}},
		{"a recorded length", http.Header{"content-length": {"99"}, "Content-Length": {"98"}}, []string{"Content-Length: 2"}, []string{"ength: 99", "ength: 98"}},
		{"a recorded host", http.Header{"host": {"evil.example"}, "Host": {"evil.example"}}, []string{"Host: 127.0.0.1"}, []string{"evil.example"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			head := headOf(t, Options{UserAgent: "kindlytest"}, func(r *Request) { r.Header = tt.header })
			for _, line := range tt.want {
				if strings.Count(head, "\r\n"+line) != 1 {
					t.Errorf("not once %q in\n%s", line, head)
				}
			}
			for _, s := range tt.not {
				if strings.Contains(head, s) {
					t.Errorf("%q in\n%s", s, head)
				}
			}
		})
	}
}

func TestUserinfoOfTheURL(t *testing.T) {
	const basic = "Authorization: Basic dXNlcjpwYXNz\r\n"
	withUser := func(r *Request) { r.URL = strings.Replace(r.URL, "//", "//user:pass@", 1) }
	if head := headOf(t, Options{}, withUser); !strings.Contains(head, basic) {
		t.Errorf("no Basic authorization in\n%s", head)
	}
	head := headOf(t, Options{}, func(r *Request) {
		withUser(r)
		r.Header["authorization"] = []string{"Bearer a.b.c"}
	})
	if strings.Contains(head, "Basic") {
		t.Errorf("the request's own authorization does not win:\n%s", head)
	}
}

func TestWhereARequestGoes(t *testing.T) {
	tests := []struct {
		name   string
		change func(r *Request, o *Options, local string) // local is host:port
		want   string
	}{
		{"Host is forged", func(r *Request, _ *Options, _ string) { r.Host = "evil.example" }, "POST / HTTP/1.1\r\nHost: evil.example\r\n"},
		{"ConnectTo is called, under its own name", func(r *Request, _ *Options, local string) {
			r.URL, r.ConnectTo = "https://hooks.example.com/public", "http://"+local+"/private?x=1"
		}, "POST /private?x=1 HTTP/1.1\r\nHost: 127.0.0.1:"},
		{"Resolve dials another address", func(r *Request, o *Options, local string) {
			r.URL, o.Resolve = "http://Hooks.Example.com/x", map[string]string{"hooks.example.com": local}
		}, "POST /x HTTP/1.1\r\nHost: Hooks.Example.com\r\n"},
		{"Resolve keeps the port", func(r *Request, o *Options, local string) {
			host, port, _ := net.SplitHostPort(local)
			r.URL, o.Resolve = "http://hooks.example.com:"+port+"/", map[string]string{"hooks.example.com": host}
		}, "POST / HTTP/1.1\r\nHost: hooks.example.com:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			heads := make(chan string, 1)
			url := rawServer(t, func(conn *net.TCPConn, head string) {
				_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
				heads <- head
			})
			r, o := Request{Method: "POST", URL: url}, Options{}
			tt.change(&r, &o, strings.Trim(strings.TrimPrefix(url, "http://"), "/"))
			if ex := newClient(t, o).Do(context.Background(), r); ex.Err != nil {
				t.Fatal(ex.Err)
			}
			if head := <-heads; !strings.HasPrefix(head, tt.want) {
				t.Errorf("got\n%s\nwant it to begin\n%s", head, tt.want)
			}
		})
	}
}

func TestResolveAddress(t *testing.T) {
	tests := []struct{ to, want string }{
		{"127.0.0.1", "127.0.0.1:443"},
		{"127.0.0.1:8443", "127.0.0.1:8443"},
		{"::1", "[::1]:443"},
		{"[::1]", "[::1]:443"},
		{"[::1]:8443", "[::1]:8443"},
		{"localhost", "localhost:443"},
	}
	for _, tt := range tests {
		if got := ResolveAddress(map[string]string{"a.example": tt.to}, "a.example:443"); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.to, got, tt.want)
		}
	}
	if got := ResolveAddress(map[string]string{"a.example": "::1"}, "b.example:443"); got != "b.example:443" {
		t.Errorf("another host is dialled at %s", got)
	}
	for name, want := range map[string]string{"localhost:80": "localhost:80", "app.localhost:80": "localhost:80", "A.B.Localhost:8443": "localhost:8443", "app.localhost.:80": "localhost:80", "notlocalhost:80": "notlocalhost:80"} {
		if got := ResolveAddress(nil, name); got != want {
			t.Errorf("%s is dialled at %s, want %s", name, got, want)
		}
	}
}

func TestErrorsHoldNoURL(t *testing.T) {
	const secret = "s3cr3t"
	client := newClient(t, Options{Timeout: time.Second})
	for _, r := range []Request{
		{URL: "http://127.0.0.1:1/?token=" + secret},
		{URL: "http://a b/?token=" + secret},
		{URL: "nothing://example.com/" + secret},
		{URL: "http://127.0.0.1:1/", ConnectTo: "http://%zz/" + secret},
		{URL: "http://127.0.0.1:1/", Header: http.Header{"Authorization": {secret + "\r\n"}}},
	} {
		r.Method = "POST"
		if ex := client.Do(context.Background(), r); ex.Err == nil || strings.Contains(ex.Err.Error(), secret) {
			t.Errorf("%v", ex.Err)
		}
	}
}

func TestCloneIsDeep(t *testing.T) {
	r := Request{Header: http.Header{"A": {"1"}}, Body: []byte("x")}
	c := r.Clone()
	c.Header["A"][0], c.Body[0] = "2", 'y'
	if r.Header["A"][0] != "1" || string(r.Body) != "x" {
		t.Error("the clone shares what it must not")
	}
	if (Request{}).Clone().Header == nil {
		t.Error("a clone's header cannot be written to")
	}
}

// Names under localhost are this machine, by whichever of its two addresses.
func TestLocalhostIsBothLoopbackAddresses(t *testing.T) {
	for ip, other := range map[string]string{"127.0.0.1": "::1", "::1": "127.0.0.1"} {
		port := ""
		for port == "" {
			l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
			if err != nil {
				t.Skip(err) // a machine without IPv6
			}
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) })}
			go server.Serve(l)
			t.Cleanup(func() { server.Close() })
			_, port, _ = net.SplitHostPort(l.Addr().String())
			if conn, err := net.Dial("tcp", net.JoinHostPort(other, port)); err == nil { // somebody else's
				conn.Close()
				port = ""
			}
		}
		for _, host := range []string{"localhost", "shop.localhost"} {
			if ex := newClient(t, Options{}).Do(t.Context(), Request{Method: "GET", URL: "http://" + host + ":" + port + "/"}); string(ex.Body()) != host+":"+port {
				t.Errorf("%s at %s: %v", host, ip, ex.Err)
			}
		}
	}
}
