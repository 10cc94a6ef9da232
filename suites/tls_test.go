package suites_test

import (
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

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
