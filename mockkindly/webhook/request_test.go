package webhook

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// rawServer answers one request with 200 and {}, and returns what it read.
func rawServer(t *testing.T) (address string, got func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	text := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var seen strings.Builder
		req, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &seen)))
		if err == nil {
			_, _ = io.Copy(io.Discard, req.Body)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
		text <- seen.String()
	}()
	return l.Addr().String(), func() string {
		select {
		case s := <-text:
			return s
		case <-time.After(5 * time.Second):
			t.Fatal("no request arrived")
			return ""
		}
	}
}

func TestRequestOnTheWire(t *testing.T) {
	address, got := rawServer(t)
	req, err := NewRequest(RequestOptions{
		URL: "https://hooks.example.com/kindly", ConnectTo: "http://" + address + "/local",
		Secret: "examplekey", Token: "aaa.bbb.ccc", Payload: New(chatID, "hi"),
	})
	if err != nil {
		t.Fatal(err)
	}
	client := wire.NewClient(wire.Options{Timeout: 5 * time.Second})
	defer client.Close()
	if ex := client.Do(context.Background(), req); ex.Err != nil || ex.Status() != 200 {
		t.Fatalf("status %d, %v", ex.Status(), ex.Err)
	}
	text := got()
	for _, line := range []string{
		"POST /local HTTP/1.1\r\n",
		"\r\nContent-Type: application/json\r\n",
		"\r\nKindly-HMAC: " + Sign("examplekey", req.Body) + "\r\n",
		"\r\nKindly-HMAC-algorithm: HMAC-SHA-256 (base64 encoded)\r\n",
		"\r\nAuthorization: Bearer aaa.bbb.ccc\r\n",
		"\r\n\r\n" + string(req.Body),
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the request lacks %q:\n%s", line, text)
		}
	}
}

func TestRequestLeavesOut(t *testing.T) {
	req, err := NewRequest(RequestOptions{URL: "http://localhost:1/", Payload: New(chatID, "hi")})
	if err != nil {
		t.Fatal(err)
	}
	for name := range req.Header {
		if name != "Content-Type" {
			t.Errorf("without token and secret there is a %s", name)
		}
	}
}

func TestNewRequestErrors(t *testing.T) {
	const secret = "s3cr3t"
	good := RequestOptions{URL: "https://example.com/", Payload: New(chatID, "hi")}
	tests := []struct {
		name   string
		change func(*RequestOptions)
		want   string
	}{
		{"relative URL", func(o *RequestOptions) { o.URL = "/kindly?" + secret }, "the webhook's URL"},
		{"unreadable URL", func(o *RequestOptions) { o.URL = "https://a b/?" + secret }, "the webhook's URL"},
		{"other scheme", func(o *RequestOptions) { o.URL = "ftp://example.com/" + secret }, "the webhook's URL"},
		{"local without scheme", func(o *RequestOptions) { o.ConnectTo = "localhost:3000" }, "the URL to connect to"},
		{"token with a line end", func(o *RequestOptions) { o.Token = token.Raw("a.b." + secret + "\r\nX: y") }, "the token"},
		{"payload", func(o *RequestOptions) { o.Payload.Extra = map[string]any{"message": secret} }, "documented name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := good
			tt.change(&o)
			_, err := NewRequest(o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("error %v, want %q and no secret", err, tt.want)
			}
			if errors.Unwrap(err) != nil && strings.Contains(errors.Unwrap(err).Error(), secret) {
				t.Errorf("the cause holds the secret: %v", err)
			}
		})
	}
}
