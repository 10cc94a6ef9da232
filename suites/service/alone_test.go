package service

import (
	"slices"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// What many ask for at once may meet a process that dies of what it was asked for just
// before, or end it itself. Neither is taken for the other.
func TestWhatIsAskedAtOnceIsToldFromWhatWasAskedBefore(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		before, atOnce string
		workers        bool
		culprit        string
	}{
		"both are well":                    {"/before", "/many", false, ""},
		"what was before kills":            {"/deadly", "/many", false, "BEFORE"},
		"what was before kills one worker": {"/deadly", "/many", true, "BEFORE"}, // perhaps nobody sees it, as the others answer
		"many at once kill":                {"/before", "/deadly", false, "AT-ONCE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &mortal{work: 50 * ms, dies: []time.Duration{30 * ms}, workers: row.workers}
			traffic := p.askedBy(t, 0, PatienceFor(5*time.Second))

			traffic.Do(as(t, "BEFORE"), "before", p.request(row.before))
			for i, ev := range traffic.AtOnce(as(t, "AT-ONCE"), "many at once", slices.Repeat([]wire.Request{p.request(row.atOnce)}, 8)) {
				if ev.Exchange.Err != nil && row.culprit != "AT-ONCE" {
					t.Errorf("%d of many gets %v", i+1, ev.Exchange.Err)
				}
			}
			traffic.Settle(t.Context())

			switch deaths := traffic.Deaths(); {
			case (row.culprit == "" || row.workers) && len(deaths) == 0:
			case len(deaths) != 1 || deaths[0].Check != row.culprit || deaths[0].Times != allTries && !row.workers:
				t.Errorf("it says %v", deaths)
			}
		})
	}
}
