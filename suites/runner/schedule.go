// Package runner runs the checks' probes against one target, each at its turn,
// and makes the rows of a report of their verdicts.
package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kindlytest/kindlytest/internal/shell"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/catalogue"
	"github.com/kindlytest/kindlytest/suites/causes"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// Results are those of a run's checks as they come in. Probes run
// ahead of whoever reads them: staging is 100 ms away, and a hundred checks one
// after another would take half a minute.
type Results struct {
	Results map[string]*pending
	Done    chan struct{} // closed when the last probe has ended
	observe sync.Mutex    // one call of the Observer at a time
	failed  atomic.Int64  // checks that fail the run
}

type pending struct {
	ready  chan struct{}
	Result reports.Check
	seen   []causes.Sighting
}

// Seen are the places at which a check was judged, the worst first: webhooks, where there
// are several.
func (b *Results) Seen(id string) []causes.Sighting {
	if p, ok := b.Results[id]; ok {
		return p.seen
	}
	return nil
}

// Start runs the probes of all checks in the background, each at its turn.
func Start(ctx context.Context, s *subject.Session, checks []catalogue.Check) *Results {
	b := &Results{Results: map[string]*pending{}, Done: make(chan struct{})}
	for _, c := range checks {
		b.Results[c.ID()] = &pending{ready: make(chan struct{})}
	}
	go func() {
		defer close(b.Done)
		runAll(ctx, s, b, checks)
	}()
	return b
}

// checksAtOnce is how many checks of one kind (see parted) are under way at the same time.
const checksAtOnce = 32

// runAll runs the checks, each at its turn. Who calls a service alone need not wait
// for what calls others only, nor for pages, which are watched for seconds.
// What breaks things comes after what does not.
func runAll(ctx context.Context, s *subject.Session, b *Results, checks []catalogue.Check) {
	checks = slices.Clone(checks)
	slices.SortStableFunc(checks, func(a, b catalogue.Check) int { return hostility(a) - hostility(b) })
	early := []catalogue.Turn{catalogue.Early}
	first := []catalogue.Turn{catalogue.Together, catalogue.Alone, catalogue.Roughly}
	beside := []catalogue.Turn{catalogue.Beside}
	last := []catalogue.Turn{catalogue.Last, catalogue.Finally}
	needs := needed(s, checks)
	s.PrepareEndpoint(ctx, needs)
	if s.InOrder() {
		s.PrepareUsers(ctx, needs)
		s.PrepareWebhooks(ctx, needs)
		runTurns(ctx, s, b, slices.Concat(early, first, beside, last), checks)
		return
	}
	var all sync.WaitGroup
	all.Go(func() { runTurns(ctx, s, b, early, checks) })
	if !s.WebhooksApart() {
		s.PrepareUsers(ctx, needs)
		s.PrepareWebhooks(ctx, needs)
		runTurns(ctx, s, b, first, checks)
		all.Wait()
		runTurns(ctx, s, b, slices.Concat(beside, last), checks)
		return
	}
	hooks, endpoint, others := parted(checks)
	var hurt sync.WaitGroup
	prepared := make(chan struct{})
	all.Go(func() { runTurns(ctx, s, b, first, others) })
	all.Go(func() {
		s.PrepareUsers(ctx, needs)
		close(prepared)
		runTurns(ctx, s, b, first, endpoint)
	})
	all.Go(func() {
		s.PrepareWebhooks(ctx, needs)
		runTurns(ctx, s, b, first, hooks)
		<-prepared // they may share with the page what they are hurt in: a database, this machine
		hurt.Go(func() { runTurns(ctx, s, b, last, hooks) })
	})
	all.Wait() // webhooks are called with tokens, and so are pages: what hurts the endpoint waits for all
	hurt.Go(func() { runTurns(ctx, s, b, beside, checks) })
	runTurns(ctx, s, b, last, endpoint)
	hurt.Wait()
	runTurns(ctx, s, b, last, others)
}

func hostility(c catalogue.Check) int {
	if c.Hostile {
		return 1
	}
	return 0
}

// parted tells the checks that call webhooks, those of the endpoint, and the others.
func parted(checks []catalogue.Check) (hooks, endpoint, others []catalogue.Check) {
	for _, c := range checks {
		switch {
		case c.Needs&target.NeedWebhook != 0:
			hooks = append(hooks, c)
		case c.Needs&target.NeedEndpoint != 0:
			endpoint = append(endpoint, c)
		default:
			others = append(others, c)
		}
	}
	return hooks, endpoint, others
}

// runTurns runs those checks whose turn it is.
func runTurns(ctx context.Context, s *subject.Session, b *Results, turns []catalogue.Turn, checks []catalogue.Check) {
	for _, turn := range turns {
		var group errgroup.Group
		group.SetLimit(1)
		if turn != catalogue.Alone && turn < catalogue.Last && !s.InOrder() {
			group.SetLimit(checksAtOnce) // they wait more than they send: requests have a bound of their own
		}
		for _, c := range checks {
			if c.Turn == turn {
				group.Go(func() error {
					runCheck(ctx, s, b, c)
					return nil
				})
			}
		}
		group.Wait() // the functions return no errors
	}
}

func runCheck(ctx context.Context, s *subject.Session, b *Results, c catalogue.Check) {
	observed := func(func(subject.Observer)) {}
	if o := s.Options.Observer; o != nil && Selects(s.Options, c) {
		observed = func(tell func(subject.Observer)) {
			b.observe.Lock()
			defer b.observe.Unlock()
			tell(o)
		}
	}
	observed(func(o subject.Observer) { o.Started(c.ID()) })
	start := time.Now()
	p := b.Results[c.ID()]
	if most := s.Options.MaxFailures; most > 0 && Selects(s.Options, c) && int(b.failed.Load()) >= most {
		p.Result = report(s, c, subject.Missing("not run: %d failed before, as many as --max-failures allows", most), 0)
		p.Result.Deselected = true
	} else {
		verdict := judge(ctx, s, c)
		p.Result = report(s, c, verdict, time.Since(start))
		for _, v := range verdict.Parted() {
			p.seen = append(p.seen, causes.Sighting{Where: v.Where, Inferred: v.Inferred, Check: report(s, c, v, 0)})
		}
	}
	if o := p.Result.Outcome; o == reports.Failed || o == reports.Warned && s.Options.Strict {
		b.failed.Add(1)
	}
	close(p.ready)
	observed(func(o subject.Observer) { o.Done(p.Result) })
}

// Wait returns a check's result once it is there.
func (b *Results) Wait(ctx context.Context, id string) (reports.Check, error) {
	p, ok := b.Results[id]
	if !ok {
		return reports.Check{}, fmt.Errorf("%s is not part of this run", id)
	}
	select {
	case <-p.ready:
		return p.Result, nil
	case <-ctx.Done():
		return reports.Check{}, context.Cause(ctx)
	}
}

// longest bounds a check's time, in case something never ends: each request and
// each wait has a bound of its own, and a service that limits requests or dies is
// waited for on a clock of its own.
const longest = 20 * time.Minute

// longestWait is what --wait-expiry may add: the longest life that Kindly
// allows a token, and the leeway after it.
const longestWait = 15*time.Minute + service.PastExpiry

func judge(ctx context.Context, s *subject.Session, c catalogue.Check) subject.Verdict {
	if reason := Deselected(s.Options, c); reason != "" {
		return subject.Missing("%s", reason)
	}
	if lacking := c.Needs &^ c.Weakly &^ s.Target.Offers(); lacking != 0 {
		return subject.Missing("%s", lacking.Hint())
	}
	return repeated(ctx, s, c, try(ctx, s, c))
}

// try runs the probe once.
func try(ctx context.Context, s *subject.Session, c catalogue.Check) subject.Verdict {
	if ctx.Err() != nil {
		return subject.CouldNotRun(errInterrupted)
	}
	limit := longest
	if s.Options.WaitExpiry {
		limit += longestWait
	}
	running := &service.Running{Rule: c.Requirement, Alone: c.Turn >= catalogue.Last, Reads: c.Reads}
	probing, cancel := context.WithTimeout(service.WithRunning(ctx, running), limit)
	defer cancel()
	v := subject.Conclude(running, subject.Guarded(c.ID(), func() subject.Verdict { return c.Probe(probing, s) }))
	v = withSession(s, c, v)
	switch {
	case v.Cause == "process-dies":
	case ctx.Err() != nil && v.Kind != subject.Held:
		return subject.CouldNotRun(errInterrupted)
	case probing.Err() != nil && v.Kind != subject.Held:
		return subject.CouldNotRun(fmt.Errorf("not done after %s", limit))
	}
	return v
}

// withSession is a verdict as far as there was a session to see it with.
func withSession(s *subject.Session, c catalogue.Check, v subject.Verdict) subject.Verdict {
	if c.Needs&target.NeedEndpoint == 0 || c.ID() == "LIVE-PROCESS" {
		return v
	}
	return s.WithSession(v)
}

// mostTries is how often a probe runs before it accuses somebody.
const mostTries = 3

// A look is how often one webhook, or whatever the check is about, was accused.
type look struct {
	subject.Verdict
	seen    int
	settled bool
}

// repeated looks again before a violation is reported, at each webhook by itself.
// What does not hold each time is called flaky, and a warning if it was once of three
// times; a belief in a forged token,
// a leak or a death needs no repetition.
func repeated(ctx context.Context, s *subject.Session, c catalogue.Check, first subject.Verdict) subject.Verdict {
	level := c.Requirement.Level
	if !first.Accuses(level) || s.Options.WaitExpiry {
		return first
	}
	var looks []look
	for _, v := range first.Parted() {
		looks = append(looks, look{v, 1, v.Sure || !v.Accuses(level)})
	}
	of := 1
	for of < mostTries && slices.ContainsFunc(looks, func(l look) bool { return !l.settled }) {
		again := try(ctx, s, c)
		if again.Kind == subject.Hindered || again.Kind == subject.Lacking {
			return answering(ctx, s, c, first)
		}
		of++
		for _, v := range again.Parted() {
			i := slices.IndexFunc(looks, func(l look) bool { return l.Where == v.Where })
			if i >= 0 && !looks[i].settled && v.Accuses(level) {
				looks[i].seen++
				looks[i].settled = of == 2 || v.Sure // as at first: that is how it is
			}
		}
	}
	var sure, verdicts []subject.Verdict // of equals, what is seen each time comes first
	for _, l := range looks {
		v := l.Verdict
		if l.settled {
			sure = append(sure, v)
		} else {
			v.Repeats = &reports.Repeats{Seen: l.seen, Of: of}
			v.Actual = fmt.Sprintf("flaky: %d of %d: %s", l.seen, of, v.Actual)
			if l.seen == 1 {
				v = v.At(rule.Should)
			}
			verdicts = append(verdicts, v)
		}
	}
	return answering(ctx, s, c, subject.Joined(level, append(sure, verdicts...)))
}

// answering is a verdict without what rests on errors of a place that answers nobody
// any more as it did at first, or on a session that was lost by then, as is known only now.
// Who runs alone has seen it answer, and has brought it to that.
func answering(ctx context.Context, s *subject.Session, c catalogue.Check, v subject.Verdict) subject.Verdict {
	level := c.Requirement.Level
	parts := withSession(s, c, v).Parted()
	for i, part := range parts {
		told := s.Unailing(ctx, part) // also notes that the place is of no use any more
		if c.Turn < catalogue.Last {
			parts[i] = told
		}
	}
	return subject.Joined(level, parts)
}

// alsoAt names the other webhooks at which it does not hold either: who mends the
// worst only has mended half.
func alsoAt(worst subject.Verdict, level rule.Level) string {
	var names []string
	for _, v := range worst.Elsewhere {
		switch {
		case v.Outcome(level) != worst.Outcome(level):
		case v.Repeats != nil:
			names = append(names, fmt.Sprintf("%s (flaky: %d of %d)", v.Where, v.Repeats.Seen, v.Repeats.Of))
		default:
			names = append(names, v.Where)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; nor does it hold at " + strings.Join(names, ", ")
}

var errInterrupted = errors.New("interrupted")

// report turns a verdict into a row of the report.
func report(s *subject.Session, c catalogue.Check, v subject.Verdict, took time.Duration) reports.Check {
	r := c.Requirement
	row := reports.Check{
		ID: r.ID, Area: r.Area(), Level: string(r.Level), Fidelity: string(r.Fidelity),
		Requirement: r.Text, Source: r.Source, Help: r.Fix, Outcome: v.Outcome(r.Level),
		Reason: s.Redact.Text(v.Reason), Expected: s.Redact.Text(v.Expected), Actual: s.Redact.Text(v.Actual + alsoAt(v, r.Level)),
		Weak: v.IsWeak, DurationMS: took.Milliseconds(),
	}
	for _, e := range v.Evidence {
		row.Evidence = append(row.Evidence, s.Redact.Evidence(e))
	}
	row.Cause, row.Repeats = v.Cause, v.Repeats
	chosen := s.Options
	chosen.Safe = false // what --safe leaves out was asked for, and is not judged
	row.Deselected = !Selects(chosen, c)
	if v.Kind == subject.Broken {
		row.Broken, row.Consequence = cmp.Or(v.Broken, r.Broken), cmp.Or(v.Consequence, r.Why)
		row.Fix = r.Fix
		if v.Advice != "" {
			row.Fix = s.Redact.Text(v.Advice)
		}
		row.Repeat = repeat(s, r.ID)
	}
	return expect(s, row)
}

// repeat is the command that runs only this check.
func repeat(s *subject.Session, id string) string {
	if len(s.Options.Args) == 0 {
		return ""
	}
	words := []string{"kindlytest"}
	for _, arg := range s.Options.Args {
		words = append(words, s.Redact.Text(subject.SafeArgument(s.Target, arg))) // before a quote may part a secret
	}
	return s.Redact.Text(shell.CommandLine(append(words, "--only", id)))
}

// expect applies the list of known failures. An entry whose check passes is
// itself a failure, so that the list shrinks; so is what lasts longer than was agreed,
// whatever its level.
func expect(s *subject.Session, row reports.Check) reports.Check {
	reason, listed := s.Options.ExpectedFailures[row.ID]
	if !listed {
		return row
	}
	until, ends := s.Options.ExpectedUntil[row.ID]
	switch row.Outcome {
	case reports.Failed, reports.Warned, reports.Informed:
		if ends && !s.Options.Now().Before(until) {
			row.Outcome = reports.Failed
			row.Reason = fmt.Sprintf("it was listed in expected_failures (%s), until %s", reason, until.Add(-1).Format(time.DateOnly))
			break
		}
		row.Outcome, row.Reason = reports.Expected, reason
	case reports.Passed:
		row.Outcome = reports.Failed
		row.Expected = "a failure: it is listed in expected_failures (" + reason + ")"
		row.Actual = strings.TrimSuffix("it passes: "+row.Actual, ": ")
		row.Fix = "Take " + row.ID + " out of expected_failures."
		row.Repeat = repeat(s, row.ID)
	}
	return row
}

// needed is what the checks that are to run need of a target.
func needed(s *subject.Session, checks []catalogue.Check) target.Need {
	var n target.Need
	for _, c := range checks {
		if Selects(s.Options, c) && c.Needs&^c.Weakly&^s.Target.Offers() == 0 {
			n |= c.Needs
		}
	}
	return n
}
