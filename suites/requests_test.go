package suites_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/suites"
)

// counting stands before a server, and counts the requests to it.
func counting(t *testing.T, raw string) (string, *atomic.Int64) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	n := new(atomic.Int64)
	behind := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = u.Scheme, u.Host, u.Host
		},
		ErrorLog: log.New(io.Discard, "", 0), // of clients that hang up
	}
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		behind.ServeHTTP(w, r)
	})
	return base + u.Path, n
}

// What is sent to somebody's server is bounded: whatever is tried, repeated and
// looked after, a run against a sound customer sends so many requests, burst
// included.
func TestASoundRunSendsNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	const toEndpoint, toWebhook = 300 + 300/4, 540 + 540/4 // a quarter more where the machine is busy
	shop, customer := startReference(t, fixtures.Options{})
	shop = withoutPage(t, shop, customer)
	var sent []*atomic.Int64
	var n *atomic.Int64
	for i := range shop.Webhooks {
		shop.Webhooks[i].ConnectTo, n = counting(t, shop.Webhooks[i].ConnectTo)
		sent = append(sent, n)
	}
	shop.Endpoint.URL, n = counting(t, shop.Endpoint.URL)
	run := suites.RunQuietly(t.Context(), shop, suites.Options{})
	t.Logf("%+v in %d ms: %d requests to the endpoint", run.Summary, run.DurationMS, n.Load())
	if n.Load() > toEndpoint || n.Load() < 64 {
		t.Errorf("%d requests to the endpoint, want at most %d", n.Load(), toEndpoint)
	}
	for i, n := range sent {
		t.Logf("%d to %s", n.Load(), shop.Webhooks[i].Name)
		if n.Load() > toWebhook || n.Load() < 64 {
			t.Errorf("%d requests to %s, want at most %d", n.Load(), shop.Webhooks[i].Name, toWebhook)
		}
	}
}
