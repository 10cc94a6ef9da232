package service

import (
	"context"
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A search is for who broke a service: suspects are sent again, in groups, until it is known
// which of them does it. The gate is held by the caller.
type search struct {
	*service
	client   *wire.Client
	x        *sending   // that found it broken
	died     bool       // it was gone then, or since the search began
	broke    bool       // it was broken by what was sent again of late, whoever did it
	giveUp   time.Time  // when nobody is looked for any more
	suspects []*sending // all that were
	found    finding
}

// searchFor begins a search. Had it died, more is done to find who did it.
func (v *service) searchFor(client *wire.Client, x *sending, died bool) *search {
	return &search{service: v, client: client, x: x, died: died, giveUp: time.Now().Add(v.patience())}
}

// patience is how long it is looked for who is to blame for a death.
func (v *service) patience() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.t.Patience.Search + maxInTime*v.pace
}

// maxInTime are so many requests, one after the other, as need not be within that time.
const maxInTime = 20

// A finding is who it was.
type finding struct {
	culprit *sending      // nil if nobody knows
	ev      Evidence      // of it
	death   Death         // that it caused
	late    time.Duration // how long it lived on at most after the answer
}

// sure says whether it happened more than once: else it may have been another one, of
// which the service died later than was waited for.
func (f finding) sure() bool {
	return f.culprit != nil && (f.death.Times > 1 || f.death.Of == 1 || f.death.Gone)
}

// note keeps what was found, unless as much is known.
func (s *search) note(f finding) {
	if s.found.culprit == nil || f.sure() {
		s.found = f
	}
}

// conclude searches, and notes the death and who caused it.
func (s *search) conclude(ctx context.Context) {
	s.run(ctx)
	switch {
	case s.isDown() != nil, ctx.Err() != nil:
	case s.found.culprit != nil:
		s.sentence()
	case s.died && !s.explained(s.x):
		s.noteUnexplained(s.x, s.suspects)
	}
}

// run searches elsewhere on the machine of the service only where nothing that it was sent
// itself does it again.
func (s *search) run(ctx context.Context) {
	s.here(ctx)
	if !s.goesFurther() || !s.joinNeighbours() {
		return
	}
	s.found = finding{} // it may have been what the others were sent meanwhile
	if !s.explained(s.x) {
		s.giveUp = time.Now().Add(s.patience())
		s.here(ctx)
	}
}

// here looks further back only where nothing that was sent just before does it again. What
// is known by now not to do it is left out.
func (s *search) here(ctx context.Context) {
	s.within(ctx, 2*s.aftermath(), maxSuspects)
	if s.goesFurther() {
		s.within(ctx, s.t.Patience.Latest, maxLately)
	}
}

// within searches what had ended at most so long before.
func (s *search) within(ctx context.Context, before time.Duration, most int) {
	known := len(s.suspects)
	s.broke = false
	s.among(ctx, s.suspectsOf(s.x, before, most))
	if s.goesFurther() {
		s.among(ctx, s.triedBefore(s.x, before))
	}
	if s.broke && !s.found.sure() { // what did it was not waited for long enough
		again := s.suspects[known:]
		for _, y := range again {
			y.lag = 2 * (y.lag + s.aftermath())
		}
		s.again(ctx, again)
	}
}

// goesFurther says whether a service has died of what nobody knows to have killed it, and
// it is worth looking further.
func (s *search) goesFurther() bool {
	return s.died && !s.found.sure() && s.isDown() == nil && !s.explained(s.x) && s.unexplained() < fewUnexplained
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

// among searches those that were none of the suspects before.
func (s *search) among(ctx context.Context, suspects []*sending) {
	suspects = slices.DeleteFunc(suspects, func(y *sending) bool { return slices.Contains(s.suspects, y) })
	s.suspects = append(s.suspects, suspects...)
	s.again(ctx, suspects)
}

// again sends suspects once more until one of them breaks the service again. The answers of
// those that had none are kept for those who wait for them. What had been answered, or was
// sent again before, is repeated in groups, each twice as large as the one before: there
// are many, and few of them are to blame.
func (s *search) again(ctx context.Context, suspects []*sending) {
	for size := firstGroup; len(suspects) > 0 && s.goesOn(ctx); {
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
		s.narrow(ctx, group)
		suspects = suspects[n:]
	}
}

const (
	firstGroup = 8
	parts      = 4 // of a group
)

// goesOn says whether there is more to find out, and time to.
func (s *search) goesOn(ctx context.Context) bool {
	return !s.found.sure() && s.isDown() == nil && ctx.Err() == nil && time.Now().Before(s.giveUp)
}

// narrow repeats a group, and where that breaks the service its parts, what was sent last
// first, until it is one request that does. Of more parts, fewer deaths come, and more waiting.
func (s *search) narrow(ctx context.Context, group []*sending) {
	evs, broke, late := s.together(ctx, group)
	if ctx.Err() != nil { // what they do now was not waited for
		return
	}
	if !broke {
		for i, x := range group {
			if refused(evs[i]) { // it has done nothing
				continue
			}
			if x.outlived = time.Since(x.watched); !answered(x) && (x.again == nil || !hasAnswer(*x.again)) {
				x.again = &evs[i]
			}
		}
		return
	}
	group = group[:len(evs)]
	last := evs[len(evs)-1]
	switch {
	case s.staysAway(ctx, s.client):
		slices.Reverse(group)
		s.lostTo(group[0], group, s.pulse(ctx, s.client))
	case len(group) == 1 && last.Exchange.Kind() == wire.KindUnreachable: // who finds it dead has not killed it
	case len(group) == 1:
		s.convict(ctx, group[0], last, late)
	default:
		for _, part := range slices.Backward(slices.Collect(slices.Chunk(group, (len(group)+parts-1)/parts))) {
			if s.goesOn(ctx) {
				s.narrow(ctx, part)
			}
		}
	}
}

// together repeats requests one after another, and says whether the service was broken
// after them: each is given as long to break it as it had at first. Where one is cut off
// that had been answered, or nobody is there, those after it are not sent. late is how long
// after the last answer that was seen.
func (s *search) together(ctx context.Context, group []*sending) (evs []Evidence, broke bool, late time.Duration) {
	state, cut := beats, false
	var ended time.Time
	for try := 0; try < 2; try++ {
		evs = nil
		var until time.Time
		for _, x := range group {
			ev := x.at.send(WithRunning(ctx, x.running), s.client, x.title, x.request)
			evs, ended = append(evs, ev), time.Now()
			x.watched = ended
			if end := ended.Add(x.lag); end.After(until) {
				until = end
			}
			if cut = len(group) > 1 && (refused(ev) || answered(x) && x.at.trouble(sending{ev: ev})); cut {
				break
			}
		}
		last := evs[len(evs)-1]
		state = s.after(ctx, last, until)
		late = time.Since(ended)
		if state == gone || refused(last) {
			s.dies()
		}
		if state == gone && s.join(ctx, s.client, gone) { // it may be what the others were sent meanwhile
			try = -1
		} else if state != silent && state != failing {
			break
		}
		if !s.await(ctx, s.client) { // that it was silent once may be anybody's doing
			break
		}
	}
	broke = cut || state != beats
	s.broke = s.broke || broke
	return evs, broke, late
}

// dies notes that the service has died during the search, of whatever was sent until now.
func (s *search) dies() {
	if !s.died {
		s.died = true
		s.x = s.findsDead(&sending{request: s.x.request, began: s.x.began, ended: time.Now()})
	}
}

// after is how the service is after an answer. Once it has been broken, who hangs up is
// watched as long as who answers.
func (s *search) after(ctx context.Context, ev Evidence, until time.Time) pulse {
	if !(s.broke || s.died) || !cutOff(ev) {
		return s.service.after(ctx, s.client, ev, until, soon)
	}
	if now := time.Now(); until.Before(now) {
		until = now
	}
	state := s.pulse(ctx, s.client)
	if state == beats {
		state = s.watch(ctx, s.client, until.Add(s.aftermath()), moment)
	}
	return state
}

// convict sends what has broken the service once until it has been tried often enough.
func (s *search) convict(ctx context.Context, x *sending, ev Evidence, late time.Duration) {
	f := finding{culprit: x, ev: x.ev, late: late, death: Death{Title: x.title, Times: 1, Of: 1}}
	if !answered(x) { // else a later try may have been cut off
		f.ev = ev
	}
	tries := x.at.tries(*x)
	if x.again != nil { // it has been outlived before
		tries = allTries
	}
	for d := &f.death; d.Of < tries && !d.Gone; {
		evs, broke, late := s.together(ctx, []*sending{x})
		if ctx.Err() != nil {
			return
		}
		if d.Of++; broke {
			d.Times++
			f.late = max(f.late, late)
			if !hasAnswer(f.ev) { // it may be answered, and the end be a moment too early to see that
				f.ev = evs[0]
			}
			d.Gone = s.staysAway(ctx, s.client)
		}
	}
	f.death.Late = hasAnswer(f.ev)
	s.note(f)
}

// sentence notes what was found, and learns how late the service may die.
func (s *search) sentence() {
	f := s.found
	s.mu.Lock()
	switch {
	case f.death.Late:
		s.process.late = max(s.process.late, f.late)
	case f.late > moment && cutOff(f.ev):
		s.process.lateCut = max(s.process.lateCut, min(f.late, s.t.Patience.Aftermath))
	}
	s.mu.Unlock()
	f.culprit.ev = f.ev
	ev := f.culprit.at.killed(f.culprit, f.death)
	if f.death.Gone {
		s.bury(*ev.Killed)
	}
}
