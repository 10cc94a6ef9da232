package suites

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kindlytest/kindlytest/reports"
)

// A board holds the results of a run's checks as they come in. Probes run
// ahead of whoever reads them: staging is 100 ms away, and a hundred checks one
// after another would take half a minute.
type board struct {
	results map[string]*pending
	done    chan struct{} // closed when the last probe has ended
	observe sync.Mutex    // one call of the Observer at a time
}

type pending struct {
	ready  chan struct{}
	result reports.Check
}

// start runs the probes of all checks in the background, each at its turn.
func (s *Session) start(ctx context.Context, checks []Check) *board {
	b := &board{results: map[string]*pending{}, done: make(chan struct{})}
	for _, c := range checks {
		b.results[c.ID()] = &pending{ready: make(chan struct{})}
	}
	go func() {
		defer close(b.done)
		for _, turn := range []Turn{Together, Alone, Last} {
			s.runTurn(ctx, b, turn, checks)
		}
	}()
	return b
}

func (s *Session) runTurn(ctx context.Context, b *board, turn Turn, checks []Check) {
	var group errgroup.Group
	group.SetLimit(s.opts.Concurrency)
	if turn != Together {
		group.SetLimit(1)
	}
	for _, c := range checks {
		if c.Turn == turn {
			group.Go(func() error {
				s.runCheck(ctx, b, c)
				return nil
			})
		}
	}
	group.Wait() // the functions return no errors
}

func (s *Session) runCheck(ctx context.Context, b *board, c Check) {
	if o := s.opts.Observer; o != nil {
		b.observe.Lock()
		o.Started(c.ID())
		b.observe.Unlock()
	}
	start := time.Now()
	verdict := s.judge(ctx, c)
	p := b.results[c.ID()]
	p.result = s.report(c, verdict, time.Since(start))
	close(p.ready)
	if o := s.opts.Observer; o != nil {
		b.observe.Lock()
		o.Done(p.result)
		b.observe.Unlock()
	}
}

// wait returns a check's result once it is there.
func (b *board) wait(ctx context.Context, id string) (reports.Check, error) {
	p, ok := b.results[id]
	if !ok {
		return reports.Check{}, fmt.Errorf("%s is not part of this run", id)
	}
	select {
	case <-p.ready:
		return p.result, nil
	case <-ctx.Done():
		return reports.Check{}, context.Cause(ctx)
	}
}

// probesPerCheck bounds a check's time as a multiple of one request's: the
// longest checks send dozens of requests and wait for a service to come back.
const probesPerCheck = 12

// longestWait is what --wait-expiry may add: the longest life that Kindly
// allows a token, and the leeway after it.
const longestWait = 15*time.Minute + pastExpiry

func (s *Session) judge(ctx context.Context, c Check) Verdict {
	if reason := s.opts.deselected(c); reason != "" {
		return Missing("%s", reason)
	}
	if lacking := c.Needs &^ s.target.offers(); lacking != 0 {
		return Missing("%s", lacking.hint())
	}
	if ctx.Err() != nil {
		return CouldNotRun(errInterrupted)
	}
	limit := probesPerCheck * s.opts.Timeout
	if s.opts.WaitExpiry {
		limit += longestWait
	}
	running := &checkRun{id: c.ID()}
	probing, cancel := context.WithTimeout(withCheck(ctx, running), limit)
	defer cancel()
	// What was held back or broken off proves nothing, not even that it holds.
	v := s.unhindered(running, guarded(c.ID(), func() Verdict { return c.Probe(probing, s) }))
	switch {
	case ctx.Err() != nil && v.kind != holds:
		return CouldNotRun(errInterrupted)
	case probing.Err() != nil && v.kind != holds:
		return CouldNotRun(fmt.Errorf("not done after %s (--timeout makes it longer)", limit))
	}
	return v
}

// guarded turns a panic of a probe into a verdict: one broken check must not
// take the others' results with it.
func guarded(id string, probe func() Verdict) (v Verdict) {
	defer func() {
		if p := recover(); p != nil {
			v = CouldNotRun(fmt.Errorf("this is a bug in kindlytest: %s panicked: %v\n%s", id, p, debug.Stack()))
		}
	}()
	return probe()
}

var errInterrupted = errors.New("interrupted")

// report turns a verdict into a row of the report.
func (s *Session) report(c Check, v Verdict, took time.Duration) reports.Check {
	r := c.Requirement
	row := reports.Check{
		ID: r.ID, Area: r.Area(), Level: string(r.Level), Fidelity: string(r.Fidelity),
		Requirement: r.Text, Source: r.Source, Help: r.Fix, Outcome: v.outcome(r.Level),
		Reason: s.redact.text(v.reason), Expected: s.redact.text(v.expected), Actual: s.redact.text(v.actual),
		Weak: v.weak, DurationMS: took.Milliseconds(),
	}
	for _, e := range v.evidence {
		row.Evidence = append(row.Evidence, s.redact.evidence(e))
	}
	if v.kind == violated {
		row.Fix = r.Fix
		if v.fix != "" {
			row.Fix = s.redact.text(v.fix)
		}
		row.Repeat = s.repeat(r.ID)
	}
	return s.expect(row)
}

// repeat is the command that runs only this check.
func (s *Session) repeat(id string) string {
	if len(s.opts.Args) == 0 {
		return ""
	}
	words := []string{"kindlytest"}
	for _, arg := range s.opts.Args {
		words = append(words, s.target.safeArgument(arg))
	}
	return s.redact.text(commandLine(append(words, "--only", id)))
}

// expect applies the list of known failures. An entry whose check passes is
// itself a failure, so that the list shrinks.
func (s *Session) expect(row reports.Check) reports.Check {
	reason, listed := s.opts.ExpectedFailures[row.ID]
	if !listed {
		return row
	}
	switch row.Outcome {
	case reports.Failed, reports.Warned, reports.Informed:
		row.Outcome, row.Reason = reports.Expected, reason
	case reports.Passed:
		row.Outcome = reports.Failed
		row.Expected = "a failure: it is listed in expected_failures (" + reason + ")"
		row.Actual = "it passes: " + row.Actual
		row.Fix = "Take " + row.ID + " out of expected_failures."
		row.Repeat = s.repeat(row.ID)
	}
	return row
}
