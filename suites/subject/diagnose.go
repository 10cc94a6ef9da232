package subject

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"regexp"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites/service"
)

// Why a webhook refuses the valid request: the known mistakes are tried, one
// request each. What is accepted names the mistake, and becomes the control of
// the other checks, as if the mistake were mended.

// A repair is what a webhook is known to expect differently from what Kindly
// sends.
type repair struct {
	signature *forge.SignatureMistake
	token     *forge.TokenMistake
	transport transport
	// host is the public URL's, where connect_to leads to a server that knows it by that name alone.
	host string
	// envelope: its answers stand in others.
	envelope bool
	// ownChats: what it answers depends on what was said in the chat before.
	ownChats bool
}

const (
	fixBearer      = `Take what stands behind "Bearer " in Authorization: header.split(" ")[1], and verify that.`
	fixOnce        = "Take a token until it expires, however often it comes: a chat sends the same one along with each message."
	fixRequestChat = "Compare the token's chat.id with chat_id of the request's body: Kindly names it so."
)

// diagnose finds out why the valid request is not accepted, and works around it
// where it can.
func (h *Webhook) diagnose(ctx context.Context, st *Standing) error {
	ev := st.Control()
	switch status := ev.Exchange.Status(); {
	case st.Members() && h.Config.Authenticated != nil && status == 200: // it is answered, but not as the target says
		st.Fault = h.fault("HOOK-VALID", "", ev)
		return nil
	case ev.Exchange.Err != nil:
		st.Fault = h.fault("RESP-STATUS", Silence(ev), ev)
		st.Fault.Fix = Refuted(ev.Exchange.Err)
		if st.Members() && h.AcceptableStatus(st.Stranger[0]) { // it is the token on which it is silent
			st.Fault = h.fault("HOOK-VALID", "webhook-fails-on-tokens", ev)
			if ev.Killed != nil {
				st.Fault.Cause, st.Fault.Fix = Silence(ev), "Look into its log for what ends the process at every token: a public key that can't be read, a claim that is not there. Catch it, and answer 401."
			}
		}
		st.Silent = true
		if st.Fault.Cause == "webhook-silent" {
			return h.trySilence(ctx, st, false)
		}
		return nil
	case h.tryFronts(st), h.tryBrowser(ctx, st):
		return nil
	case service.Gateway(status) && h.AcceptableStatus(st.Stranger[0]): // nobody is there for members alone
		st.Fault = h.fault("FWD-DELIVERED", "", ev)
		return nil
	case service.Gateway(status):
		st.Fault = h.fault("RESP-STATUS", "gateway-without-service", ev)
		st.Fault.Inferred = true
		return nil
	case status >= 300 && status < 400:
		return h.tryTransports(ctx, st, Fault{Check: "FWD-REDIRECT", Cause: "webhook-redirects"})
	case IsPage(ev.Exchange) && status < 300:
		st.Fault = h.fault("RESP-JSON", "webhook-answers-a-page", ev)
		return nil
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusUnsupportedMediaType, status == http.StatusNotAcceptable:
		if st.Members() && st.Stranger[0].Exchange.Status() != status {
			break // it is the token, or its user, that it does not find
		}
		if err := h.tryTransports(ctx, st, Fault{Check: "RESP-STATUS"}); err != nil || st.Transport != nil {
			return err
		}
		return h.tryElsewhere(ctx, st)
	}
	if err := h.tryRepeats(ctx, st, h.refusedControl(st)); err != nil || st.Fault != nil {
		return err
	}
	if err := h.trySignatures(ctx, st); err != nil || st.Fault == nil && st.Signature != nil && h.accepted(*st) {
		return err
	}
	if st.Fault != nil {
		return nil
	}
	return h.tryTokens(ctx, st)
}

// Silence is the cause of an answer that breaks off, or that does not come.
func Silence(ev Evidence) string {
	if ev.Killed != nil {
		return "process-dies"
	}
	if Refuted(ev.Exchange.Err) != "" {
		return "webhook-certificate"
	}
	switch ev.Exchange.Kind() {
	case wire.KindReset:
		return "webhook-hangs-up"
	case wire.KindTimeout:
		return "webhook-silent"
	case wire.KindOther:
		return "webhook-speaks-otherwise"
	}
	return ""
}

// fault is why the valid request is not accepted: ev is how it is answered.
func (h *Webhook) fault(check, cause string, ev Evidence) *Fault {
	f := &Fault{Check: check, Cause: cause, What: "the valid request " + Fares(ev), Seen: ev}
	if ev.Exchange.Status() >= 400 {
		f.Fix = cmp.Or(FixOfAnswer(ev.Exchange.Body()), FixOfAnswer([]byte(refusedFor(ev.Exchange))))
		if why := refusedFor(ev.Exchange); why != "" {
			f.What += ", “" + why + "”"
		}
	}
	return f
}

// trying is the context of a request that looks for a mistake, for the check that
// speaks of it. It is no plain request: a service that dies of it is not lost for
// all that is.
func trying(ctx context.Context, check string) context.Context {
	return service.WithRunning(ctx, &service.Running{Rule: rule.Rule{ID: check}})
}

// again asks anew, now that a mistake is worked around.
func (h *Webhook) again(ctx context.Context, st *Standing) error {
	unrepaired := st.Unrepaired
	if err := h.sampleBoth(ctx, st); err != nil {
		return err
	}
	st.Unrepaired = unrepaired
	if !h.accepted(*st) {
		st.Fault = h.fault("HOOK-VALID", "", st.Control())
	}
	return nil
}

// tryTokens looks for the token that the webhook expects.
func (h *Webhook) tryTokens(ctx context.Context, st *Standing) error {
	if st.Members() {
		if found, err := h.tryAnew(ctx, st); found || err != nil {
			return err
		}
	}
	lost := st.Members() && missesToken(st.Control().Exchange.Body())
	if !st.Members() || !lost && st.Member[0].Exchange.Status() == st.Stranger[0].Exchange.Status() && !refusesSomebody(st.Stranger[0]) {
		cause := ""
		switch s := st.Control().Exchange.Status(); {
		case s >= 500 && st.Stranger[0].Exchange.Status() >= 500:
			cause = "webhook-fails-on-everything"
		case s == http.StatusBadRequest, s == http.StatusUnprocessableEntity:
			cause = cmp.Or(ofInput(st.Control().Exchange.Body()), "webhook-misses-input")
		}
		st.Fault = h.fault("RESP-STATUS", cause, st.Control())
		st.Fault.Inferred = cause != "webhook-fails-on-everything"
		if cause == "webhook-misses-input" && ofInput(st.Control().Exchange.Body()) == "" {
			return h.tryEmptyBody(ctx, st)
		}
		return nil
	}
	if h.tryGate(ctx, st) {
		return nil
	}
	if found, err := h.tryCarriages(ctx, st); found || err != nil {
		return err
	}
	if h.Session.Target.PrivateKey != nil {
		mistakes := forge.TokenMistakes(forge.Known{URL: h.Config.URL, Secret: h.Config.Secret, Issuer: issuerOf(st.Token)})
		for i := range mistakes {
			m := &mistakes[i]
			if m.MaxClaim > 0 && len(st.Token.Raw) < longToken {
				continue
			}
			p, err := h.Session.Mint(h.Session.NewChatID(), *m)
			if err != nil {
				return err
			}
			ev, err := h.Call(trying(ctx, "HOOK-VALID"), "with "+m.Name, Call{ChatID: p.ChatID, Token: p.Raw})
			if err != nil {
				return err
			}
			if !h.Acceptable(ev) {
				continue
			}
			mended := &Mended{Cause: m.ID, Name: m.Name, Fix: m.Fix, Seen: ev}
			if m.Otherwise() {
				st.Fault = h.fault("HOOK-VALID", m.ID, st.Control())
				st.Fault.Instead = mended
				return nil
			}
			h.repair.token, st.TokenRepair = m, mended
			return h.again(ctx, st)
		}
	}
	if len(st.Token.Raw) >= longToken && h.AcceptableStatus(st.Stranger[0]) {
		st.Fault = h.fault("TOK-SIZE", "token-too-large", st.Control())
		return nil
	}
	if lost {
		st.Fault = h.tokenLost(*st)
		return nil
	}
	if st.Token.Rung == Minted && st.Control().Exchange.Status() < 500 {
		st.Fault = h.fault("HOOK-VALID", "", st.Control())
		st.Fault.What = "a token that was made with the private key alone gets " + WhatAnswered(st.Control().Exchange) + ", which may be due to its claims (sub, iss)"
		st.Fault.Lacks = h.Session.lacksToken()
		return nil
	}
	if found, err := h.tryForged(ctx, st); found || err != nil {
		return err
	}
	cause := ""
	switch {
	case st.Control().Exchange.Status() >= 500 && h.AcceptableStatus(st.Stranger[0]):
		cause = "webhook-fails-on-tokens"
	case refusesSomebody(st.Stranger[0]) && ofLogin(st.Stranger[0].Exchange.Body()):
		st.Fault = h.fault("HOOK-VALID", "webhook-behind-login", st.Stranger[0])
		st.Fault.Inferred = true
		return nil
	case likeRefused(st.Control(), st.Stranger[0]):
		cause = "webhook-refuses-everybody"
	case h.fault("", "", st.Control()).Fix != "": // it says itself why
		cause = "webhook-refuses-valid-tokens"
	}
	st.Fault = h.fault("HOOK-VALID", cause, st.Control())
	return nil
}

// forbidsMembers is what libraries say that take no member which they don't know:
// pydantic, Zod, Jackson, JSON Schema (ajv), Go, class-validator, Joi.
var forbidsMembers = regexp.MustCompile(`extra_forbidden|(?i:extra (?:inputs|fields) (?:are )?not permitted|unrecognized[_ ](?:keys?|field|property)|additional properties|unknown (?:field|key)|property \w+ should not exist|\\?"\w+\\?" is not allowed)`)

// validates is what libraries say that find something wrong with a body, or miss a field.
var validates = regexp.MustCompile(`One or more validation errors|(?i:"?msg"?:\s*"field required|this field is required|the \w+ field is required|missing field|missing required (?:field|key|property)|field '\w+' is required|is required for type with serial name|unknown variant|cannot deserialize|could not be converted to|failed to deserialize|must not be (?:null|blank|empty)|may not be (?:null|blank)|should not be empty)`)

// ofInput is the cause where an answer says that the body is not as it should be; ""
// where it does not. Whoever speaks of the signature means that.
func ofInput(body []byte) string {
	switch {
	case ofSignature.Match(body):
	case forbidsMembers.Match(body):
		return "webhook-forbids-members"
	case validates.Match(body):
		return "webhook-misses-input"
	}
	return ""
}

var ofSignature = regexp.MustCompile(`(?i)signature|hmac`)

// tryAnew asks with a token that the webhook has not seen: who takes that, and refuses it
// when it comes again, takes each token once.
func (h *Webhook) tryAnew(ctx context.Context, st *Standing) (bool, error) {
	p, err := h.newWitness(ctx)
	if err != nil {
		return false, nil // there are no more tokens to be had
	}
	var answers [2]Evidence
	for i, title := range []string{"with a new token", "with the same token again"} {
		if answers[i], err = h.Call(trying(ctx, "HOOK-VALID"), title, Call{ChatID: p.ChatID, Token: p.Raw}); err != nil {
			return false, err
		}
	}
	if !h.Acceptable(answers[0]) || h.Acceptable(answers[1]) {
		return false, nil
	}
	st.TokenRepair = &Mended{Cause: "webhook-takes-token-once", Name: "each token once", Fix: fixOnce, Seen: answers[0]}
	st.Unrepaired = []Evidence{answers[1]}
	h.repair.ownChats = true
	return true, h.again(ctx, st)
}

// knows says whether an answer, and another one to the same request, are not those
// that strangers get: a webhook that finds no token takes whoever asks for one.
func (h *Webhook) knows(ctx context.Context, st *Standing, ev Evidence) bool {
	if !h.AcceptableStatus(st.Stranger[0]) {
		return true
	}
	again := h.Session.Do(trying(ctx, "HOOK-VALID"), "once more", ev.Exchange.Request)
	return differs([]wire.Exchange{ev.Exchange, again.Exchange}, exchanges(st.Stranger))
}

func issuerOf(p ChatToken) string {
	if p.Result.Token == nil {
		return ""
	}
	return p.Result.Token.Issuer()
}

// longToken is where servers begin to refuse a header for its length, in bytes.
const longToken = 7000

// refusesSomebody says whether an answer turns somebody away for who they are.
func refusesSomebody(ev Evidence) bool {
	s := ev.Exchange.Status()
	return s == http.StatusUnauthorized || s == http.StatusForbidden
}

// likeRefused says whether two refusals are the same one.
func likeRefused(a, b Evidence) bool {
	return a.Exchange.Status() == b.Exchange.Status() && sameBody(a, b)
}

// sameBody compares bodies by their first bytes: ids and times come later.
func sameBody(a, b Evidence) bool {
	const enough = 40
	x, y := a.Exchange.Body(), b.Exchange.Body()
	return bytes.Equal(x[:min(enough, len(x))], y[:min(enough, len(y))])
}
