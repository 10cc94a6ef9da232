package suites

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/forge"
	"github.com/kindlytest/kindlytest/suites/oracle"
)

var _ = check(Check{
	Requirement: rule.Rule{ID: "HOOK-VALID", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "A valid token is accepted: 200.",
		Fix:  "Verify with the public half of the key that the endpoint signs with, and compare chat.id with the request's chat_id."},
	Needs: NeedWebhook | NeedToken,
	Probe: eachHook(rule.Must, func(_ context.Context, _ *Session, h *hook) Verdict {
		all, err := h.asUser()
		if err != nil {
			return CouldNotRun(err)
		}
		for _, ev := range all {
			if !h.acceptable(ev) {
				return Violated("status 200", describe(ev.Exchange)).With(ev)
			}
		}
		return Holds("status %d", all[0].Exchange.Status()).With(all[0])
	}),
})

// acceptable says whether an answer is one to a valid request: 200, or the
// status that the target states.
func (h *hook) acceptable(ev Evidence) bool {
	if e := h.cfg.Authenticated; e != nil && len(e.Status) > 0 {
		for _, st := range e.Status {
			if ev.Exchange.Status() == st {
				return true
			}
		}
		return false
	}
	return ev.Exchange.Status() == 200
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "HOOK-ANONYMOUS", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Without a token it answers as to a stranger: no 5xx, nobody's data.",
		Fix:  "Treat a missing Authorization header as somebody who is not logged in: answer politely, or with 401."},
	Needs: NeedWebhook,
	Probe: eachHook(rule.Must, func(ctx context.Context, s *Session, h *hook) Verdict {
		all, err := h.strangersAfterMembers(ctx)
		if err != nil {
			return CouldNotRun(err)
		}
		for _, ev := range all {
			if ev.Exchange.Err != nil || ev.Exchange.Status() >= 500 {
				return Violated("an answer below 500", describe(ev.Exchange)).With(ev)
			}
			if m, shown := s.knownMarker(ev); shown {
				return Violated("nobody's data", fmt.Sprintf("the answer to a stranger holds the %s of the page's user", m.Claim)).With(ev)
			}
		}
		return Holds("status %d", all[0].Exchange.Status()).With(all[0])
	}),
})

// strangersAfterMembers are answers to strangers, the last of them after the
// page's user was there: a webhook must not remember whom it talked to.
func (h *hook) strangersAfterMembers(ctx context.Context) ([]Evidence, error) {
	all, err := h.asStranger()
	if err != nil {
		return nil, err
	}
	if _, err := h.asUser(); err != nil {
		return all, nil // no token: there is nobody to be remembered
	}
	ev, err := h.call(ctx, "without a token, after a request with one", call{})
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(all), ev), nil
}

// knownMarker finds a claim of the page's user in an answer, where the user is
// known at all. A sub such as "7" is no marker: it turns up by chance.
func (s *Session) knownMarker(ev Evidence) (oracle.Marker, bool) {
	if s.target.offers()&NeedToken == 0 {
		return oracle.Marker{}, false
	}
	p, err := s.firstPass()
	if err != nil {
		return oracle.Marker{}, false
	}
	for _, m := range markersOf(p.result.Token) {
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

var _ = check(Check{
	Requirement: rule.Rule{ID: "HOOK-DISTINGUISHES", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "The answers with and without a token differ. Where they don't, the token checks below prove less, and say so.",
		Fix:  "Give a message (webhooks[].message in kindlytest.yaml) whose answer depends on who asks; or state what to expect (authenticated, refused)."},
	Needs: NeedWebhook | NeedToken,
	Probe: eachHook(rule.Should, func(_ context.Context, _ *Session, h *hook) Verdict {
		o, err := h.oracle()
		if err != nil {
			return CouldNotRun(err)
		}
		if !o.Signal() {
			users, _ := h.asUser() // the oracle has asked before, and had an answer
			return Violated("different answers with and without a token", "they are alike").With(users...)
		}
		return Holds("they differ")
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "HOOK-OTHER-CHAT", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "A valid token of chat B in a request of chat A is refused.",
		Fix:  "Compare the token's chat.id with the request's chat_id, and refuse the token where they differ: otherwise one leaked token works in every chat."},
	Needs: NeedWebhook | NeedEndpoint, Hostile: true,
	Probe: eachHook(rule.Must, func(ctx context.Context, s *Session, h *hook) Verdict {
		p, err := s.acceptedPass(ctx)
		if err != nil {
			return CouldNotRun(err)
		}
		if v, unserved := h.unserved(ctx, "HOOK-VALID"); unserved {
			return v
		}
		return h.mustRefuse(ctx, "a token of another chat", call{token: p.raw}) // of a new chat
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "HOOK-EXPIRED", Level: rule.Must, Fidelity: rule.Documented, Source: rule.RFC7519,
		Text: "A token expired for an hour is refused (60 s is a note; 290 s a warning).",
		Fix:  "Let the JWT library check exp, with a leeway of a minute at most."},
	Needs: NeedWebhook | NeedToken, Hostile: true,
	Probe: eachHook(rule.Must, func(ctx context.Context, s *Session, h *hook) Verdict {
		switch {
		case s.target.PrivateKey != nil:
			return s.attack(ctx, h, catalogue["HOOK-EXPIRED"].Requirement, NeedKey)
		case s.opts.WaitExpiry:
			return s.outlive(ctx, h)
		}
		return Missing("%s; or --wait-expiry waits until the real token has expired", NeedKey.hint())
	}),
})

// mustRefuse sends a call whose token must be refused, and judges the answer.
func (h *hook) mustRefuse(ctx context.Context, what string, c call) Verdict {
	r, err := h.request(c)
	if err != nil {
		return CouldNotRun(err)
	}
	ev, j, err := h.try(ctx, attempt{title: what, request: r})
	if err != nil {
		return CouldNotRun(err)
	}
	return refusal(what, ev, j).With(ev)
}

// pastExpiry is longer than a usual leeway of a minute.
const pastExpiry = 90 * time.Second

// outlive waits until a real token has long expired, and sends it.
func (s *Session) outlive(ctx context.Context, h *hook) Verdict {
	p, err := s.acceptedPass(ctx)
	if err != nil {
		return CouldNotRun(err)
	}
	t, err := token.Decode(p.raw)
	if err != nil || t.Expires().IsZero() {
		return Missing("the token has no readable exp (see TOK-EXP)")
	}
	if err := sleep(ctx, t.Expires().Add(pastExpiry).Sub(s.opts.Now())); err != nil {
		return CouldNotRun(err)
	}
	return h.mustRefuse(ctx, "a token expired for 90 s", call{chatID: p.chatID, token: p.raw})
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "HOOK-TOKEN-ECHO", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.Webhooks,
		Text: "No answer contains the token.",
		Fix:  "Don't write the request's headers into the answer, not even into an error."},
	Needs: NeedWebhook | NeedToken, Hostile: true,
	Probe: eachHook(rule.Should, func(ctx context.Context, s *Session, h *hook) Verdict {
		all, err := h.asUser()
		if err != nil {
			return CouldNotRun(err)
		}
		if err := unanswered(all...); err != nil {
			return CouldNotRun(err)
		}
		m, err := s.material(ctx, h)
		if err != nil {
			return CouldNotRun(err)
		}
		refused, err := h.provoke(ctx, m)
		if err != nil {
			return CouldNotRun(err)
		}
		for _, ev := range append(all, refused...) {
			sent := strings.TrimPrefix(canonical(ev.Exchange.Request.Header, "Authorization"), "Bearer ")
			if sent != "" && strings.Contains(string(ev.Exchange.Body()), sent) {
				return Violated("an answer without the token", "the answer contains the token that was sent").With(ev)
			}
		}
		return Holds("not in %d answers", len(all)+len(refused))
	}),
})

// provoke sends a few tokens that are refused: errors are where tokens are
// echoed.
func (h *hook) provoke(ctx context.Context, m forge.Material) ([]Evidence, error) {
	var out []Evidence
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
			ev, err := h.call(ctx, f.Name, call{chatID: m.ChatID, token: token.Raw(f.Token.Reveal())})
			if err != nil {
				return nil, err
			}
			out = append(out, ev)
		}
	}
	return out, nil
}
