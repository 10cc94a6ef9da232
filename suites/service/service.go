package service

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A service is what answers at one address: endpoint, page and webhooks are
// often one process. It may die, be slow, or limit how often it is called, and
// none of that is a verdict on whoever asked at that moment.
type service struct {
	t       *Traffic
	address string

	// hangs is how many requests hung also alone, while the service lived.
	hangs    atomic.Int32
	seen     atomic.Int64 // when it last answered a plain request, in Unix nanoseconds
	inFlight inFlight     // what is under way
	losing   atomic.Bool  // it is down for good, and is looked for others that are so with it

	mu        *sync.Mutex // Traffic.state
	process   *process
	signs     []lifeSign
	revive    []func(context.Context) // what to do when it came back
	deaths    []Death
	down      error            // it died and did not come back
	ailing    map[string]error // places whose plain requests fail by now, for good
	conflicts int              // requests that were turned away, or failed, in company only
	errors    int              // requests that failed with an error also when they were sent by themselves
	pace      time.Duration    // of plain answers
	underway  int              // how many requests are
	foundGone time.Time        // when it was last found gone
	longest   time.Duration    // that any answer has taken
	limit     limit
	own       map[string]bool // looks of pages with which it answered while it was there
	shed      map[string]bool // whether an answer, by its look, is that of a limit
	kinds     map[string]*fate
	hung      map[string]int // requests of a check at one place that hung
	watching  *time.Timer    // until it is looked after
	waitedFor *sending       // what it has outlived for a moment; the gate guards it
	closed    bool
}

// A sending is one request on its way, and what became of it.
type sending struct {
	at           *service // that it is sent to
	running      *Running
	title        string
	kind         string // of Options.Kind; "" for none
	request      wire.Request
	began, ended time.Time     // ended is zero while it is under way
	gone         time.Time     // since when the process was known to be gone as it ended; zero: it was not
	beside       int           // how many were under way when it was sent
	plain        bool          // nothing hostile about it
	lag          time.Duration // from its end until the service was found broken
	watched      time.Time     // from when on it was looked what it does: it had ended, sent again
	outlived     time.Duration // for how long it was looked, and the service lived
	ev           Evidence
	// again is the answer to its repetition, once somebody has looked into it.
	again *Evidence
}

// Bounds of a service's memory of what was sent to it.
const (
	maxLately   = 2048
	maxSuspects = 256 // of what was sent just before a death
)

// do sends a request when the service can take it. An answer that tells nothing
// of the request (a limit, somebody else's damage) is not returned: it is sent
// again when that is over.
func (v *service) do(ctx context.Context, client *wire.Client, x sending) Evidence {
	switch { // what another check has sent before is not its doing
	case v.t.InOrder():
		for _, o := range v.t.inOrder(RunningOf(ctx)) { // which of them share a process, nobody knows
			if o.tryLock() { // else it is for its sake that this is sent
				o.settleForAMoment(ctx, client)
				o.unlock()
			}
		}
	case x.running.Alone:
		v.lock()
		v.settleForAMoment(ctx, client)
		v.unlock()
	}
	var last Evidence
	waited := time.Duration(0)
	for rounds := 0; rounds < maxRounds; {
		if ctx.Err() != nil { // what was seen on the way tells nothing
			return v.unsent(x, context.Cause(ctx))
		}
		if err := v.outOfOrder(x.request); err != nil {
			return v.unsent(x, err)
		}
		attempt := x
		if d := v.enough(x); d != nil {
			return v.spared(x, *d)
		}
		if err := v.stuck(x); err != nil {
			ev := v.unsent(x, err)
			ev.Hung = true
			return ev
		}
		if v.limit.shut(place(x.request)) {
			return v.unsent(x, errShut{})
		}
		if v.convicted(x) {
			return v.guarded(ctx, client, &attempt)
		}
		var sent bool
		if last, sent = v.once(ctx, client, &attempt); !sent {
			continue // what it is known by now, it was not when it set out
		}
		if v.mayBeCompany(&attempt) && v.inCompany(&attempt) {
			last = v.byItself(ctx, client, &attempt)
		}
		switch {
		case v.limited(last):
			pause, again := v.limit.learn(last, waited, v.t.Patience.Limit)
			if !again || Sleep(ctx, pause) != nil {
				return last
			}
			waited += pause
			continue
		case !v.trouble(attempt):
			v.remember(attempt)
			v.outlived(x.kind, last)
			if !x.plain {
				v.quiet(client)
			}
			return last
		}
		if last.Exchange.Kind() == wire.KindTimeout && v.hangs.Load() >= fewHangs && v.alive(ctx, client) {
			v.hanged(x, last) // once more: nothing else need wait for a look into it
			last.Hung = true
			return last
		}
		ev, settled := v.investigate(ctx, client, &attempt)
		if settled {
			v.outlived(x.kind, ev)
			v.hanged(x, ev)
			return ev
		}
		rounds++
	}
	return last
}

// maxRounds bounds how often a request is sent again for the trouble of others.
const maxRounds = 6

// guarded sends a request of a check that is known to kill the service, with
// nothing else going on, so that no other is drawn into it.
func (v *service) guarded(ctx context.Context, client *wire.Client, x *sending) Evidence {
	v.lock()
	defer v.unlock()
	if err := v.isDown(); err != nil {
		return v.unsent(*x, err)
	}
	if d := v.enough(*x); d != nil { // by what went before it, meanwhile
		return v.spared(*x, *d)
	}
	v.settle(ctx, client)
	if err := v.limit.wait(ctx, place(x.request)); err != nil {
		return v.unsent(*x, err)
	}
	r := x.request
	r.Form.Anew = true // where it is cut off, somebody has taken the connection: it has not found it dead
	v.begin(x)
	x.ev = v.send(ctx, client, x.title, r)
	v.end(x)
	for try := 0; refused(x.ev) && try < maxRounds; try++ { // who finds it dead has not killed it
		switch v.join(ctx, client, gone); {
		case !v.explained(x):
			v.lookInto(ctx, client, x)
		case !v.await(ctx, client):
			v.lost(ctx, client, x)
		}
		if err := cmp.Or(v.isDown(), context.Cause(ctx)); err != nil {
			return v.unsent(*x, err)
		}
		x.ev = v.send(ctx, client, x.title, r)
		v.end(x)
	}
	if v.after(ctx, client, x.ev, x.ended, soon) == beats {
		v.outlived(x.kind, x.ev)
		return x.ev
	}
	d := Death{Title: x.title, Times: 1, Of: 1, Late: answered(x)}
	d.Gone = v.staysAway(ctx, client)
	ev := v.killed(x, d)
	if d.Gone {
		v.bury(*ev.Killed)
	}
	return ev
}

// unsent is the evidence of a request that was not sent, since nobody is there.
func (v *service) unsent(x sending, err error) Evidence {
	return Evidence{Title: x.title, Exchange: wire.Exchange{At: v.t.Now(), Request: x.request, Err: err}}
}

// maxKept is how many bytes of an answer are remembered with what was sent lately.
const maxKept = 16 << 10

// enter waits for room for one more request: among all, where the user has set a bound.
func (v *service) enter(ctx context.Context) (leave func(), err error) {
	all := v.t.bounded
	if all == nil {
		return v.inFlight.leave, v.inFlight.enter(ctx)
	}
	weight := int64(1)
	if v.oneByOne() {
		weight = int64(v.t.Concurrency)
	}
	if all.Acquire(ctx, weight) != nil {
		return nil, context.Cause(ctx)
	}
	return func() { all.Release(weight) }, nil
}

// once sends the request once, beside others, unless it has become known meanwhile that
// it kills the service, or that nobody is there. It returns the whole answer; x keeps
// what is needed should the service break.
func (v *service) once(ctx context.Context, client *wire.Client, x *sending) (Evidence, bool) {
	leave, err := v.enter(ctx)
	if err != nil {
		x.ev = v.unsent(*x, err)
		return x.ev, true
	}
	defer leave()
	if err := v.limit.wait(ctx, place(x.request)); err != nil {
		x.ev = v.unsent(*x, err)
		return x.ev, true
	}
	v.share()
	defer v.unshare()
	if v.outOfOrder(x.request) != nil || v.convicted(*x) || v.stuck(*x) != nil {
		return Evidence{}, false
	}
	v.begin(x)
	defer v.end(x)
	ev := v.send(ctx, client, x.title, x.request)
	x.ev = Evidence{Title: ev.Title, Exchange: ev.Exchange.Clip(maxKept), StandIn: ev.StandIn}
	if !v.limited(ev) {
		v.limit.serve(place(x.request))
	}
	return ev, true
}

// send is the way out, with the session's current credentials.
func (v *service) send(ctx context.Context, client *wire.Client, title string, r wire.Request) Evidence {
	r = v.t.renewed(r)
	if r.Timeout == 0 {
		r.Timeout = v.timeout()
		if RunningOf(ctx).Rule.ID != "" && v.hangs.Load() >= fewHangs {
			r.Timeout = v.hasty(r.Timeout)
		}
	}
	if c := RunningOf(ctx); c.Rule.ID != "" {
		r.Header[HeaderCheck] = []string{c.Rule.ID}
	}
	ex := client.Do(ctx, r)
	if ex.Kind() == wire.KindUnreachable {
		v.noteGone()
	}
	v.t.Seen(ex)
	ev := Evidence{Title: title, Exchange: ex, StandIn: v.standsIn(ex)}
	if hasAnswer(ev) {
		v.noteAnswer()
	}
	return ev
}

func (v *service) begin(x *sending) {
	v.mu.Lock()
	defer v.mu.Unlock()
	x.at, x.began = v, time.Now()
	x.beside = v.underway
	v.underway++
	p := v.process
	p.lately = append(p.lately, x)
	if len(p.lately) > maxLately {
		p.lately = slices.Delete(p.lately, 0, len(p.lately)-maxLately)
	}
}

func (v *service) end(x *sending) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if x.ended.IsZero() {
		v.underway--
	}
	x.ended, x.gone = time.Now(), v.process.gone
}

func (v *service) isDown() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.down
}

// outOfOrder is why nothing more is sent where a request goes.
func (v *service) outOfOrder(r wire.Request) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return cmp.Or(v.down, v.ailing[place(r)])
}

// trouble says whether an answer may be somebody else's doing: there is none,
// or a gateway says that nobody is there.
func (v *service) trouble(x sending) bool {
	ex := x.ev.Exchange
	v.mu.Lock()
	known := len(v.signs) > 0
	usual := v.usual(ex.Status())
	v.mu.Unlock()
	switch {
	case !known: // the first contact: whoever makes it says what is wrong
		return false
	case errors.Is(ex.Err, wire.ErrNotSent), ex.Kind() == wire.KindCanceled:
		return false
	case ex.Err != nil:
		return true
	}
	return Gateway(ex.Status()) && !usual || x.ev.StandIn
}

// Gateway says whether a status is what a proxy answers for a service that is
// not there.
func Gateway(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}
