package service

import (
	"context"
	"errors"
	"slices"
	"time"

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
	if state == beats && blame(x) == 3 { // who hangs up may end a moment later
		wait, _ := v.afterCut()
		state = v.watch(ctx, client, x.ended.Add(wait), moment)
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
		if evs, broke, _ := v.together(ctx, client, []*sending{x}); !broke {
			v.owns(&evs[0])
			return evs[0], true // what it answers to this, and to nothing else
		}
		if !v.await(ctx, client) {
			return v.lost(ctx, client, x), true
		}
		died, state = true, gone
	case died && !x.plain && blame(x) == 3 && v.convicted(*x) && !v.inCompany(x):
		return v.killed(x, Death{Title: x.title, Times: 1, Of: 1}), true
	case !x.plain && v.convicted(*x): // by others that were under way: it is sent again, alone, if at all
		return x.ev, false
	}
	v.accuse(ctx, client, x, state == gone)
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

// accuse finds out which of the suspects breaks the service, and notes its death.
func (v *service) accuse(ctx context.Context, client *wire.Client, x *sending, died bool) {
	v.setDying(died || blame(x) == 0)
	defer v.setDying(false)
	suspects, found := v.trace(ctx, client, x, died)
	switch {
	case v.isDown() != nil, ctx.Err() != nil:
	case found.culprit != nil:
		v.sentence(found)
	case (died || blame(x) == 0) && !v.explained(x):
		v.noteUnexplained(x, suspects)
	}
}

// trace looks for who breaks the service: elsewhere on its machine only where nothing that
// it was sent does it again.
func (v *service) trace(ctx context.Context, client *wire.Client, x *sending, died bool) ([]*sending, finding) {
	suspects, found := v.traceHere(ctx, client, x, died, nil)
	if !found.sure() && v.isDown() == nil && v.isUnexplained(x, died) && v.joinNeighbours() && !v.explained(x) {
		var more []*sending
		more, found = v.traceHere(ctx, client, x, died, suspects)
		suspects = append(suspects, more...)
	}
	return suspects, found
}

// traceHere looks further back only where nothing that was sent just before does it again.
// What is known by now not to do it is left out.
func (v *service) traceHere(ctx context.Context, client *wire.Client, x *sending, died bool, known []*sending) ([]*sending, finding) {
	v.giveUp = time.Now().Add(v.patience())
	suspects := without(v.suspects(x, 2*v.aftermath(), maxSuspects), known)
	found := v.search(ctx, client, suspects)
	if !found.sure() && v.isUnexplained(x, died) {
		hungUp := without(v.hungUp(x, 2*v.aftermath()), known)
		found = found.or(v.search(ctx, client, hungUp))
		suspects = append(suspects, hungUp...)
	}
	if !found.sure() && v.isUnexplained(x, died) {
		older := without(v.suspects(x, v.t.Patience.Latest, maxLately), slices.Concat(known, suspects))
		found = found.or(v.search(ctx, client, older))
		suspects = append(suspects, older...)
	}
	if found.broke && !found.sure() { // what did it was not waited for long enough
		for _, y := range suspects {
			y.lag = 2 * (y.lag + v.aftermath())
		}
		found = found.or(v.search(ctx, client, suspects))
	}
	return suspects, found
}

// patience is how long it is looked for who is to blame for a death.
func (v *service) patience() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.t.Patience.Search + maxInTime*v.pace
}

// maxInTime are so many requests, one after the other, as need not be within that time.
const maxInTime = 20

func without(all, some []*sending) []*sending {
	return slices.DeleteFunc(all, func(x *sending) bool { return slices.Contains(some, x) })
}

// isUnexplained says whether a service has died of what nobody knows to have killed it, and
// it is worth looking further.
func (v *service) isUnexplained(x *sending, died bool) bool {
	return (died || blame(x) == 0) && !v.explained(x) && v.unexplained() < fewUnexplained
}

// fewUnexplained is for how many deaths that nobody is to blame for it is looked far back:
// such a service may end by itself.
const fewUnexplained = 3

// unexplained is how many deaths nobody is to blame for.
func (v *service) unexplained() (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, d := range v.deaths {
		if !d.Blamed() {
			n++
		}
	}
	return n
}

// explained says whether what is known to have killed the service was under way when
// x was, or just before.
func (v *service) explained(x *sending) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	since := x.began.Add(-2 * v.lateness())
	return slices.ContainsFunc(v.process.lately, func(y *sending) bool {
		return y.again != nil && y.again.Killed != nil && !y.ended.Before(since)
	})
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

// suspects are the requests that may have broken the service, the likeliest
// first: x and what else got no answer, then what had ended at most so long before, and
// about so many. Plain ones are the last that one would think of, and only where they were
// cut off. Who found nobody there has not done it.
func (v *service) suspects(x *sending, before time.Duration, most int) []*sending {
	v.mu.Lock()
	defer v.mu.Unlock()
	since, noticed := x.began.Add(-before), x.ended
	if x.ev.Exchange.Kind() == wire.KindTimeout {
		noticed = x.began
	}
	var silent, answered, plain []*sending
	if !x.plain {
		silent = append(silent, x)
	}
	lately := v.process.lately
	for i := len(lately) - 1; i >= 0 && len(silent)+len(answered) < most; i-- {
		y := lately[i]
		y.lag = min(max(0, noticed.Sub(y.ended)), v.t.Patience.Latest)
		switch {
		case y.began.After(x.ended) || y.ended.Before(since):
		case y == x || y.again != nil || y.outlived > y.lag: // it is known what it does
		case y.plain && blame(y) == 3:
			plain = append(plain, y)
		case y.plain:
		case y.ev.Exchange.Err != nil || Gateway(y.ev.Exchange.Status()) || y.ev.StandIn:
			silent = append(silent, y)
		default:
			answered = append(answered, y)
		}
	}
	if x.plain {
		plain = append(plain, x)
	}
	for _, some := range [][]*sending{silent, plain} {
		slices.SortStableFunc(some, func(a, b *sending) int { return blame(b) - blame(a) })
	}
	return slices.DeleteFunc(slices.Concat(silent, answered, plain), func(y *sending) bool { return blame(y) == 0 })
}

// hungUp are the requests on which the service has hung up, and again when they were sent
// again: it was not looked for long what becomes of it then, as it lived.
func (v *service) hungUp(x *sending, before time.Duration) []*sending {
	v.mu.Lock()
	defer v.mu.Unlock()
	var found []*sending
	for _, y := range slices.Backward(v.process.lately) {
		if y == x || y.again == nil || y.again.Exchange.Kind() != wire.KindReset || y.again.Killed != nil ||
			y.began.After(x.ended) || y.ended.Before(x.began.Add(-before)) {
			continue
		}
		if y.lag = min(max(0, x.ended.Sub(y.ended)), v.t.Patience.Latest); y.outlived <= y.lag && len(found) < maxSuspects {
			found = append(found, y)
		}
	}
	return found
}

// blame ranks how a request ended by how likely it is that it broke the service.
func blame(x *sending) int {
	if errors.Is(x.ev.Exchange.Err, errGone) {
		return 0
	}
	switch x.ev.Exchange.Kind() {
	case wire.KindReset, wire.KindOther:
		return 3
	case wire.KindTimeout:
		return 2
	case wire.KindUnreachable:
		return 0
	}
	return 1
}
