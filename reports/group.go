package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// An areaGroup is the checks of one area, in their order in the run.
type areaGroup struct {
	Name    string
	Summary Summary
	Checks  []Check
}

// byArea groups by area, in the order in which areas first appear.
func byArea(checks []Check) []areaGroup {
	var groups []areaGroup
	index := map[string]int{}
	for _, c := range checks {
		name := areaOf(c)
		i, ok := index[name]
		if !ok {
			i = len(groups)
			index[name] = i
			groups = append(groups, areaGroup{Name: name})
		}
		groups[i].Checks = append(groups[i].Checks, c)
	}
	for i := range groups {
		groups[i].Summary = summarize(groups[i].Checks)
	}
	return groups
}

func areaOf(c Check) string {
	if c.Area != "" {
		return c.Area
	}
	area, _, _ := strings.Cut(c.ID, "-")
	return area
}

func withOutcome(checks []Check, o Outcome) []Check {
	var out []Check
	for _, c := range checks {
		if c.Outcome == o {
			out = append(out, c)
		}
	}
	return out
}

// A reasonGroup is the checks that came to one outcome for one reason.
type reasonGroup struct {
	Reason  string
	Outcome Outcome
	Checks  []Check
}

// IDs are those of the group's checks.
func (g reasonGroup) IDs() []string {
	var ids []string
	for _, c := range g.Checks {
		ids = append(ids, c.ID)
	}
	return ids
}

const noReason = "no reason given"

// byReason groups the checks of one outcome by reason, the most frequent first.
func byReason(checks []Check, o Outcome) []reasonGroup {
	var groups []reasonGroup
	index := map[string]int{}
	for _, c := range withOutcome(checks, o) {
		reason := cmp.Or(c.Reason, noReason)
		i, ok := index[reason]
		if !ok {
			i = len(groups)
			index[reason] = i
			groups = append(groups, reasonGroup{Reason: reason, Outcome: o})
		}
		groups[i].Checks = append(groups[i].Checks, c)
	}
	slices.SortStableFunc(groups, func(a, b reasonGroup) int { return cmp.Compare(len(b.Checks), len(a.Checks)) })
	return groups
}

// notJudged are the checks that nobody knows the outcome of, by reason: what
// could not run, what lacks something, and last what nobody asked for.
func notJudged(checks []Check) []reasonGroup {
	var lacking, deselected []reasonGroup
	for _, g := range byReason(checks, Skipped) {
		if g.Checks[0].deselected() {
			deselected = append(deselected, g)
		} else {
			lacking = append(lacking, g)
		}
	}
	return slices.Concat(byReason(checks, Errored), lacking, deselected)
}

// A field is a labelled text of a check.
type field struct{ Label, Text string }

// fieldsOf are the texts that explain a check's outcome, without empty ones.
func fieldsOf(c Check) []field {
	all := []field{
		{"then", c.Consequence},
		{"reason", c.Reason},
		{"expected", c.Expected},
		{"actual", c.Actual},
		{"kindly", c.observed()},
		{"answered", answeredBeside(c.Actual, c.Evidence)},
		{"seen", c.Repeats.String()},
		{"as of", c.age()},
		{"fix", c.Fix},
		{"repeat", c.Repeat},
		{"explain", c.Explain()},
	}
	return slices.DeleteFunc(all, func(f field) bool { return strings.TrimSpace(f.Text) == "" })
}

// age says when a check was looked at, if that was not in this run.
func (c Check) age() string {
	if c.AsOf.IsZero() {
		return ""
	}
	return stampOf(c.AsOf)
}

// headline is the check in a sentence: the requirement where it holds, and what
// is wrong where it does not. A requirement beside a red mark would read as praise.
func (c Check) headline() string {
	if badness(c.Outcome) < accepted {
		return cmp.Or(c.Requirement, c.ID)
	}
	if c.Broken != "" {
		return c.Broken
	}
	return "Required: " + cmp.Or(c.Requirement, c.ID)
}

// inShort is what happened, in the fewest words that the check has.
func inShort(c Check) string {
	if c.Broken != "" && c.Actual != "" && badness(c.Outcome) >= accepted {
		return strings.TrimRight(c.Broken, ". ") + ": " + c.Actual
	}
	return cmp.Or(c.Broken, c.Actual, c.Reason, c.headline())
}

// String is the check in a line, for logs and failing tests.
func (c Check) String() string {
	text := shortID(c) + " " + outcomeWord(c.Outcome)
	if c.Outcome != Passed || c.Weak {
		text += ": " + strings.TrimRight(clip.Runes(oneLine(inShort(c)), maxFieldRunes), ". ") + "."
	}
	if badness(c.Outcome) >= doubtful && c.Fix != "" {
		text += " Fix: " + clip.Runes(oneLine(c.Fix), maxFieldRunes)
	}
	return text
}

// String says how often it did not hold, if that was tried more than once.
func (r *Repeats) String() string {
	if r == nil || r.Of < 2 {
		return ""
	}
	if r.Seen == r.Of {
		return fmt.Sprintf("each of %d times", r.Of)
	}
	return fmt.Sprintf("flaky: %d of %d", r.Seen, r.Of)
}
