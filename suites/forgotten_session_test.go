package suites_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/suites"
)

// Sessions in the memory of one of two processes: whoever meets the other one is
// nobody. A session that nobody knows any more is no such thing.
func TestASessionThatOneProcessKnowsIsNamed(t *testing.T) {
	t.Parallel()
	var served atomic.Int64
	for name, row := range map[string]struct {
		who   func(*http.Request) string
		named bool
	}{
		"one of two processes": {func(r *http.Request) string {
			if served.Add(1)%2 == 0 {
				return ""
			}
			return plainSession(r)
		}, true},
		"none": {func(*http.Request) string { return "" }, false},
		"all":  {plainSession, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := suites.RunQuietly(t.Context(), plainEndpointOf(t, plainEndpoint{who: row.who}), suites.Options{Only: []string{"AUTH-POST-TOKEN", "AUTH-CONCURRENT", "LIVE-AUTH-BURST"}})
			named := false
			for _, c := range run.Causes {
				named = named || c.ID == "endpoint-forgets-sessions" && c.Confirmed
			}
			if named != row.named {
				t.Errorf("named: %t; it names %q", named, findings(run))
			}
		})
	}
}
