package service

import (
	"sync"
	"testing"
	"time"
)

// Of two who were hung up on at almost the same time, the one who was only refused has not
// ended what the other one ends a moment later.
func TestWhoIsRefusedBesideWhoKillsIsInnocent(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for _, later := range []time.Duration{120 * ms, 160 * ms, 200 * ms, 240 * ms} {
		for _, apart := range []time.Duration{0, 60 * ms, 110 * ms} {
			all.Go(func() {
				p := &mortal{cutsOff: true, dies: []time.Duration{later}}
				traffic := p.askedBy(t, 0, PatienceFor(5*time.Second))
				var asked sync.WaitGroup
				asked.Go(func() { traffic.Do(as(t, "CULPRIT"), "culprit", p.request("/deadly")) })
				time.Sleep(apart)
				traffic.Do(as(t, "REFUSED"), "refused", p.request("/refused"))
				asked.Wait()
				traffic.Do(as(t, "AFTER"), "after", p.request("/after"))
				traffic.Settle(t.Context())
				deaths := traffic.Deaths()
				if len(deaths) == 0 {
					t.Errorf("ends %v later, %v apart: it says nothing", later, apart)
				}
				for _, d := range deaths {
					if d.Check != "CULPRIT" || d.Times < 2 {
						t.Errorf("ends %v later, %v apart: it says %v", later, apart, d)
					}
				}
			})
		}
	}
	all.Wait()
}
