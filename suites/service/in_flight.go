package service

import (
	"context"
	"slices"
	"sync"
	"time"
)

// How many requests may be under way to one service at a time. Waiting for a slow one is
// no load on it: the slower it is, the more may wait, as long as they do not wait for
// each other, as where it has few workers.
const (
	usualInFlight = 8
	leastInFlight = 4
	mostInFlight  = 128
	hungInFlight  = 24
	perSecond     = 32 // requests that a slow service gets, if it takes them
)

// inFlight are the requests that are under way to a service, and those that wait until
// some of them have ended, in their order.
type inFlight struct {
	mu      sync.Mutex
	size    int // how many are under way
	most    int // how many may be
	waiting []chan struct{}
	halved  time.Time
	single  bool // one at a time, whatever is learnt
}

// enter waits until one more may be under way. Who has entered leaves.
func (f *inFlight) enter(ctx context.Context) error {
	f.mu.Lock()
	turn := make(chan struct{})
	f.waiting = append(f.waiting, turn)
	f.admit()
	f.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.waiting, turn); i >= 0 {
		f.waiting = slices.Delete(f.waiting, i, i+1)
		return context.Cause(ctx)
	}
	return nil // it was its turn at the same time
}

func (f *inFlight) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.size--
	f.admit()
}

// admit lets those in for whom there is room; f.mu is held.
func (f *inFlight) admit() {
	most := max(f.most, leastInFlight)
	if f.single {
		most = 1
	}
	for ; f.size < most && len(f.waiting) > 0; f.size++ {
		close(f.waiting[0])
		f.waiting = f.waiting[1:]
	}
}

// one lets no two be under way any more.
func (f *inFlight) one() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.single = true
}

func (f *inFlight) isSingle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.single
}

// widen lets more be under way where many are never answered, and nothing is learnt.
func (f *inFlight) widen() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.most = max(f.most, hungInFlight)
	f.admit()
}

// learn lets more be under way, or fewer, by how long an answer took of a service of
// some pace.
func (f *inFlight) learn(took, pace time.Duration) {
	if took > 2*pace+time.Second {
		f.halve(pace)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.most < min(int(perSecond*pace.Seconds()), mostInFlight) {
		f.most++
		f.admit()
	}
}

// halve lets fewer be under way, once for all that have waited for each other.
func (f *inFlight) halve(pace time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.halved) > pace {
		f.most, f.halved = max(f.most/2, leastInFlight), now
	}
}
