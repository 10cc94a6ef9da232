package service

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
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
	v.gate.Lock() // what was under way has ended
	defer v.gate.Unlock()
	if x.again != nil {
		return *x.again, true
	}
	if err := v.isDown(); err != nil { // that it was cut off tells nothing of it
		return v.unsent(*x, err), true
	}
	if v.sheds(ctx, client, x.ev) {
		return x.ev, false
	}
	state := v.pulse(ctx, client)
	died := state != beats
	if !died && (x.ev.Exchange.Kind() == wire.KindTimeout || Gateway(x.ev.Exchange.Status())) { // somebody answers, but perhaps nobody there
		if err := v.ails(ctx, client, x.ev); err != nil {
			return v.unsent(*x, err), true
		}
	}
	switch {
	case died && !v.await(ctx, client):
		return v.lost(ctx, client, x, v.suspects(x, 2*v.aftermath(), maxSuspects)), true
	case !died && x.ev.Exchange.ClosedForLength():
		return x.ev, true // it may hang up on that
	case !died && x.ev.Exchange.Kind() == wire.KindTimeout:
		return v.outwait(ctx, client, x), true
	case !died && (Gateway(x.ev.Exchange.Status()) || x.ev.StandIn):
		if evs, broke := v.together(ctx, client, []*sending{x}); !broke {
			v.owns(&evs[0])
			return evs[0], true // what it answers to this, and to nothing else
		}
		if !v.await(ctx, client) {
			return v.lost(ctx, client, x, v.suspects(x, 2*v.aftermath(), maxSuspects)), true
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

// accuse finds out which of the suspects breaks the service, and notes its death.
func (v *service) accuse(ctx context.Context, client *wire.Client, x *sending, died bool) {
	suspects, found := v.trace(ctx, client, x, died)
	switch {
	case v.isDown() != nil:
	case found.culprit != nil:
		v.sentence(found)
	case (died || slices.ContainsFunc(suspects, refused)) && !v.explained(x):
		v.note(Death{Address: v.address, Last: titles(suspects[:min(3, len(suspects))]), Evidence: x.ev})
	}
}

// trace looks for who breaks the service: further back only where nothing that was sent
// just before does it again.
func (v *service) trace(ctx context.Context, client *wire.Client, x *sending, died bool) ([]*sending, finding) {
	suspects := v.suspects(x, 2*v.aftermath(), maxSuspects)
	found := v.search(ctx, client, suspects)
	if !found.sure() && (died || slices.ContainsFunc(suspects, refused)) && !v.explained(x) && v.unexplained() < fewUnexplained {
		older := slices.DeleteFunc(v.suspects(x, v.t.Patience.Latest, maxLately), func(y *sending) bool { return slices.Contains(suspects, y) })
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
	return slices.ContainsFunc(v.lately, func(y *sending) bool {
		return y.again != nil && y.again.Killed != nil && !y.ended.Before(since)
	})
}

// refused says whether a request found nobody there.
func refused(x *sending) bool { return x.ev.Exchange.Kind() == wire.KindUnreachable }

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
// cut off.
func (v *service) suspects(x *sending, before time.Duration, most int) []*sending {
	v.mu.Lock()
	defer v.mu.Unlock()
	since, noticed := x.began.Add(-before), x.ended
	if x.ev.Exchange.Kind() == wire.KindTimeout {
		noticed = x.began
	}
	var silent, answered, plain []*sending
	for i := len(v.lately) - 1; i >= 0 && len(silent)+len(answered) < most; i-- {
		y := v.lately[i]
		y.lag = min(max(0, noticed.Sub(y.ended)), v.t.Patience.Latest)
		switch {
		case y == x || y.again != nil || y.ended.Before(since): // or it is known what it does
		case y.plain && blame(y) == 3:
			plain = append(plain, y)
		case y.plain:
		case y.ev.Exchange.Err != nil || Gateway(y.ev.Exchange.Status()) || y.ev.StandIn:
			silent = append(silent, y)
		default:
			answered = append(answered, y)
		}
	}
	// Refused means that it was dead already; whoever lost the connection was there.
	slices.SortStableFunc(silent, func(a, b *sending) int { return blame(b) - blame(a) })
	all := append([]*sending{}, silent...)
	if x.plain {
		plain = append(plain, x)
		slices.SortStableFunc(plain, func(a, b *sending) int { return blame(b) - blame(a) })
		return slices.Concat(all, answered, plain)
	}
	at, _ := slices.BinarySearchFunc(all, x, func(y, x *sending) int { return blame(x) - blame(y) })
	all = slices.Insert(all, at, x)
	return slices.Concat(all, answered, plain)
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
// those that had none are kept for those who wait for them. What had been answered is
// repeated in groups, each twice as large as the one before: there are many, and few of
// them are to blame.
func (v *service) search(ctx context.Context, client *wire.Client, suspects []*sending) (found finding) {
	for size := firstGroup; len(suspects) > 0 && v.goesOn(ctx, found); {
		n := 0
		for n < min(size, len(suspects)) && answered(suspects[n]) {
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
	return !found.sure() && v.isDown() == nil && ctx.Err() == nil
}

// narrow repeats a group, and where that breaks the service its parts, what was sent last
// first, until it is one request that does. Of more parts, fewer deaths come, and more waiting.
func (v *service) narrow(ctx context.Context, client *wire.Client, group []*sending) (found finding) {
	began := time.Now()
	evs, broke := v.together(ctx, client, group)
	if !broke {
		for i, x := range group {
			if !answered(x) {
				x.again = &evs[i]
			}
		}
		return found
	}
	found.broke = true
	group = group[:len(evs)]
	last := evs[len(evs)-1]
	late := time.Since(began) - last.Exchange.Duration
	switch {
	case !v.await(ctx, client):
		slices.Reverse(group)
		v.lost(ctx, client, group[0], group)
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
// that had been answered, those after it are not sent.
func (v *service) together(ctx context.Context, client *wire.Client, group []*sending) (evs []Evidence, broke bool) {
	state, cut := beats, false
	for range 2 {
		evs = nil
		var until time.Time
		for _, x := range group {
			ev := v.send(WithRunning(ctx, x.running), client, x.title, x.request)
			evs = append(evs, ev)
			if end := time.Now().Add(x.lag); end.After(until) {
				until = end
			}
			if cut = len(group) > 1 && answered(x) && v.trouble(sending{ev: ev}); cut {
				break
			}
		}
		if state = v.after(ctx, client, evs[len(evs)-1], until, soon); state != silent && state != failing || !v.await(ctx, client) {
			break // that it was silent once may be anybody's doing
		}
	}
	return evs, cut || state != beats
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
	if state != beats || ev.Exchange.Err != nil { // it has shown what it does, and the service may have outlived it
		return state
	}
	if !v.outlasts(until) {
		state = v.watch(ctx, client, until.Add(v.aftermath()), every)
	}
	if state == beats && last != nil {
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
	for d := &f.death; d.Of < v.tries(*x) && !d.Gone && ctx.Err() == nil; {
		d.Of++
		began := time.Now()
		if evs, broke := v.together(ctx, client, []*sending{x}); broke {
			d.Times++
			f.late = max(f.late, time.Since(began)-evs[0].Exchange.Duration)
			if !hasAnswer(f.ev) { // it may be answered, and the end be a moment too early to see that
				f.ev = evs[0]
			}
			d.Gone = !v.await(ctx, client)
		}
	}
	f.death.Late = hasAnswer(f.ev)
	return f
}

// sentence notes what was found, and learns how late the service may die.
func (v *service) sentence(f finding) {
	f.culprit.ev = f.ev
	ev := v.killed(f.culprit, f.death)
	if f.death.Gone {
		v.bury(*ev.Killed)
	}
	if f.death.Late {
		v.mu.Lock()
		v.late = max(v.late, f.late)
		v.mu.Unlock()
	}
}

// killed notes that x has killed the service, and returns x's evidence.
func (v *service) killed(x *sending, d Death) Evidence {
	d.Address, d.Check = v.address, x.running.Rule.ID
	ev := x.ev
	d.Evidence = ev
	ev.Killed = &d
	v.note(d)
	if x.kind != "" {
		v.mu.Lock()
		f := v.fateOf(x.kind)
		if f.deaths++; f.deaths == 1 {
			f.first = d
		}
		v.mu.Unlock()
	}
	if !d.Late { // its answer was judged, whether or not the death is found before the check has ended
		x.running.kills(d)
	}
	x.again = &ev
	return ev
}

// convicted says whether a check, or a kind of request, has been found to kill the
// service already: that is known then, and each further death costs the run seconds.
func (v *service) convicted(x sending) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f := v.kinds[x.kind]; f != nil && f.deaths > 0 && !f.answered {
		return true
	}
	return slices.ContainsFunc(v.deaths, func(d Death) bool { return d.alike(x) })
}

// lost notes that the service is down for good. Who did it is known where only
// one request was there when it died.
func (v *service) lost(ctx context.Context, client *wire.Client, x *sending, suspects []*sending) Evidence {
	there := slices.DeleteFunc(slices.Clone(suspects), func(y *sending) bool { return blame(y) < 2 })
	// It is one of those that were there, of which none can be tried any more.
	last := cmp.Or(len(there), min(3, len(suspects)))
	state := v.pulse(ctx, client)
	d := Death{Address: v.address, Last: titles(append(slices.Clone(there), suspects...)[:last]), Gone: true, Silent: state == silent, Failing: state == failing, Evidence: x.ev}
	if !d.Failing && (len(there) == 1 || len(suspects) == 1) { // many may have used up what it lacks by now
		culprit := append(there, suspects...)[0]
		d.Title, d.Times, d.Of = culprit.title, 1, 1
		ev := v.killed(culprit, d)
		d = *ev.Killed
		culprit.again = &ev
		v.bury(d)
		if culprit == x {
			return ev
		}
	} else {
		v.note(d)
		v.bury(d)
	}
	return v.unsent(*x, v.isDown())
}

// bury says that nothing more can be found out about the service.
func (v *service) bury(d Death) {
	err := &diedError{d}
	v.mu.Lock()
	v.down = err
	v.mu.Unlock()
	v.t.Problem(err.Error()+".", "Restart it, and run again; --only and --skip narrow the run down.")
}

func (v *service) note(d Death) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.deaths = append(v.deaths, d)
}

// maxTitles bounds how many requests are named: as many as are under way at a time.
const maxTitles = 8

// titles name requests, with the check that sent each.
func titles(all []*sending) []string {
	var out []string
	for _, x := range all[:min(maxTitles, len(all))] {
		out = append(out, strings.TrimSpace(x.running.Rule.ID+" "+x.title))
	}
	return out
}
