package service

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// atOnce sends requests at the same time, with nothing else going on.
func (v *service) atOnce(ctx context.Context, client *wire.Client, title string, requests []wire.Request) []Evidence {
	answers := make([]Evidence, len(requests))
	sent := false
	_, err := v.alone(ctx, title, requests[0], func() {
		again := sent // to see whether it dies again: what counts is how it was at first
		sent = true
		var group sync.WaitGroup
		for i, r := range requests {
			group.Go(func() {
				if ev := v.send(ctx, client, title, r); !again {
					answers[i] = ev
				}
			})
		}
		group.Wait()
	}, func() bool { return onlyTurnedAway(answers) })
	if err != nil { // nobody is there to be judged
		RunningOf(ctx).hindered.Store(&err)
		for i, r := range requests {
			answers[i] = v.unsent(sending{title: title, request: r}, err)
		}
	}
	return answers
}

// onlyTurnedAway says whether all were answered, and some of them turned away.
func onlyTurnedAway(answers []Evidence) bool {
	return slices.ContainsFunc(answers, TurnedAway) && !slices.ContainsFunc(answers, func(ev Evidence) bool { return ev.Exchange.Err != nil })
}

// hangUp sends requests only halfway. It returns the death that came of it.
func (v *service) hangUp(ctx context.Context, client *wire.Client, title string, times int, r wire.Request) (*Death, error) {
	r = v.t.renewed(r)
	if c := RunningOf(ctx); c.Rule.ID != "" {
		r.Header[HeaderCheck] = []string{c.Rule.ID}
	}
	var failed error
	death, err := v.alone(ctx, title, r, func() {
		for range times {
			if failed = client.HangUp(ctx, r); failed != nil {
				return
			}
		}
	}, func() bool { return false })
	return death, cmp.Or(err, failed)
}

// alone does something to the service with nothing else going on, and waits for
// it to come back where that broke it. The error is that of a service that is
// down already, to which nothing was done. limited says that it was no harm: the
// service has only said that this was too much at once, and may go on to say so.
func (v *service) alone(ctx context.Context, title string, r wire.Request, harm func(), limited func() bool) (*Death, error) {
	v.gate.Lock()
	defer v.gate.Unlock()
	v.settle(ctx, v.t.Client) // what was sent before is not its doing
	if err := v.outOfOrder(r); err != nil {
		return nil, err
	}
	v.limit.rest(ctx)
	harm()
	x := &sending{running: RunningOf(ctx), title: title, request: r}
	state := v.after(ctx, v.t.Client, Evidence{})
	if state == beats || ctx.Err() != nil {
		return nil, nil
	}
	back := v.await(ctx, v.t.Client)
	if back && state != gone && limited() {
		return nil, nil
	}
	d := Death{Title: title, Times: 1, Of: 1, Gone: !back}
	for d.Of < v.tries(*x) && !d.Gone && ctx.Err() == nil {
		d.Of++
		if harm(); v.after(ctx, v.t.Client, Evidence{}) != beats {
			d.Times++
			d.Gone = !v.await(ctx, v.t.Client)
		}
	}
	if d.Times == 1 && d.Of > 1 && state == silent {
		return nil, nil // it was slow once
	}
	d = *v.killed(x, d).Killed
	if d.Gone {
		v.bury(d)
	}
	return &d, nil
}
