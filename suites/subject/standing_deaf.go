package subject

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/service"
)

// A webhook may give strangers no answer, or end with the first of them, and serve
// members all the same: most such errors are in reading a header that is not there.
// That is told of strangers; the rest is judged by what members are answered.

// beyondStrangers looks for a request that is answered where a stranger's is not, by
// which the service shows that it lives: only then can it be told what became of the
// stranger's. It returns the answer to a member, and whether it is one that other
// checks can go by.
func (h *Webhook) beyondStrangers(ctx context.Context, st *Standing, first Evidence) (member Evidence, served bool, err error) {
	asks, err := h.otherAsks(ctx)
	if err != nil {
		return member, false, err
	}
	unsignedToo := false // gets no answer
	ended := false       // nobody listened for a moment, after it had listened
	resets := 0
	for _, a := range asks {
		ev, gone := h.whenBack(ctx, a.title, a.request)
		ended = ended || gone
		if ev.Exchange.Kind() == wire.KindReset {
			resets++
		}
		if a.member {
			member = ev
		}
		if ev.Exchange.Err != nil {
			unsignedToo = unsignedToo || a.unsigned
			continue
		}
		h.registerLife(ev)
		if first.Killed == nil && first.Exchange.Kind() != wire.KindTimeout { // nobody could look into it before
			if first, err = h.Call(ctx, "without a token", Call{}); err != nil {
				return member, false, err
			}
		}
		break
	}
	st.Stranger = []Evidence{first}
	answered := member.Exchange.Response != nil
	if answered && h.Acceptable(member) {
		return member, true, nil
	}
	st.Silent = !answered && member.Exchange.Kind() != wire.KindUnreachable
	st.Fault = &Fault{Check: "RESP-STATUS", Cause: Silence(first), What: "a valid request " + Fares(first), Seen: first, Fix: Refuted(first.Exchange.Err)}
	if ended && !answered && first.Exchange.Kind() == wire.KindReset {
		st.Fault.Cause, st.Fault.Fix = "process-dies", "Look into its log for what ends the process at each request: mostly something that is not there when the first one comes, such as a key or a setting."
	}
	if st.Fault.Cause == "webhook-hangs-up" && resets == len(asks) {
		at, _ := elsewhere(asks[len(asks)-1].request)
		if ev := h.Session.Do(ctx, "to a path that can't be served", at); ev.Exchange.Kind() == wire.KindReset {
			st.Fault.Cause, st.Fault.Beside = "webhook-port-unserved", "a GET of another path gets none either"
		}
	}
	if st.Fault.Cause == "webhook-silent" && !answered {
		return member, false, h.trySilence(ctx, st, unsignedToo)
	}
	return member, false, nil
}

// An otherAsk is a request that may be answered where a stranger's is not.
type otherAsk struct {
	title   string
	request wire.Request
	member  bool
	// unsigned: it differs from a stranger's in nothing but the signature.
	unsigned bool
}

// otherAsks are a member's valid request, if there is a token, and then such as
// nothing much is done with: without a signature, and without a body.
func (h *Webhook) otherAsks(ctx context.Context) ([]otherAsk, error) {
	var asks []otherAsk
	tok, err := h.Witness(ctx)
	if err != nil && !errors.Is(err, ErrMissing) {
		return nil, err
	}
	if err == nil {
		r, err := h.Request(Call{ChatID: tok.ChatID, Token: tok.Raw})
		if err != nil {
			return nil, err
		}
		asks = append(asks, otherAsk{title: "with a valid token", request: r, member: true})
	}
	r, err := h.Request(Call{Unsigned: true})
	if err != nil {
		return nil, err
	}
	if h.Config.Secret != "" {
		asks = append(asks, otherAsk{title: "without a signature", request: r, unsigned: true})
	}
	get := r.Clone()
	get.Method, get.Body = http.MethodGet, nil
	return append(asks, otherAsk{title: "is it there?", request: get}), nil
}

// whenBack sends a request, and again while nobody listens: the service may have
// ended of what was sent before, and be starting. Who is cut off may have come to a
// process that was ending already, and tries once more. Gone says whether nobody
// listened at times.
func (h *Webhook) whenBack(ctx context.Context, title string, r wire.Request) (ev Evidence, gone bool) {
	ctx, cancel := context.WithTimeout(ctx, h.Session.Patience.Comeback)
	defer cancel()
	for cutOff := 0; ; {
		switch ev = h.Session.Do(ctx, title, r); ev.Exchange.Kind() {
		case wire.KindReset:
			cutOff++
		case wire.KindUnreachable:
			gone = true
		default:
			return ev, gone
		}
		if cutOff > 1 || service.Sleep(ctx, comebackPause) != nil {
			return ev, gone
		}
	}
}

// comebackPause is between two looks whether a service is back.
const comebackPause = 100 * time.Millisecond

// nobody are the answers to those who are not believed: strangers, or, where those get
// none, who brings a token that is none.
func (h *Webhook) nobody(st Standing, unreadable []Evidence) ([]Evidence, error) {
	if st.Mistaken != nil {
		if len(unreadable) > 0 && refusesSomebody(unreadable[0]) {
			return unreadable, nil // which shows better what is not believed
		}
		return []Evidence{*st.Mistaken, *st.Mistaken}, nil // whatever they got before anybody was known
	}
	if !st.Deaf() {
		return st.Stranger, nil
	}
	if len(unreadable) == 0 {
		return nil, MissingError(fmt.Sprintf("who is not believed gets no answer: a stranger's valid request %s (see RESP-STATUS)", Fares(st.Stranger[0])))
	}
	return unreadable, nil
}

// unreadableToken is a token that is none.
const unreadableToken token.Raw = "kindlytest"
