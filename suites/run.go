package suites

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/catalogue"
	"github.com/kindlytest/kindlytest/suites/causes"
	"github.com/kindlytest/kindlytest/suites/ginkgosuite"
	"github.com/kindlytest/kindlytest/suites/runner"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// Run checks a target and returns the result, which is never empty: where
// nothing could be checked, Problem says why and ExitCode is 2. Cancelling ctx
// ends the run; what had not been checked by then is reported as such.
//
// Run drives Ginkgo, whose state is global: it must not be called from within a
// Ginkgo suite (use [Describe] there). Runs in one process may overlap: they
// take turns at Ginkgo only when all is judged.
func Run(ctx context.Context, t target.Target, o subject.Options) reports.Run {
	return run(ctx, t, o, ginkgosuite.RunSpecs)
}

// run does the work of Run; specs is called when all is judged. Not before:
// while Ginkgo runs, it keeps interrupts to itself and other runs waiting.
func run(ctx context.Context, t target.Target, o subject.Options, specs func(context.Context, *runner.Results)) reports.Run {
	started := time.Now()
	result := newRun(t, o)
	s := subject.Open(ctx, t, o)
	defer s.Close()
	result.Target = s.Clean(result.Target)
	if err := runner.Validate(t, o); err != nil {
		result.Problem = s.Redact.Text(err.Error())
		result.Finish()
		return result
	}
	if o.Observer != nil {
		o.Observer.Planned(result.Target, runner.Selected(o))
	}
	b := runner.Start(ctx, s, catalogue.All())
	<-b.Done
	specs(ctx, b)
	finish(s, &result, b)
	result.DurationMS = time.Since(started).Milliseconds()
	return result
}

func newRun(t target.Target, o subject.Options) reports.Run {
	o = o.WithDefaults(t)
	return reports.Run{
		Schema: reports.SchemaVersion, Strict: o.Strict,
		Tool:   reports.Tool{Name: "kindlytest", Version: o.Version},
		Target: subject.Report(t, o.Args), Started: o.Now().UTC(), Checks: []reports.Check{},
	}
}

// finish fills in what is known at a run's end.
func finish(s *subject.Session, run *reports.Run, b *runner.Results) {
	for _, c := range catalogue.All() {
		run.Checks = append(run.Checks, b.Results[c.ID()].Result)
	}
	if e, ok := s.Endpoints.Found(); ok {
		run.Target.Endpoint = s.Redact.Text(e.String())
	}
	run.Timeline, run.Screenshot = s.Timeline()
	advise(s, run)
	for i := range run.Checks {
		row := &run.Checks[i]
		if c, ok := catalogue.Find(row.ID); ok && c.Needs&target.NeedWebhook != 0 && row.Outcome != reports.Skipped {
			row.Witness = string(s.Rung())
		}
	}
	run.Causes = causes.Recognise(run.Checks, b.Seen)
	remark(s)
	tellObserved(s, run)
	problems, notes := s.Remarks()
	run.Notes = append(run.Notes, notes...)
	if p, ok := mainProblem(problems, run.Checks); ok {
		run.Problem, run.Hint = p.Text, p.Hint
	}
	if reasons, hint := unjudged(s, run.Checks); len(reasons) > 0 && run.Problem == "" {
		run.Hint = hint
		run.Problem = "not all that the target offers could be judged: " + joined(reasons)
	}
	if s.Base.Err() != nil {
		run.Problem, run.Hint = "interrupted before all was checked", strings.Join(s.Limits(), " ")
	}
	run.Finish()
	for _, d := range s.Deaths() {
		run.Summary.Deaths += max(1, d.Times) // each experiment is one more
	}
	if run.ExitCode == 2 && run.Problem == "" && len(run.Checks) > 0 {
		run.Problem = nothingChecked(s, run.Checks)
	}
	s.Redact.Again(run)
}

// mainProblem is the first one; but that Chrome does not start is none where
// every check came to its verdict without it: a page is more than some need.
func mainProblem(problems []subject.Problem, checks []reports.Check) (subject.Problem, bool) {
	stopped := slices.ContainsFunc(checks, func(c reports.Check) bool { return c.Outcome == reports.Errored })
	for _, p := range problems {
		if stopped || !p.OfChrome {
			return p, true
		}
	}
	return subject.Problem{}, false
}

// nothingChecked says why, in the words of the most frequent reason. That most
// checks were not selected is none, as long as some were.
func nothingChecked(s *subject.Session, checks []reports.Check) string {
	counts := map[string]int{}
	best := "--only, --skip and --safe leave no check"
	for _, c := range checks {
		if c.Outcome == reports.Errored {
			return c.ID + " could not run: " + c.Reason
		}
		if check, ok := catalogue.Find(c.ID); ok && c.Outcome == reports.Skipped && runner.Selects(s.Options, check) {
			if counts[c.Reason]++; counts[c.Reason] > counts[best] {
				best = c.Reason
			}
		}
	}
	return "nothing was checked: " + best
}

// remark notes what the reader should know about the whole run.
func remark(s *subject.Session) {
	for _, limit := range s.Limits() {
		s.Note(reports.Informed, "%s", limit)
	}
	if s.Target.PrivateKey != nil {
		if url, yes := s.Target.LooksLikeProduction(); yes {
			s.Note(reports.Warned, "A private key was given, and %s does not look like a test environment: "+
				"the private key of a production system belongs nowhere else, and hostile tokens are sent there (--safe leaves them out).", redact.URL(url))
		}
	}
	if len(s.Target.PublicKeys) == 0 && s.Target.Offers()&target.NeedToken != 0 {
		s.Note(reports.Warned, "No public key was given (--public-key FILE), so nobody knows whether Kindly would accept the token.")
	}
	for _, k := range s.Target.PublicKeys {
		noteKey(s, k)
	}
	if s.Target.PrivateKey != nil {
		if caution := s.Target.PrivateKey.Caution(); caution != "" {
			s.Note(reports.Warned, "%s.", caution)
		}
	}
}

func noteKey(s *subject.Session, k *token.Key) {
	if caution := k.Caution(); caution != "" {
		s.Note(reports.Warned, "%s.", caution)
		return
	}
	for _, n := range k.Notes {
		s.Note(reports.Informed, "%s: %s", k.Name, n)
	}
}

// joined makes one sentence of several.
func joined(sentences []string) string {
	out := make([]string, len(sentences))
	for i, text := range sentences {
		out[i] = strings.TrimSuffix(text, ".")
	}
	return strings.Join(out, "; ")
}

// unjudged says what the target offers and could hardly be judged: a run that has
// looked at little is not green.
func unjudged(s *subject.Session, checks []reports.Check) (reasons []string, hint string) {
	reasons, hint = s.Unjudged()
	for _, area := range catalogue.Areas() {
		if area.ID != "AUTH" && area.ID != "HOOK" {
			continue
		}
		judged, all, counts, most := 0, 0, map[string]int{}, ""
		for _, row := range checks {
			c, ok := catalogue.Find(row.ID)
			if !ok || row.Area != area.ID || !runner.Selects(s.Options, c) || c.Needs&^c.Weakly&^s.Target.Offers() != 0 {
				continue
			}
			all++
			if row.Outcome != reports.Skipped && row.Outcome != reports.Errored {
				judged++
			} else if counts[row.Reason]++; counts[row.Reason] > counts[most] {
				most = row.Reason
			}
		}
		if all >= 4 && 4*judged < all {
			reasons = append(reasons, fmt.Sprintf("%s: %d of %d checks judged (%s)", area.Name, judged, all, most))
		}
	}
	return reasons, hint
}
