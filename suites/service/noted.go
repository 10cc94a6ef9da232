package service

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// What is known of deaths is noted, and what has killed once is not sent again for nothing.

// killed notes that x has killed the service, and returns x's evidence.
func (v *service) killed(x *sending, d Death) Evidence {
	d.Address, d.Check = v.address, x.running.Rule.ID
	ev := x.ev
	d.Evidence = ev
	ev.Killed = &d
	v.note(d)
	v.mu.Lock()
	if x.kind != "" {
		f := v.fateOf(x.kind)
		if f.deaths++; f.deaths == 1 {
			f.first = d
		}
	}
	if p := v.process; !slices.Contains(p.lately, x) { // what is done alone explains what others find, too
		p.lately = append(p.lately, x)
	}
	v.mu.Unlock()
	if !d.Late { // its answer was judged, whether or not the death is found before the check has ended
		x.running.kills(d)
	}
	x.again = &ev
	v.forget(x)
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

// lost notes that the service is down for good, as x found it: what had ended before is outlived.
func (v *service) lost(ctx context.Context, client *wire.Client, x *sending) Evidence {
	if err := cmp.Or(v.isDown(), context.Cause(ctx)); err != nil { // somebody has waited for it already, or nobody to the end
		return v.unsent(*x, err)
	}
	state := v.pulse(ctx, client)
	sofar := v.setDown(v.whatIsKnown(x, v.suspectsOf(x, v.aftermath(), maxSuspects), state)) // who waits for the gate need not wait for the service, too
	v.losing.Store(true)
	defer v.losing.Store(false)
	if v.join(ctx, client, state); v.isDown() != sofar {
		return v.unsent(*x, v.isDown())
	}
	suspects := v.suspectsOf(x, v.aftermath(), maxSuspects)
	if v.t.InOrder() || len(suspects) > 0 && suspects[0].running.Alone { // what had been sent before had its moment
		suspects = v.suspectsOf(x, moment, maxSuspects)
	}
	return v.lostTo(x, suspects, state)
}

// whatIsKnown is the death of a service that is down for good while it is not known who did it.
func (v *service) whatIsKnown(x *sending, suspects []*sending, state pulse) Death {
	last := min(3, len(suspects))
	for last < len(suspects) && blame(suspects[last]) > 1 { // all that were cut off
		last++
	}
	return Death{Address: v.address, Last: titles(suspects[:last]), Gone: true, Silent: state == silent, Failing: state == failing, Evidence: x.ev}
}

// lostTo notes that the service is down for good: one of the suspects did it, of which none can
// be tried any more. Who did it is known only where all are of one check.
func (v *service) lostTo(x *sending, suspects []*sending, state pulse) Evidence {
	one := ofOneCheck(suspects)
	if len(suspects) == 0 {
		suspects = v.suspectsOf(x, v.t.Patience.Latest, maxSuspects)
	}
	d := v.whatIsKnown(x, suspects, state)
	if !d.Failing && one != "" { // many may have used up what it lacks by now
		culprit := suspects[0]
		d.Title, d.Times, d.Of = one, 1, 1
		ev := culprit.at.killed(culprit, d)
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

// ofOneCheck names requests that one check has sent; "" where there are none, or others among
// them.
func ofOneCheck(all []*sending) string {
	var names []string
	for _, x := range all {
		if x.running.Rule.ID != all[0].running.Rule.ID {
			return ""
		}
		if !slices.Contains(names, x.title) {
			names = append(names, x.title)
		}
	}
	switch {
	case len(names) > 1 && all[0].running.Rule.ID == "":
		return ""
	case len(names) > 1:
		return "one of " + strings.Join(names[:min(maxTitles, len(names))], ", ")
	}
	return strings.Join(names, "")
}

// bury says that nothing more can be found out about the service.
func (v *service) bury(d Death) {
	err := v.setDown(d)
	hint := "Restart it, and run again; --only and --skip narrow the run down."
	if !d.Blamed() && !v.t.InOrder() {
		hint = "Restart it, and run again with --concurrency 1: then one request is under way at a time, and it is known which one does it."
	}
	v.t.Problem(err.Error()+".", hint)
}

func (v *service) setDown(d Death) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	err := &diedError{d}
	for _, o := range v.process.serves {
		o.down = err
	}
	return err
}

func (v *service) note(d Death) {
	v.t.died.Add(1)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.deaths = append(v.deaths, d)
}

// forget forgets deaths that nobody knew the cause of: it was x.
func (v *service) forget(x *sending) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, o := range v.process.serves {
		o.deaths = slices.DeleteFunc(o.deaths, func(d Death) bool { return d.found != nil && v.explains(x, d.found) })
	}
}

// noteUnexplained notes that the service has died, and was back, and nobody knows of what: once,
// whoever finds it dead.
func (v *service) noteUnexplained(x *sending, suspects []*sending) {
	v.mu.Lock()
	known := slices.ContainsFunc(v.process.serves, func(o *service) bool {
		return slices.ContainsFunc(o.deaths, func(d Death) bool {
			return d.found != nil && d.found.foundAt().Sub(x.foundAt()).Abs() < sameDeath
		})
	})
	v.mu.Unlock()
	if !known {
		v.note(Death{Address: v.address, Last: titles(suspects[:min(3, len(suspects))]), Evidence: x.ev, found: x})
	}
}

// foundAt is since when the process was gone that x found dead, as far as is known.
func (x *sending) foundAt() time.Time {
	if x.gone.IsZero() {
		return x.ended
	}
	return x.gone
}

// maxTitles bounds how many requests are named: as many as are under way at a time.
const maxTitles = 8

// titles name requests, with the check that sent each: where they are too many, one of each
// check before another one of it.
func titles(all []*sending) []string {
	var named, more []string
	checks := map[string]bool{}
	for _, x := range all {
		check := x.running.Rule.ID
		title := strings.TrimSpace(check + " " + x.title)
		if len(all) > maxTitles && checks[check] {
			more = append(more, title)
		} else {
			named = append(named, title)
		}
		checks[check] = true
	}
	named = append(named, more...)
	return named[:min(maxTitles, len(named))]
}
