package docs_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/server"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// What go-api.md shows is run: with the reference customer's webhook for that of
// a team.
var (
	orders  ordersPackage
	testKey *token.PrivateKey
	secret  string
)

type ordersPackage struct{}

// Handler starts the customer, whose key and secret a team would know.
func (ordersPackage) Handler() http.Handler {
	customer, err := fixtures.Start(context.Background(), fixtures.Options{})
	if err != nil {
		panic(err)
	}
	hook := customer.Webhooks[0]
	if testKey, err = token.ParsePrivateKey("private.pem", customer.PrivatePEM); err != nil {
		panic(err)
	}
	secret = hook.Secret
	local, err := url.Parse(hook.LocalURL)
	if err != nil {
		panic(err)
	}
	return &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.Out.URL, r.Out.Host = local, local.Host },
		ErrorLog: log.New(io.Discard, "", 0), // of clients that hang up
	}
}

func TestOrdersWebhook(t *testing.T) {
	shop := httptest.NewServer(orders.Handler())
	defer shop.Close()
	run := suites.Run(t.Context(), target.Target{
		PrivateKey: testKey, // token.ParsePrivateKey
		Webhooks: []target.Webhook{{
			Name: "orders", URL: "https://hooks.example.com/kindly", ConnectTo: shop.URL, Secret: secret,
		}},
	}, suites.Options{})
	for _, c := range run.Checks {
		if c.Outcome == reports.Failed || c.Outcome == reports.Errored {
			t.Error(c) // "HOOK-EXPIRED failed: …"
		}
	}
	if run.Summary.Passed < 10 { // this shop looks its users up, and knows nobody whom only the key names
		t.Errorf("only %d checks passed: %s", run.Summary.Passed, run.Problem)
	}
}

// goAPI is the rest of the page, so that a compiler sees it.
func goAPI(keys []*token.Key, hooks []mockkindly.Webhook) (http.Handler, error) {
	var _ = suites.Describe(target.Target{PageURL: "https://staging.example.com/"}, suites.Options{})

	kindly, err := mockkindly.New(mockkindly.Options{AnyBot: &mockkindly.Bot{PublicKeys: keys, Webhooks: hooks}})
	if err != nil {
		return nil, err
	}
	handler := server.New(kindly, server.Options{})
	return handler, nil
}

var _ = goAPI
