package suites

import (
	"context"
	"errors"
	"fmt"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/wire"
)

// A control is the request that the webhook should answer best, and how it
// answered it at first.
type control struct {
	before   Evidence
	asMember bool // with a valid token; otherwise as a stranger
}

// control finds out how the control is answered: with a valid token where there
// is one. It calls the webhook, and so must be asked before calling is locked.
// Where there is no answer, nothing can be compared with it: silence after a
// probe would look like silence before.
func (h *hook) control(ctx context.Context) (control, error) {
	h.calling.RLock()
	down := h.down
	h.calling.RUnlock()
	if down != nil {
		return control{}, down
	}
	k, err := h.controlOrSilence(ctx)
	if err == nil {
		err = unanswered(k.before)
	}
	return k, err
}

// unanswered is an error where there was no answer.
func unanswered(all ...Evidence) error {
	for _, ev := range all {
		if ev.Exchange.Err != nil {
			return missingError(fmt.Sprintf("a valid request gets %s (see RESP-STATUS)", describe(ev.Exchange)))
		}
	}
	return nil
}

// controlOrSilence is control, whether there was an answer or not.
func (h *hook) controlOrSilence(ctx context.Context) (control, error) {
	_, noPass := h.s.acceptedPass(ctx)
	if noPass == nil {
		all, err := h.asUser()
		if err != nil {
			return control{}, err
		}
		return control{before: all[0], asMember: true}, nil
	}
	all, err := h.asStranger()
	if err != nil {
		return control{}, err
	}
	var chrome browserError
	if errors.As(noPass, &chrome) && !h.acceptable(all[0]) {
		return control{}, noPass // a user may be served
	}
	return control{before: all[0]}, nil
}

// unserved is the verdict where the control itself is turned away: then that
// something hostile is turned away too proves nothing. see is the check that
// speaks of it.
func (h *hook) unserved(ctx context.Context, see string) (Verdict, bool) {
	k, err := h.control(ctx)
	if err != nil {
		return CouldNotRun(err), true
	}
	// A stranger may be turned away; a user may not.
	if st := k.before.Exchange.Status(); k.asMember && (st < 200 || st > 299) && !h.cfg.Authenticated.Matches(k.before.Exchange) {
		return Missing("the valid request is turned away too, so that nothing can be told (see %s)", see), true
	}
	return Verdict{}, false
}

// current is the control as a call, with a token that has not expired.
func (k control) current(ctx context.Context, s *Session) (call, error) {
	if !k.asMember {
		return call{}, nil
	}
	p, err := s.acceptedPass(ctx)
	return call{chatID: p.chatID, token: p.raw}, err
}

// controlCall is the control as a call that a probe can change, and how it was
// answered.
func (h *hook) controlCall(ctx context.Context) (call, Evidence, error) {
	k, err := h.control(ctx)
	if err != nil {
		return call{}, Evidence{}, err
	}
	c, err := k.current(ctx, h.s)
	return c, k.before, err
}

// onServed makes a probe of a function over the control as a call that it may
// change, and how it was answered, of each webhook that does not turn it away.
func onServed(level rule.Level, judge func(context.Context, *hook, call, Evidence) Verdict) func(context.Context, *Session) Verdict {
	return eachHook(level, func(ctx context.Context, _ *Session, h *hook) Verdict {
		if v, unserved := h.unserved(ctx, "HOOK-VALID"); unserved {
			return v
		}
		c, before, err := h.controlCall(ctx)
		if err != nil {
			return CouldNotRun(err)
		}
		return judge(ctx, h, c, before)
	})
}

// controlRequest is the control as a request that a probe can change, and
// whether it carries a token.
func (h *hook) controlRequest(ctx context.Context) (r wire.Request, withToken bool, err error) {
	c, _, err := h.controlCall(ctx)
	if err != nil {
		return r, false, err
	}
	r, err = h.request(c)
	return r, c.token != "", err
}
