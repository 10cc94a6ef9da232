package docs_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/server"
	"github.com/kindlytest/kindlytest/mockkindly/token"
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
	customer, err := fixtures.Start(context.Background(), fixtures.Options{Manner: fixtures.AnyIssuer})
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
		PrivateKey: testKey, Sub: "u-1001", // token.ParsePrivateKey, and a user whom the webhook knows
		Webhooks: []target.Webhook{{
			Name: "orders", URL: "https://hooks.example.com/kindly", ConnectTo: shop.URL, Secret: secret,
		}},
	}, suites.Options{})
	if err := run.Err(); err != nil {
		t.Error(err) // the verdict, then lines such as "HOOK-EXPIRED failed: …"
	}
	if run.Summary.Passed < 50 {
		t.Errorf("only %d checks passed: %s", run.Summary.Passed, run.Problem)
	}
}

func TestStaging(t *testing.T) {
	t.Chdir(describeOrders(t))
	c, err := config.Load("kindlytest.yaml", os.LookupEnv)
	if err != nil {
		t.Fatal(err) // each mistake with its line and column
	}
	if err := suites.Run(t.Context(), c.Target, c.Options).Err(); err != nil {
		t.Error(err)
	}
}

// describeOrders makes a folder with a kindlytest.yaml.
func describeOrders(t *testing.T) string {
	t.Helper()
	dir, shop := t.TempDir(), httptest.NewServer(orders.Handler())
	t.Cleanup(shop.Close)
	text := "version: 1\nwebhooks: [{name: orders, url: https://hooks.example.com/kindly, connect_to: " + shop.URL + ", hmac_secret: " + secret + "}]\nchecks: {only: [RESP]}\n"
	if err := os.WriteFile(filepath.Join(dir, "kindlytest.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What it says, where something does not hold.
func TestAFailingRunIsAnError(t *testing.T) {
	run := suites.Run(t.Context(), target.Target{Webhooks: []target.Webhook{{Name: "orders", URL: httptest.NewServer(http.NotFoundHandler()).URL}}},
		suites.Options{Only: []string{"RESP-STATUS"}})
	if err := run.Err(); err == nil || !strings.Contains(err.Error(), "RESP-STATUS failed: ") {
		t.Error(err)
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

	now := time.Now().Unix()
	raw, err := mockkindly.Mint(testKey, map[string]any{"sub": "u-1001", "iat": now, "exp": now + 300, "chat": map[string]any{"id": "c-1"}})
	if err != nil || !token.Check(raw, token.Expect{}).Accepted() {
		return nil, err
	}
	return handler, nil
}

var _ = goAPI
