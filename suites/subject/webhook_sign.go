package subject

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/suites/service"
)

// A welcome is how the valid request was answered last.
type welcome struct {
	mu     sync.Mutex
	sent   time.Time
	banned *Evidence // nil: as at first
}

// welcomes is how often the valid request is sent before its refusal is a ban: some are
// refused now and then, or while something is loaded anew.
const welcomes = 4

// StillWelcome is a verdict that rests on refusals: where the valid request is refused by now
// as well, as after too many bad ones, they tell nothing. Checks that end while one asks
// share the answer.
func (h *Webhook) StillWelcome(ctx context.Context, st Standing, v Verdict) Verdict {
	if v.Kind != Held || st.Fault != nil || !h.AcceptableStatus(st.Control()) {
		return v
	}
	asked := h.Session.Options.Now()
	h.welcome.mu.Lock()
	defer h.welcome.mu.Unlock()
	if !h.welcome.sent.After(asked) {
		if err := h.askWelcome(ctx, st); err != nil {
			return v
		}
	}
	if h.welcome.banned == nil || service.RunningOf(ctx).Late() { // it may be refused for its age: the check begins anew
		return v
	}
	return CouldNotRun(fmt.Errorf("%s turns valid requests away by now: %s. After many bad requests something refuses this machine all that it sends (Fail2Ban, Rack::Attack, a firewall's rule): let its address through while you test",
		h.Name(), Describe(h.welcome.banned.Exchange))).With(*h.welcome.banned)
}

// askWelcome sends the valid request. h.welcome.mu is held.
func (h *Webhook) askWelcome(ctx context.Context, st Standing) error {
	own := service.RunningOf(ctx).Part() // what gets into its way is no matter of the check
	ctx = service.WithRunning(ctx, own)
	tries := welcomes
	if h.welcome.banned != nil { // another look tells whether that is over
		tries = 1
	}
	for try := range tries {
		if try > 0 {
			if err := service.Sleep(ctx, h.Session.Patience.Request/5); err != nil {
				return err
			}
		}
		c, err := h.ControlCall(ctx, st)
		if err == nil {
			c, err = h.Another(ctx, st, c)
		}
		if err != nil {
			return err
		}
		sent := h.Session.Options.Now()
		ev, err := h.Call(ctx, "the valid request, after what was refused", c)
		if err != nil {
			return err
		}
		if s := ev.Exchange.Status(); s < 400 || s >= 500 || service.Limited(ev) {
			h.welcome.sent, h.welcome.banned = sent, nil
			return nil
		}
		if try == tries-1 && !own.Late() {
			h.welcome.sent, h.welcome.banned = sent, &ev
		}
	}
	return nil
}
