package service

import (
	"context"
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A limit need not say what it is: proxies with a page of their own, and servers that
// shed load, answer 503, as others do where nobody is behind them. It is told from that
// by an experiment: plain requests alone, as often as requests were answered before, are
// turned away alike.

// manyPlain is how many plain requests are sent to find that out: as many as limits
// let through at once.
const manyPlain = 60

// mostLanes is how many of them are sent at a time at most.
const mostLanes = 8

// looksTried is how many different answers are looked into so.
const looksTried = 4

// sheds says whether an answer is that of a limit which does not say so. Whoever asks
// holds the gate.
func (v *service) sheds(ctx context.Context, client *wire.Client, ev Evidence) bool {
	if ev.Exchange.Status() != http.StatusServiceUnavailable {
		return false
	}
	look := lookOf(ev)
	v.mu.Lock()
	shed, known := v.shed[look]
	many := len(v.shed) >= looksTried
	v.mu.Unlock()
	if known || many {
		return shed
	}
	often := v.limit.often()
	for range 2 { // once may be anybody's doing
		if !v.await(ctx, client) || Sleep(ctx, v.t.Patience.Aftermath) != nil || !v.alive(ctx, client) {
			return false
		}
		if shed = v.shedsPlain(ctx, client, place(ev.Exchange.Request), look, often); !shed {
			break
		}
	}
	if ctx.Err() != nil {
		return false
	}
	v.mu.Lock()
	if v.shed == nil {
		v.shed = map[string]bool{}
	}
	v.shed[look] = shed
	v.mu.Unlock()
	if shed {
		v.limit.learn(ev, 0, v.t.Patience.Limit)
	}
	return shed
}

// shedsPlain sends plain requests, if it can to a place, and says whether first one was
// answered otherwise and then one like that: what has run out answers nobody. Who
// answers slowly, as on a busy machine, is asked several at a time: a limit that was met by
// so many requests a second is not met by fewer.
func (v *service) shedsPlain(ctx context.Context, client *wire.Client, at, look string, often float64) bool {
	var ask *wire.Request
	for _, r := range v.asks() {
		if ask == nil || place(r) == at {
			ask = &r
		}
	}
	if ask == nil {
		return false
	}
	v.mu.Lock()
	lanes := 1 + min(int(v.pace/(50*time.Millisecond)), mostLanes-1)
	v.mu.Unlock()
	for ; ; lanes = min(2*lanes, mostLanes) {
		if !v.takes(ctx, client, *ask, look) {
			return false
		}
		began := time.Now()
		met := v.series(ctx, client, *ask, look, lanes)
		if met || ctx.Err() != nil || lanes == mostLanes || manyPlain/time.Since(began).Seconds() > 1.2*often {
			return met
		}
	}
}

// series sends plain requests, so many at a time, until one is answered like that.
func (v *service) series(ctx context.Context, client *wire.Client, ask wire.Request, look string, lanes int) bool {
	var sent atomic.Int32
	var met, failed atomic.Bool
	var group sync.WaitGroup
	for range lanes {
		group.Go(func() {
			for ctx.Err() == nil && !met.Load() && sent.Add(1) <= manyPlain {
				switch ev := v.send(v.t.base, client, isItAlive, ask); {
				case lookOf(ev) == look:
					met.Store(true)
				case ev.Exchange.Err == nil:
					v.limit.serve(place(ask))
				default: // a limit breaks nothing
					failed.Store(true)
				}
			}
		})
	}
	group.Wait()
	return met.Load() && !failed.Load()
}

// takes waits until a plain request is answered otherwise than like that.
func (v *service) takes(ctx context.Context, client *wire.Client, ask wire.Request, look string) bool {
	ctx, cancel := context.WithTimeout(ctx, v.t.Patience.Comeback)
	defer cancel()
	for pause := 50 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 250*time.Millisecond) {
		if ev := v.send(v.t.base, client, isItAlive, ask); ev.Exchange.Err == nil && lookOf(ev) != look {
			return true
		}
		Sleep(ctx, pause)
	}
	return false
}

// lookOf is by what an answer is known again: without the numbers that each has.
func lookOf(ev Evidence) string {
	ex := ev.Exchange
	if ex.Response == nil {
		return ""
	}
	h := ex.Response.Header
	body := ex.Response.Body[:min(len(ex.Response.Body), 4<<10)]
	return http.StatusText(ex.Status()) + " " + h.Get("Server") + " " + h.Get("Content-Type") + " " + numbers.ReplaceAllString(string(body), "")
}

var numbers = regexp.MustCompile(`[\w+/=-]*\d[\w+/=-]*`)
