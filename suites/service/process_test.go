package service

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// One process may serve several addresses. What kills it at one is no doing of those who ask
// at another just then, be it one by one or many at once.
func TestWhoAsksTheSameProcessElsewhereIsNotBlamed(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup // all of it is waiting
	for name, p := range map[string]*mortal{
		"it hangs up":                    {cutsOff: true, dies: []time.Duration{0}},
		"it answers and dies":            {dies: []time.Duration{30 * ms}},
		"it answers and dies much later": {dies: []time.Duration{400 * ms}},
	} {
		for _, concurrency := range []int{0, 1} {
			p := &mortal{t: t, cutsOff: p.cutsOff, dies: p.dies, work: 5 * ms, address: "127.0.0.1:0", other: "127.0.0.1:0"}
			p.start()
			all.Go(func() {
				client := wire.NewClient(wire.Options{Timeout: 5 * time.Second})
				traffic := NewTraffic(t.Context(), Options{Client: client, Unbounded: client, Concurrency: concurrency, Patience: PatienceFor(5 * time.Second),
					Now: time.Now, Seen: func(wire.Exchange) {}, Problem: func(text, _ string) { t.Error(text) }})
				defer traffic.Close()
				at := func(address, path string) wire.Request {
					r := p.request(path)
					r.URL = strings.Replace(r.URL, p.address, address, 1)
					return r
				}
				for _, address := range []string{p.address, p.other} {
					traffic.Watch(traffic.Do(t.Context(), "plain", at(address, "/")), func() (wire.Request, error) { return at(address, "/"), nil })
				}
				as := func(check string) context.Context {
					return WithRunning(t.Context(), &Running{Rule: rule.Rule{ID: check}})
				}
				endpoint := func() {
					for range 5 {
						traffic.Do(as("INNOCENT"), "one by one", at(p.address, "/innocent"))
						for _, ev := range traffic.AtOnce(as("AT-ONCE"), "many at once", slices.Repeat([]wire.Request{at(p.address, "/many")}, 8)) {
							if ev.Killed != nil {
								t.Errorf("%s: %s is said to kill it", name, ev.Title)
							}
						}
					}
				}
				webhook := func() {
					for range 10 {
						traffic.Do(as("BEFORE"), "before", at(p.other, "/before"))
					}
					traffic.Do(as("CULPRIT"), "culprit", at(p.other, "/deadly"))
				}
				if concurrency == 1 {
					webhook()
					endpoint()
				} else {
					var both sync.WaitGroup
					both.Go(endpoint)
					both.Go(webhook)
					both.Wait()
				}
				traffic.Settle(t.Context())
				if deaths := traffic.Deaths(); len(deaths) != 1 || deaths[0].Check != "CULPRIT" || deaths[0].Times != allTries {
					t.Errorf("%s, concurrency %d: it says %v", name, concurrency, deaths)
				}
			})
		}
	}
	all.Wait()
}
