package catalogue

import (
	"context"
	"fmt"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// tokenChecks are token's own rules: what Kindly refuses and what the suites
// report cannot drift apart. TOK-SUB-STABLE needs two tokens, and stands here.
func tokenChecks() []Check {
	var checks []Check
	for _, r := range token.Rules() {
		probe := tokenProbe(r)
		if r.ID == "TOK-SECRETS" {
			probe = orSession(probe)
		}
		checks = append(checks, Check{Requirement: r, Needs: target.NeedToken, Probe: probe})
	}
	return after(checks, "TOK-SUB", Check{
		Requirement: rule.Rule{ID: "TOK-SUB-STABLE", Level: rule.Must, Fidelity: rule.Documented, Code: "mint", Source: rule.ChatAuthentication,
			Text:   "One user's sub is the same in every token.",
			Broken: "The same user has another sub in each token.",
			Why:    "If sub changes from token to token, one person is many: their chats are not found again, and a webhook that looks them up finds nobody.",
			Fix:    "Put the user's id into sub, not an id of the session, the chat or the token."},
		Needs: target.NeedEndpoint,
		Probe: tokSubStable,
	})
}

func tokenProbe(r rule.Rule) func(context.Context, *subject.Session) subject.Verdict {
	return func(_ context.Context, s *subject.Session) subject.Verdict {
		p, err := s.FirstToken()
		if err != nil {
			return subject.CouldNotRun(err)
		}
		verdict := judgeRule(r, p.Result)
		if v, err := s.VisitMended(); err == nil && p.Rung == subject.FromPage && r.ID == "TOK-CHAT-ID" && verdict.Kind == subject.Broken {
			if seen := v.MadeBefore(); seen != "" {
				verdict.Actual += "; " + seen + ", before the chat was made"
				return verdict.Because("token-made-before-chat").Fix("")
			}
		}
		return verdict
	}
}

// orSession also looks for what only a run knows to be a secret: the session by which
// the user gets the token, under whatever name.
func orSession(probe func(context.Context, *subject.Session) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return func(ctx context.Context, s *subject.Session) subject.Verdict {
		v := probe(ctx, s)
		if v.Kind != subject.Held {
			return v
		}
		p, err := s.FirstToken()
		if err != nil {
			return subject.CouldNotRun(err)
		}
		if name := s.SessionIn(ctx, p.Raw); name != "" {
			return subject.Violated("no secret in a claim", fmt.Sprintf("%q holds the session by which the user gets the token", name))
		}
		return v
	}
}

// judgeRule turns what token.Check said about one rule into a verdict.
func judgeRule(r rule.Rule, result token.Result) subject.Verdict {
	if v, violated := result.Violation(r.ID); violated {
		return subject.Violated(v.Expected, v.Actual).At(v.Level).Fix(v.Fix).Because(v.Diagnosis.ID)
	}
	for _, u := range result.Unjudged {
		if u.Rule.ID == r.ID {
			return subject.Missing("%s", u.Reason)
		}
	}
	return subject.Holds("")
}

func tokSubStable(ctx context.Context, s *subject.Session) subject.Verdict {
	var subs []string
	var seen []subject.Evidence
	for range 2 {
		raw, ev, err := s.FetchToken(ctx, s.NewChatID())
		if err != nil {
			return subject.CouldNotRun(err).With(ev)
		}
		t, err := token.Decode(raw)
		if err != nil {
			return subject.Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
		}
		subs, seen = append(subs, t.Subject()), append(seen, ev)
	}
	switch {
	case subs[0] == "" && subs[1] == "":
		return subject.Missing("the tokens have no sub (see TOK-SUB)")
	case subs[0] != subs[1]:
		return subject.Violated("the same sub twice", fmt.Sprintf("%q, then %q", subs[0], subs[1])).With(seen...)
	}
	return subject.Holds("the same sub in two tokens")
}
