package suites_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// An endpoint that lets a few through in an hour, in one program with the page and a
// webhook: what it turned away is not judged, and accuses nobody; all else is.
func TestALimitOfOnePlaceHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	h := plain()
	var asked atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/hook":
			h.ServeHTTP(w, r)
		case r.URL.Path != "/auth":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, html(fetching, ""))
		case asked.Add(1) > 3:
			w.Header().Set("Retry-After", "3600")
			http.Error(w, `{"error":"too many requests"}`, http.StatusTooManyRequests)
		default:
			var body struct{ ChatID string }
			if json.NewDecoder(r.Body).Decode(&body) != nil || body.ChatID == "" {
				http.Error(w, "{}", http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"token":%q}`, plainEndpoint{}.token("user-ada", body.ChatID, r))
		}
	})
	shop := targetOf(t, h)
	shop.PageURL, shop.Login = url+"/", &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "9f2c7be1a0d4", HTTPOnly: true}}}
	shop.Webhooks[0].ConnectTo = url + "/hook"
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Only: []string{"PAGE-CALLBACK-*", "AUTH-POST-TOKEN", "AUTH-NO-SESSION", "HOOK-VALID", "HOOK-ALG-NONE", "HOOK-SIGNATURE", "SIG"}})
	for _, c := range run.Checks {
		if c.Outcome == reports.Failed || c.Outcome == reports.Warned {
			describe(t, c)
			t.Errorf("%s is accused", c.ID)
		}
		if of := c.ID[:strings.Index(c.ID, "-")]; slices.Contains([]string{"HOOK", "SIG"}, of) && c.Outcome == reports.Errored {
			describe(t, c)
			t.Errorf("%s could not run", c.ID)
		}
	}
	if run.ExitCode != 2 || !strings.Contains(run.Problem, "limits how often") {
		t.Errorf("exit code %d: %s", run.ExitCode, run.Problem)
	}
}
