package subject

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"syscall"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/service"
)

// A Standing is how a webhook answers plain requests, and what it takes to be
// answered at all. Every probe is compared with it.
type Standing struct {
	Stranger []Evidence // without a token
	Member   []Evidence // with a valid token; nil where there is none
	Token    ChatToken  // the member's
	// Unrepaired are the member's answers before the webhook's own mistakes were
	// worked around; like Member where it makes none.
	Unrepaired []Evidence
	// Fault is why the valid request is not accepted; nil where it is.
	Fault *Fault
	// Silent: the valid request gets no answer at all, whoever sends it. To send
	// more like it is to wait for nothing.
	Silent bool
	// Signature, Clock and Transport are the mistakes that were worked around:
	// what the webhook accepts is sent to it, as if they were mended.
	Signature, TokenRepair, Transport *Mended
	// Envelope is an answer that stood in another one, which nobody had opened: from
	// there on what is in it counts, as if that were mended. nil: there was none.
	Envelope *Mended
	// Waking is how long it was silent at first, before it answered.
	Waking time.Duration
	// Kept is the answer to a stranger in a member's chat, where it is the member's:
	// the webhook keeps who somebody is by their chat. nil: it does not.
	Kept *Evidence
	// first is how the first request of all was answered, a stranger's.
	first *Evidence
	// Mistaken is the answer to a stranger who came after a member, where it holds what is
	// the member's: nothing that brings no token shows how strangers are answered. nil: it
	// does not.
	Mistaken *Evidence
}

// Members says whether the valid request carries a token.
func (st Standing) Members() bool { return len(st.Member) > 0 }

// Deaf says whether strangers get no answer at all.
func (st Standing) Deaf() bool { return len(st.Stranger) > 0 && st.Stranger[0].Exchange.Err != nil }

// Control is the answer to the best request that there is.
func (st Standing) Control() Evidence {
	if st.Members() {
		return st.Member[0]
	}
	return st.Stranger[0]
}

// Standing finds out how the webhook stands, once. The error is that of a
// webhook that can't be called at all.
func (h *Webhook) Standing() (Standing, error) {
	return h.standing.Get(func() (Standing, error) { return h.findStanding(h.Session.Base) })
}

// samples is how many equal requests the oracle learns from: what differs
// between them is noise. It asks for more where two are too few.
const samples = 2

func (h *Webhook) findStanding(ctx context.Context) (Standing, error) {
	h.repair, h.said = repair{}, nil
	var st Standing
	first, waking, err := h.firstContact(ctx)
	if err != nil {
		return st, err
	}
	if first, err = h.tryHost(ctx, first); err != nil {
		return st, err
	}
	st.Waking, st.first = waking, &first
	answered := first
	if first.Exchange.Err != nil {
		var served bool
		if answered, served, err = h.beyondStrangers(ctx, &st, first); err != nil || !served {
			return st, err
		}
	} else {
		if once, err := h.worksOnce(ctx, &st); err != nil || once {
			return st, err
		}
		h.registerLife(first)
	}
	if _, what, ok := inEnvelope(answered.Exchange.Response); ok {
		h.repair.envelope = true
		st.Envelope = &Mended{Cause: "answer-is-an-envelope", Name: what, Seen: answered}
	}
	if err := h.chooseMessage(ctx); err != nil {
		return st, err
	}
	if err := h.sampleBoth(ctx, &st); err != nil {
		return st, err
	}
	st.Unrepaired = st.Member
	var seen looks
	if h.accepted(st) {
		if seen, err = h.lookCloser(ctx, st); err != nil {
			return st, err
		}
	}
	if err := h.signedBodies(ctx, &st); err != nil || st.Signature != nil || st.Fault != nil {
		return st, err
	}
	if !h.accepted(st) {
		return st, h.diagnose(ctx, &st)
	}
	if h.tryNowhere(ctx, &st) {
		return st, nil
	}
	if err := h.separateChats(ctx, &st, seen.chats); err != nil {
		return st, err
	}
	if err := h.mistakesStrangers(ctx, &st, seen.chats); err != nil {
		return st, err
	}
	if err := h.separateUsers(ctx, &st, seen.chats); err != nil {
		return st, err
	}
	h.noteUnfilled(st)
	return st, h.tryPoliteRefusal(ctx, &st, seen.unsigned)
}

// Who refuses the first connection may just be restarted, as after the first request to
// another webhook of the process: so often it is tried again, after so long each time.
const (
	refusedTries = 4
	refusedPause = 500 * time.Millisecond
)

// firstContact sends the first request. What sleeps until it is called is given
// time to wake.
func (h *Webhook) firstContact(ctx context.Context) (Evidence, time.Duration, error) {
	began := time.Now()
	for try := 1; ; try++ {
		ev, err := h.Call(ctx, "without a token", Call{})
		switch {
		case err != nil:
			return ev, 0, err
		case nobodyListens(ev.Exchange) && try < refusedTries && service.Sleep(ctx, refusedPause) == nil:
			continue
		case ev.Exchange.Kind() == wire.KindUnreachable, errors.Is(ev.Exchange.Err, wire.ErrCertificate),
			Untrusted(ev.Exchange.Err) && !h.badCertificate(ev):
			return ev, 0, h.unreachable(ev)
		case ev.Exchange.Kind() == wire.KindTimeout && try < 3 && ctx.Err() == nil:
			continue
		}
		// A time-out is looked into, and the request sent again, before it gets here.
		if silent := time.Since(began) - ev.Exchange.Duration; ev.Exchange.Err == nil && silent >= h.Session.Patience.Request {
			return ev, silent, nil
		}
		return ev, 0, nil
	}
}

// nobodyListens says whether a host takes no connection, or takes none any more: a listener
// that is closed just then resets it.
func nobodyListens(ex wire.Exchange) bool {
	return ex.Kind() == wire.KindUnreachable && (errors.Is(ex.Err, syscall.ECONNREFUSED) || errors.Is(ex.Err, syscall.ECONNRESET))
}

// tryHost asks once more by the public URL's host, where connect_to leads to a server that
// turns away who calls it by another name: one that serves several hosts at one port. By
// its own name, which development servers want, it was asked before.
func (h *Webhook) tryHost(ctx context.Context, first Evidence) (Evidence, error) {
	u, err := url.Parse(h.Config.URL)
	if err != nil || h.Config.ConnectTo == "" || !slices.Contains([]int{400, 403, 404, 421}, first.Exchange.Status()) {
		return first, nil
	}
	h.repair.host = u.Host
	ev, err := h.Call(ctx, "by the host of its public URL", Call{})
	if err != nil || !h.AcceptableStatus(ev) && ev.Exchange.Status() != http.StatusUnauthorized {
		h.repair.host = ""
		return first, err
	}
	h.Session.Note(reports.Informed, "%s is called by the host of its public URL, %s: by that of connect_to the server answers status %d.", h.Name(), u.Hostname(), first.Exchange.Status())
	return ev, nil
}

// registerLife lets the service be asked by a stranger's request whether it lives:
// the one that it has answered, whatever is worked around later.
func (h *Webhook) registerLife(first Evidence) {
	asked := first.Exchange.Request.Clone()
	h.Session.Watch(first, func() (wire.Request, error) { return asked.Clone(), nil })
}

// sampleBoth asks as a stranger and, where there is a token, as a member.
func (h *Webhook) sampleBoth(ctx context.Context, st *Standing) error {
	tok, err := h.Witness(ctx)
	if err != nil && !errors.Is(err, ErrMissing) {
		return err
	}
	type ask struct {
		title string
		call  Call
		into  *[]Evidence
	}
	var asks []ask
	if !st.Deaf() {
		asks = append(asks, ask{"without a token", Call{}, &st.Stranger})
	}
	if err == nil {
		st.Token = tok
		asks = append(asks, ask{"with a valid token", Call{ChatID: tok.ChatID, Token: tok.Raw}, &st.Member})
	}
	err = h.Session.Each(len(asks), func(i int) (err error) {
		*asks[i].into, err = h.sample(ctx, asks[i].title, asks[i].call)
		return err
	})
	if err == nil && st.Members() {
		h.Session.tellForward(h, tok, st.Member[0])
	}
	return err
}

// Witness is the token that a sound webhook takes; of this one, what it is known
// to expect of tokens is true. Where it remembers chats, each is of another one.
func (h *Webhook) Witness(ctx context.Context) (p ChatToken, err error) {
	switch m := h.repair.token; {
	case h.repair.ownChats:
		return h.newWitness(ctx)
	case m != nil:
		p, err = h.Session.Mint(h.Session.NewChatID(), *m)
	default:
		p, err = h.Session.Witness(ctx)
	}
	h.handOut(ctx, p)
	return p, err
}

// handOut notes until when the webhook takes a token that a check has got. Who waits for
// tokens to expire means it, and one that has expired already is not refused for that.
func (h *Webhook) handOut(ctx context.Context, p ChatToken) {
	t, err := token.Decode(p.Raw)
	if err != nil || h.Session.Options.WaitExpiry {
		return
	}
	until := t.Expires()
	if m := h.repair.token; m != nil { // by its own clock
		until = until.Add(-m.Shift)
	}
	if until.After(h.Session.Options.Now()) {
		service.RunningOf(ctx).Lives(until.Add(-time.Second)) // it is on its way for a moment
	}
}

func (h *Webhook) sample(ctx context.Context, title string, c Call) ([]Evidence, error) {
	out := make([]Evidence, samples)
	err := h.Session.Each(samples, func(i int) (err error) {
		call := c
		if h.repair.ownChats && c.ChatID != "" {
			p, err := h.newWitness(ctx)
			if err != nil {
				return err
			}
			call.ChatID, call.Token = p.ChatID, p.Raw
		}
		out[i], err = h.Call(ctx, title, call)
		return err
	})
	return out, err
}

// accepted says whether all answers to the best request are those to a valid one.
func (h *Webhook) accepted(st Standing) bool {
	acceptable, all := h.Acceptable, st.Member
	if !st.Members() {
		acceptable, all = h.AcceptableStatus, st.Stranger
	}
	for _, ev := range all {
		if !acceptable(ev) {
			return false
		}
	}
	return true
}

// Unserved is the verdict where the valid request itself is turned away: then
// that something hostile is turned away too proves nothing.
func (h *Webhook) Unserved(st Standing) (Verdict, bool) {
	if st.Fault == nil {
		return Verdict{}, false
	}
	if f := st.Fault; f.Lacks != "" {
		return Missing("nothing can be told: %s, and %s", f.What, f.Lacks), true
	}
	return Missing("nothing can be told: %s too (see %s)", st.Fault.What, st.Fault.Check).Because(st.Fault.Cause), true
}

// WithoutToken is how the webhook stands to what has nothing to do with tokens:
// where only the token is refused, it is judged by what strangers are answered.
func (h *Webhook) WithoutToken(st Standing) Standing {
	if st.Fault != nil && st.Fault.Check == "HOOK-VALID" && h.AcceptableStatus(st.Stranger[0]) {
		st.Member, st.Fault, st.Silent = nil, nil, false
	}
	return st
}

// Told is a verdict as far as it can be told: where the valid request is refused
// as well, that something hostile is refused proves nothing, and neither does an
// error that the valid request gets too.
func (h *Webhook) Told(st Standing, v Verdict) Verdict {
	unserved, yes := h.Unserved(st)
	if !yes || v.Sure || v.Kind != Held && v.Kind != Broken {
		return v
	}
	if v.Kind == Held && len(v.Evidence) > 0 && !slices.ContainsFunc(v.Evidence, func(ev Evidence) bool { return !st.apart(ev) }) {
		return v.Weak("it is told by another answer than that to a signed token of an unknown user: --sub (sub in kindlytest.yaml) names a known one")
	}
	if v.Kind == Broken && worksForOthers(st.Fault.Seen) {
		for _, ev := range v.Evidence {
			if ev.Exchange.Err != nil || ev.Exchange.Status() >= 500 {
				return v // it fails where the valid request does not
			}
		}
	}
	return unserved.With(v.Evidence...)
}

// apart says whether an answer is another one than that to a token which is signed, and
// whose user the webhook perhaps does not know: the request has not come so far.
func (st Standing) apart(ev Evidence) bool {
	if st.Fault == nil || st.Fault.Lacks == "" || ev.Exchange.Response == nil || ev.Exchange.Status() >= http.StatusInternalServerError {
		return false
	}
	said := likeRefused(st.Member[0], st.Member[len(st.Member)-1]) && !likeRefused(ev, st.Member[0])
	return said || ev.Exchange.Status() != st.Member[0].Exchange.Status()
}

// worksForOthers says whether an answer is at least one that the app has chosen.
func worksForOthers(ev Evidence) bool {
	return ev.Exchange.Response != nil && ev.Exchange.Status() >= 400 && ev.Exchange.Status() < 500
}
