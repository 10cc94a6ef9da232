package suites

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
)

// Run checks a target and returns the result, which is never empty: where
// nothing could be checked, Problem says why and ExitCode is 2. Cancelling ctx
// ends the run; what had not been checked by then is reported as such.
//
// Run drives Ginkgo, whose state is global: it must not be called from within a
// Ginkgo suite (use [Describe] there). Runs in one process may overlap: they
// take turns at Ginkgo only when all is judged.
func Run(ctx context.Context, t Target, o Options) reports.Run {
	return run(ctx, t, o, runSpecs)
}

// run does the work of Run; specs is called when all is judged. Not before:
// while Ginkgo runs, it keeps interrupts to itself and other runs waiting.
func run(ctx context.Context, t Target, o Options, specs func(context.Context, *board)) reports.Run {
	started := time.Now()
	result := newRun(t, o)
	if err := validate(t, o); err != nil {
		result.Problem = err.Error()
		result.Finish()
		return result
	}
	s := open(ctx, t, o)
	defer s.Close()
	result.Target = s.clean(result.Target)
	if o.Observer != nil {
		o.Observer.Planned(result.Target, len(Checks()))
	}
	b := s.start(ctx, Checks())
	<-b.done
	specs(ctx, b)
	s.finish(&result, b)
	result.DurationMS = time.Since(started).Milliseconds()
	return result
}

func newRun(t Target, o Options) reports.Run {
	o = o.withDefaults(t)
	return reports.Run{
		Schema: reports.SchemaVersion, Strict: o.Strict,
		Tool:   reports.Tool{Name: "kindlytest", Version: o.Version},
		Target: t.report(o.Args), Started: o.Now().UTC(), Checks: []reports.Check{},
	}
}

func validate(t Target, o Options) error {
	if t.offers()&(NeedPage|NeedEndpoint|NeedWebhook) == 0 {
		return fmt.Errorf("nothing to check: give a page, an auth endpoint or a webhook")
	}
	for _, list := range [][]string{o.Only, o.Skip} {
		if err := ValidateSelection(list); err != nil {
			return err
		}
	}
	for id := range o.ExpectedFailures {
		if _, ok := catalogue[id]; !ok {
			return fmt.Errorf("expected_failures names %q, which is no check; `kindlytest list` shows them", id)
		}
	}
	return nil
}

// finish fills in what is known at a run's end.
func (s *Session) finish(run *reports.Run, b *board) {
	for _, c := range Checks() {
		run.Checks = append(run.Checks, b.results[c.ID()].result)
	}
	if e, ok := s.endpoints.found(); ok {
		run.Target.Endpoint = s.redact.text(e.String())
	}
	run.Timeline, run.Screenshot = s.ending()
	s.advise(run)
	s.remark()
	s.mu.Lock()
	defer s.mu.Unlock()
	run.Notes = append(run.Notes, s.notes...)
	if p, ok := s.mainProblem(run.Checks); ok {
		run.Problem, run.Hint = p.text, p.hint
	}
	if s.base.Err() != nil {
		run.Problem, run.Hint = "interrupted before all was checked", ""
	}
	run.Finish()
	if run.ExitCode == 2 && run.Problem == "" && len(run.Checks) > 0 {
		run.Problem = s.nothingChecked(run.Checks)
	}
}

// mainProblem is the first one; but that Chrome does not start is none where
// every check came to its verdict without it: a page is more than some need.
func (s *Session) mainProblem(checks []reports.Check) (problem, bool) {
	stopped := slices.ContainsFunc(checks, func(c reports.Check) bool { return c.Outcome == reports.Errored })
	for _, p := range s.problems {
		if stopped || !p.ofChrome {
			return p, true
		}
	}
	return problem{}, false
}

// nothingChecked says why, in the words of the most frequent reason. That most
// checks were not selected is none, as long as some were.
func (s *Session) nothingChecked(checks []reports.Check) string {
	counts := map[string]int{}
	best := "--only, --skip and --safe leave no check"
	for _, c := range checks {
		if c.Outcome == reports.Errored {
			return c.ID + " could not run: " + c.Reason
		}
		if c.Outcome == reports.Skipped && s.opts.deselected(catalogue[c.ID]) == "" {
			if counts[c.Reason]++; counts[c.Reason] > counts[best] {
				best = c.Reason
			}
		}
	}
	return "nothing was checked: " + best
}

// remark notes what the reader should know about the whole run.
func (s *Session) remark() {
	if s.target.PrivateKey != nil {
		if url, yes := s.target.looksLikeProduction(); yes {
			s.note(reports.Warned, "A private key was given, and %s does not look like a test environment: "+
				"the private key of a production system belongs nowhere else, and hostile tokens are sent there (--safe leaves them out).", safeURL(url))
		}
	}
	if len(s.target.PublicKeys) == 0 && s.target.offers()&NeedToken != 0 {
		s.note(reports.Warned, "No public key was given (--public-key FILE), so nobody knows whether Kindly would accept the token.")
	}
	for _, k := range s.target.PublicKeys {
		noteKey(s, k)
	}
}

func noteKey(s *Session, k *token.Key) {
	for _, n := range k.Notes {
		s.note(reports.Informed, "%s: %s", k.Name, n)
	}
}
