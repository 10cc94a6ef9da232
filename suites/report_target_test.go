package suites_test

import (
	"context"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A page's URL may carry what lets a tester in.
func TestTheTargetOfAReportHoldsNoCredential(t *testing.T) {
	t.Parallel()
	const password, preview, hmac = "pa55word", "prev1ew-key", "hm4c-secret"
	shop := target.Target{
		PageURL:  "https://ada:" + password + "@staging.example.com/" + hmac + "?preview_token=" + preview + "&lang=en",
		Endpoint: &target.EndpointConfig{URL: "https://staging.example.com/" + preview + "/token?api_key=" + password},
		Webhooks: []target.Webhook{{Name: "orders", Secret: hmac, URL: "https://hooks.example.com/kindly?key=" + preview}},
	}
	args := []string{"run", shop.PageURL, "--webhook", "orders=" + shop.Webhooks[0].URL + "=http://localhost:3000/", "--endpoint", shop.Endpoint.URL}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run := suites.RunQuietly(ctx, shop, suites.Options{Args: args})
	var b strings.Builder
	if err := reports.Write(&b, run, reports.JSON); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{password, preview, hmac} {
		if i := strings.Index(b.String(), secret); i >= 0 {
			t.Errorf("it holds %q: %s", secret, b.String()[max(0, i-80):i+40])
		}
	}
	if !strings.Contains(run.Target.Page, "lang=en") || !strings.Contains(strings.Join(run.Target.Args, " "), "http://localhost:3000/") {
		t.Errorf("too little is left: %+v", run.Target)
	}
}
