package suites_test

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// Who refuses a long body may close the connection, and the refusal is lost with it now and
// then. Where none comes ever, that is no refusal.
func TestARefusalOfALongBodyMayBeLost(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		every   int64 // so many are answered
		outcome reports.Outcome
	}{
		{"now and then", 2, reports.Passed},
		{"each time", 1 << 60, reports.Failed},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			var long atomic.Int64
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.ContentLength < 500_000 {
					return false
				}
				if long.Add(1)%row.every == 0 {
					io.Copy(io.Discard, r.Body) // else this refusal may be lost, too
					w.WriteHeader(http.StatusRequestEntityTooLarge)
				} else {
					reset(w)
				}
				return true
			}
			run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"LIVE-HOOK-BODY"}})
			if c := find(t, run, "LIVE-HOOK-BODY"); c.Outcome != row.outcome {
				t.Errorf("LIVE-HOOK-BODY is %s, want %s", c.Outcome, row.outcome)
				describe(t, c)
			}
		})
	}
}
