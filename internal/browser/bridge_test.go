package browser_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/porttest"
)

// An authority signs certificates of servers, in tests only.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{c, key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// serve runs a site on loopback with a certificate for the name, until then.
// also follows the server's own certificate in what it presents.
func (a *authority) serve(t *testing.T, name string, until time.Time, also ...[]byte) *httptest.Server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until}
	if name != "localhost" {
		template.IPAddresses = nil
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPost {
			fmt.Fprintf(w, "%s %s", r.Proto, body)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<title>…</title><script>fetch('/', {method: 'POST', body: 'x'.repeat(200000)}).then(r => r.text())`+
			`.then(t => { document.title = t.slice(0, 8) + ' ' + t.length + ' ' + isSecureContext })</script>`)
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: append([][]byte{der}, also...), PrivateKey: key}}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestPrivateAuthority(t *testing.T) {
	needChrome(t)
	ours, theirs := newAuthority(t), newAuthority(t)
	later, before := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	sound := ours.serve(t, "localhost", later)
	_, port, _ := strings.Cut(strings.TrimPrefix(sound.URL, "https://"), ":")
	rows := []struct{ name, url, refused string }{
		{"is trusted", sound.URL + "/", ""},
		{"by name", "https://localhost:" + port + "/", ""},
		{"for its own name only", "https://staging.example/", "not staging.example"},
		{"while its certificate is valid", ours.serve(t, "localhost", before).URL, "expired"},
		{"and no other authority", theirs.serve(t, "localhost", later).URL, "unknown authority"},
		{"nor one who only shows its certificate", theirs.serve(t, "localhost", later, ours.certificate.Raw).URL, "unknown authority"},
		{"nobody is there", "https://" + porttest.Nobody + "/", "refused"},
	}
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	b, err := browser.Launch(withTimeout(t), browser.Options{Path: chromePath, TempDir: t.TempDir(), RootCAs: ours.pool(),
		Resolve: map[string]string{"staging.example": "127.0.0.1:" + port}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			u, err := b.NewUser(withTimeout(t), browser.Login{})
			if err != nil {
				t.Fatal(err)
			}
			defer u.Close()
			p, err := u.Visit(withTimeout(t), row.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			p.Settle(withTimeout(t))
			nav := p.Record().Navigation
			if row.refused != "" {
				if err := b.ConnectionError(row.url); nav.Error == "" || err == nil || !strings.Contains(err.Error(), row.refused) {
					t.Errorf("%+v, %v; want %q", nav, err, row.refused)
				}
				return
			}
			st, err := p.State(withTimeout(t))
			if err != nil || nav.Status != 200 || st.Title != "HTTP/2.0 200009 true" {
				t.Errorf("%+v, title %q, %v", nav, st.Title, err)
			}
		})
	}
}

func TestWithoutItsAuthorityAPageIsRefused(t *testing.T) {
	s := newAuthority(t).serve(t, "localhost", time.Now().Add(time.Hour))
	nav := visit(t, s.URL, nil).Record().Navigation
	if !strings.Contains(nav.Error, "ERR_CERT_AUTHORITY_INVALID") {
		t.Errorf("got %+v", nav)
	}
}
