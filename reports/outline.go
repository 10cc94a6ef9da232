package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// An outline is a run in the order in which it is told, in every format: the
// verdict as a sentence; deaths; the causes, gravest first; what fails and has no
// cause; what was not judged; warnings, notes, and what holds.
type outline struct {
	Run      Run
	Verdict  verdict
	Sentence string // the verdict for who knows neither tokens nor webhooks
	Judged   string // how much was judged
	Deaths   string // "" if nothing died
	Causes   []causeOutline
	Failed   []Check // what fails the run and has no cause, worst first
	Warned   []Check // likewise
	Unjudged []reasonGroup
	Expected []Check
	Informed []Check
	Areas    []areaGroup
}

// A causeOutline is a cause with the checks that it explains.
type causeOutline struct {
	Cause
	Symptoms []Check // worst first
}

func outlineOf(run Run) outline {
	s := outline{
		Run: run, Verdict: verdictOf(run),
		Unjudged: notJudged(run.Checks),
		Expected: withOutcome(run.Checks, Expected), Informed: withOutcome(run.Checks, Informed),
		Areas: byArea(run.Checks),
	}
	explained := s.explain(run)
	for _, c := range worstFirst(run.Checks) {
		switch {
		case explained[c.ID]:
		case c.Outcome == Failed, c.Outcome == Warned && run.Strict: // under strict it fails the run
			s.Failed = append(s.Failed, c)
		case c.Outcome == Warned:
			s.Warned = append(s.Warned, c)
		}
	}
	s.Judged = judgedOf(run.Checks)
	if n := run.Summary.Deaths; n > 0 {
		s.Deaths = fmt.Sprintf("A process of the target died %s or more during the run.", times(n))
	}
	s.Sentence = s.sentence()
	return s
}

// explain gathers the causes and their symptoms, and says which checks have a
// cause. A check may be the symptom of several: of the same mistake in two webhooks.
func (s *outline) explain(run Run) map[string]bool {
	checks := slices.DeleteFunc(worstFirst(run.Checks), func(c Check) bool { return badness(c.Outcome) < doubtful })
	byCause, at := map[string][]int{}, map[string][]int{}
	for i, c := range checks {
		at[c.ID] = append(at[c.ID], i)
		if c.Cause != "" {
			byCause[c.Cause] = append(byCause[c.Cause], i)
		}
	}
	explained := map[string]bool{}
	for _, cause := range gravestFirst(run.Causes) {
		symptoms := slices.Clone(byCause[cause.ID])
		for _, id := range cause.Explains {
			symptoms = append(symptoms, at[id]...)
		}
		slices.Sort(symptoms)
		told := causeOutline{Cause: cause}
		for _, i := range slices.Compact(symptoms) {
			explained[checks[i].ID] = true
			told.Symptoms = append(told.Symptoms, checks[i])
		}
		s.Causes = append(s.Causes, told)
	}
	return explained
}

// first is the worst of what is wrong in a sentence, for where one line must do; ""
// if nothing is.
func (s outline) first() string {
	text := ""
	switch {
	case s.failsWorse():
		text = s.Failed[0].headline()
	case len(s.Causes) > 0:
		text = s.Causes[0].Heading()
	default:
		return ""
	}
	if more := len(s.Causes) + len(s.Failed) - 1; more > 0 {
		text = strings.TrimRight(text, ". ") + fmt.Sprintf(", and %d more", more)
	}
	return strings.TrimRight(text, ". ")
}

// joinHeading is a verdict's word and what it is about.
func joinHeading(word, about string) string {
	if about == "" {
		return word
	}
	return word + ": " + about
}

// Mark is the sign of the run as a whole: what passes because little was judged,
// or should not go live, gets none that looks like success.
func (s outline) Mark() Outcome {
	if s.Verdict.Level == Passed && (s.little() || s.gravest().rank() <= High.rank()) {
		return Warned
	}
	return s.Verdict.Level
}

// told says whether the reader has seen why something was not judged: it is the
// problem of the whole run, which the first line or the last one says.
func (s outline) told(reason string) bool {
	return reason != "" && strings.Contains(oneLine(s.Run.Problem), oneLine(reason))
}

// problem is the run's, where neither the first sentence nor what was not judged
// has said it.
func (s outline) problem() string {
	if s.Verdict.Word != failedWord || slices.ContainsFunc(s.Unjudged, func(g reasonGroup) bool { return s.told(g.Reason) }) {
		return ""
	}
	return s.Run.Problem
}

// chosen are the areas of which something was to be judged.
func (s outline) chosen() []areaGroup {
	return slices.DeleteFunc(slices.Clone(s.Areas), func(g areaGroup) bool { return applicable(g.Checks) == 0 })
}

// little says whether less than half was judged of what was to be.
func (s outline) little() bool { return 2*s.Run.Summary.judged() < applicable(s.Run.Checks) }

// Count is "explains 18 checks".
func (c causeOutline) Count() string {
	if len(c.Symptoms) == 0 {
		return ""
	}
	return "explains " + plural(len(c.Symptoms), "check")
}

// IDs are those of the checks that it explains.
func (c causeOutline) IDs() []string {
	var ids []string
	for _, s := range c.Symptoms {
		ids = append(ids, s.ID)
	}
	return ids
}

// Basis says how the cause is known.
func (c causeOutline) Basis() string {
	if c.Confirmed {
		return "confirmed"
	}
	return "inferred from the answers"
}

// Heading is the cause in a sentence, and where it is, if there are several places.
func (c causeOutline) Heading() string {
	title := cmp.Or(c.Title, c.ID)
	if c.Where == "" || strings.Contains(title, c.Where) {
		return title
	}
	return title + " (" + c.Where + ")"
}

// Command is what explains the cause; "" for an ID that a shell would read.
func (c Cause) Command() string {
	if !plainStack.MatchString(c.ID) {
		return ""
	}
	command := "kindlytest explain " + c.ID
	if c.Sample != nil && plainStack.MatchString(c.Sample.Stack) {
		command += " --stack " + c.Sample.Stack
	}
	return command
}

// fields are the texts that say more of a cause, without empty ones.
func (c causeOutline) fields() []field {
	seen := c.Seen
	if seen != "" {
		seen = strings.TrimRight(seen, ". ") + " (" + c.Basis() + ")"
	}
	all := []field{
		{"seen", seen},
		{"answered", answeredBeside(c.Seen, c.evidence())},
		{"fix", c.Fix},
		{"repeat", c.Repeat},
		{"explain", c.Command()},
	}
	return slices.DeleteFunc(all, func(f field) bool { return strings.TrimSpace(f.Text) == "" })
}

// evidence is the cause's own, or that of the worst of its symptoms.
func (c causeOutline) evidence() []Evidence {
	if len(c.Evidence) > 0 {
		return c.Evidence
	}
	for _, s := range c.Symptoms {
		if len(s.Evidence) > 0 {
			return s.Evidence
		}
	}
	return nil
}

// judgedOf says how much of a run was judged: "118 of 141 checks judged".
func judgedOf(checks []Check) string {
	if len(checks) == 0 {
		return "" // the verdict says so
	}
	judged, of := summarize(checks).judged(), applicable(checks)
	text := fmt.Sprintf("%d of %s judged", judged, plural(of, "check"))
	if more := len(checks) - of; more > 0 {
		text += fmt.Sprintf(", %d not selected", more)
	}
	return text
}

// Counts is the run in figures: "127 of 141 checks judged · 18 failed · 4.2 s".
func (s outline) Counts() string {
	parts := []string{s.Judged}
	if n := s.Run.Summary.Failed; n > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", n))
	}
	if s.Run.Strict && s.Run.Summary.Warned > 0 {
		parts = append(parts, "strict: a warning fails the run")
	}
	return joined(append(append(parts, countsOf(s.Run.Summary)...), duration(s.Run.DurationMS)))
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// origin is what was checked, as CI tells it: "commit 1a2b3c4 on main".
func (t Target) origin() string {
	commit := clip.Runes(oneLine(t.Commit), 80)
	if len(commit) > 12 && plainHash(commit) {
		commit = commit[:12]
	}
	text := ""
	if commit != "" {
		text = "commit " + commit
	}
	if branch := clip.Runes(oneLine(t.Branch), 80); branch != "" {
		text = strings.TrimSpace(text + " on " + branch)
	}
	return text
}

func plainHash(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
}
