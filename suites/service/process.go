package service

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A process is what dies as a whole: all that was sent to it may have done it. Nobody says
// which addresses one serves: each is taken for a process of its own, until it is found
// gone just when another one is.
type process struct {
	// gate is held shared by each request, and alone by whoever must find out
	// which of several requests broke the process.
	gate sync.RWMutex

	// Guarded by Traffic.state:
	serves  []*service    // in the order of their addresses
	lately  []*sending    // under way, or ended a moment ago; oldest first
	settled *sending      // the last one after which the process was seen alive
	late    time.Duration // that it has lived on, at most, after it answered what killed it
	lateCut time.Duration // and after it hung up on that; 0 where it ended at once
	gone    time.Time     // when it was first found gone, since it last answered; zero while it does
}

// of is the process that serves v, as far as is known by now.
func (v *service) of() *process {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.process
}

// lock holds the gate of the process alone, share together with others, and tryLock and
// tryShare only where nobody has to be waited for. While it is held, the process stays the same.
func (v *service) lock() {
	for p := v.of(); ; p = v.of() {
		p.gate.Lock()
		if v.of() == p {
			return
		}
		p.gate.Unlock()
	}
}

func (v *service) share() {
	for p := v.of(); ; p = v.of() {
		p.gate.RLock()
		if v.of() == p {
			return
		}
		p.gate.RUnlock()
	}
}

func (v *service) tryLock() bool {
	return v.try((*sync.RWMutex).TryLock, (*sync.RWMutex).Unlock)
}

func (v *service) tryShare() bool {
	return v.try((*sync.RWMutex).TryRLock, (*sync.RWMutex).RUnlock)
}

func (v *service) try(hold func(*sync.RWMutex) bool, giveUp func(*sync.RWMutex)) bool {
	p := v.of()
	switch {
	case !hold(&p.gate):
		return false
	case v.of() != p:
		giveUp(&p.gate)
		return false
	}
	return true
}

func (v *service) unlock()  { v.of().gate.Unlock() }
func (v *service) unshare() { v.of().gate.RUnlock() }

// lockAll holds the gates of all processes, in one order.
func (t *Traffic) lockAll() (unlock func()) {
	var held []*process
	for _, v := range t.all() {
		if !slices.Contains(held, v.of()) {
			v.lock()
			held = append(held, v.of())
		}
	}
	return func() {
		for _, p := range held {
			p.gate.Unlock()
		}
	}
}

// lockAllSettled is lockAll once nothing that was sent can still break any of them.
func (t *Traffic) lockAllSettled(ctx context.Context) (unlock func()) {
	perishes := func(v *service) bool {
		last := v.unsettledBut(RunningOf(ctx))
		return last != nil && v.outlives(ctx, t.Client, last, v.aftermath()) == gone
	}
	for range maxRounds {
		unlock = t.lockAll()
		if !slices.ContainsFunc(t.all(), perishes) {
			return unlock
		}
		unlock()
		t.Settle(ctx)
	}
	return t.lockAll()
}

// siblings are the services of the process.
func (v *service) siblings() []*service {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.process.serves)
}

// join takes the services that are just now as v is, gone or silent, for the same process from
// now on, and says whether there are such. What each of them was sent may have done it to all,
// and nothing is found out while others go on to do it. The gate is held by the caller, and is
// given up meanwhile: somebody else may have looked into it then.
func (v *service) join(ctx context.Context, client *wire.Client, state pulse) bool {
	if state != gone && state != silent {
		return false
	}
	others := v.others()
	var group sync.WaitGroup
	alike := make([]bool, len(others))
	for i, o := range others {
		group.Go(func() {
			switch {
			case o.losing.Load():
				alike[i] = true
			case o.isDown() != nil: // it was before, on its own
			case state == gone:
				alike[i] = o.goneLately() || o.goneNow(ctx, client)
			default:
				alike[i] = o.look(ctx, client) == silent && !o.speaks(client, "")
			}
		})
	}
	group.Wait()
	var kin []*service
	for i, o := range others {
		if alike[i] {
			kin = append(kin, o)
		}
	}
	return v.uniteWith(kin)
}

// joinNeighbours is join with all services of the same machine, gone or not: none of them
// has been seen gone in time, perhaps, and nothing else explains a death.
func (v *service) joinNeighbours() bool {
	return v.uniteWith(slices.DeleteFunc(v.others(), func(o *service) bool { return machine(o.address) != machine(v.address) }))
}

// machine is the name or number of an address without its port; loopback has many.
func machine(address string) string {
	host := address[:max(0, strings.LastIndex(address, ":"))]
	if wire.LoopbackHost(host) {
		return "localhost"
	}
	return host
}

// others are the services that are not known to be of the same process.
func (v *service) others() []*service {
	own := v.siblings()
	return slices.DeleteFunc(v.t.all(), func(o *service) bool { return slices.Contains(own, o) })
}

func (v *service) uniteWith(others []*service) bool {
	if len(others) == 0 {
		return false
	}
	v.unlock()
	for _, o := range others {
		unite(v, o)
	}
	v.lock()
	return true
}

// sameDeath is within what time two services are gone that have died as one: they may be
// looked at one after the other, on a busy machine, and be back in between.
const sameDeath = 2 * time.Second

// noteGone notes that the service is gone just now.
func (v *service) noteGone() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.foundGone = time.Now()
	if v.process.gone.IsZero() {
		v.process.gone = v.foundGone
	}
}

func (v *service) noteAnswer() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.process.gone = time.Time{}
}

func (v *service) goneLately() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.foundGone.IsZero() && time.Since(v.foundGone) < sameDeath
}

// goneWithin is how soon it is known that nobody is there; who is there may take longer to
// answer.
const goneWithin = 500 * time.Millisecond

func (v *service) goneNow(ctx context.Context, client *wire.Client) bool {
	for sign, r := range v.asks() {
		r.Timeout = goneWithin
		state := v.pulseOf(v.send(v.t.base, client, isItAlive, r).Exchange, sign)
		return state == gone && ctx.Err() == nil
	}
	return false
}

// orders says whether a process comes before another one, by its first address.
func (t *Traffic) orders(p, other *process) bool {
	t.state.Lock()
	defer t.state.Unlock()
	return p.serves[0].address < other.serves[0].address
}

// unite makes one process of two. Who holds a gate meanwhile is waited for.
func unite(a, b *service) {
	for {
		first, second := a.of(), b.of()
		if first == second {
			return
		}
		if a.t.orders(second, first) { // as lockAll does
			first, second = second, first
		}
		first.gate.Lock()
		second.gate.Lock()
		both := []*process{a.of(), b.of()}
		same := slices.Contains(both, first) && slices.Contains(both, second)
		if same {
			first.take(a.mu, second)
		}
		second.gate.Unlock()
		first.gate.Unlock()
		if same {
			return
		}
	}
}

// take makes the services of another process its own, and what they were sent.
func (p *process) take(mu *sync.Mutex, other *process) {
	mu.Lock()
	defer mu.Unlock()
	for _, v := range other.serves {
		v.process = p
	}
	p.serves = append(p.serves, other.serves...)
	slices.SortFunc(p.serves, func(a, b *service) int { return strings.Compare(a.address, b.address) })
	p.lately = append(p.lately, other.lately...)
	slices.SortStableFunc(p.lately, func(a, b *sending) int { return a.began.Compare(b.began) })
	p.lately = p.lately[max(0, len(p.lately)-maxLately):]
	if other.settled == nil || p.settled != nil && other.settled.began.Before(p.settled.began) {
		p.settled = other.settled // the earlier one: what came after it is looked into
	}
	p.late, p.lateCut = max(p.late, other.late), max(p.lateCut, other.lateCut)
	if p.gone.IsZero() || !other.gone.IsZero() && other.gone.Before(p.gone) {
		p.gone = other.gone
	}
}
