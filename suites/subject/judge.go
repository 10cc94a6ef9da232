package subject

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/suites/service"
)

// An Attempt is something hostile to send, and how to read the answer.
type Attempt struct {
	Title    string
	Request  wire.Request
	Canaries []string
	// Again makes the like of it: some take each message once. nil: it is not sent again.
	Again func() (wire.Request, error)
	Grade forge.Grade // how bad it is if it is accepted
}

// A fault that was seen alone is the same one for each attempt of its check that is as bad.
type seenAlone struct {
	check string
	grade forge.Grade
}

// Try sends an attempt and judges the answer.
func (h *Webhook) Try(ctx context.Context, a Attempt) (Evidence, oracle.Judgement, error) {
	ev := h.Session.Do(ctx, a.Title, a.Request)
	if ctx.Err() != nil {
		return ev, oracle.Judgement{}, context.Cause(ctx)
	}
	j, err := h.judge(a, ev)
	switch spared := service.Spared(ev.Exchange); {
	case ev.Killed != nil && spared:
		j.Class, j.Why = oracle.Error, ev.Killed.String()
	case ev.Killed != nil:
		j.Class, j.Why = oracle.Error, Describe(ev.Exchange)+", and it kills the process"
	case spared:
		j.Class, j.Why = oracle.Error, Describe(ev.Exchange)
	case j.Class == oracle.Believed && h.onlyInCompany(ctx, a, func(ev Evidence) bool {
		j, err := h.judge(a, ev)
		return err == nil && j.Class == oracle.Believed
	}):
		j.Class, j.Why = oracle.InCompany, inCompany
	}
	return ev, j, err
}

// inCompany is why something is not told of a request: it was seen once, and never alone.
const inCompany = "it was accepted once, when others were asked for at the same time, and never alone: what belongs to one request is kept where others reach it"

// AloneTries is how often a request is sent alone that was accepted in company: one of
// several processes may be another program. Once one was seen in company only, the next
// are tried fewer times: the run is incomplete anyway.
const (
	AloneTries = 24
	fewTries   = 4
)

// onlyInCompany says whether the answer to an attempt is as seen says, and never where
// nothing else is asked at the same time. That is no doing of the attempt's own, and no
// refusal either: the run is incomplete. What was accepted alone once is not asked for
// again by its check, for all else waits meanwhile.
func (h *Webhook) onlyInCompany(ctx context.Context, a Attempt, seen func(Evidence) bool) bool {
	if h.Session.InOrder() || h.RemembersChats() || a.Again == nil {
		return false
	}
	h.company.Lock()
	defer h.company.Unlock()
	like := seenAlone{service.RunningOf(ctx).Rule.ID, a.Grade}
	if h.alone[like] {
		return false
	}
	tries := AloneTries
	if h.mixes {
		tries = fewTries
	}
	for range tries {
		r, err := a.Again()
		if err != nil {
			return false
		}
		r.Form.Anew = true // who keeps a connection meets the same process again
		if seen(h.Session.AtOnce(ctx, a.Title+", alone", []wire.Request{r})[0]) {
			if h.alone == nil {
				h.alone = map[seenAlone]bool{}
			}
			h.alone[like] = true
			return false
		}
		if service.RunningOf(ctx).Late() { // it may be refused for its age: the check begins anew
			return false
		}
	}
	h.mixes = true
	h.Session.Incomplete(h.Name()+" accepts now and then what it refuses when it is asked alone: what belongs to one request (a file of a fixed name, a variable) is kept where others reach it",
		"Keep it in the request alone, and run again.")
	return true
}

// InCompany is the verdict on what must not be accepted, and was accepted only beside
// other requests; ok is false where it is accepted alone, too.
func (h *Webhook) InCompany(ctx context.Context, a Attempt) (v Verdict, ok bool) {
	if !h.onlyInCompany(ctx, a, h.AcceptableStatus) {
		return Verdict{}, false
	}
	return Missing("%s: %s", a.Title, inCompany), true
}

// judge says what an answer to an attempt amounts to.
func (h *Webhook) judge(a Attempt, ev Evidence) (oracle.Judgement, error) {
	st, err := h.Standing()
	if err != nil {
		return oracle.Judgement{}, err
	}
	if st.Fault != nil || !st.Members() {
		return blindly(a, ev, st), nil
	}
	if st.Mistaken != nil && !strings.HasPrefix(strings.ToLower(wire.HeaderValue(ev.Exchange.Request.Header, "Authorization")), "bearer ") && ev.Exchange.Status()/100 == 2 && !slices.ContainsFunc(a.Canaries, func(c string) bool { return oracle.Shows(ev.Exchange, c) }) {
		return oracle.Judgement{Class: oracle.Stranger, Weak: true, Why: Describe(ev.Exchange) + ", as whoever brings no token, after a member"}, nil
	}
	o, err := h.Oracle()
	if err != nil {
		return oracle.Judgement{}, err
	}
	j := o.Judge(oracle.Probe{Exchange: ev.Exchange, Canaries: a.Canaries})
	return j, nil
}

// blindly judges without a valid request to compare with: by canaries, errors
// and the stranger's answer. Where a plain request fails as well, an error says
// nothing of the attempt.
func blindly(a Attempt, ev Evidence, st Standing) oracle.Judgement {
	why := Describe(ev.Exchange)
	for _, c := range a.Canaries {
		if oracle.Shows(ev.Exchange, c) {
			return oracle.Judgement{Class: oracle.Believed, Why: fmt.Sprintf("the answer shows %q, which was made up for the forged token", c)}
		}
	}
	plainFails := st.Control().Exchange.Err != nil || st.Control().Exchange.Status() >= 500
	switch status := ev.Exchange.Status(); {
	case ev.Exchange.ClosedForLength():
		return oracle.Judgement{Class: oracle.Refusal, Weak: true, Why: "the connection was closed on an over-long request"}
	case ev.Exchange.Err != nil, status >= 500:
		if plainFails {
			return oracle.Judgement{Class: oracle.Refusal, Weak: true, Why: why + ", as the valid request"}
		}
		return oracle.Judgement{Class: oracle.Error, Why: why}
	case status >= 400 && st.apart(ev):
		return oracle.Judgement{Class: oracle.Refusal, Why: why}
	case st.Fault != nil && st.Fault.Lacks != "" && status >= 400:
		return oracle.Judgement{Class: oracle.Unknown, Why: why + ", as a token that is signed"}
	case status >= 400:
		return oracle.Judgement{Class: oracle.Refusal, Weak: true, Why: why}
	case status == st.Stranger[0].Exchange.Status():
		return oracle.Judgement{Class: oracle.Stranger, Weak: true, Why: why + ", as without a token"}
	}
	return oracle.Judgement{Class: oracle.Unknown, Why: why}
}

// Oracle learns what the webhook's answers mean, from the controls.
func (h *Webhook) Oracle() (*oracle.Oracle, error) {
	return h.learned.Get(func() (*oracle.Oracle, error) {
		st, err := h.Standing()
		if err != nil {
			return nil, err
		}
		if !st.Members() || st.Fault != nil {
			return nil, MissingError("there is no valid request that could be compared with")
		}
		if err := h.unanswered(st); err != nil {
			return nil, err
		}
		var unreadable []Evidence
		if !h.Session.Options.Safe {
			refused, err := h.sample(trying(h.Session.Base, "HOOK-GARBAGE"), "with a token that is none", Call{Token: unreadableToken})
			if err != nil {
				return nil, err
			}
			if refused[0].Exchange.Err == nil && refused[1].Exchange.Err == nil {
				unreadable = refused
			}
		}
		nobody, err := h.nobody(st, unreadable)
		if err != nil {
			return nil, err
		}
		controls := oracle.Controls{Valid: exchanges(st.Member), Anonymous: exchanges(nobody), Unreadable: exchanges(unreadable)}
		return h.learn(controls, st)
	})
}

func (h *Webhook) unanswered(st Standing) error {
	for _, ev := range st.Member {
		if ev.Exchange.Err != nil {
			return MissingError(fmt.Sprintf("a valid request %s (see RESP-STATUS)", Fares(ev)))
		}
	}
	return nil
}

func (h *Webhook) learn(c oracle.Controls, st Standing) (*oracle.Oracle, error) {
	o, err := oracle.Learn(c, oracle.Options{
		Markers: MarkersOf(st.Token.Result.Token), Authenticated: h.Config.Authenticated, Refused: h.Config.Refused,
	})
	if err != nil {
		return nil, fmt.Errorf("the answers to valid and to anonymous requests tell nothing: %w", err)
	}
	if o.Signal() && !o.Named() {
		if err := h.observeNewChat(o); err != nil {
			return nil, err
		}
	}
	for range oracle.Enough {
		if !o.WantsMore() {
			break
		}
		if err := h.observe(o, st); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// observeNewChat shows the oracle the answer to a token of a chat in which nothing
// was said yet. Strangers come with new chats, and the token in use with one that
// the webhook may know: what it answers otherwise for that has nothing to do with
// who is believed.
func (h *Webhook) observeNewChat(o *oracle.Oracle) error {
	ctx := h.Session.Base
	p, err := h.newWitness(ctx)
	if err != nil {
		return nil // the target gives no second token: what was seen must do
	}
	ev, err := h.Call(ctx, "with a valid token of a new chat", Call{ChatID: p.ChatID, Token: p.Raw})
	if err != nil || ev.Exchange.Response == nil {
		return err
	}
	return o.Observe(oracle.Valid, ev.Exchange)
}

// newWitness is a token like [Webhook.Witness], of a chat of its own.
func (h *Webhook) newWitness(ctx context.Context) (p ChatToken, err error) {
	defer func() { h.handOut(ctx, p) }()
	chatID := h.Session.NewChatID()
	switch {
	case h.repair.token != nil:
		return h.Session.Mint(chatID, *h.repair.token)
	case h.Session.Target.PrivateKey != nil && !h.Session.signsOtherwise():
		return h.Session.Mint(chatID, forge.TokenMistake{})
	}
	return h.Session.NewTokenFor(ctx, chatID)
}

// ObserveEnough shows the oracle so many answers that they are hardly alike by chance.
func (h *Webhook) ObserveEnough(o *oracle.Oracle, st Standing) error {
	for range 2 * oracle.Enough {
		if !o.Few() {
			return nil
		}
		if err := h.observe(o, st); err != nil {
			return err
		}
	}
	if o.Few() {
		return errors.New("too few valid requests were answered to say what such answers have in common")
	}
	return nil
}

// observe shows the oracle one more answer of each kind.
func (h *Webhook) observe(o *oracle.Oracle, st Standing) error {
	valid, err := h.ControlCall(h.Session.Base, st)
	if err != nil {
		return err
	}
	nobody := Call{}
	if st.Deaf() || st.Mistaken != nil {
		nobody.Token = unreadableToken
	}
	for _, row := range []struct {
		kind oracle.Kind
		call Call
		like Evidence
	}{{oracle.Valid, valid, st.Control()}, {oracle.Anonymous, nobody, st.Stranger[0]}} {
		ev, err := h.Call(h.Session.Base, "one more control", row.call)
		if err != nil {
			return err
		}
		if ev.Exchange.Err != nil || (errs(ev) || h.Session.TooMany(ev)) && ev.Exchange.Status() != row.like.Exchange.Status() { // it tells of the moment
			continue
		}
		if err := o.Observe(row.kind, ev.Exchange); err != nil {
			return err
		}
	}
	return nil
}

func exchanges(all []Evidence) []wire.Exchange {
	out := make([]wire.Exchange, len(all))
	for i, e := range all {
		out[i] = e.Exchange
	}
	return out
}
