package browser_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// A relay is an HTTP proxy that wants a password, and leads all names to one
// server.
type relay struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func newRelay(t testing.TB, password string, to *httptest.Server) *relay {
	p := &relay{}
	want := "Basic dTpzZXNhbQ==" // u:sesam
	forward := &httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Host = to.Listener.Addr().String()
	}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if password != "" && r.Header.Get("Proxy-Authorization") != want {
			w.Header().Set("Proxy-Authenticate", `Basic realm="relay"`)
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		p.mu.Lock()
		p.seen = append(p.seen, r.Method+" "+r.Host)
		p.mu.Unlock()
		if r.Method != http.MethodConnect {
			forward.ServeHTTP(w, r)
			return
		}
		server, err := net.Dial("tcp", to.Listener.Addr().String())
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			server.Close()
			return
		}
		go func() { io.Copy(server, client); server.Close() }()
		go func() { io.Copy(client, server); client.Close() }()
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *relay) url() string { return strings.Replace(p.URL, "://", "://u:sesam@", 1) }

func (p *relay) saw(what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.seen, what)
}

// staging is a page over https, for the names in its certificate: *.example.com.
func staging(t testing.TB, configure func(*tls.Config)) (*httptest.Server, *x509.CertPool) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeHTML(w, "<script>document.title = 'reached'</script>")
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{}
	if configure != nil {
		configure(s.TLS)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s, pool
}

func TestChromeCallsThroughTheProxy(t *testing.T) {
	plain := newSite(t, map[string]string{"/{$}": "<script>document.title = 'reached'</script>"})
	secure, roots := staging(t, nil)
	for _, row := range []struct {
		name, password, url, saw string
		to                       *httptest.Server
		roots                    *x509.CertPool
		none                     string
		resolve                  map[string]string
	}{
		{name: "http", url: "http://staging.example.com/", to: plain.Server, saw: "GET staging.example.com"},
		{name: "http, with a password", password: "sesam", url: "http://staging.example.com/", to: plain.Server, saw: "GET staging.example.com"},
		{name: "https, with a private authority", url: "https://staging.example.com/", to: secure, roots: roots, saw: "CONNECT staging.example.com:443"},
		{name: "https, with a password", password: "sesam", url: "https://staging.example.com/", to: secure, roots: roots, saw: "CONNECT staging.example.com:443"},
		{name: "http, beside a private authority", password: "sesam", url: "http://staging.example.com/", to: plain.Server, roots: roots, saw: "GET staging.example.com"},
		{name: "not for this machine", url: plain.URL + "/", to: plain.Server},
		{name: "not for this machine beside a private authority", url: plain.URL + "/", to: plain.Server, roots: roots},
		{name: "not for what NO_PROXY names", url: "http://a.example.org/", to: plain.Server, none: "localhost,example.org", resolve: map[string]string{"A.example.org": plain.Listener.Addr().String()}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newRelay(t, row.password, row.to)
			b := launch(t, browser.Options{RootCAs: row.roots, Resolve: row.resolve, Proxy: wire.Proxy{HTTP: p.url(), HTTPS: p.url(), None: row.none}})
			page := visitAs(t, newUser(t, b, browser.Login{}), row.url, nil)
			if got := title(t, page); got != "reached" {
				t.Fatalf("the page is titled %q, %v", got, page.Record().Navigation)
			}
			if row.saw != "" && !p.saw(row.saw) || row.saw == "" && len(p.seen) > 0 {
				t.Errorf("the proxy saw %v, want %q", p.seen, row.saw)
			}
		})
	}
}

func TestChromePresentsAClientCertificate(t *testing.T) {
	var own *tls.Certificate
	s, roots := staging(t, func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert })
	for _, c := range s.TLS.Certificates { // any will do for this server
		own = &c
	}
	url := strings.Replace(s.URL, "127.0.0.1", "example.com", 1)
	resolve := map[string]string{"example.com": "127.0.0.1"}
	with := launch(t, browser.Options{RootCAs: roots, Resolve: resolve, Gates: wire.Gates{{Origins: []string{url}, Certificate: own}}})
	if got := title(t, visitAs(t, newUser(t, with, browser.Login{}), url, nil)); got != "reached" {
		t.Errorf("the page is titled %q, %v", got, with.ConnectionError(url))
	}
	without := launch(t, browser.Options{RootCAs: roots, Resolve: resolve})
	visitAs(t, newUser(t, without, browser.Login{}), url, nil)
	if err := without.ConnectionError(url); !errors.Is(err, wire.ErrCertificate) {
		t.Errorf("got %v, want that a certificate is wanted", err)
	}
}
