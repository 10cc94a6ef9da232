package service

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// What a run has not waited for to its end, since it was interrupted, is not said of a service:
// that it did not come back, that nothing else did it again, or that something does, so often.
func TestWhatIsBrokenOffIsNotSaid(t *testing.T) {
	t.Parallel()
	sends := map[string]func(context.Context, *Traffic, wire.Request){
		"one by one": func(ctx context.Context, traffic *Traffic, r wire.Request) {
			for range 3 {
				traffic.Do(ctx, "deadly", r)
			}
			traffic.Settle(ctx)
		},
		"at once": func(ctx context.Context, traffic *Traffic, r wire.Request) {
			traffic.AtOnce(ctx, "deadly at once", slices.Repeat([]wire.Request{r}, 4))
		},
	}
	ways := map[string]*mortal{
		"hangs up, for good":          {cutsOff: true, forGood: true},
		"answers and ends, for good":  {forGood: true},
		"hangs, for good":             {cutsOff: true, hangs: true},
		"hangs up, and comes back":    {cutsOff: true},
		"answers, ends, is back soon": {},
	}
	var all sync.WaitGroup // all of it is waiting
	for sent, send := range sends {
		for does, way := range ways {
			for _, concurrency := range []int{0, 1} {
				for after := range 5 {
					p := &mortal{cutsOff: way.cutsOff, forGood: way.forGood, hangs: way.hangs, dies: []time.Duration{5 * ms}, work: ms}
					name := fmt.Sprintf("%s, %s, concurrency %d, interrupted after %d looks at it", sent, does, concurrency, after+1)
					all.Go(func() { p.isInterrupted(t, name, concurrency, after+1, send) })
				}
			}
		}
	}
	all.Wait()
}

// isInterrupted has a process asked for what is deadly, until so many requests got no answer
// in a run that is interrupted then.
func (p *mortal) isInterrupted(t *testing.T, name string, concurrency, unanswered int, send func(context.Context, *Traffic, wire.Request)) {
	traffic := p.askedBy(t, concurrency, PatienceFor(5*time.Second))
	ctx, interrupt := context.WithCancel(as(t, "CULPRIT"))
	defer interrupt()
	traffic.base, traffic.Problem = ctx, func(text, _ string) { t.Errorf("%s: it says %s", name, text) }
	var mu sync.Mutex
	traffic.Seen = func(ex wire.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		if ex.Response == nil && ctx.Err() == nil {
			if unanswered--; unanswered == 0 {
				interrupt()
			}
		}
	}
	traffic.Do(as(t, "BEFORE"), "before", p.request("/before"))
	send(ctx, traffic, p.request("/deadly"))
	for _, d := range traffic.Deaths() {
		if d.Check != "CULPRIT" || d.Gone || d.Times < d.Of {
			t.Errorf("%s: it says %v", name, d)
		}
	}
}
