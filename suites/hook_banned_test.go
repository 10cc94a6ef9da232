package suites_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// What bans whoever sends many bad requests refuses all that comes after them: then nobody
// knows what the webhook behind it would have refused.
func TestARefusalOfWhoIsBannedTellsNothing(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"HOOK-KEY-CONFUSION", "SIG-WRONG"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			sound := plain()
			var bad atomic.Int32
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				answer := httptest.NewRecorder()
				if sound.ServeHTTP(answer, r); bad.Load() >= 3 {
					http.Error(w, "Forbidden", http.StatusForbidden)
					return true
				}
				if answer.Code >= 400 {
					bad.Add(1)
				}
				says(answer.Code, answer.Header().Get("Content-Type"), answer.Body.String())(w, r)
				return true
			}
			c := find(t, suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{id}, Concurrency: 1}), id)
			if c.Outcome != reports.Errored || !strings.Contains(c.Reason, "turns valid requests away by now") {
				t.Errorf("%s is %s: %s", id, c.Outcome, c.Reason)
				describe(t, c)
			}
		})
	}
}
