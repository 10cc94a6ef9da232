package reports

import (
	"cmp"
	"slices"
)

// rank orders severities, gravest first; what is none of them comes last.
func (s Severity) rank() int {
	if i := slices.Index([]Severity{Critical, High, Medium, Low}, s); i >= 0 {
		return i
	}
	return 4
}

// gravestFirst orders causes by severity, then by what they hide and explain: where
// there is no chat at all, or no token in it, nobody meets the rest.
func gravestFirst(causes []Cause) []Cause {
	causes = slices.Clone(causes)
	for i := range causes {
		if causes[i].Explains == nil {
			causes[i].Explains = []string{} // a list, never null
		}
	}
	slices.SortStableFunc(causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(a.Severity.rank(), b.Severity.rank()), cmp.Compare(b.hides(), a.hides()), cmp.Compare(len(b.Explains), len(a.Explains)))
	})
	return causes
}

// hides is 2 for what keeps the chat client from starting, and 1 for what keeps
// every token from it, or has Kindly refuse each.
func (c Cause) hides() int {
	explains := func(ids ...string) bool {
		return slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(c.Explains, id) })
	}
	switch {
	case explains("PAGE-WIDGET", "PAGE-CSP"):
		return 2
	case explains("PAGE-CALLBACK-TOKEN", "AUTH-POST-TOKEN", "TOK-COMPACT", "TOK-JSON", "TOK-ALG", "TOK-SIGNATURE"):
		return 1
	}
	return 0
}

// severity is how bad it is that a check does not hold. What a requirement does
// not say of itself its area says: whom a webhook believes matters more than how
// it answers.
func (c Check) severity() Severity {
	if c.Severity != "" {
		return c.Severity
	}
	s := areas[areaOf(c)].severity
	if s == "" {
		s = Medium
	}
	if c.Outcome == Warned && s.rank() < Low.rank() { // a SHOULD is a step less
		s = []Severity{High, Medium, Low}[s.rank()]
	}
	return s
}

// worstFirst orders checks that do not hold: failures before warnings, then by
// severity, then by how often it was seen, then as the catalogue does.
func worstFirst(checks []Check) []Check {
	checks = slices.Clone(checks)
	slices.SortStableFunc(checks, func(a, b Check) int {
		return cmp.Or(
			cmp.Compare(badness(b.Outcome), badness(a.Outcome)),
			cmp.Compare(a.severity().rank(), b.severity().rank()),
			cmp.Compare(a.seldom(), b.seldom()),
		)
	})
	return checks
}

// byCause is worstFirst, but of what is equally bad the gravest cause's comes first.
func byCause(causes []Cause, checks []Check) []Check {
	place := map[string]int{}
	for i, cause := range slices.Backward(gravestFirst(causes)) {
		for _, id := range cause.Explains {
			place[id] = len(causes) - i
		}
	}
	checks = worstFirst(checks)
	slices.SortStableFunc(checks, func(a, b Check) int {
		return cmp.Or(cmp.Compare(badness(b.Outcome), badness(a.Outcome)), cmp.Compare(place[b.ID], place[a.ID]))
	})
	return checks
}

// seldom is 1 for what did not fail whenever it was tried.
func (c Check) seldom() int {
	if r := c.Repeats; r != nil && r.Seen < r.Of {
		return 1
	}
	return 0
}
