package wire_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// echo answers with what a gate would look at.
func echo(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s|%s|%s", r.Header.Get("X-Bypass"), r.Header.Get("Authorization"), r.Header.Get("Cookie"))
}

func do(t *testing.T, o wire.Options, r wire.Request) wire.Exchange {
	t.Helper()
	c := wire.NewClient(o)
	t.Cleanup(c.Close)
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	return c.Do(t.Context(), r)
}

func TestGateGoesToItsOriginsOnly(t *testing.T) {
	gated, other := httptest.NewServer(http.HandlerFunc(echo)), httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(gated.Close)
	t.Cleanup(other.Close)
	gates := wire.Gates{
		{Origins: []string{strings.ToUpper(gated.URL)}, Header: map[string]string{"x-bypass": "open"}, User: "staging", Password: "pw", Cookies: map[string]string{"gate": "1"}},
		{URL: gated.URL + "/hook", Header: map[string]string{"X-Bypass": "of the hook"}},
	}
	for _, row := range []struct {
		name   string
		url    string
		header http.Header
		want   string
	}{
		{"a request", gated.URL + "/a?b", nil, "open|Basic c3RhZ2luZzpwdw==|gate=1"},
		{"one with an Authorization of its own", gated.URL, http.Header{"authorization": {"Bearer x"}}, "open|Bearer x|gate=1"},
		{"one with cookies", gated.URL, http.Header{"cookie": {"sid=2"}}, "open|Basic c3RhZ2luZzpwdw==|sid=2; gate=1"},
		{"one that has passed the gate in the browser", gated.URL, http.Header{"Cookie": {"gate=1; sid=2"}, "X-Bypass": {"open"}}, "open|Basic c3RhZ2luZzpwdw==|gate=1; sid=2"},
		{"the one URL of a webhook", gated.URL + "/hook", nil, "of the hook|Basic c3RhZ2luZzpwdw==|gate=1"},
		{"another origin", other.URL, nil, "||"},
	} {
		t.Run(row.name, func(t *testing.T) {
			ex := do(t, wire.Options{Gates: gates}, wire.Request{URL: row.url, Header: row.header})
			if got := string(ex.Body()); got != row.want {
				t.Errorf("the server saw %q, want %q (%v)", got, row.want, ex.Err)
			}
			if printed := fmt.Sprintf("%v %+v", ex.Request, gates); strings.Contains(printed, "pw") || strings.Contains(fmt.Sprint(ex.Request.Header), "c3RhZ2luZzpwdw") {
				t.Errorf("a secret of the gate is seen in %s", printed)
			}
		})
	}
}

// Who calls is in each request, chosen or not: a gate that wants to see another is passed
// with that.
func TestAGateMaySayWhoCalls(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.UserAgent()) }))
	t.Cleanup(server.Close)
	o := wire.Options{UserAgent: "tester", Gates: wire.Gates{{Origins: []string{server.URL}, Header: map[string]string{"user-agent": "ci/1"}}}}
	for name, header := range map[string]http.Header{"ours": nil, "the browser's": {"User-Agent": {"Mozilla/5.0"}}} {
		if got := string(do(t, o, wire.Request{URL: server.URL, Header: header}).Body()); got != "ci/1" {
			t.Errorf("in place of %s the server saw %q", name, got)
		}
	}
}

// mutual is a server that wants a client certificate, and the certificate.
func mutual(t *testing.T) (*httptest.Server, *tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kindlytest"}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestClientCertificate(t *testing.T) {
	s, own := mutual(t)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	trust := &tls.Config{RootCAs: roots}
	ex := do(t, wire.Options{TLS: trust, Gates: wire.Gates{{Origins: []string{s.URL}, Certificate: own}}}, wire.Request{URL: s.URL})
	if got := string(ex.Body()); got != "kindlytest" {
		t.Errorf("the server saw %q, %v", got, ex.Err)
	}
	if ex := do(t, wire.Options{TLS: trust}, wire.Request{URL: s.URL}); !errors.Is(ex.Err, wire.ErrCertificate) {
		t.Errorf("got %v, want that the server wants a certificate", ex.Err)
	}
	if ex := do(t, wire.Options{}, wire.Request{URL: s.URL}); ex.Err == nil || errors.Is(ex.Err, wire.ErrCertificate) {
		t.Errorf("got %v, want that the server is not trusted", ex.Err)
	}
}

func TestProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s by %s", r.URL, r.Header.Get("Proxy-Authorization"))
	}))
	t.Cleanup(proxy.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "directly") }))
	t.Cleanup(server.Close)
	with := wire.Proxy{HTTP: strings.Replace(proxy.URL, "://", "://u:sesam@", 1), None: "direct.example"}
	local := strings.TrimPrefix(server.URL, "http://")
	resolve := map[string]string{"Hooks.example": local, "direct.example": local}
	for url, want := range map[string]string{
		"http://staging.example/a": "http://staging.example/a by Basic dTpzZXNhbQ==",
		"http://HOOKS.example/":    "directly", // resolve says where it is
		"http://direct.example/":   "directly",
		server.URL:                 "directly",
	} {
		ex := do(t, wire.Options{Proxy: with, Resolve: resolve}, wire.Request{URL: url})
		if got := string(ex.Body()); got != want {
			t.Errorf("%s: got %q (%v), want %q", url, got, ex.Err, want)
		}
	}
	forged := wire.Request{URL: "http://staging.example/a?b=c", Host: "evil.example"}
	if got, want := string(do(t, wire.Options{Proxy: with}, forged).Body()), "http://staging.example/a?b=c by Basic dTpzZXNhbQ=="; got != want {
		t.Errorf("with another Host: got %q, want %q", got, want)
	}
	ex := do(t, wire.Options{Proxy: wire.Proxy{HTTP: "http://u:sesam@[broken"}}, wire.Request{URL: "http://staging.example/"})
	if ex.Err == nil || strings.Contains(ex.Err.Error(), "sesam") || strings.Contains(fmt.Sprintf("%v %+v %#v", with, with, with), "sesam") {
		t.Errorf("got %v, which must be an error without the password", ex.Err)
	}
}

func TestResolveInAnyLetterCase(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) }))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c := wire.NewClient(wire.Options{Resolve: map[string]string{"Hooks.Example": strings.TrimPrefix(server.URL, "http://")}})
	defer c.Close()
	if ex := c.Do(ctx, wire.Request{Method: "GET", URL: "http://hooks.EXAMPLE/"}); ex.Status() != http.StatusOK {
		t.Errorf("got %v", ex.Err)
	}
}

func TestPlaceholdersHoldNoSecret(t *testing.T) {
	gates := wire.Gates{{Origins: []string{"https://a.example"}, Header: map[string]string{"x-bypass": "s3cret", "x`id`": "s3cret"}, User: "staging", Password: "s3cret",
		Cookies: map[string]string{"gate": "s3cret", "a": "s3cret"}}, {Origins: []string{"https://b.example"}, Header: map[string]string{"X-Other": "s3cret"}}}
	got := strings.Join(gates.Placeholders("https://a.example/hook"), "\n")
	if want := "Authorization: $GATE_AUTHORIZATION\nX-Bypass: $GATE_X_BYPASS\nCookie: a=$GATE_A; gate=$GATE_GATE"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWithoutTheGateTheSessionIsLeft(t *testing.T) {
	gates := wire.Gates{{Origins: []string{"https://a.example"}, Header: map[string]string{"X-Gate": "k"}, User: "u", Password: "p", Cookies: map[string]string{"gate": "c"}}}
	sent := http.Header{"X-Gate": {"k"}, "Authorization": {"Basic dTpw"}, "Cookie": {"gate=c; sid=1"}, "Accept": {"*/*"}}
	got := gates.Without(sent, "https://a.example/token")
	if len(got) != 2 || got.Get("Cookie") != "sid=1" || got.Get("Accept") != "*/*" {
		t.Errorf("got %v", got)
	}
	if got := gates.Without(http.Header{"Authorization": {"Bearer t"}, "Cookie": {"gate=other"}}, "https://a.example/token"); len(got) != 2 {
		t.Errorf("what is not the gate's is gone: %v", got)
	}
	if got := gates.Without(sent, "https://b.example/"); len(got) != len(sent) {
		t.Errorf("another origin has no such gate: %v", got)
	}
}
