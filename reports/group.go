package reports

import (
	"cmp"
	"slices"
	"strings"
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
	Reason string
	IDs    []string
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
			groups = append(groups, reasonGroup{Reason: reason})
		}
		groups[i].IDs = append(groups[i].IDs, c.ID)
	}
	slices.SortStableFunc(groups, func(a, b reasonGroup) int { return cmp.Compare(len(b.IDs), len(a.IDs)) })
	return groups
}

// A field is a labelled text of a check.
type field struct{ Label, Text string }

// fieldsOf are the texts that explain a check's outcome, without empty ones.
func fieldsOf(c Check) []field {
	all := []field{
		{"reason", c.Reason},
		{"expected", c.Expected},
		{"actual", c.Actual},
		{"fix", c.Fix},
		{"repeat", c.Repeat},
		{"explain", c.Explain()},
	}
	return slices.DeleteFunc(all, func(f field) bool { return strings.TrimSpace(f.Text) == "" })
}

// inShort is what happened, in the fewest words that the check has.
func inShort(c Check) string {
	return cmp.Or(c.Actual, c.Reason, c.Requirement)
}
