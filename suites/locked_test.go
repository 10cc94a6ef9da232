package suites_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// What fails with an error while it is asked something else, as over a locked database,
// fails in crowds, and nothing else: whoever asks alone is answered well.
func TestAServiceThatFailsInCompanyIsAskedAlone(t *testing.T) {
	t.Parallel()
	locked := func(next http.Handler) http.HandlerFunc {
		var database sync.Mutex
		return func(w http.ResponseWriter, r *http.Request) {
			if !database.TryLock() {
				http.Error(w, "database is locked", http.StatusInternalServerError)
				return
			}
			defer database.Unlock()
			time.Sleep(3 * time.Millisecond) // it writes
			next.ServeHTTP(w, r)
		}
	}
	for name, row := range map[string]struct {
		only, names []string
	}{
		"a webhook":    {[]string{"HOOK", "SIG", "RESP", "LIVE-HOOK-B*"}, []string{"LIVE-HOOK-BURST"}},
		"the endpoint": {[]string{"AUTH", "LIVE-AUTH-B*"}, []string{"endpoint-fails-in-crowds"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := targetOf(t, plain())
			if name == "a webhook" {
				shop.Webhooks[0].ConnectTo = serve(t, locked(plain()))
			} else {
				shop = plainEndpointOf(t, plainEndpoint{})
				shop.Endpoint.URL = serve(t, locked(plainEndpoint{}))
			}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: row.only})
			if found := findings(run); !slices.Equal(found, row.names) {
				t.Errorf("it names %q, want %q", found, row.names)
				for _, c := range run.Checks {
					if c.Outcome == reports.Failed || c.Outcome == reports.Warned {
						describe(t, c)
					}
				}
			}
		})
	}
}
