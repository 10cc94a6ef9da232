package catalogue

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// leastLife is what a token must have left when it is given out.
const leastLife = 30 * time.Second

var authFresh = onEndpoint(func(ctx context.Context, s *subject.Session, _ *subject.Endpoint) subject.Verdict {
	if v, err := s.VisitMended(); err == nil && v.MadeBefore() != "" {
		return subject.Missing("the page's token is made before there is a chat, and given again for each (see TOK-CHAT-ID)")
	}
	for try := 1; ; try++ {
		chatID := s.NewChatID()
		first, ev, err := s.FetchToken(ctx, chatID)
		if err != nil {
			return subject.CouldNotRun(err).With(ev)
		}
		// iat and exp count whole seconds: within one, even a new token is the same.
		pause, tries := 1100*time.Millisecond, freshTries
		if s.Options.WaitExpiry {
			pause, tries = untilRenewal(first, s.Options.Now()), 1
		}
		began := s.Options.Now()
		second := first
		for range tries {
			if err := service.Sleep(ctx, pause/time.Duration(tries)); err != nil {
				return subject.CouldNotRun(err).With(ev)
			}
			if second, ev, err = s.FetchToken(ctx, chatID); err != nil {
				return subject.CouldNotRun(err).With(ev)
			}
			if subject.ExpiryOf(second).After(subject.ExpiryOf(first)) {
				break
			}
		}
		if late := s.Options.Now().Sub(began) - pause; first != second && late > keptAtLeast && try < 3 {
			continue // the service was down between, and what keeps answers may have let go
		}
		if t, err := token.Decode(second); err == nil && aUUID.MatchString(t.ChatID()) && !strings.EqualFold(t.ChatID(), chatID) {
			return subject.Missing("it gives tokens for another chat than the one that asks (see AUTH-BIND-CHAT)").With(ev)
		}
		return judgeFresh(first, second, s.Options.Now()).With(ev)
	}
})

// freshTries is how often a token is asked for until a second has passed.
const freshTries = 4

// keptAtLeast is for how long anything keeps an answer that keeps it at all.
const keptAtLeast = 5 * time.Second

// untilRenewal is the time until Kindly's client would ask again.
func untilRenewal(raw token.Raw, now time.Time) time.Duration {
	t, err := token.Decode(raw)
	if err != nil {
		return 0
	}
	return max(1100*time.Millisecond, t.Expires().Add(-leastLife).Sub(now))
}

func judgeFresh(first, second token.Raw, now time.Time) subject.Verdict {
	t, err := token.Decode(second)
	if err != nil || t.Expires().IsZero() {
		return subject.Missing("the token has no readable exp (see TOK-EXP)")
	}
	// exp counts whole seconds, and the answer took a moment.
	life := t.Expires().Sub(now) + time.Second
	switch {
	case life < leastLife:
		return subject.Violated("at least 30 s to live", fmt.Sprintf("it expires in %s", life.Round(time.Second)))
	case first == second:
		return subject.Doubtful("a new token", "the very same token again").Because("endpoint-keeps-tokens")
	}
	return subject.Holds("a new token with %s to live", life.Round(time.Second))
}
