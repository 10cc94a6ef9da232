package suites

import (
	"context"
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// The TOK checks are token's own rules: what Kindly refuses and what the suites
// report cannot drift apart.
var _ = func() bool {
	for _, r := range token.Rules() {
		check(Check{Requirement: r, Needs: NeedToken, Probe: tokenProbe(r)})
	}
	return true
}()

func tokenProbe(r rule.Rule) func(context.Context, *Session) Verdict {
	return func(_ context.Context, s *Session) Verdict {
		p, err := s.firstPass()
		if err != nil {
			return CouldNotRun(err)
		}
		return judgeRule(r, p.result)
	}
}

// judgeRule turns what token.Check said about one rule into a verdict.
func judgeRule(r rule.Rule, result token.Result) Verdict {
	if v, violated := result.Violation(r.ID); violated {
		return Violated(v.Expected, v.Actual).at(v.Level).Fix(v.Fix)
	}
	for _, u := range result.Unjudged {
		if u.Rule.ID == r.ID {
			return Missing("%s", u.Reason)
		}
	}
	return Holds("")
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "TOK-SUB-STABLE", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "One user's sub is the same in every token.",
		Fix:  "Put the user's id into sub, not an id of the session, the chat or the token."},
	Needs: NeedEndpoint,
	Probe: func(ctx context.Context, s *Session) Verdict {
		var subs []string
		var seen []Evidence
		for range 2 {
			raw, ev, err := s.fetchToken(ctx, s.newChatID())
			if err != nil {
				return CouldNotRun(err).With(ev)
			}
			t, err := token.Decode(raw)
			if err != nil {
				return Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
			}
			subs, seen = append(subs, t.Subject()), append(seen, ev)
		}
		switch {
		case subs[0] == "" && subs[1] == "":
			return Missing("the tokens have no sub (see TOK-SUB)")
		case subs[0] != subs[1]:
			return Violated("the same sub twice", fmt.Sprintf("%q, then %q", subs[0], subs[1])).With(seen...)
		}
		return Holds("the same sub in two tokens")
	},
})

// notForwarded names the MUST rules that a token violates: Kindly would not
// forward it, so that webhooks need not accept it.
func notForwarded(result token.Result) (string, bool) {
	var ids []string
	for _, v := range result.Violations {
		if v.Level == rule.Must {
			ids = append(ids, v.Rule.ID)
		}
	}
	return strings.Join(ids, ", "), len(ids) > 0
}
