package service

import (
	"context"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Who broke a service: the requests that were under way or had just ended are
// repeated one at a time, each followed by a plain request, until one repeats
// the trouble. All others are innocent, and are judged by their new answers.

// allTries is how often the culprit's request is sent, so that a report can say
// "3 of 3".
const allTries = 3

// tries is how often x is sent: once where it is known that the like of it kills the
// service, or that much does.
func (v *service) tries(x sending) int {
	if v.convicted(x) {
		return 1
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.killers()) >= manyKillers {
		return 1
	}
	return allTries
}

// manyKillers are so many checks that kill a service that "3 of 3" has been seen often
// enough.
const manyKillers = 4

// killers are the checks that have killed the service; mu is held by the caller.
func (v *service) killers() map[string]bool {
	found := map[string]bool{}
	for _, d := range v.deaths {
		if d.Check != "" {
			found[d.Check] = true
		}
	}
	return found
}

// investigate looks into the trouble that x ended in, with nothing else going
// on. It returns the answer that counts, or says that x must be sent again as
// if nothing had been: its trouble was somebody else's.
func (v *service) investigate(ctx context.Context, client *wire.Client, x *sending) (Evidence, bool) {
	v.lock() // what was under way has ended
	defer v.unlock()
	if ev, known := v.known(ctx, client, x); known {
		return ev, x.again != nil || v.isDown() != nil
	}
	state := v.pulse(ctx, client)
	if state == beats && cutOff(x.ev) { // who hangs up may end a moment later
		state = v.watch(ctx, client, x.ended.Add(v.afterCut()), moment)
	}
	if state == gone && v.join(ctx, client, gone) {
		if ev, known := v.known(ctx, client, x); known || v.explained(x) {
			return ev, x.again != nil || v.isDown() != nil
		}
	}
	died := state != beats && !(state == silent && v.speaks(client, place(x.request)))
	if !died && (x.ev.Exchange.Kind() == wire.KindTimeout || Gateway(x.ev.Exchange.Status())) { // somebody answers, but perhaps nobody there
		if err := v.ails(ctx, client, x.ev); err != nil {
			return v.unsent(*x, err), true
		}
	}
	switch {
	case died && !v.await(ctx, client):
		return v.lost(ctx, client, x), true
	case !died && x.ev.Exchange.ClosedForLength():
		return x.ev, true // it may hang up on that
	case !died && x.ev.Exchange.Kind() == wire.KindTimeout:
		return v.outwait(ctx, client, x), true
	case !died && (Gateway(x.ev.Exchange.Status()) || x.ev.StandIn):
		if evs, broke, _ := v.searchFor(client, x, false).together(ctx, []*sending{x}); !broke {
			v.owns(&evs[0])
			return evs[0], true // what it answers to this, and to nothing else
		}
		if !v.await(ctx, client) {
			return v.lost(ctx, client, x), true
		}
		died, state = true, gone
	case died && !x.plain && cutOff(x.ev) && v.convicted(*x) && !v.inCompany(x):
		return v.killed(x, Death{Title: x.title, Times: 1, Of: 1}), true
	case !x.plain && v.convicted(*x): // by others that were under way: it is sent again, alone, if at all
		return x.ev, false
	}
	v.searchFor(client, x, state == gone || blame(x) == 0).conclude(ctx)
	if x.again != nil {
		return *x.again, true
	}
	if err := v.isDown(); err != nil {
		return v.unsent(*x, err), true
	}
	return x.ev, false
}

// known says whether it needs no looking into what x ended in: it was looked into
// meanwhile, the service is down, or a limit has turned it away.
func (v *service) known(ctx context.Context, client *wire.Client, x *sending) (Evidence, bool) {
	if x.again != nil {
		return *x.again, true
	}
	if err := v.isDown(); err != nil { // that it was cut off tells nothing of it
		return v.unsent(*x, err), true
	}
	return x.ev, v.sheds(ctx, client, x.ev)
}

// fewHangs is how many requests are seen to hang also alone before a time-out is
// believed as it is: each look costs the time-out, with all else waiting.
const fewHangs = 2

// outwait sends again, alone, what was not answered in time: slow in company, it
// may be quick by itself.
func (v *service) outwait(ctx context.Context, client *wire.Client, x *sending) Evidence {
	v.mu.Lock()
	told := v.hung[x.by()] > 0
	v.mu.Unlock()
	if told || v.hangs.Load() >= fewHangs {
		x.ev.Hung = true
		return x.ev
	}
	ev := v.send(ctx, client, x.title, x.request)
	switch {
	case ev.Exchange.Response != nil:
		v.overtaxed()
	case ev.Exchange.Kind() == wire.KindTimeout && v.alive(ctx, client):
		ev.Hung = true
		if v.hangs.Add(1) == fewHangs {
			v.inFlight.widen()
		}
	}
	return ev
}
