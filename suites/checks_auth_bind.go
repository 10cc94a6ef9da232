package suites

import (
	"context"
	"fmt"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/wire"
)

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-BIND-CHAT", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Two chat ids give two tokens, each with its own chat.id.",
		Fix:  "Read the chat id from each request; don't keep it in the session."},
	Needs: NeedEndpoint,
	Probe: onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		for range 2 {
			chatID := s.newChatID()
			raw, ev, err := s.fetchToken(ctx, chatID)
			if err != nil {
				return CouldNotRun(err).With(ev)
			}
			t, err := token.Decode(raw)
			if err != nil {
				return Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
			}
			if t.ChatID() != chatID {
				return Violated("chat.id "+chatID, fmt.Sprintf("chat.id %q", t.ChatID())).With(ev)
			}
		}
		return Holds("two chats, two tokens")
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-BIND-SESSION", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Two users' sessions give two subs, also when they ask at the same time.",
		Fix:  "Take the user from each request's own session; keep nothing about users in variables that requests share."},
	Needs: NeedEndpoint | NeedSecond,
	Probe: onEndpoint(func(ctx context.Context, s *Session, first *endpoint) Verdict {
		second, err := s.secondEndpoint()
		if err != nil {
			return CouldNotRun(err)
		}
		const rounds = 4
		requests := make([]wire.Request, 0, 2*rounds)
		for range rounds {
			requests = append(requests, first.withChat(s.newChatID()), second.withChat(s.newChatID()))
		}
		return judgeSessions(s.atOnce(ctx, s.client, "two users at the same time", requests))
	}),
})

// judgeSessions looks at answers that belong to two users in turn.
func judgeSessions(answers []Evidence) Verdict {
	var subs [2]map[string]bool
	subs[0], subs[1] = map[string]bool{}, map[string]bool{}
	for i, ev := range answers {
		raw, _ := tokenIn(ev.Exchange.Body())
		t, err := token.Decode(raw)
		if err != nil {
			return Missing("one of two users asking at the same time got no token: %s", describe(ev.Exchange)).With(ev)
		}
		subs[i%2][t.Subject()] = true // TOK-SUB-STABLE wants only one
		if subs[1-i%2][t.Subject()] {
			return Violated("each user's own sub", "one user's session gave the sub of the other").With(ev)
		}
	}
	return Holds("two subs, also at the same time")
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-CONCURRENT", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "32 requests at once for 32 chats give 32 tokens, each for its own chat.",
		Fix:  "Keep nothing of a request in variables that requests share."},
	Needs: NeedEndpoint, Turn: Alone, Hostile: true,
	Probe: onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		return s.tokensAtOnce(ctx, e, 32)
	}),
})

// tokensAtOnce asks for n tokens at the same time.
func (s *Session) tokensAtOnce(ctx context.Context, e *endpoint, n int) Verdict {
	if _, ev, err := s.fetchToken(ctx, s.newChatID()); err != nil {
		return CouldNotRun(err).With(ev)
	}
	chats := make([]string, n)
	requests := make([]wire.Request, n)
	for i := range chats {
		chats[i] = s.newChatID()
		requests[i] = e.withChat(chats[i])
	}
	var turnedAway []Evidence
	for i, ev := range s.atOnce(ctx, s.crowd, "one of many at once", requests) {
		if limited(ev) {
			turnedAway = append(turnedAway, ev)
			continue
		}
		raw, ok := tokenIn(ev.Exchange.Body())
		if !ok {
			return Violated("a token for each", "one of them got none: "+describe(ev.Exchange)).With(ev)
		}
		t, err := token.Decode(raw)
		if err != nil {
			return Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
		}
		if t.ChatID() != chats[i] {
			return Violated("each token for its own chat", "one of them is for another chat").With(ev)
		}
	}
	if len(turnedAway) > 0 {
		return tooMany(len(turnedAway), n, turnedAway[0])
	}
	return Holds("%d tokens", n)
}

// tooMany is the verdict on a rate limit: one is wise, but this one may turn
// away people who did nothing wrong.
func tooMany(limited, of int, ev Evidence) Verdict {
	return Doubtful("an answer for each", fmt.Sprintf("a rate limit turned %d of %d away (status 429)", limited, of)).With(ev)
}
