package main

import (
	"slices"

	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
)

// rules are all that verify judges.
func (j judgement) rules() []rule.Rule { return slices.Concat(token.Rules(), allowlist.ListRules()) }

// violations are those of the token, and of the domains that it lists.
func (j judgement) violations() []token.Violation {
	return slices.Concat(j.result.Violations, j.domains)
}

func (j judgement) unjudged() []token.Unjudged {
	out := slices.Clone(j.result.Unjudged)
	if j.unread == "" {
		return out
	}
	for _, r := range allowlist.ListRules() {
		out = append(out, token.Unjudged{Rule: r, Reason: j.unread})
	}
	return out
}

// causesOf are the mistakes behind violations, each once, those for which Kindly
// refuses the token first.
func causesOf(violations []token.Violation) []reports.Cause {
	var causes []reports.Cause
	for _, v := range violations {
		d := v.Diagnosis
		if d.ID == "" {
			continue
		}
		i := slices.IndexFunc(causes, func(c reports.Cause) bool { return c.ID == d.ID })
		if i < 0 {
			i = len(causes)
			causes = append(causes, reports.Cause{
				ID: d.ID, Title: d.Title, Consequence: v.Rule.Why, Severity: reports.Medium, Owner: "token", Confirmed: true, Seen: v.Actual, Fix: d.Fix,
			})
		}
		causes[i].Explains = append(causes[i].Explains, v.Rule.ID)
		if v.Refused() {
			causes[i].Severity = reports.High
		}
	}
	slices.SortStableFunc(causes, func(a, b reports.Cause) int {
		switch {
		case a.Severity == b.Severity:
			return 0
		case a.Severity == reports.High:
			return -1
		}
		return 1
	})
	return causes
}
