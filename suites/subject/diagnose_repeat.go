package subject

import (
	"context"
	"fmt"
	"net/http"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/suites/service"
)

// What becomes of the valid request when it comes again, alone or with others: who
// takes it at one time and refuses it at another judges something else than it.

// repeats is how often a request is sent again before anything is said of turns.
const repeats = 8

// tryRepeats sends a request again that was refused, as it is. Who takes it now judges
// something else than the request.
func (h *Webhook) tryRepeats(ctx context.Context, st *Standing, refused Evidence) error {
	if !turnedDown(refused) {
		return nil
	}
	check := h.ofCallers()
	if st.Members() && h.AcceptableStatus(st.Stranger[0]) && h.AcceptableStatus(st.Stranger[len(st.Stranger)-1]) {
		check = "HOOK-VALID"
	}
	again := func(title string) Evidence {
		return h.Session.Do(trying(ctx, check), title, refused.Exchange.Request.Clone())
	}
	var taken, turned int
	last := refused
	for i := range repeats {
		ev := again("the very same request, one after another")
		switch {
		case h.AcceptableStatus(ev):
			taken++
		case turnedDown(ev):
			turned++
			last = ev
		}
		if taken > 0 && turned > 0 && i >= repeats/2 {
			break
		}
	}
	switch {
	case taken > 0 && turned > 0:
		st.Fault = h.fault(check, "webhook-differs-by-turn", last)
		st.Fault.Beside = fmt.Sprintf("the very same request, sent %d times, is accepted %d times", taken+turned, taken)
	case taken == repeats:
		all := make([]wire.Request, repeats)
		for i := range all {
			all[i] = refused.Exchange.Request.Clone()
		}
		for _, ev := range h.Session.AtOnce(trying(ctx, check), "the very same request, with others at once", all) {
			if turnedDown(ev) {
				st.Fault = h.fault(check, "webhook-mixes-requests", ev)
				st.Fault.Beside = fmt.Sprintf("the very same request, sent %d times, is accepted one after another, and refused among others", repeats)
				return nil
			}
		}
	case taken == 0 && st.first != nil && h.AcceptableStatus(*st.first) && !h.AcceptableStatus(st.Stranger[0]):
		r := st.first.Exchange.Request.Clone()
		if ev := h.Session.Do(trying(ctx, check), "the first request, once more", r); turnedDown(ev) || ev.Exchange.Status() >= 500 {
			st.Fault = h.fault(check, "webhook-works-once", ev)
			st.Fault.Beside = "the first request got " + Describe(st.first.Exchange) + ", and each one since is refused, the first one too"
		}
	}
	return nil
}

// worksOnce looks whether the second request already fails with an error, and the first
// one too when it comes again: what is spent after one request is no service that has
// died, for it answers.
func (h *Webhook) worksOnce(ctx context.Context, st *Standing) (bool, error) {
	if !h.AcceptableStatus(*st.first) {
		return false, nil
	}
	errs := func(ev Evidence) bool { return turnedDown(ev) && ev.Exchange.Status() >= 500 }
	second, err := h.Call(trying(ctx, "SIG-VALID"), "without a token, the second request", Call{})
	if err != nil || !errs(second) {
		return false, err
	}
	again := h.Session.Do(trying(ctx, "SIG-VALID"), "the first request, once more", st.first.Exchange.Request.Clone())
	if !errs(again) {
		return false, nil
	}
	st.Stranger = []Evidence{second, again}
	st.Fault = h.fault(h.ofCallers(), "webhook-works-once", second)
	st.Fault.Beside = "the first request got " + Describe(st.first.Exchange) + ", and each one since fails, the first one too"
	return true, nil
}

// ofCallers is the check that speaks of whoever is refused before a token is looked at.
func (h *Webhook) ofCallers() string {
	if h.Config.Secret != "" {
		return "SIG-VALID"
	}
	return "RESP-STATUS"
}

// turnedDown says whether an answer is the app's refusal of what was sent, or its
// failure.
func turnedDown(ev Evidence) bool {
	s := ev.Exchange.Status()
	return s >= 400 && s != http.StatusRequestTimeout && !service.Limited(ev) && !service.Gateway(s)
}

// refusedControl is the first answer to the best request that is none to a valid one.
func (h *Webhook) refusedControl(st *Standing) Evidence {
	all, acceptable := st.Member, h.Acceptable
	if !st.Members() {
		all, acceptable = st.Stranger, h.AcceptableStatus
	}
	for _, ev := range all {
		if !acceptable(ev) {
			return ev
		}
	}
	return st.Control()
}
