package subject

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/suites/service"
)

// A welcome is when the valid request was last sent that is still answered as at first.
type welcome struct {
	mu   sync.Mutex
	sent time.Time
}

// StillWelcome is a verdict that rests on refusals: where the valid request is refused by now
// as well, as after too many bad ones, they tell nothing. Checks that end while one asks
// share the next answer.
func (h *Webhook) StillWelcome(ctx context.Context, st Standing, v Verdict) Verdict {
	if v.Kind != Held || st.Fault != nil || !h.AcceptableStatus(st.Control()) {
		return v
	}
	asked := h.Session.Options.Now()
	h.welcome.mu.Lock()
	defer h.welcome.mu.Unlock()
	if h.welcome.sent.After(asked) {
		return v
	}
	var ev Evidence
	for range 2 { // one that is refused now and then is no ban
		c, err := h.ControlCall(ctx, st)
		if err == nil {
			c, err = h.Another(ctx, st, c)
		}
		if err != nil {
			return v
		}
		sent := h.Session.Options.Now()
		if ev, err = h.Call(ctx, "the valid request, after what was refused", c); err != nil {
			return v
		}
		if s := ev.Exchange.Status(); s < 400 || s >= 500 || service.Limited(ev) {
			h.welcome.sent = sent
			return v
		}
	}
	if service.RunningOf(ctx).Late() { // it may be refused for its age: the check begins anew
		return v
	}
	return CouldNotRun(fmt.Errorf("%s turns valid requests away by now: %s. After many bad requests something refuses this machine all that it sends (Fail2Ban, Rack::Attack, a firewall's rule): let its address through while you test",
		h.Name(), Describe(ev.Exchange))).With(ev)
}
