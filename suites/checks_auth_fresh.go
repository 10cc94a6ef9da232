package suites

import (
	"context"
	"fmt"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// leastLife is what a token must have left when it is given out.
const leastLife = 30 * time.Second

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-FRESH", Level: rule.Must, Fidelity: rule.Observed, Source: rule.ChatAuthentication,
		Text: "Asked again for the same chat, it gives a token with at least 30 s to live. The very same token again is a warning: a cache must renew well before exp (--wait-expiry finds out).",
		Fix:  "Sign a new token for each request; it costs a millisecond."},
	Needs: NeedEndpoint,
	Probe: onEndpoint(func(ctx context.Context, s *Session, _ *endpoint) Verdict {
		chatID := s.newChatID()
		first, ev, err := s.fetchToken(ctx, chatID)
		if err != nil {
			return CouldNotRun(err).With(ev)
		}
		// iat and exp count whole seconds: within one, even a new token is the same.
		pause := 1100 * time.Millisecond
		if s.opts.WaitExpiry {
			pause = untilRenewal(first, s.opts.Now())
		}
		if err := sleep(ctx, pause); err != nil {
			return CouldNotRun(err)
		}
		second, ev, err := s.fetchToken(ctx, chatID)
		if err != nil {
			return CouldNotRun(err).With(ev)
		}
		return judgeFresh(first, second, s.opts.Now()).With(ev)
	}),
})

// untilRenewal is the time until Kindly's client would ask again.
func untilRenewal(raw token.Raw, now time.Time) time.Duration {
	t, err := token.Decode(raw)
	if err != nil {
		return 0
	}
	return max(1100*time.Millisecond, t.Expires().Add(-leastLife).Sub(now))
}

func judgeFresh(first, second token.Raw, now time.Time) Verdict {
	t, err := token.Decode(second)
	if err != nil || t.Expires().IsZero() {
		return Missing("the token has no readable exp (see TOK-EXP)")
	}
	// exp counts whole seconds, and the answer took a moment.
	life := t.Expires().Sub(now) + time.Second
	switch {
	case life < leastLife:
		return Violated("at least 30 s to live", fmt.Sprintf("it expires in %s", life.Round(time.Second)))
	case first == second:
		return Doubtful("a new token", "the very same token again")
	}
	return Holds("a new token with %s to live", life.Round(time.Second))
}
