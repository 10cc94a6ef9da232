package subject

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// Sending hostile things to a webhook, and finding out whether it survived.

// An attempt is something hostile to send, and how to read the answer.
type Attempt struct {
	Title    string
	Request  wire.Request
	Canaries []string
	// oversized marks a request that a server may answer by hanging up.
	Oversized bool
}

func (a Attempt) probe(ev Evidence) oracle.Probe {
	return oracle.Probe{Exchange: ev.Exchange, Canaries: a.Canaries, Oversized: a.Oversized}
}

// judge says what an answer to an attempt amounts to. Without a valid token the
// oracle has nothing to compare with, and the status must do.
func (h *Webhook) judge(a Attempt, ev Evidence) (oracle.Judgement, error) {
	o, err := h.Oracle()
	if errors.Is(err, ErrMissing) {
		strangers, err := h.AsStranger()
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
func byStatus(a Attempt, ev, stranger Evidence) oracle.Judgement {
	why := Describe(ev.Exchange)
	switch st := ev.Exchange.Status(); {
	case a.Oversized && ev.Exchange.Kind() == wire.KindReset: // the control after it says whether it lives
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
func (h *Webhook) Try(ctx context.Context, a Attempt) (Evidence, oracle.Judgement, error) {
	if _, err := h.Control(ctx); err != nil {
		return Evidence{}, oracle.Judgement{}, err
	}
	ev, err := h.Send(ctx, a.Title, a.Request)
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
func (h *Webhook) confirm(ctx context.Context, a Attempt, first Evidence) (Evidence, oracle.Judgement, error) {
	ev, err := h.Alone(ctx, a.Title, a.Request)
	var died *diedError
	if errors.As(err, &died) && died.culprit == a.Title {
		return first, oracle.Judgement{Class: oracle.Error, Why: Describe(first.Exchange) + "; after it the service did not come back"}, nil
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
func (h *Webhook) Alone(ctx context.Context, title string, r wire.Request) (Evidence, error) {
	k, err := h.Control(ctx)
	if err != nil {
		return Evidence{}, err
	}
	h.calling.Lock()
	defer h.calling.Unlock()
	if h.Down != nil {
		return Evidence{}, h.Down
	}
	if err := h.AwaitAlive(ctx, k, title); err != nil {
		return Evidence{}, err
	}
	ev := h.Session.Do(ctx, title, r)
	if err := h.AwaitAlive(ctx, k, title); err != nil && h.Down == nil {
		return ev, err
	}
	return ev, nil
}

// died says whether the webhook is down for good.
func (h *Webhook) died() error {
	h.calling.RLock()
	defer h.calling.RUnlock()
	return h.Down
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
func (h *Webhook) AwaitAlive(ctx context.Context, k control, culprit string) error {
	ctx, cancel := context.WithTimeout(ctx, comeback)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		ok, err := h.Alive(ctx, k)
		if err != nil {
			return err
		}
		if ok {
			return nil
		}
		if Sleep(ctx, pause) != nil {
			h.Down = &diedError{webhook: h.Name(), culprit: culprit}
			h.Session.Problem(h.Down.Error(), "Restart it, and run again; --only and --skip narrow the run down.")
			return h.Down
		}
	}
}

// alive sends the control: it works if the status is the one from before.
func (h *Webhook) Alive(ctx context.Context, k control) (bool, error) {
	c, err := k.current(ctx, h.Session)
	if err != nil {
		return false, err
	}
	r, err := h.Request(c)
	if err != nil {
		return false, err
	}
	ev := h.Session.Do(ctx, "the control", r)
	return ev.Exchange.Status() == k.Before.Exchange.Status(), nil
}
