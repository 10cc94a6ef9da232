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
		culprit        string
	}{
		"both are well":         {"/before", "/many", ""},
		"what was before kills": {"/deadly", "/many", "BEFORE"},
		"many at once kill":     {"/before", "/deadly", "AT-ONCE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &mortal{work: 5 * ms, dies: []time.Duration{30 * ms}}
			traffic := p.askedBy(t, 0, PatienceFor(5*time.Second))

			traffic.Do(as(t, "BEFORE"), "before", p.request(row.before))
			for i, ev := range traffic.AtOnce(as(t, "AT-ONCE"), "many at once", slices.Repeat([]wire.Request{p.request(row.atOnce)}, 8)) {
				if ev.Exchange.Err != nil && row.culprit != "AT-ONCE" {
					t.Errorf("%d of many gets %v", i+1, ev.Exchange.Err)
				}
			}
			traffic.Settle(t.Context())

			switch deaths := traffic.Deaths(); {
			case row.culprit == "" && len(deaths) == 0:
			case len(deaths) != 1 || deaths[0].Check != row.culprit || deaths[0].Times != allTries:
				t.Errorf("it says %v", deaths)
			}
		})
	}
}
