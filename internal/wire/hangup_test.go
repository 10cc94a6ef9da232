package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestHangUp(t *testing.T) {
	type seen struct {
		header http.Header
		body   []byte
		err    error
	}
	certified := func(h http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
		s.StartTLS()
		return s
	}
	second := func(h http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.EnableHTTP2 = true
		s.StartTLS()
		return s
	}
	for name, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer, "to a server that HTTP/2 was spoken with": second,
		"through a proxy": httptest.NewServer, "with a certificate": certified} {
		t.Run(name, func(t *testing.T) {
			got := make(chan seen, 1)
			server := start(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				got <- seen{r.Header, body, err}
			}))
			defer server.Close()
			o := Options{UserAgent: "tester"}
			if certificate := server.Certificate(); certificate != nil {
				roots := x509.NewCertPool()
				roots.AddCert(certificate)
				o.TLS = &tls.Config{RootCAs: roots}
			}
			url := server.URL
			switch name {
			case "through a proxy":
				o.Proxy, url = Proxy{HTTP: server.URL}, "http://hooks.example"
			case "with a certificate":
				o.Gates = Gates{{Origins: []string{url}, Certificate: &server.TLS.Certificates[0]}}
			}
			r := Request{Method: "POST", URL: url + "/hook?a=b", Header: http.Header{"X-Name": {"value"}}, Body: []byte(`{"half":`)}
			c := newClient(t, o)
			if name == "to a server that HTTP/2 was spoken with" {
				if ex := c.Do(t.Context(), r); ex.Status() != http.StatusOK {
					t.Fatal(ex.Err)
				}
				<-got
			}
			if err := c.HangUp(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			select {
			case s := <-got:
				if string(s.body) != `{"half":` || !errors.Is(s.err, io.ErrUnexpectedEOF) {
					t.Errorf("the server read %q and got %v", s.body, s.err)
				}
				if s.header.Get("User-Agent") != "tester" || s.header.Get("X-Name") == "" {
					t.Errorf("header %v", s.header)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("the server saw no end of the request")
			}
		})
	}
}

func TestHangUpSendsNoSecondHeaderInOne(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	r := Request{Method: "POST", URL: server.URL, Header: http.Header{"X-Name": {"value\r\nX-Injected: 1"}}}
	if err := newClient(t, Options{}).HangUp(t.Context(), r); err == nil {
		t.Error("it was sent")
	}
}

func TestHangUpOnAServerNobodyTrusts(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about the handshake
	server.StartTLS()
	defer server.Close()
	if err := newClient(t, Options{}).HangUp(t.Context(), Request{Method: "POST", URL: server.URL}); err == nil {
		t.Error("a certificate that nobody vouches for was accepted")
	}
}

func TestHangUpWaitsItsTurn(t *testing.T) {
	refused := errors.New("not now")
	c := newClient(t, Options{Wait: func(context.Context) error { return refused }})
	if err := c.HangUp(t.Context(), Request{Method: "POST", URL: "http://127.0.0.1:1/"}); !errors.Is(err, refused) || !errors.Is(err, ErrNotSent) {
		t.Errorf("got %v", err)
	}
}
