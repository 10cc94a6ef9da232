package subject

import (
	"context"
	"errors"
	"fmt"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A control is the request that the webhook should answer best, and how it
// answered it at first.
type control struct {
	Before   Evidence
	asMember bool // with a valid token; otherwise as a stranger
}

// control finds out how the control is answered: with a valid token where there
// is one. It calls the webhook, and so must be asked before calling is locked.
// Where there is no answer, nothing can be compared with it: silence after a
// probe would look like silence before.
func (h *Webhook) Control(ctx context.Context) (control, error) {
	h.calling.RLock()
	down := h.Down
	h.calling.RUnlock()
	if down != nil {
		return control{}, down
	}
	k, err := h.ControlOrSilence(ctx)
	if err == nil {
		err = Unanswered(k.Before)
	}
	return k, err
}

// unanswered is an error where there was no answer.
func Unanswered(all ...Evidence) error {
	for _, ev := range all {
		if ev.Exchange.Err != nil {
			return MissingError(fmt.Sprintf("a valid request gets %s (see RESP-STATUS)", Describe(ev.Exchange)))
		}
	}
	return nil
}

// controlOrSilence is control, whether there was an answer or not.
func (h *Webhook) ControlOrSilence(ctx context.Context) (control, error) {
	_, noPass := h.Session.AcceptedToken(ctx)
	if noPass == nil {
		all, err := h.AsUser()
		if err != nil {
			return control{}, err
		}
		return control{Before: all[0], asMember: true}, nil
	}
	all, err := h.AsStranger()
	if err != nil {
		return control{}, err
	}
	var chrome browserError
	if errors.As(noPass, &chrome) && !h.Acceptable(all[0]) {
		return control{}, noPass // a user may be served
	}
	return control{Before: all[0]}, nil
}

// unserved is the verdict where the control itself is turned away: then that
// something hostile is turned away too proves nothing. see is the check that
// speaks of it.
func (h *Webhook) Unserved(ctx context.Context, see string) (Verdict, bool) {
	k, err := h.Control(ctx)
	if err != nil {
		return CouldNotRun(err), true
	}
	// A stranger may be turned away; a user may not.
	if st := k.Before.Exchange.Status(); k.asMember && (st < 200 || st > 299) && !h.Config.Authenticated.Matches(k.Before.Exchange) {
		return Missing("the valid request is turned away too, so that nothing can be told (see %s)", see), true
	}
	return Verdict{}, false
}

// current is the control as a call, with a token that has not expired.
func (k control) current(ctx context.Context, s *Session) (Call, error) {
	if !k.asMember {
		return Call{}, nil
	}
	p, err := s.AcceptedToken(ctx)
	return Call{ChatID: p.ChatID, Token: p.Raw}, err
}

// controlCall is the control as a call that a probe can change, and how it was
// answered.
func (h *Webhook) ControlCall(ctx context.Context) (Call, Evidence, error) {
	k, err := h.Control(ctx)
	if err != nil {
		return Call{}, Evidence{}, err
	}
	c, err := k.current(ctx, h.Session)
	return c, k.Before, err
}

// controlRequest is the control as a request that a probe can change, and
// whether it carries a token.
func (h *Webhook) ControlRequest(ctx context.Context) (r wire.Request, withToken bool, err error) {
	c, _, err := h.ControlCall(ctx)
	if err != nil {
		return r, false, err
	}
	r, err = h.Request(c)
	return r, c.Token != "", err
}

// acceptable says whether an answer is one to a valid request: 200, or the
// status that the target states.
func (h *Webhook) Acceptable(ev Evidence) bool {
	if e := h.Config.Authenticated; e != nil && len(e.Status) > 0 {
		for _, st := range e.Status {
			if ev.Exchange.Status() == st {
				return true
			}
		}
		return false
	}
	return ev.Exchange.Status() == 200
}
