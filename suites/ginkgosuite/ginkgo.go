// Package ginkgosuite makes Ginkgo specs of the checks: for a run of the
// command, and for a team's own suite. It is the only importer of Ginkgo.
package ginkgosuite

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"sync"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/catalogue"
	"github.com/kindlytest/kindlytest/suites/runner"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// Describe adds the checks of a target to the Ginkgo suite of a caller: call it
// where Describe is called. Each check is one spec with its ID, area and level
// as labels, so that Ginkgo's own filters work: a spec that is filtered out
// sends nothing. It needs no more time than its probe; probes don't overlap.
//
//	var _ = suites.Describe(suites.Target{PageURL: "…"}, suites.Options{})
func Describe(t target.Target, o subject.Options) bool {
	name := t.Name
	if name == "" {
		name = "Kindly Chat authentication"
	}
	return ginkgo.Describe(name, ginkgo.Ordered, ginkgo.ContinueOnFailure, func() {
		var (
			session *subject.Session
			cancel  context.CancelFunc
			last    *runner.Results
		)
		ginkgo.BeforeAll(func() {
			gomega.Expect(runner.Validate(t, o)).To(gomega.Succeed())
			var ctx context.Context
			ctx, cancel = context.WithCancel(context.Background())
			session = subject.Open(ctx, t, o)
		})
		ginkgo.AfterAll(func() {
			if session == nil {
				return
			}
			cancel()
			if last != nil {
				<-last.Done
			}
			session.Close()
		})
		addSpecs(o.Strict, func(ctx context.Context, c catalogue.Check) (reports.Check, error) {
			last = runner.Start(ctx, session, []catalogue.Check{c})
			return last.Wait(ctx, c.ID())
		})
	})
}

// addSpecs makes one spec of each check, in a container for each area; look
// gives the result, when the spec runs.
func addSpecs(strict bool, look func(context.Context, catalogue.Check) (reports.Check, error)) {
	for _, area := range catalogue.Areas() {
		ginkgo.Describe(area.ID, func() {
			for _, c := range area.Checks {
				addSpec(c, strict, look)
			}
		})
	}
}

func addSpec(c catalogue.Check, strict bool, look func(context.Context, catalogue.Check) (reports.Check, error)) {
	r := c.Requirement
	labels := ginkgo.Label(r.ID, r.Area(), string(r.Level))
	ginkgo.It(r.ID+": "+r.Text, labels, locationOf(c), func(ctx ginkgo.SpecContext) {
		result, err := look(ctx, c)
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		if result.Outcome == reports.Skipped {
			ginkgo.Skip(result.Reason)
		}
		ginkgo.AddReportEntry("outcome", string(result.Outcome), types.ReportEntryVisibilityFailureOrVerbose)
		gomega.Expect(result).To(holdMatcher{strict})
	})
}

// locationOf is where a check's probe stands, for Ginkgo's reports.
func locationOf(c catalogue.Check) types.CodeLocation {
	var at types.CodeLocation
	at.FileName, at.LineNumber = runtime.FuncForPC(reflect.ValueOf(c.Probe).Pointer()).FileLine(reflect.ValueOf(c.Probe).Pointer())
	return at
}

// holdMatcher is a Gomega matcher over [reports.Check]: it fails where a MUST does
// not hold, or could not be checked, and says so as a report does.
type holdMatcher struct{ strict bool } // a SHOULD counts as well

func (m holdMatcher) Match(actual any) (bool, error) {
	c, ok := actual.(reports.Check)
	if !ok {
		return false, fmt.Errorf("holdMatcher wants a reports.Check, not %T", actual)
	}
	bad := c.Outcome == reports.Failed || c.Outcome == reports.Errored || m.strict && c.Outcome == reports.Warned
	return !bad, nil
}

func (holdMatcher) FailureMessage(actual any) string {
	c := actual.(reports.Check) // Match has seen to it
	if c.Outcome == reports.Errored {
		return c.ID + " could not run: " + c.Reason
	}
	return strings.Join([]string{c.ID + ": " + c.Requirement,
		"  expected  " + c.Expected, "  actual    " + c.Actual, "  fix       " + c.Fix}, "\n")
}

func (holdMatcher) NegatedFailureMessage(actual any) string {
	return "expected " + actual.(reports.Check).ID + " not to hold"
}

// ginkgoTurn serialises runs: Ginkgo's state is global.
var ginkgoTurn sync.Mutex

// RunSpecs runs the checks of b as Ginkgo specs in this binary, silently: the
// Observer and the reports speak.
func RunSpecs(ctx context.Context, b *runner.Results) {
	ginkgoTurn.Lock()
	defer ginkgoTurn.Unlock()
	// A second RunSpecs without Reset would end the process.
	globals.Reset()
	defer globals.Reset()
	stdout := formatter.ColorableStdOut // and to stderr it says why it ends the process
	formatter.ColorableStdOut = io.Discard
	defer func() { formatter.ColorableStdOut = stdout }()

	gomega.RegisterFailHandler(ginkgo.Fail)
	addSpecs(false, func(ctx context.Context, c catalogue.Check) (reports.Check, error) { return b.Wait(ctx, c.ID()) })
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.FailOnEmpty = true
	suite.RandomizeAllSpecs = false
	suite.FocusStrings, suite.SkipStrings, suite.LabelFilter = nil, nil, ""
	reporter.NoColor, reporter.Succinct = true, true
	ginkgo.RunSpecs(verdictElsewhere{}, "kindlytest", suite, reporter)
}

// verdictElsewhere is told by Ginkgo that a spec failed. The run's verdict is
// made from the results, which knows warnings and what could not run as well.
type verdictElsewhere struct{}

func (verdictElsewhere) Fail() {}
