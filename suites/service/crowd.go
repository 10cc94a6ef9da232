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
	usualCrowd = 8
	leastCrowd = 4
	mostCrowd  = 128
	hungCrowd  = 24
	perSecond  = 32 // requests that a slow service gets, if it takes them
)

// A crowd are the requests that are under way to a service, and those that wait until
// some of them have ended, in their order.
type crowd struct {
	mu      sync.Mutex
	size    int // how many are under way
	most    int // how many may be
	waiting []chan struct{}
	halved  time.Time
	single  bool // one at a time, whatever is learnt
}

// enter waits until one more may be under way. Who has entered leaves.
func (c *crowd) enter(ctx context.Context) error {
	c.mu.Lock()
	turn := make(chan struct{})
	c.waiting = append(c.waiting, turn)
	c.admit()
	c.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.waiting, turn); i >= 0 {
		c.waiting = slices.Delete(c.waiting, i, i+1)
		return context.Cause(ctx)
	}
	return nil // it was its turn at the same time
}

func (c *crowd) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.size--
	c.admit()
}

// admit lets those in for whom there is room; c.mu is held.
func (c *crowd) admit() {
	most := max(c.most, leastCrowd)
	if c.single {
		most = 1
	}
	for ; c.size < most && len(c.waiting) > 0; c.size++ {
		close(c.waiting[0])
		c.waiting = c.waiting[1:]
	}
}

// one lets no two be under way any more.
func (c *crowd) one() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.single = true
}

func (c *crowd) isSingle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.single
}

// widen lets more be under way where many are never answered, and nothing is learnt.
func (c *crowd) widen() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = max(c.most, hungCrowd)
	c.admit()
}

// learn lets more be under way, or fewer, by how long an answer took of a service of
// some pace.
func (c *crowd) learn(took, pace time.Duration) {
	if took > 2*pace+time.Second {
		c.halve(pace)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.most < min(int(perSecond*pace.Seconds()), mostCrowd) {
		c.most++
		c.admit()
	}
}

// halve makes the crowd smaller, once for all that have waited for each other.
func (c *crowd) halve(pace time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.halved) > pace {
		c.most, c.halved = max(c.most/2, leastCrowd), now
	}
}
