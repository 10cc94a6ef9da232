package suites

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/wire"
	"github.com/kindlytest/kindlytest/suites/oracle"
)

// Sending hostile things to a webhook, and finding out whether it survived.

// An attempt is something hostile to send, and how to read the answer.
type attempt struct {
	title    string
	request  wire.Request
	canaries []string
	// oversized marks a request that a server may answer by hanging up.
	oversized bool
}

func (a attempt) probe(ev Evidence) oracle.Probe {
	return oracle.Probe{Exchange: ev.Exchange, Canaries: a.canaries, Oversized: a.oversized}
}

// judge says what an answer to an attempt amounts to. Without a valid token the
// oracle has nothing to compare with, and the status must do.
func (h *hook) judge(a attempt, ev Evidence) (oracle.Judgement, error) {
	o, err := h.oracle()
	if errors.Is(err, ErrMissing) {
		strangers, err := h.asStranger()
		if err != nil {
			return oracle.Judgement{}, err
		}
		return byStatus(a, ev, strangers[0]), nil
	}
	if err != nil {
		return oracle.Judgement{}, err
	}
	return o.Judge(a.probe(ev)), nil
}

// byStatus compares an answer's status with that of a stranger's.
func byStatus(a attempt, ev, stranger Evidence) oracle.Judgement {
	why := describe(ev.Exchange)
	switch st := ev.Exchange.Status(); {
	case a.oversized && ev.Exchange.Kind() == wire.KindReset: // the control after it says whether it lives
		return oracle.Judgement{Class: oracle.Refusal, Why: "the connection was closed on an over-long header"}
	case ev.Exchange.Err != nil, st >= 500:
		return oracle.Judgement{Class: oracle.Error, Why: why}
	case st >= 400:
		return oracle.Judgement{Class: oracle.Refusal, Why: why}
	case st == stranger.Exchange.Status():
		return oracle.Judgement{Class: oracle.Stranger, Weak: true, Why: why + ", as without a token"}
	}
	return oracle.Judgement{Class: oracle.Unknown, Why: why}
}

// try sends an attempt and judges the answer. An error is looked into: the
// attempt is repeated with nothing else going on, and the valid control after
// it says whether the service is still there.
func (h *hook) try(ctx context.Context, a attempt) (Evidence, oracle.Judgement, error) {
	if _, err := h.control(ctx); err != nil {
		return Evidence{}, oracle.Judgement{}, err
	}
	ev, err := h.send(ctx, a.title, a.request)
	if err != nil {
		return ev, oracle.Judgement{}, err
	}
	j, err := h.judge(a, ev)
	if err != nil || ev.Exchange.Err == nil && j.Class != oracle.Error {
		return ev, j, err
	}
	if ctx.Err() != nil {
		return ev, j, ctx.Err()
	}
	return h.confirm(ctx, a, ev)
}

// confirm repeats an attempt alone, between two controls. first is how it ended
// in company; if the service never comes back from that, that is the verdict.
func (h *hook) confirm(ctx context.Context, a attempt, first Evidence) (Evidence, oracle.Judgement, error) {
	ev, err := h.alone(ctx, a.title, a.request)
	var died *diedError
	if errors.As(err, &died) && died.culprit == a.title {
		return first, oracle.Judgement{Class: oracle.Error, Why: describe(first.Exchange) + "; after it the service did not come back"}, nil
	}
	if err != nil {
		return ev, oracle.Judgement{}, err
	}
	j, err := h.judge(a, ev)
	if h.died() != nil {
		j.Why += "; after it the service answered no valid request any more"
	}
	return ev, j, err
}

// alone sends a request between two controls, with nothing else going on. That
// the second one fails is no error of this request, but of the next.
func (h *hook) alone(ctx context.Context, title string, r wire.Request) (Evidence, error) {
	k, err := h.control(ctx)
	if err != nil {
		return Evidence{}, err
	}
	h.calling.Lock()
	defer h.calling.Unlock()
	if h.down != nil {
		return Evidence{}, h.down
	}
	if err := h.awaitAlive(ctx, k, title); err != nil {
		return Evidence{}, err
	}
	ev := h.s.do(ctx, title, r)
	if err := h.awaitAlive(ctx, k, title); err != nil && h.down == nil {
		return ev, err
	}
	return ev, nil
}

// died says whether the webhook is down for good.
func (h *hook) died() error {
	h.calling.RLock()
	defer h.calling.RUnlock()
	return h.down
}

// A diedError says that a webhook is down for good, and what was sent last.
type diedError struct{ webhook, culprit string }

func (e *diedError) Error() string {
	return fmt.Sprintf("the webhook %s died after %q and did not come back within %s", e.webhook, e.culprit, comeback)
}

// comeback is how long a service may take to come back after it died.
const comeback = 15 * time.Second

// awaitAlive waits until the control is answered again, or declares the
// webhook down. The caller holds calling alone.
func (h *hook) awaitAlive(ctx context.Context, k control, culprit string) error {
	ctx, cancel := context.WithTimeout(ctx, comeback)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		ok, err := h.alive(ctx, k)
		if err != nil {
			return err
		}
		if ok {
			return nil
		}
		if sleep(ctx, pause) != nil {
			h.down = &diedError{webhook: h.name(), culprit: culprit}
			h.s.problem(h.down.Error(), "Restart it, and run again; --only and --skip narrow the run down.")
			return h.down
		}
	}
}

// alive sends the control: it works if the status is the one from before.
func (h *hook) alive(ctx context.Context, k control) (bool, error) {
	c, err := k.current(ctx, h.s)
	if err != nil {
		return false, err
	}
	r, err := h.request(c)
	if err != nil {
		return false, err
	}
	ev := h.s.do(ctx, "the control", r)
	return ev.Exchange.Status() == k.before.Exchange.Status(), nil
}

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
