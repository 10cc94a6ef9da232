package service

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A limit is how often a service lets itself be called. It is learnt from the
// first answers that say so, and kept to from then on, at the places that gave one:
// what else answers at the address may know no limit.
type limit struct {
	now func() time.Time

	mu      sync.Mutex
	served  []time.Time // when the last requests were answered, and not turned away
	allowed *rate.Limiter
	until   time.Time // nothing is sent before
	met     time.Time // when the limit was met last; zero: never
	since   int       // how many requests were answered since, where it is met
	vain    int       // how many pauses were too short
	// shown is how many requests a second were answered from one time that it was met to
	// the next, pauses and all, and twice in a row; lately is the last such count.
	shown, lately float64
	first         rate.Limit // what was allowed when it was met first
	counts        bool       // it does not go by how often the service is called
	places        map[string]bool
	// closed are the places at which all patience was used up, and nothing was served
	// since, and until when nothing is sent there.
	closed map[string]time.Time
}

// window is the time over which requests are counted.
const window = time.Second

// wait returns when the service takes the next request to a place.
func (l *limit) wait(ctx context.Context, at string) error {
	for {
		l.mu.Lock()
		pause, allowed, known := l.until.Sub(l.now()), l.allowed, l.places[at]
		l.mu.Unlock()
		if !known {
			return nil
		}
		if pause > 0 {
			if err := Sleep(ctx, pause); err != nil {
				return err
			}
			continue
		}
		if allowed != nil {
			if err := allowed.Wait(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// serve counts an answer that did not turn the request to a place away.
func (l *limit) serve(at string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.closed, at)
	if l.places[at] {
		l.since++
	}
	now := l.now()
	l.served = append(l.served, now)
	for now.Sub(l.served[0]) > window {
		l.served = l.served[1:]
	}
}

// often is how many requests were answered in the last second in which any were.
func (l *limit) often() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return float64(len(l.served)) / window.Seconds()
}

// shut says whether nothing is sent to a place for now.
func (l *limit) shut(at string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now().Before(l.closed[at])
}

// rest waits until a limited place takes several requests at once again.
func (l *limit) rest(ctx context.Context, at string) {
	l.mu.Lock()
	_, closed := l.closed[at]
	known, pause := l.places[at], l.until.Sub(l.now())
	l.mu.Unlock()
	if known && !closed {
		Sleep(ctx, max(pause, 0)+window)
	}
}

// learn slows down after an answer that says that it was one request too many.
// It returns how long to wait with it, and whether to send it again at all:
// whoever limits for longer than patience is not waited for, nor a second time
// before it has served anything.
func (l *limit) learn(ev Evidence, waited, patience time.Duration) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	since, met := l.since, l.met
	joins := l.allowed != nil && !l.places[place(ev.Exchange.Request)]
	pause, again, told := l.stop(ev, waited, patience)
	if !again || told {
		return pause, again
	}
	perSecond := float64(max(1, len(l.served)))
	switch {
	case joins: // it is the same limit, or one like it
		perSecond = float64(l.allowed.Limit())
	case l.allowed != nil:
		lately := float64(since) / l.met.Sub(met).Seconds()
		l.shown, l.lately = max(l.shown, min(lately, l.lately)), lately
		l.counts = l.counts || float64(l.allowed.Limit()) < slower*l.shown
		if perSecond = 0.7 * float64(l.allowed.Limit()); l.counts {
			perSecond = float64(l.first)
		}
	case pause > 2*window: // a limit over a longer time
		perSecond = max(1, perSecond/pause.Seconds())
	}
	l.allowed = rate.NewLimiter(rate.Limit(perSecond), 1)
	if l.served = nil; l.first == 0 {
		l.first = l.allowed.Limit()
	}
	return pause, true
}

// slower than what was answered before is no limit on how often a service is called: one
// that is met nevertheless counts something else, as a lock does that goes by what was
// refused. Nothing is gained by going more slowly yet.
const slower = 0.5

// learnt says what a service's limit is; "" where none was met but by many requests at once.
func (l *limit) learnt() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.allowed == nil:
		return ""
	case l.counts:
		return "turns all away for a while, again and again, however seldom it is called, as a lock does that counts what it refuses: the run waited each time"
	}
	often := fmt.Sprintf("%.0f times a second", float64(l.allowed.Limit()))
	if l.allowed.Limit() < 1 {
		often = fmt.Sprintf("%.0f times a minute", max(1, 60*float64(l.allowed.Limit())))
	}
	return "limits how often it is called, to about " + often + ", and the run kept to that"
}

// pause is learn after many were sent at once, or a page was opened: nothing is sent
// for as long, but how often is not learnt from that.
func (l *limit) pause(ev Evidence, patience time.Duration) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	pause, again, _ := l.stop(ev, 0, patience)
	return pause, again
}

// stop has nothing sent for a while; told says that nothing was anyway. l.mu is held.
func (l *limit) stop(ev Evidence, waited, patience time.Duration) (pause time.Duration, again, told bool) {
	now := l.now()
	pause = retryAfter(ev, now)
	vain := l.vain
	if l.since == 0 && !l.met.IsZero() {
		vain++
	}
	if pause == 0 {
		pause = min(time.Second<<min(vain, 3), 8*time.Second)
	}
	at := place(ev.Exchange.Request)
	if _, closed := l.closed[at]; closed || waited+pause > patience {
		if l.closed == nil {
			l.closed = map[string]time.Time{}
		}
		l.closed[at] = now.Add(patience)
		return 0, false, false
	}
	if l.places == nil {
		l.places = map[string]bool{}
	}
	l.places[at] = true
	if now.Before(l.until) { // others have learnt it meanwhile
		return l.until.Sub(now), true, true
	}
	l.met, l.since, l.vain = now, 0, vain
	l.until = now.Add(pause)
	return pause, true, false
}
