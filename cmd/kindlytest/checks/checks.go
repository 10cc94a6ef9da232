// Package checks runs the checks of kindlytest run for the page and the API of
// kindlytest serve: one run at a time, each of which can be stopped, and the newest
// few of which are remembered.
//
//	c := checks.New(target, options, nil)
//	defer c.Close() // ends what runs, its Chrome too
//	handler := server.New(k, server.Options{Checks: c})
package checks

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/server"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/catalogue"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// remembered is how many runs are, with their reports, of a few megabytes at most each.
const remembered = 10

// A Checker is a server.Checks for one target.
type Checker struct {
	target  target.Target
	options suites.Options
	finish  func(*reports.Run)
	offer   server.ChecksOffer

	mu      sync.Mutex
	made    int    // runs
	runs    []*run // the oldest first
	known   *reports.Run
	changed chan struct{}
	closed  bool
	running sync.WaitGroup
}

// A run is one that goes on, or has ended.
type run struct {
	server.ChecksRun
	stop   context.CancelFunc
	rows   []reports.Check
	report *reports.Run // nil until it has ended
}

// New returns the checks of a target. finish, if not nil, adds to each report where
// it comes from.
func New(t target.Target, o suites.Options, finish func(*reports.Run)) *Checker {
	if finish == nil {
		finish = func(*reports.Run) {}
	}
	return &Checker{target: t, options: o, finish: finish, offer: offerOf(t, o), changed: make(chan struct{})}
}

// Close stops what runs, and waits for its end. No run begins afterwards.
func (c *Checker) Close() {
	c.mu.Lock()
	c.closed = true
	if r := c.newest(); r != nil {
		r.stop()
	}
	c.mu.Unlock()
	c.running.Wait()
}

// Offer is what can be checked, and what is lacking.
func (c *Checker) Offer() server.ChecksOffer { return c.offer }

func offerOf(t target.Target, o suites.Options) server.ChecksOffer {
	offer := server.ChecksOffer{Target: suites.ReportTarget(t, o), Lacks: []server.ChecksLack{}}
	for _, area := range catalogue.Areas() {
		shown := server.ChecksArea{ID: area.ID, Name: area.Name}
		for _, check := range area.Checks {
			r := check.Requirement
			shown.Checks = append(shown.Checks, server.ChecksRule{ID: r.ID, Level: string(r.Level), Requirement: r.Text,
				Broken: r.Broken, Consequence: r.Why, Help: r.Fix, Source: r.Source})
			if lacks := check.Needs &^ check.Weakly &^ t.Offers(); lacks != 0 {
				offer.Lacks = lacking(offer.Lacks, lacks.Hint(), r.ID)
			}
		}
		offer.Areas = append(offer.Areas, shown)
	}
	return offer
}

func lacking(all []server.ChecksLack, hint, id string) []server.ChecksLack {
	for i := range all {
		if all[i].Hint == hint {
			all[i].Checks = append(all[i].Checks, id)
			return all
		}
	}
	return append(all, server.ChecksLack{Hint: hint, Checks: []string{id}})
}

// Start begins a run.
func (c *Checker) Start(only []string) (server.ChecksRun, error) {
	if _, err := suites.Select(only...); err != nil {
		return server.ChecksRun{}, &server.ChecksError{Problem: err.Error() + "."}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r := c.newest(); {
	case c.closed:
		return server.ChecksRun{}, &server.ChecksError{Problem: "The mock is shutting down.", Busy: true}
	case r != nil && r.State == server.ChecksRunning:
		return server.ChecksRun{}, &server.ChecksError{Problem: "Run " + r.ID + " has not ended. Wait for it, or stop it.", Busy: true}
	}
	c.made++
	ctx, stop := context.WithCancel(context.Background()) // a run outlives the request that began it
	r := &run{stop: stop, ChecksRun: server.ChecksRun{
		ID: strconv.Itoa(c.made), State: server.ChecksRunning, Only: append([]string{}, only...), Started: time.Now().UTC(), Running: []string{},
	}}
	c.runs = append(c.runs, r)
	if len(c.runs) > remembered {
		c.runs = c.runs[1:]
	}
	c.tell()
	c.running.Go(func() { c.perform(ctx, r) })
	return r.shown(), nil
}

func (c *Checker) perform(ctx context.Context, r *run) {
	defer r.stop()
	o := c.options
	if len(r.Only) > 0 {
		o.Only = r.Only
	}
	o.Observer = observer{c, r}
	report := suites.Run(ctx, c.target, o)
	c.finish(&report)
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.tell()
	r.report, r.State, r.Running = &report, server.ChecksDone, []string{}
	r.DurationMS, r.Summary = report.DurationMS, report.Summary
	r.Verdict, r.Sentence = report.Verdict()
	if ctx.Err() != nil {
		r.State = server.ChecksStopped
		return // what it has not seen is not known
	}
	known := report
	if c.known != nil {
		known = reports.Update(*c.known, report)
	}
	c.known = &known
}

// Stop ends a run.
func (c *Checker) Stop(id string) (server.ChecksRun, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.find(id)
	if r == nil {
		return server.ChecksRun{}, false
	}
	r.stop()
	return r.shown(), true
}

// Runs are those that are remembered, the newest first.
func (c *Checker) Runs() []server.ChecksRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := []server.ChecksRun{}
	for _, r := range slices.Backward(c.runs) {
		all = append(all, r.shown())
	}
	return all
}

// Rows are those of a run from the n-th on.
func (c *Checker) Rows(id string, n int) []reports.Check {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.find(id)
	if r == nil {
		return nil
	}
	return slices.Clone(r.rows[min(n, len(r.rows)):])
}

// Report is that of a run, or of all together.
func (c *Checker) Report(id string) (reports.Run, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	report := c.known
	if id != "" {
		report = nil
		if r := c.find(id); r != nil {
			report = r.report
		}
	}
	if report == nil {
		return reports.Run{}, false
	}
	return *report, true
}

// Changed is closed when there is more to see.
func (c *Checker) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// tell, newest and find are called under the lock.
func (c *Checker) tell() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *Checker) newest() *run {
	if len(c.runs) == 0 {
		return nil
	}
	return c.runs[len(c.runs)-1]
}

func (c *Checker) find(id string) *run {
	i := slices.IndexFunc(c.runs, func(r *run) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return c.runs[i]
}

// shown is a copy, for others.
func (r *run) shown() server.ChecksRun {
	s := r.ChecksRun
	s.Running = slices.Clone(s.Running)
	return s
}

// An observer writes down how a run gets on.
type observer struct {
	c *Checker
	r *run
}

func (o observer) change(f func(r *run)) {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	f(o.r)
	o.c.tell()
}

func (o observer) Planned(_ reports.Target, checks int) {
	o.change(func(r *run) { r.Planned = checks })
}

func (o observer) Started(id string) {
	o.change(func(r *run) { r.Running = append(r.Running, id) })
}

func (o observer) Done(row reports.Check) {
	o.change(func(r *run) {
		r.Running = slices.DeleteFunc(r.Running, func(id string) bool { return id == row.ID })
		r.rows = append(r.rows, bare(row))
		counted := reports.Run{Checks: slices.Clone(r.rows)}
		counted.Finish()
		r.Summary = counted.Summary
		r.DurationMS = time.Since(r.Started).Milliseconds()
	})
}

// bare is a row without what the target said: what of that is secret, only the
// whole run knows.
func bare(row reports.Check) reports.Check {
	b := reports.Check{
		ID: row.ID, Area: row.Area, Level: row.Level, Fidelity: row.Fidelity, Requirement: row.Requirement, Source: row.Source,
		Help: row.Help, Outcome: row.Outcome, Weak: row.Weak, Deselected: row.Deselected, DurationMS: row.DurationMS, Severity: row.Severity,
	}
	if check, ok := catalogue.Find(row.ID); ok && (row.Outcome == reports.Failed || row.Outcome == reports.Warned) {
		b.Broken, b.Consequence = cmp.Or(check.Requirement.Broken, check.Requirement.Text), check.Requirement.Why
	}
	return b
}

var (
	_ server.Checks    = (*Checker)(nil)
	_ subject.Observer = observer{}
)
