package subject

import (
	"context"
	"fmt"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// A webhook may refuse a signature as politely as it greets strangers: with 200
// and a sentence. Then no status tells whether it takes what Kindly sends, and
// all that it says to the valid request may be that sentence.

// tryPoliteRefusal looks whether the 200 to the valid request is such a sentence:
// it is what an unsigned request gets too, and the same request, signed by a
// known mistake, gets another answer.
func (h *Webhook) tryPoliteRefusal(ctx context.Context, st *Standing, unsigned *Evidence) error {
	if unsigned == nil {
		return nil
	}
	c := Call{ChatID: st.Token.ChatID, Token: st.Token.Raw}
	all := exchanges(st.Member)
	if !st.Deaf() {
		all = append(all, exchanges(st.Stranger)...)
	}
	if !h.AcceptableStatus(*unsigned) || differs(all, []wire.Exchange{unsigned.Exchange, unsigned.Exchange}) {
		return nil
	}
	all = append(all, unsigned.Exchange)
	mistakes := forge.SignatureMistakes()
	for i := range mistakes {
		m := &mistakes[i]
		ev, taken, err := h.answersOtherwise(ctx, m, c, all)
		if err != nil {
			return err
		}
		if taken {
			return h.mendSignature(ctx, st, m, ev)
		}
	}
	return nil
}

// withoutSignature sends a valid request that lacks nothing but its signature; nil where
// it is known already what becomes of such, or must not be known.
func (h *Webhook) withoutSignature(ctx context.Context, st Standing) (*Evidence, error) {
	if h.repair.signature != nil || h.Session.Options.Safe {
		return nil, nil
	}
	ev, err := h.Call(trying(ctx, "SIG-MISSING"), "without a signature", Call{ChatID: st.Token.ChatID, Token: st.Token.Raw, Unsigned: true})
	return &ev, err
}

// sure is how often an answer must be the same other one, so that it is none that
// was chosen at random.
const sure = 4

// answersOtherwise says whether a request that is signed by a mistake is answered,
// each time, unlike all that were answered before.
func (h *Webhook) answersOtherwise(ctx context.Context, m *forge.SignatureMistake, c Call, before []wire.Exchange) (Evidence, bool, error) {
	var first Evidence
	var seen []wire.Exchange
	for range sure {
		r, err := h.Request(c)
		if err != nil {
			return first, false, err
		}
		ev, tried := h.resign(ctx, r, m)
		if !tried || !h.AcceptableStatus(ev) {
			return first, false, nil
		}
		if len(seen) == 0 {
			if first = ev; known(before, ev.Exchange) {
				return first, false, nil
			}
		}
		seen = append(seen, ev.Exchange)
	}
	return first, differs(seen, before), nil
}

// known says whether an answer was given before, to the letter.
func known(before []wire.Exchange, ex wire.Exchange) bool {
	for _, b := range before {
		if b.Status() == ex.Status() && string(b.Body()) == string(ex.Body()) {
			return true
		}
	}
	return false
}

// differs says whether two kinds of answers can be told apart, beyond noise.
func differs(a, b []wire.Exchange) bool {
	o, err := oracle.Learn(oracle.Controls{Valid: a, Anonymous: b}, oracle.Options{})
	return err == nil && o.Signal()
}

// RefusesPolitely says whether an answer to a request with a bad signature is not
// the one that a good one gets, although the status is that of success.
func (h *Webhook) RefusesPolitely(ev Evidence, withToken bool) bool {
	memo := &h.signed
	if withToken {
		memo = &h.signedMember
	}
	ctx := h.Session.Base
	o, err := memo.Get(func() (*oracle.Oracle, error) { return h.learnSignatures(ctx, withToken) })
	if err != nil || !o.Signal() {
		return false
	}
	j, lost := o.Judge(oracle.Probe{Exchange: ev.Exchange}), false
	if j.Class.Passes() && (j.Weak || o.Named()) { // who is named now and then is so by chance
		for _, enough := range []int{oracle.Enough, 2 * oracle.Enough} {
			for range enough {
				if o.Seen(oracle.Valid) >= enough && o.Seen(oracle.Anonymous) >= enough || h.observeSignatures(ctx, o, withToken) != nil {
					break
				}
			}
			lost = o.Seen(oracle.Valid) < enough || o.Seen(oracle.Anonymous) < enough
			if j = o.Judge(oracle.Probe{Exchange: ev.Exchange}); lost || !j.Weak {
				break
			}
		}
	}
	return o.Signal() && (j.PassesSurely() || j.Class.Passes() && lost)
}

// signedCalls are two requests, one signed well and the other badly, which are the same in all else.
func (h *Webhook) signedCalls(ctx context.Context, st Standing, withToken bool) (good, bad Call, err error) {
	if withToken {
		if good, err = h.ControlCall(ctx, st); err != nil {
			return good, bad, err
		}
	}
	bad = good
	bad.Secret = new(string)
	*bad.Secret = h.Config.Secret + "kindlytest"
	return good, bad, nil
}

// learnSignatures learns how well and how badly signed requests are answered.
func (h *Webhook) learnSignatures(ctx context.Context, withToken bool) (*oracle.Oracle, error) {
	st, err := h.Standing()
	if err != nil {
		return nil, err
	}
	c, bad, err := h.signedCalls(ctx, st, withToken)
	if err != nil {
		return nil, err
	}
	good, err := h.sample(ctx, "signed rightly", c)
	if err != nil {
		return nil, err
	}
	refused, err := h.sample(trying(ctx, "SIG-WRONG"), "signed with another secret", bad)
	if err != nil {
		return nil, err
	}
	o, err := oracle.Learn(oracle.Controls{Valid: exchanges(good), Anonymous: exchanges(refused)}, oracle.Options{Markers: MarkersOf(st.Token.Result.Token)})
	if err != nil {
		return nil, fmt.Errorf("the answers to good and to bad signatures tell nothing: %w", err)
	}
	for range oracle.Enough {
		if !o.WantsMore() {
			break
		}
		if err := h.observeSignatures(ctx, o, withToken); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// observeSignatures shows the oracle one more answer of each kind.
func (h *Webhook) observeSignatures(ctx context.Context, o *oracle.Oracle, withToken bool) error {
	st, err := h.Standing()
	if err != nil {
		return err
	}
	good, bad, err := h.signedCalls(ctx, st, withToken)
	if err != nil {
		return err
	}
	for _, row := range []struct {
		ctx  context.Context
		kind oracle.Kind
		call Call
	}{{ctx, oracle.Valid, good}, {trying(ctx, "SIG-WRONG"), oracle.Anonymous, bad}} {
		ev, err := h.Call(row.ctx, "one more control", row.call)
		if err != nil {
			return err
		}
		if ev.Exchange.Err != nil || errs(ev) || h.Session.TooMany(ev) { // it tells of the moment
			continue
		}
		if err := o.Observe(row.kind, ev.Exchange); err != nil {
			return err
		}
	}
	return nil
}
