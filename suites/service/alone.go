package service

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// atOnce sends requests at the same time, with nothing else going on.
func (v *service) atOnce(ctx context.Context, client *wire.Client, title string, requests []wire.Request) []Evidence {
	answers := make([]Evidence, len(requests))
	_, err := v.alone(ctx, title, requests[0], len(requests), func(counts bool) []Evidence {
		var group sync.WaitGroup
		for i, r := range requests {
			group.Go(func() {
				if ev := v.send(ctx, client, title, r); counts {
					answers[i] = ev
				}
			})
		}
		group.Wait()
		return answers
	}, func() bool { return v.onlyTooMany(ctx, client, answers) })
	if err != nil { // nobody is there to be judged
		RunningOf(ctx).hindered.Store(&err)
		for i, r := range requests {
			answers[i] = v.unsent(sending{title: title, request: r}, err)
		}
	}
	return answers
}

func unanswered(ev Evidence) bool { return ev.Exchange.Err != nil }

// refused says whether a request found nobody there.
func refused(ev Evidence) bool { return ev.Exchange.Kind() == wire.KindUnreachable }

// onlyTooMany says whether all were answered, and some of them turned away.
func (v *service) onlyTooMany(ctx context.Context, client *wire.Client, answers []Evidence) bool {
	return !slices.ContainsFunc(answers, unanswered) &&
		slices.ContainsFunc(answers, func(ev Evidence) bool { return TooMany(ev) || v.sheds(ctx, client, ev) })
}

// hangUp sends requests only halfway. It returns the death that came of it.
func (v *service) hangUp(ctx context.Context, client *wire.Client, title string, times int, r wire.Request) (*Death, error) {
	r = v.t.renewed(r)
	if c := RunningOf(ctx); c.Rule.ID != "" {
		r.Header[HeaderCheck] = []string{c.Rule.ID}
	}
	var failed error
	death, err := v.alone(ctx, title, r, 0, func(bool) []Evidence {
		for range times {
			if failed = client.HangUp(ctx, r); failed != nil {
				break
			}
		}
		return []Evidence{{Exchange: wire.Exchange{Err: failed}}}
	}, func() bool { return false })
	return death, cmp.Or(err, failed)
}

// alone does something to the service with nothing else going on, and waits for
// it to come back where that broke it. The error is that of a service that is
// down already, to which nothing was done. queued is how many requests it may have to
// work off one after another: to be silent meanwhile is no harm. limited says that it was
// none either: the service has only said that this was too much at once, and may go on
// to say so. harm is told whether what it sees counts: not where it is done only to see
// whether it breaks the service again, and says what came of it. What was sent before is
// waited for only where not all goes well: else it takes longer, and nobody learns more.
func (v *service) alone(ctx context.Context, title string, r wire.Request, queued int, harm func(counts bool) []Evidence, limited func() bool) (death *Death, err error) {
	v.lock()
	defer v.unlock()
	var dead *sending // at the first try: of what was sent before, perhaps
	died := false
	defer func() {
		// Where it was not seen gone, somebody was refused: by who was, or by one that so many
		// had come to.
		if dead != nil && death == nil && err == nil && !v.explained(dead) {
			v.searchFor(v.t.Client, dead, died).conclude(ctx)
		}
	}()
	for settled := v.slow() || v.t.InOrder(); ; settled = true {
		if err := v.isDown(); err != nil {
			return nil, err
		}
		if settled {
			v.settle(ctx, v.t.Client) // what was sent before is not its doing
		}
		last := v.unsettledBut(RunningOf(ctx))
		if !v.seenAlive() {
			switch state := v.pulse(ctx, v.t.Client); {
			case state == gone && last != nil:
				v.foundDead(ctx, v.t.Client, last)
				v.setSettled(last)
			case state != beats:
				v.await(ctx, v.t.Client)
			}
		}
		if err := v.outOfOrder(r); err != nil {
			return nil, err
		}
		v.limit.rest(ctx, place(r))
		inCompany := !settled && last != nil
		x := &sending{at: v, running: RunningOf(ctx), title: title, request: r, began: time.Now()}
		came := harm(true)
		state := v.after(ctx, v.t.Client, Evidence{}, time.Time{}, v.t.Patience.Aftermath)
		x.ended = time.Now()
		if state == beats && !(inCompany && slices.ContainsFunc(came, unanswered)) || ctx.Err() != nil {
			return nil, nil
		}
		if state == gone && v.join(ctx, v.t.Client, gone) { // of what the others were sent, perhaps
			if dead := v.findsDead(x); !v.explained(dead) {
				v.lookInto(ctx, v.t.Client, dead)
			}
			continue
		}
		back := v.awaitFor(ctx, v.t.Client, v.t.Patience.Comeback+v.queue(state, queued))
		if !back {
			if i := slices.IndexFunc(came, unanswered); i >= 0 {
				x.ev = came[i]
			}
			if ev := v.lost(ctx, v.t.Client, x); ev.Killed != nil {
				return ev.Killed, nil
			}
			return nil, v.isDown()
		}
		if inCompany {
			if died = state == gone; died || slices.ContainsFunc(came, refused) {
				dead = v.findsDead(x)
			}
			continue
		}
		if state == silent && queued > 0 || state != gone && limited() {
			return nil, nil
		}
		d := Death{Title: title, Times: 1, Of: 1}
		for d.Of < v.tries(*x) && !d.Gone {
			harm(false)
			again := v.after(ctx, v.t.Client, Evidence{}, time.Time{}, v.t.Patience.Aftermath)
			if ctx.Err() != nil {
				return nil, nil
			}
			if d.Of++; again != beats {
				d.Times++
				d.Gone = v.staysAway(ctx, v.t.Client)
			}
		}
		if d.Times == 1 && d.Of > 1 {
			if state != gone {
				return nil, nil // it was slow, or turned somebody away, once
			}
			if v.diedOfAnother(ctx, x) {
				continue
			}
		}
		d = *v.killed(x, d).Killed
		if d.Gone {
			v.bury(d)
		}
		return &d, nil
	}
}

// diedOfAnother says whether it was what had been answered before of which the service has
// died when x was done to it; or may have been, as others go to the same machine.
func (v *service) diedOfAnother(ctx context.Context, x *sending) bool {
	before, dead := len(v.siblings()), v.findsDead(x)
	s := v.searchFor(v.t.Client, dead, true)
	if s.run(ctx); s.found.sure() {
		s.sentence()
		return true
	}
	if len(v.siblings()) == before && ctx.Err() == nil {
		return false
	}
	if !v.explained(dead) && ctx.Err() == nil {
		v.noteUnexplained(dead, s.suspects)
	}
	return true
}

// queue is how long a service may take that is silent since it works off requests.
func (v *service) queue(state pulse, requests int) time.Duration {
	if state != silent {
		return 0
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return min(time.Duration(requests)*v.pace, v.t.Patience.Queue)
}

// conflicts says whether a request was turned away for another one that is under way,
// as where the messages of a chat are answered one after another.
func conflicts(ev Evidence) bool {
	return ev.Exchange.Status() == http.StatusConflict || ev.Exchange.Status() == http.StatusLocked
}

// mayBeCompany says whether an answer may be due to other requests that were under way:
// a conflict, or an error, as where a database is locked. Where errors have proved to be
// the service's own way to refuse, only what is plain is looked into.
func (v *service) mayBeCompany(x *sending) bool {
	if conflicts(x.ev) {
		return true
	}
	if !errs(x.ev) || v.trouble(*x) {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return x.plain || v.conflicts > 0 || v.errors < manyErrors
}

func errs(ev Evidence) bool { return ev.Exchange.Status() >= http.StatusInternalServerError }

// manyErrors is how many errors are looked into for being others' doing, if none was.
const manyErrors = 12

// inCompany says whether others were under way when x was, or had just ended: a service
// may have something to do after it has answered.
func (v *service) inCompany(x *sending) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	since := x.began.Add(-v.lateness())
	return slices.ContainsFunc(v.process.lately, func(y *sending) bool {
		return y != x && y.began.Before(x.ended) && (y.ended.IsZero() || y.ended.After(since))
	})
}

// byItself sends a request with nothing else going on. Where that is answered otherwise
// than in company, again and again, all are sent one after another.
func (v *service) byItself(ctx context.Context, client *wire.Client, x *sending) Evidence {
	v.lock()
	defer v.unlock()
	if err := v.outOfOrder(x.request); err != nil {
		x.ev = v.unsent(*x, err)
		return x.ev
	}
	var ev Evidence
	for try := 0; try == 0 || try == 1 && conflicts(ev) && Sleep(ctx, v.t.Patience.Aftermath) == nil; try++ {
		if err := v.limit.wait(ctx, place(x.request)); err != nil {
			x.ev = v.unsent(*x, err)
			return x.ev
		}
		ev = v.send(ctx, client, x.title, x.request)
	}
	x.ev = Evidence{Title: ev.Title, Exchange: ev.Exchange.Clip(maxKept), StandIn: ev.StandIn}
	v.end(x) // again: what it may break is looked for by when it ended
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case errs(ev):
		v.errors++
	case ev.Exchange.Response != nil && !conflicts(ev):
		if v.conflicts++; v.conflicts == fewConflicts {
			v.inFlight.one()
		}
	}
	return ev
}

// fewConflicts is after how many such requests no more are sent in company.
const fewConflicts = 2
