package catalogue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

var hookValid = eachHook(func(_ context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
	all, err := h.AsUser()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	for _, ev := range all {
		if !h.Acceptable(ev) {
			return subject.Violated("status 200", subject.Describe(ev.Exchange)).With(ev)
		}
	}
	return subject.Holds("status %d", all[0].Exchange.Status()).With(all[0])
})

var hookAnonymous = eachHook(func(ctx context.Context, s *subject.Session, h *subject.Webhook) subject.Verdict {
	all, err := strangersAfterMembers(ctx, h)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	for _, ev := range all {
		if ev.Exchange.Err != nil || ev.Exchange.Status() >= 500 {
			return subject.Violated("an answer below 500", subject.Describe(ev.Exchange)).With(ev)
		}
		if m, shown := knownMarker(s, ev); shown {
			return subject.Violated("nobody's data", fmt.Sprintf("the answer to a stranger holds the %s of the page's user", m.Claim)).With(ev)
		}
	}
	return subject.Holds("status %d", all[0].Exchange.Status()).With(all[0])
})

// strangersAfterMembers are answers to strangers, the last of them after the
// page's user was there: a webhook must not remember whom it talked to.
func strangersAfterMembers(ctx context.Context, h *subject.Webhook) ([]subject.Evidence, error) {
	all, err := h.AsStranger()
	if err != nil {
		return nil, err
	}
	if _, err := h.AsUser(); err != nil {
		return all, nil // no token: there is nobody to be remembered
	}
	ev, err := h.Call(ctx, "without a token, after a request with one", subject.Call{})
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(all), ev), nil
}

// knownMarker finds a claim of the page's user in an answer, where the user is
// known at all. A sub such as "7" is no marker: it turns up by chance.
func knownMarker(s *subject.Session, ev subject.Evidence) (oracle.Marker, bool) {
	if s.Target.Offers()&target.NeedToken == 0 {
		return oracle.Marker{}, false
	}
	p, err := s.FirstToken()
	if err != nil {
		return oracle.Marker{}, false
	}
	for _, m := range subject.MarkersOf(p.Result.Token) {
		if telling(m.Value) && oracle.ShowsWord(ev.Exchange, m.Value) {
			return m, true
		}
	}
	return oracle.Marker{}, false
}

// telling says whether a value can hardly turn up by chance. Digits can: an
// order has a number of as many as a user.
func telling(value string) bool {
	if strings.Trim(value, "0123456789") == "" {
		return len(value) >= 10
	}
	return len(value) >= 6
}

var hookDistinguishes = eachHook(func(_ context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
	o, err := h.Oracle()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if !o.Signal() {
		users, _ := h.AsUser() // the oracle has asked before, and had an answer
		return subject.Violated("different answers with and without a token", "they are alike").With(users...)
	}
	return subject.Holds("they differ")
})

var hookOtherChat = eachHook(func(ctx context.Context, s *subject.Session, h *subject.Webhook) subject.Verdict {
	p, err := s.AcceptedToken(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if v, unserved := h.Unserved(ctx, "HOOK-VALID"); unserved {
		return v
	}
	return mustRefuse(ctx, h, "a token of another chat", subject.Call{Token: p.Raw}) // of a new chat
})

var hookExpired = eachHook(func(ctx context.Context, s *subject.Session, h *subject.Webhook) subject.Verdict {
	switch {
	case s.Target.PrivateKey != nil:
		return attack(ctx, s, h, subject.RunningOf(ctx).Rule)
	case s.Options.WaitExpiry:
		return outlive(ctx, s, h)
	}
	return subject.Missing("%s; or --wait-expiry waits until the real token has expired", target.NeedKey.Hint())
})

// mustRefuse sends a call whose token must be refused, and judges the answer.
func mustRefuse(ctx context.Context, h *subject.Webhook, what string, c subject.Call) subject.Verdict {
	r, err := h.Request(c)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	ev, j, err := h.Try(ctx, subject.Attempt{Title: what, Request: r})
	if err != nil {
		return subject.CouldNotRun(err)
	}
	return refusal(what, ev, j).With(ev)
}

// outlive waits until a real token has long expired, and sends it.
func outlive(ctx context.Context, s *subject.Session, h *subject.Webhook) subject.Verdict {
	p, err := s.AcceptedToken(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	t, err := token.Decode(p.Raw)
	if err != nil || t.Expires().IsZero() {
		return subject.Missing("the token has no readable exp (see TOK-EXP)")
	}
	if err := subject.Sleep(ctx, t.Expires().Add(subject.PastExpiry).Sub(s.Options.Now())); err != nil {
		return subject.CouldNotRun(err)
	}
	return mustRefuse(ctx, h, "a token expired for 90 s", subject.Call{ChatID: p.ChatID, Token: p.Raw})
}

var hookTokenEcho = eachHook(func(ctx context.Context, s *subject.Session, h *subject.Webhook) subject.Verdict {
	all, err := h.AsUser()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if err := subject.Unanswered(all...); err != nil {
		return subject.CouldNotRun(err)
	}
	m, err := s.Material(ctx, h)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	refused, err := provoke(ctx, h, m)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	for _, ev := range append(all, refused...) {
		sent := strings.TrimPrefix(subject.Canonical(ev.Exchange.Request.Header, "Authorization"), "Bearer ")
		if sent != "" && strings.Contains(string(ev.Exchange.Body()), sent) {
			return subject.Violated("an answer without the token", "the answer contains the token that was sent").With(ev)
		}
	}
	return subject.Holds("not in %d answers", len(all)+len(refused))
})

// provoke sends a few tokens that are refused: errors are where tokens are
// echoed.
func provoke(ctx context.Context, h *subject.Webhook, m forge.Material) ([]subject.Evidence, error) {
	var out []subject.Evidence
	for _, a := range forge.For("HOOK-SIGNATURE") {
		tokens, err := a.Build(m)
		var lacking *forge.MissingError
		if errors.As(err, &lacking) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range tokens[:min(2, len(tokens))] {
			ev, err := h.Call(ctx, f.Name, subject.Call{ChatID: m.ChatID, Token: token.Raw(f.Token.Reveal())})
			if err != nil {
				return nil, err
			}
			out = append(out, ev)
		}
	}
	return out, nil
}
