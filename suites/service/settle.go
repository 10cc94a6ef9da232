package service

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// What was answered may still end the process a moment later. Whoever sends the
// next request notices; where nobody does, it is looked for.

// settle waits until nothing that was answered can still break the service, and
// finds out what did where it is broken: what comes next must not be blamed, unless it
// is of the same check. The gate is held by the caller.
func (v *service) settle(ctx context.Context, client *wire.Client) {
	v.settleFor(ctx, client, v.aftermath())
}

// moment is within what most end of what they have answered, or hang. Where one thing is done
// after another, each check waits for so long: what is down for good after that, it did itself.
const moment = 50 * time.Millisecond

// settleForAMoment waits for so long, but for what the check itself has sent. The gate is held by
// the caller.
func (v *service) settleForAMoment(ctx context.Context, client *wire.Client) {
	running := RunningOf(ctx)
	last := v.unsettledBut(running)
	if last == nil || last == v.waitedFor || last.running.Rule.ID == running.Rule.ID { // it has waited, at another webhook
		return
	}
	v.settleFor(ctx, client, moment)
	v.waitedFor = last
}

// inOrder are the services to which others than a check have sent last, in the order in which
// they have: which ports they listen at, nobody chooses.
func (t *Traffic) inOrder(but *Running) []*service {
	last := map[*service]time.Time{}
	for _, v := range t.all() {
		if x := v.unsettledBut(but); x != nil {
			last[x.at] = x.began
		}
	}
	return slices.SortedFunc(maps.Keys(last), func(a, b *service) int { return last[a].Compare(last[b]) })
}

func (v *service) settleFor(ctx context.Context, client *wire.Client, wait time.Duration) {
	last := v.unsettledBut(RunningOf(ctx))
	if last == nil {
		return
	}
	switch v.outlives(ctx, client, last, wait) {
	case gone:
		v.foundDead(ctx, client, last)
		v.setSettled(last)
	case silent:
		if !v.speaks(client, "") && v.staysAway(ctx, client) {
			v.lost(ctx, client, v.findsDead(last))
		}
	}
}

// outlives waits so long after the last request that was sent, and says how the service is then,
// or is as soon as it is not well.
func (v *service) outlives(ctx context.Context, client *wire.Client, last *sending, wait time.Duration) pulse {
	ended := v.endOf(last)
	state := v.watch(ctx, client, ended.Add(wait), v.t.Patience.Aftermath)
	switch {
	case ctx.Err() != nil:
		return beats
	case state == gone, ended.IsZero(): // it may still break it
	case wait >= v.aftermath():
		v.setSettled(last)
	}
	return state
}

// after is how the service is after an answer, and goes on to be until a moment after some
// time: an uncaught error ends a process a moment after it has answered, and another moment
// later it may be back. The gate is held by the caller.
func (v *service) after(ctx context.Context, client *wire.Client, ev Evidence, until time.Time, every time.Duration) pulse {
	last := v.unsettled()
	if now := time.Now(); until.Before(now) {
		until = now
	}
	state := v.pulse(ctx, client)
	switch {
	case state == beats && cutOff(ev): // who hangs up may end a moment later
		return v.watch(ctx, client, time.Now().Add(v.afterCut()), moment)
	case state != beats || ev.Exchange.Err != nil: // it has shown what it does, and the service may have outlived it
		return state
	}
	if !v.outlasts(until) {
		state = v.watch(ctx, client, until.Add(v.aftermath()), every)
	}
	if state == beats && last != nil && ctx.Err() == nil {
		v.setSettled(last)
	}
	return state
}

// soon is how soon the service is looked at again that may die, and be back: shorter than
// both take.
const soon = 50 * time.Millisecond

// watch looks at the service again and again, the last time at the end, and says how it is,
// or was as soon as it was not well.
func (v *service) watch(ctx context.Context, client *wire.Client, end time.Time, every time.Duration) pulse {
	for {
		left := time.Until(end)
		if Sleep(ctx, min(left, every)) != nil {
			return beats
		}
		if state := v.pulse(ctx, client); state != beats || left <= every {
			return state
		}
	}
}

// outlasts says whether a plain request, just answered, has taken so long that what was
// answered before it was asked can't break the service any more: it is a slow one, which
// has lived on meanwhile.
func (v *service) outlasts(asked time.Time) bool {
	return v.slow() && time.Since(asked) >= 2*v.t.Patience.Aftermath
}

// endOf is when a request had ended, and what was sent before it and ended after it; zero while
// it is under way.
func (v *service) endOf(x *sending) time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	latest := x.ended
	for _, y := range v.process.lately {
		if y == x || latest.IsZero() {
			break
		}
		if y.ended.After(latest) {
			latest = y.ended
		}
	}
	return latest
}

func (v *service) setSettled(last *sending) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.process.settled = last
}

// unsettled is the last request, but for plain ones, that was sent since the service was
// last looked after; nil if none was.
func (v *service) unsettled() *sending { return v.unsettledBut(nil) }

// unsettledBut is unsettled, leaving out what one check has sent.
func (v *service) unsettledBut(by *Running) *sending {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down != nil {
		return nil
	}
	for _, x := range slices.Backward(v.process.lately) {
		switch {
		case x == v.process.settled:
			return nil
		case !x.plain && x.running != by:
			return x
		}
	}
	return nil
}

// foundDead finds out what broke the service, where it was found dead after the
// last request that was sent to it. The gate is held by the caller.
func (v *service) foundDead(ctx context.Context, client *wire.Client, last *sending) {
	x := v.findsDead(&sending{request: last.request, began: last.ended, ended: time.Now()})
	if v.join(ctx, client, gone); v.explained(x) { // somebody was looking into it already
		return
	}
	v.lookInto(ctx, client, x)
}

// lookInto finds out of what the service has died that x found dead.
func (v *service) lookInto(ctx context.Context, client *wire.Client, x *sending) {
	if !v.await(ctx, client) {
		v.lost(ctx, client, x)
		return
	}
	v.searchFor(client, x, true).conclude(ctx)
}

// findsDead is a plain request that would have got no answer when x was sent.
func (v *service) findsDead(x *sending) *sending {
	plain := &sending{at: v, running: &Running{}, title: isItAlive, plain: true, request: x.request, began: x.began, ended: x.ended}
	plain.ev = Evidence{Title: isItAlive, Exchange: wire.Exchange{At: v.t.Now(), Request: x.request, Err: errGone}}
	return plain
}

// errGone is how a service is found dead where nobody was waiting for an answer.
var errGone = errors.New("nobody answered any more")

// quietFor is shorter than a process takes to end and to be back.
const quietFor = 200 * time.Millisecond

// quiet looks after the service once nothing has been sent to it for a moment:
// who dies after an answer, and is back before the next request, has died too.
// Where one thing is done after another, there are no such moments.
func (v *service) quiet(client *wire.Client) {
	if v.t.InOrder() || v.oneByOne() {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.closed:
	case v.watching != nil:
		v.watching.Reset(quietFor)
	default:
		v.watching = time.AfterFunc(quietFor, func() { v.lookAfter(v.t.base, client) })
	}
}

func (v *service) lookAfter(ctx context.Context, client *wire.Client) {
	if v.oneByOne() || !v.tryShare() { // somebody looks after it already
		return
	}
	last, asked := v.unsettled(), time.Now()
	lives := true
	if last != nil && ctx.Err() == nil {
		ended, state := v.endOf(last), v.pulse(ctx, client)
		lives = state != gone
		if state == beats && !ended.IsZero() && v.outlasts(asked) {
			v.setSettled(last)
		}
	}
	v.unshare()
	if !lives {
		v.inquire(ctx, client, last)
	}
}

// settleBeside is settle beside other traffic, which it does not hold up while the
// service lives.
func (v *service) settleBeside(ctx context.Context, client *wire.Client) {
	v.share()
	last := v.unsettled()
	lives := last == nil || v.outlives(ctx, client, last, v.aftermath()) != gone
	v.unshare()
	if !lives {
		v.inquire(ctx, client, last)
	}
}

// inquire finds out what broke the service, if nobody has meanwhile.
func (v *service) inquire(ctx context.Context, client *wire.Client, last *sending) {
	v.lock()
	defer v.unlock()
	if v.unsettled() != nil && !v.isClosed() {
		v.foundDead(ctx, client, last)
	}
}

func (v *service) isClosed() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.closed
}

// close ends what looks after the service.
func (v *service) close() {
	v.mu.Lock()
	v.closed = true
	if v.watching != nil {
		v.watching.Stop()
	}
	v.mu.Unlock()
	v.lock() // who looks after it has ended
	defer v.unlock()
}
