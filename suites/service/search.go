package service

import (
	"context"
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Suspects are sent again, in groups, until it is known which of them breaks the service.

// A finding is what came of sending suspects again.
type finding struct {
	broke   bool          // the service was broken, whoever did it
	culprit *sending      // nil if nobody knows who
	ev      Evidence      // of it
	death   Death         // that it caused
	late    time.Duration // how long it lived on at most after the answer
}

// sure says whether it happened more than once: else it may have been another one, of
// which the service died later than was waited for.
func (f finding) sure() bool {
	return f.culprit != nil && (f.death.Times > 1 || f.death.Of == 1 || f.death.Gone)
}

// or is g, or what is known without it.
func (f finding) or(g finding) finding {
	if !g.sure() && f.culprit != nil {
		return f
	}
	g.broke = g.broke || f.broke
	return g
}

// search repeats the suspects until one of them breaks the service again. The answers of
// those that had none are kept for those who wait for them. What had been answered, or was
// sent again before, is repeated in groups, each twice as large as the one before: there
// are many, and few of them are to blame.
func (v *service) search(ctx context.Context, client *wire.Client, suspects []*sending) (found finding) {
	for size := firstGroup; len(suspects) > 0 && v.goesOn(ctx, found); {
		n := 0
		for n < min(size, len(suspects)) && (answered(suspects[n]) || suspects[n].again != nil) {
			n++
		}
		if n > 0 {
			size *= 2
		}
		n = max(n, 1)
		group := slices.Clone(suspects[:n])
		slices.Reverse(group) // as they were sent
		found, suspects = found.or(v.narrow(ctx, client, group)), suspects[n:]
	}
	return found
}

const (
	firstGroup = 8
	parts      = 4 // of a group
)

// goesOn says whether there is more to find out.
func (v *service) goesOn(ctx context.Context, found finding) bool {
	return !found.sure() && v.isDown() == nil && ctx.Err() == nil && time.Now().Before(v.giveUp)
}

// narrow repeats a group, and where that breaks the service its parts, what was sent last
// first, until it is one request that does. Of more parts, fewer deaths come, and more waiting.
func (v *service) narrow(ctx context.Context, client *wire.Client, group []*sending) (found finding) {
	evs, broke, late := v.together(ctx, client, group)
	if ctx.Err() != nil { // what they do now was not waited for
		return found
	}
	if !broke {
		for i, x := range group {
			if x.outlived = time.Since(x.watched); !answered(x) {
				x.again = &evs[i]
			}
		}
		return found
	}
	found.broke = true
	v.setDying(true)
	group = group[:len(evs)]
	last := evs[len(evs)-1]
	switch {
	case v.staysAway(ctx, client):
		slices.Reverse(group)
		v.lostTo(group[0], group, v.pulse(ctx, client))
	case len(group) == 1 && last.Exchange.Kind() == wire.KindUnreachable: // who finds it dead has not killed it
	case len(group) == 1:
		return v.convict(ctx, client, group[0], last, late)
	default:
		for _, part := range slices.Backward(slices.Collect(slices.Chunk(group, (len(group)+parts-1)/parts))) {
			if v.goesOn(ctx, found) {
				found = found.or(v.narrow(ctx, client, part))
			}
		}
	}
	return found
}

func answered(x *sending) bool { return hasAnswer(x.ev) }

func hasAnswer(ev Evidence) bool {
	return ev.Exchange.Response != nil && !Gateway(ev.Exchange.Status()) && !ev.StandIn
}

// together repeats requests one after another, and says whether the service was broken
// after them: each is given as long to break it as it had at first. Where one is cut off
// that had been answered, or nobody is there, those after it are not sent. late is how long after the last
// answer that was seen.
func (v *service) together(ctx context.Context, client *wire.Client, group []*sending) (evs []Evidence, broke bool, late time.Duration) {
	state, cut := beats, false
	var ended time.Time
	for try := 0; try < 2; try++ {
		evs = nil
		var until time.Time
		for _, x := range group {
			ev := x.at.send(WithRunning(ctx, x.running), client, x.title, x.request)
			evs, ended = append(evs, ev), time.Now()
			x.watched = ended
			if end := ended.Add(x.lag); end.After(until) {
				until = end
			}
			if cut = len(group) > 1 && (refused(ev) || answered(x) && x.at.trouble(sending{ev: ev})); cut {
				break
			}
		}
		state = v.after(ctx, client, evs[len(evs)-1], until, soon)
		late = time.Since(ended)
		if state == gone && v.join(ctx, client, gone) { // it may be what the others were sent meanwhile
			try = -1
		} else if state != silent && state != failing {
			break
		}
		if !v.await(ctx, client) { // that it was silent once may be anybody's doing
			break
		}
	}
	return evs, cut || state != beats, late
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
	case state == beats && ev.Exchange.Kind() == wire.KindReset: // who hangs up may end a moment later
		wait, dying := v.afterCut()
		if !dying {
			until = time.Now()
		}
		return v.watch(ctx, client, until.Add(wait), moment)
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

// convict sends what has broken the service once until it has been tried often enough.
func (v *service) convict(ctx context.Context, client *wire.Client, x *sending, ev Evidence, late time.Duration) finding {
	f := finding{broke: true, culprit: x, ev: x.ev, late: late, death: Death{Title: x.title, Times: 1, Of: 1}}
	if !answered(x) { // else a later try may have been cut off
		f.ev = ev
	}
	for d := &f.death; d.Of < x.at.tries(*x) && !d.Gone; {
		evs, broke, late := v.together(ctx, client, []*sending{x})
		if ctx.Err() != nil {
			return finding{broke: true}
		}
		if d.Of++; broke {
			d.Times++
			f.late = max(f.late, late)
			if !hasAnswer(f.ev) { // it may be answered, and the end be a moment too early to see that
				f.ev = evs[0]
			}
			d.Gone = v.staysAway(ctx, client)
		}
	}
	f.death.Late = hasAnswer(f.ev)
	return f
}

// sentence notes what was found, and learns how late the service may die.
func (v *service) sentence(f finding) {
	f.culprit.ev = f.ev
	ev := f.culprit.at.killed(f.culprit, f.death)
	if f.death.Gone {
		v.bury(*ev.Killed)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case f.death.Late:
		v.process.late = max(v.process.late, f.late)
	case f.late > moment && f.ev.Exchange.Kind() == wire.KindReset:
		v.process.lateCut = max(v.process.lateCut, min(f.late, v.t.Patience.Aftermath))
	}
}
