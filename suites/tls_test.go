package suites_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// private puts a target behind https, with a certificate that no system knows.
func private(t *testing.T, target target.Target) (target.Target, []*x509.Certificate) {
	t.Helper()
	page, err := url.Parse(target.PageURL)
	if err != nil {
		t.Fatal(err)
	}
	inner := &url.URL{Scheme: page.Scheme, Host: page.Host}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(inner) },
		ModifyResponse: func(r *http.Response) error { // it redirects to itself
			if location := r.Header.Get("Location"); location != "" {
				r.Header.Set("Location", strings.TrimPrefix(location, inner.String()))
			}
			return nil
		},
	}
	s := httptest.NewUnstartedServer(proxy)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	s.StartTLS()
	t.Cleanup(s.Close)
	target.PageURL = s.URL + page.Path
	target.Login, target.Second, target.Resolve = nil, nil, nil
	for i := range target.Webhooks {
		target.Webhooks[i].ConnectTo = s.URL
	}
	return target, []*x509.Certificate{s.Certificate()}
}

func TestPrivateCertificates(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	shop, authorities := private(t, start(t, fixtures.Options{}))
	pageOnly := target.Target{PageURL: shop.PageURL}
	endpoint := target.Target{Endpoint: &target.EndpointConfig{URL: shop.PageURL}}
	hook := target.Target{Webhooks: shop.Webhooks[:1]}
	for _, row := range []struct {
		name, check string
		target      target.Target
	}{
		{"a page", "PAGE-WIDGET", pageOnly},
		{"an endpoint", "AUTH-POST-TOKEN", endpoint},
		{"a webhook", "RESP-STATUS", hook},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := suites.Options{Only: []string{row.check}, Timeout: impatience}
			run := suites.RunQuietly(t.Context(), row.target, o)
			if run.ExitCode != 2 || !strings.Contains(run.Hint, "--ca-file") {
				t.Errorf("without its authority: exit code %d, %s; %s", run.ExitCode, run.Problem, run.Hint)
			}
			row.target.Authorities = authorities
			run = suites.RunQuietly(t.Context(), row.target, o)
			c := find(t, run, row.check)
			if run.Problem != "" || strings.Contains(c.Reason+c.Actual, "certificate") {
				t.Errorf("with its authority: %s; %s", run.Problem, run.Hint)
				describe(t, c)
			}
		})
	}
}

// certified serves over https with a certificate of its own making.
func certified(t *testing.T, change func(*x509.Certificate)) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	change(c)
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(sound))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

var (
	expired   = func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-24 * time.Hour) }
	forOthers = func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} }
	selfMade  = func(*x509.Certificate) {}
)

// A certificate that nobody would trust is the webhook's mistake where Kindly calls
// it, and the way out is said where it is only called here.
func TestACertificateThatNobodyTrustsIsNamed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*x509.Certificate)
		public bool // it is called at the address that Kindly has
		exit   int
		says   string
	}{
		{"expired", expired, true, 1, "Renew the certificate: it was valid until"},
		{"for another name", forOthers, true, 1, "for other.example, and not for 127.0.0.1"},
		{"of nobody", selfMade, true, 2, "It is self-signed"},
		{"expired, on this machine", expired, false, 2, "Renew the certificate"},
		{"for another name, on this machine", forOthers, false, 2, "--resolve HOST=ADDRESS"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := certified(t, row.change)
			hook := target.Webhook{URL: "https://hooks.example.com/kindly", ConnectTo: url}
			if row.public {
				hook = target.Webhook{URL: url + "/kindly"}
			}
			run := suites.RunQuietly(t.Context(), target.Target{Webhooks: []target.Webhook{hook}}, suites.Options{Only: []string{"RESP-STATUS", "HOOK-ANONYMOUS"}, Timeout: impatience})
			text := run.Hint
			if row.exit == 1 {
				if found := findings(run); !slices.Equal(found, []string{"webhook-certificate"}) {
					t.Fatalf("it names %q: %s", found, run.Problem)
				}
				text = run.Causes[0].Fix
			}
			if run.ExitCode != row.exit || !strings.Contains(text, row.says) {
				t.Errorf("exit code %d, %q; want %d and %q", run.ExitCode, text, row.exit, row.says)
			}
		})
	}
}

// What Chrome says of an endpoint's certificate tells what to do.
func TestAnEndpointsCertificateIsNamed(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	auth := certified(t, selfMade) + "/auth"
	page := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, html(`async (id) => (await (await fetch("`+auth+`", {method: "POST", body: id})).json()).token`, ""))
	})
	run := suites.RunQuietly(t.Context(), target.Target{PageURL: page + "/"}, suites.Options{Only: []string{"PAGE-CALLBACK-TOKEN"}, Browser: sharedBrowser(t)})
	if found := findings(run); !slices.Equal(found, []string{"callback-unreachable"}) || !strings.Contains(run.Causes[0].Fix, "--ca-file") {
		t.Errorf("it names %q: %+v", found, run.Causes)
	}
}
