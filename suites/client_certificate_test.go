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
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// mutual serves over https those alone who present a certificate of the authority that
// it returns one of.
func mutual(t *testing.T, h http.Handler) (*httptest.Server, *tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	own, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
	s.TLS.ClientCAs.AddCert(own)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A server that wants a client certificate is called that, whoever meets it; and with
// one, page, endpoint and webhook are judged as others are.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	var guests atomic.Bool
	s, own := mutual(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/auth":
			if guests.Load() {
				r.AddCookie(&http.Cookie{Name: "sid", Value: "0123456789"})
			}
			sound(w, r)
		case r.URL.Path == "/hook":
			plain().ServeHTTP(w, r)
		default:
			if r.URL.Path == "/login" {
				http.SetCookie(w, &http.Cookie{Name: "sid", Value: "0123456789", Path: "/", Secure: true, HttpOnly: true})
			}
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, html(askAuth, ""))
		}
	}))
	hook := targetOf(t, plain())
	hook.Webhooks[0].ConnectTo = s.URL + "/hook"
	session := http.Header{"Cookie": {"sid=0123456789"}}
	for name, row := range map[string]struct {
		shop   target.Target
		checks []string
	}{
		"the page":    {target.Target{PageURL: s.URL + "/", Login: bySID}, []string{"PAGE-CALLBACK-TOKEN", "AUTH-POST-TOKEN", "AUTH-NO-SESSION"}},
		"its login":   {target.Target{PageURL: s.URL + "/", Login: &browser.Login{Steps: []browser.Step{{Goto: s.URL + "/login"}}}}, []string{"PAGE-CALLBACK-TOKEN"}},
		"an endpoint": {target.Target{Endpoint: &target.EndpointConfig{URL: s.URL + "/auth", Header: session}}, []string{"AUTH-POST-TOKEN", "AUTH-NO-SESSION"}},
		"a webhook":   {hook, []string{"RESP-STATUS", "HOOK-VALID", "HOOK-WRONG-KEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			look := func() reports.Run {
				row.shop.Authorities = []*x509.Certificate{s.Certificate()}
				return suites.RunQuietly(t.Context(), row.shop, suites.Options{Only: row.checks})
			}
			run := look()
			noneIs(t, run, reports.Failed)
			if run.ExitCode != 2 || !strings.Contains(run.Problem, "wants a client certificate") || !strings.Contains(run.Hint, subject.ClientCertificate) {
				t.Errorf("without one: exit code %d, %s; %s", run.ExitCode, run.Problem, run.Hint)
			}
			row.shop.Gates = wire.Gates{{Origins: []string{s.URL}, Certificate: own}}
			run = look()
			for _, id := range row.checks {
				if c := find(t, run, id); c.Outcome != reports.Passed {
					t.Errorf("with one: %s is %s", id, c.Outcome)
					describe(t, c)
				}
			}
			if !slices.Contains(row.checks, "AUTH-NO-SESSION") {
				return
			}
			guests.Store(true)
			defer guests.Store(false)
			if c := find(t, look(), "AUTH-NO-SESSION"); c.Outcome != reports.Failed {
				t.Errorf("a token for guests: AUTH-NO-SESSION is %s", c.Outcome)
				describe(t, c)
			}
		})
	}
}

// An endpoint beside an open page may want one, too: nobody has died there.
func TestAnEndpointThatWantsACertificateIsNamed(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	s, _ := mutual(t, http.HandlerFunc(sound))
	page := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, html(strings.Replace(askAuth, `"/auth"`, `"`+s.URL+`/auth"`, 1), ""))
	})
	shop := target.Target{PageURL: page + "/", Login: bySID, Authorities: []*x509.Certificate{s.Certificate()}}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"PAGE-CALLBACK-TOKEN", "AUTH"}})
	if found := findings(run); !slices.Equal(found, []string{"callback-unreachable"}) || !strings.Contains(run.Causes[0].Fix, subject.ClientCertificate) {
		t.Errorf("it names %q: %+v", found, run.Causes)
	}
	if run.Summary.Deaths != 0 {
		t.Errorf("%d processes are said to have died", run.Summary.Deaths)
	}
}
