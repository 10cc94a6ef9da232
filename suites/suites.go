package suites

import (
	"context"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/catalogue"
	"github.com/kindlytest/kindlytest/suites/ginkgosuite"
	"github.com/kindlytest/kindlytest/suites/runner"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// Options say how a target is checked. The zero value is usable.
type Options = subject.Options

// ReportTarget is a target as the report of a run names it, without credentials.
func ReportTarget(t target.Target, o Options) reports.Target {
	s := subject.Open(context.Background(), t, o) // it calls nobody
	defer s.Close()
	return s.Clean(subject.Report(t, o.Args))
}

// An Observer watches a run. Calls come from several goroutines, never two at
// a time.
type Observer = subject.Observer

// A Check is one requirement and how it is found out whether it holds.
type Check = catalogue.Check

// Checks returns all checks in the order of a report.
func Checks() []Check { return catalogue.All() }

// Find returns the check with this ID, in any letter case.
func Find(id string) (Check, bool) { return catalogue.Find(id) }

// Select returns the checks that any of the patterns (IDs, areas or globs)
// selects, in the order of a report; all of them if there is no pattern. A
// pattern that selects none is an error that names a near one that does.
func Select(patterns ...string) ([]Check, error) { return runner.Select(patterns...) }

// Selects says whether Only, Skip and Safe leave a check in a run.
func Selects(o Options, c Check) bool { return runner.Selects(o, c) }

// Describe adds the checks of a target to the Ginkgo suite of a caller: call it
// where Describe is called.
//
//	var _ = suites.Describe(target.Target{PageURL: "…"}, suites.Options{})
func Describe(t target.Target, o Options) bool { return ginkgosuite.Describe(t, o) }
