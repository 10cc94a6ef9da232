package main

import (
	"slices"

	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/catalogue"
)

// judgeDomains judges chat.webhook_domains by themselves, if they can be read.
func (j *judgement) judgeDomains() {
	for _, id := range []string{"TOK-COMPACT", "TOK-JSON", "TOK-CHAT", "TOK-CHAT-DOMAINS"} {
		if _, wrong := j.result.Violation(id); wrong && (id != "TOK-COMPACT" || j.result.Token.Claims.Kind() != token.Object) {
			j.unread = "webhook_domains can't be read: see " + id
			return
		}
	}
	if j.result.Token.Claims.Kind() != token.Object {
		j.unread = "webhook_domains can't be read"
		return
	}
	j.domains = allowlist.Judge(j.result.Token.WebhookDomains())
}

// domainRules are the requirements of webhook_domains that a token alone breaks.
func domainRules() []rule.Rule {
	var out []rule.Rule
	for _, id := range allowlist.ListRules {
		if c, ok := catalogue.Find(id); ok {
			out = append(out, c.Requirement)
		}
	}
	return out
}

// rules are all that verify judges.
func (j judgement) rules() []rule.Rule { return slices.Concat(token.Rules(), domainRules()) }

// violations are those of the token, and of the domains that it lists.
func (j judgement) violations() []token.Violation {
	out := slices.Clone(j.result.Violations)
	for _, r := range domainRules() {
		for _, f := range j.domains {
			if f.ID != r.ID {
				continue
			}
			v := token.Violation{Rule: r, Level: r.Level, Expected: f.Expected, Actual: f.Actual, Fix: f.Fix}
			if v.Fix == "" {
				v.Fix = r.Fix
			}
			out = append(out, v)
		}
	}
	return out
}

func (j judgement) unjudged() []token.Unjudged {
	out := slices.Clone(j.result.Unjudged)
	if j.unread == "" {
		return out
	}
	for _, r := range domainRules() {
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
				ID: d.ID, Title: d.Title, Consequence: v.Rule.Why, Severity: reports.Medium, Owner: "token", Seen: v.Actual, Fix: d.Fix,
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
