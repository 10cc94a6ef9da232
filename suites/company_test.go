package suites_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// Teams make several mistakes at once: each is named, and none hides behind another.

func findCause(run reports.Run, id string) (reports.Cause, bool) {
	i := slices.IndexFunc(run.Causes, func(c reports.Cause) bool { return c.ID == id })
	if i < 0 {
		return reports.Cause{}, false
	}
	return run.Causes[i], true
}

func TestARedirectDoesNotAccountForBelief(t *testing.T) {
	h := plain()
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/orders" {
			http.Redirect(w, r, "/orders/", http.StatusTemporaryRedirect)
		}
		return r.URL.Path == "/orders"
	}
	h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
		return header["alg"] == "none" || soundly(header, claims, signed, chat)
	}
	shop := targetOf(t, h)
	shop.Webhooks[0].ConnectTo += "/orders"
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"FWD", "HOOK", "RESP-STATUS"}})
	if c := find(t, run, "HOOK-ALG-NONE"); c.Outcome != reports.Failed || c.Cause != "webhook-lets-token-choose" {
		t.Errorf("HOOK-ALG-NONE: %s for %q", c.Outcome, c.Cause)
	}
	c, ok := findCause(run, "webhook-wants-slash")
	if !ok || !slices.Equal(c.Explains, []string{"FWD-REDIRECT", "RESP-STATUS"}) {
		t.Errorf("the slash explains %q", c.Explains)
	}
	if len(run.Causes) != 2 || run.Causes[0].ID != "webhook-lets-token-choose" {
		t.Errorf("causes: %+v", run.Causes)
	}
}
