package service

import (
	"context"
	"fmt"
	"slices"
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
		"it hangs up behind a forwarder": {cutsOff: true, dies: []time.Duration{0}, behind: true},
		"it answers and dies":            {dies: []time.Duration{30 * ms}},
		"it answers and dies much later": {dies: []time.Duration{400 * ms}},
	} {
		for _, concurrency := range []int{0, 1} {
			p := &mortal{cutsOff: p.cutsOff, behind: p.behind, dies: p.dies}
			all.Go(func() {
				deaths := p.askedAtBoth(t, fmt.Sprintf("%s, concurrency %d", name, concurrency), concurrency)
				if len(deaths) != 1 || deaths[0].Check != "CULPRIT" || deaths[0].Times != allTries {
					t.Errorf("%s, concurrency %d: it says %v", name, concurrency, deaths)
				}
			})
		}
	}
	all.Wait()
}

// A process that is gone for good is waited for once, whoever finds it so and where, and is
// one death.
func TestAProcessThatStaysGoneIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	for _, concurrency := range []int{0, 1} {
		p := &mortal{dies: []time.Duration{0}, cutsOff: true, forGood: true}
		began := time.Now()
		if deaths := p.askedAtBoth(t, "for good", concurrency); len(deaths) != 1 || !deaths[0].Gone || deaths[0].Blamed() && deaths[0].Check != "CULPRIT" {
			t.Errorf("concurrency %d: it says %v", concurrency, deaths)
		}
		if took := time.Since(began); took > 2*comeback {
			t.Errorf("concurrency %d: it took %v, which is two waits of %v", concurrency, took, comeback)
		}
	}
}

// What is down for good can't be tried again: nobody is blamed who may have come just when
// another one had ended the process, or holds it. Where one thing is done after another, it is
// known who did it.
func TestAProcessThatIsLostAccusesNobodyElse(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup // all of it is waiting
	for name, way := range map[string]*mortal{
		"it hangs up":                     {cutsOff: true, dies: []time.Duration{0}, forGood: true},
		"it answers and dies":             {dies: []time.Duration{0}, forGood: true},
		"it answers and dies a bit later": {dies: []time.Duration{10 * ms}, forGood: true},
		"it answers and dies later":       {dies: []time.Duration{30 * ms}, forGood: true},
		"it hangs":                        {cutsOff: true, dies: []time.Duration{0}, hangs: true},
		"it answers and hangs":            {dies: []time.Duration{8 * ms}, hangs: true},
		"it answers and hangs later":      {dies: []time.Duration{30 * ms}, hangs: true},
	} {
		for _, concurrency := range []int{0, 1} {
			p := &mortal{cutsOff: way.cutsOff, dies: way.dies, forGood: way.forGood, hangs: way.hangs}
			all.Go(func() {
				deaths := p.askedAtBoth(t, fmt.Sprintf("%s, concurrency %d", name, concurrency), concurrency)
				if len(deaths) != 1 || !deaths[0].Gone || deaths[0].Check != "CULPRIT" && (deaths[0].Blamed() || concurrency == 1) {
					t.Errorf("%s, concurrency %d: it says %v", name, concurrency, deaths)
				}
			})
		}
	}
	all.Wait()
}

// Who runs alone has been waited for by the one before: it is known who did it, whoever finds the
// process gone.
func TestWhoLosesItAloneIsNamed(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*mortal{
		"it finds that itself":           {cutsOff: true, dies: []time.Duration{0}, forGood: true},
		"it is found after it has ended": {dies: []time.Duration{10 * ms}, forGood: true},
	} {
		patience := PatienceFor(time.Second)
		patience.Comeback = 500 * ms
		traffic := p.askedBy(t, 0, patience)
		traffic.Do(as(t, "BEFORE"), "before", p.request("/before"))
		traffic.Do(WithRunning(t.Context(), &Running{Rule: rule.Rule{ID: "CULPRIT"}, Alone: true}), "culprit", p.request("/deadly"))
		traffic.Settle(t.Context())
		if deaths := traffic.Deaths(); len(deaths) != 1 || deaths[0].Check != "CULPRIT" || !deaths[0].Gone {
			t.Errorf("%s: it says %v", name, deaths)
		}
	}
}

// Of what went out at the same time, what was sent last need not end last: all of it has its moment
// before somebody goes alone.
func TestWhatEndsLastIsWaitedFor(t *testing.T) {
	ended := time.Now()
	slow, quick := &sending{ended: ended.Add(40 * ms)}, &sending{ended: ended}
	v := &service{mu: &sync.Mutex{}, process: &process{lately: []*sending{slow, quick, {ended: ended.Add(time.Second)}}}}
	if got := v.endOf(quick); !got.Equal(slow.ended) {
		t.Errorf("it waits from %v on, %v too early", got, slow.ended.Sub(got))
	}
	if quick.ended = (time.Time{}); !v.endOf(quick).IsZero() {
		t.Error("what is under way has ended")
	}
}

// Of many requests of which one has ended a process, each check is named.
func TestOfManyEachCheckIsNamed(t *testing.T) {
	var all []*sending
	for i := range 20 {
		all = append(all, &sending{running: &Running{Rule: rule.Rule{ID: "FIRST"}}, title: fmt.Sprint(i)})
	}
	all = append(all, &sending{running: &Running{Rule: rule.Rule{ID: "SECOND"}}, title: "one"})
	if got := titles(all); len(got) != maxTitles || got[0] != "FIRST 0" || got[1] != "SECOND one" || got[2] != "FIRST 1" {
		t.Errorf("it names %v", got)
	}
	if got := titles(all[18:]); !slices.Equal(got, []string{"FIRST 18", "FIRST 19", "SECOND one"}) {
		t.Errorf("it names %v", got)
	}
}

// comeback is how long such a process is waited for.
const comeback = 5 * time.Second

const innocents = 8 // that ask at the same time

// beside does all at the same time, where that may be.
func beside(concurrency int, all ...func()) {
	var group sync.WaitGroup
	for _, do := range all {
		if concurrency == 1 {
			do()
			continue
		}
		group.Go(do)
	}
	group.Wait()
}

// askedAtBoth has a process asked at both of its addresses, at one of them for what is
// deadly.
func (p *mortal) askedAtBoth(t *testing.T, name string, concurrency int) []Death {
	p.work, p.other = 5*ms, "127.0.0.1:0"
	patience := PatienceFor(5 * time.Second)
	patience.Comeback = comeback
	traffic := p.askedBy(t, concurrency, patience)
	endpoint := func() {
		for range 5 {
			beside(concurrency, slices.Repeat([]func(){func() { traffic.Do(as(t, "INNOCENT"), "beside others", at(p.address, "/innocent")) }}, innocents)...)
			for _, ev := range traffic.AtOnce(as(t, "AT-ONCE"), "many at once", slices.Repeat([]wire.Request{at(p.address, "/many")}, 8)) {
				if ev.Killed != nil {
					t.Errorf("%s: %s is said to kill it", name, ev.Title)
				}
			}
		}
	}
	webhook := func() {
		for range 10 {
			traffic.Do(as(t, "BEFORE"), "before", at(p.other, "/before"))
		}
		traffic.Do(as(t, "CULPRIT"), "culprit", at(p.other, "/deadly"))
	}
	beside(concurrency, webhook, endpoint)
	traffic.Settle(t.Context())
	return traffic.Deaths()
}

// However many wait at both addresses of a process that hangs, it is waited for once.
func TestManyWhoWaitForAProcessThatHangsWaitOnce(t *testing.T) {
	t.Parallel()
	p := &mortal{other: "127.0.0.1:0", hangs: true}
	patience := PatienceFor(time.Second)
	patience.Comeback = time.Second
	traffic := p.askedBy(t, 0, patience)
	p.end(p.running())
	const many = 8 // at each
	var all []func()
	for range many {
		for check, address := range map[string]string{"ONE": p.address, "OTHER": p.other} {
			all = append(all, func() { traffic.Do(as(t, check), "beside others", at(address, "/innocent")) })
		}
	}
	beside(0, all...)
	if deaths := traffic.Deaths(); len(deaths) != 1 || deaths[0].Blamed() {
		t.Errorf("it says %v", deaths)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held > 5*many { // each once, and who looks whether it is alive
		t.Errorf("%d requests got no answer", p.held)
	}
}

// Where one thing is done after another, what is sent elsewhere for the sake of a service that
// gets nothing else meanwhile does not wait for it.
func TestWhatGoesElsewhereForAServiceIsNotHeldUp(t *testing.T) {
	t.Parallel()
	p := &mortal{other: "127.0.0.1:0"}
	traffic := p.askedBy(t, 1, PatienceFor(5*time.Second))
	traffic.Do(as(t, "BEFORE"), "before", p.request("/before"))
	ctx, cancel := context.WithTimeout(as(t, "CHECK"), 10*time.Second)
	defer cancel()
	done := make(chan Evidence, 1)
	go traffic.Undisturbed(ctx, p.request("/").URL, func() bool {
		done <- traffic.Do(ctx, "elsewhere", at(p.other, "/elsewhere"))
		return true
	})
	select {
	case ev := <-done:
		if ev.Exchange.Err != nil {
			t.Error(ev.Exchange.Err)
		}
	case <-ctx.Done():
		t.Error("it is not sent")
	}
}
