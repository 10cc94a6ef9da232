package subject

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"slices"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/service"
)

// How a webhook expects to be signed: it is tried until one spelling is accepted.

// trySignatures looks for the signature that the webhook expects, if its answers
// leave it possible that it is the signature that it refuses.
func (h *Webhook) trySignatures(ctx context.Context, st *Standing) error {
	if h.Config.Secret == "" || h.AcceptableStatus(st.Stranger[0]) {
		return nil
	}
	unsigned, err := h.Call(trying(ctx, "SIG-MISSING"), "without a signature", Call{Unsigned: true})
	if err != nil {
		return err
	}
	mistakes := forge.SignatureMistakes()
	var past *forge.SignatureMistake // with it, the request is refused for something else
	var beyond Evidence
	calls := []Call{{}}
	if st.Members() {
		calls = []Call{{ChatID: st.Token.ChatID, Token: st.Token.Raw}, {}}
	}
	for _, c := range calls {
		twin := unsigned // what the same request gets without a signature
		if c.Token != "" {
			bare := c
			bare.Unsigned = true
			if twin, err = h.Call(trying(ctx, "SIG-MISSING"), "without a signature, with a valid token", bare); err != nil {
				return err
			}
		}
		for i := range mistakes {
			r, err := h.Request(c)
			if err != nil {
				return err
			}
			ev, tried := h.resign(ctx, r, &mistakes[i])
			switch {
			case !tried:
			case h.AcceptableStatus(ev):
				return h.mendSignature(ctx, st, &mistakes[i], ev)
			case past == nil && refusesSomebody(twin) && likeRefused(st.Stranger[0], unsigned) && getsPast(ev, twin):
				if again, _ := h.resign(ctx, r, &mistakes[i]); getsPast(again, twin) {
					past, beyond = &mistakes[i], again
				}
			}
		}
	}
	if past != nil {
		return h.mendSignature(ctx, st, past, beyond)
	}
	if likeRefused(st.Stranger[0], unsigned) {
		// A signed stranger is refused as one who has not signed at all.
		if refused := st.Control().Exchange.Status(); refused >= 400 && refused == st.Stranger[0].Exchange.Status() && sameBody(st.Control(), st.Stranger[0]) {
			if st.Members() && missesToken(st.Control().Exchange.Body()) {
				st.Fault = h.tokenLost(*st)
				return nil
			}
			cause := "hmac-refused"
			switch {
			case saysMissing(st.Control().Exchange.Body()):
				cause = "hmac-not-found"
			case refused >= 500:
				cause = "webhook-fails-on-everything"
			case ofLogin(st.Control().Exchange.Body()):
				cause = "webhook-behind-login"
			case refused == http.StatusBadRequest || refused == http.StatusUnprocessableEntity:
				cause = cmp.Or(ofInput(st.Control().Exchange.Body()), cause)
			}
			st.Fault = h.fault("SIG-VALID", cause, st.Control())
			st.Fault.Inferred = cause != "hmac-refused" && cause != "webhook-fails-on-everything"
			if len(st.Control().Exchange.Body()) == 0 && refused < 500 {
				st.Fault.Fix = "An answer without a word is mostly none of the webhook's: a platform wants a key of its own (Azure Functions: ?code=… in the URL, or authLevel anonymous), or a framework a login (Spring Security: permitAll for the path, and no CSRF check). If it is the webhook: compare the two secrets, and log what it computes."
			}
			return h.tryLabels(ctx, st)
		}
		return nil
	}
	if errs(st.Stranger[0]) && unsigned.Exchange.Status() < 500 && unsigned.Exchange.Err == nil {
		return h.tryOtherSecret(ctx, st)
	}
	return nil
}

// tryOtherSecret looks whether the webhook fails when it checks a signature, or behind
// that: then it refuses a wrong one.
func (h *Webhook) tryOtherSecret(ctx context.Context, st *Standing) error {
	other := "a secret that nobody has"
	ev, err := h.Call(trying(ctx, "SIG-WRONG"), "signed with another secret", Call{Secret: &other})
	switch {
	case err != nil:
		return err
	case !refusesSomebody(ev):
		st.Fault = h.fault("SIG-VALID", "hmac-check-throws", st.Control())
	case errs(st.Control()) && !missesToken(st.Control().Exchange.Body()):
		st.Fault = h.fault("RESP-STATUS", "webhook-fails-on-everything", st.Control())
		st.Fault.Fix = cmp.Or(st.Fault.Fix, "It checks the signature, and fails with what it does next: its log says where.")
	}
	return nil
}

func errs(ev Evidence) bool { return ev.Exchange.Status() >= http.StatusInternalServerError }

var (
	signatureMissing = regexp.MustCompile(`(?i)(?:missing|without|lacks?|no|absent|required|expected)\b[^<{}]{0,24}(?:signature|hmac)|(?:signature|hmac)[^<{}]{0,30}\b(?:missing|required|not (?:found|present|provided|set|given|sent)|absent|is (?:null|undefined|empty|blank))`)
	signatureWrong   = regexp.MustCompile(`(?i)valid|wrong|match|incorrect|\bbad\b|fail|differ|verif|\bfield\b`)
)

// saysMissing says whether an answer speaks of a signature that is not there, and of
// none that is not right.
func saysMissing(body []byte) bool {
	body = body[:min(len(body), 4096)]
	return signatureMissing.Match(body) && !signatureWrong.Match(body)
}

var (
	tokenMissing = regexp.MustCompile(`(?i)\b(?:missing|no|without)\s+(?:an?\s+|the\s+)?` + aToken + `|` + aToken + `["'` + "`" + `]?\s+(?:(?:is|was|were|has|been)\s+)*(?:missing|required|absent|undefined|null|empty|not (?:provided|present|set|given|sent|supplied)|must be (?:provided|present|sent|supplied))`)
	tokenWrong   = regexp.MustCompile(`(?i)\bor\b|valid|wrong|expired|malformed|csrf|xsrf|\bkid\b|\bkeys?\b|secret|signature|claim|scope`)
)

const aToken = `(?:(?:auth(?:ori[sz]ation)?|bearer|access|jwt)[ _-]?(?:token|header)|token|bearer|jwt)\b`

// missesToken says whether an answer speaks of a token that is not there, and of none
// that is not right.
func missesToken(body []byte) bool {
	body = body[:min(len(body), 4096)]
	return tokenMissing.Match(body) && !tokenWrong.Match(body)
}

// tokenLost is the fault of whatever stands before the webhook: it brings a token, and
// the answer says that there is none.
func (h *Webhook) tokenLost(st Standing) *Fault {
	f := h.fault("HOOK-VALID", "token-does-not-arrive", st.Control())
	f.Inferred = true
	return f
}

// tryLabels looks for the headers in which the webhook would find the signature and
// its algorithm: who reads others than Kindly sends refuses everybody.
func (h *Webhook) tryLabels(ctx context.Context, st *Standing) error {
	var c Call
	if st.Members() {
		c = Call{ChatID: st.Token.ChatID, Token: st.Token.Raw}
	}
	plain, err := h.Request(c)
	if err != nil {
		return err
	}
	send := func(name string, labels ...forge.Label) (Evidence, bool) {
		r := plain.Clone()
		for _, l := range labels {
			l.Set(r.Header)
		}
		ev := h.Session.Do(trying(ctx, "SIG-VALID"), "with "+name, r)
		return ev, h.AcceptableStatus(ev)
	}
	for _, group := range forge.Labels(h.Config.Secret, plain.Body) {
		if len(group) > 1 {
			if _, taken := send("the signature in other headers", group...); !taken {
				continue
			}
		}
		for _, l := range group {
			if ev, taken := send(l.Name, l); taken {
				st.Fault.Cause, st.Fault.Inferred, st.Fault.Instead = l.ID, false, &Mended{Cause: l.ID, Name: l.Name, Fix: l.Fix, Seen: ev}
				return nil
			}
		}
	}
	return nil
}

// getsPast says whether an answer shows that its signature was believed, where an
// unsigned request is refused: it fails for another reason.
func getsPast(ev, unsigned Evidence) bool {
	return ev.Exchange.Response != nil && ev.Exchange.Status() != unsigned.Exchange.Status() && !service.Limited(ev) && !service.Gateway(ev.Exchange.Status())
}

// mendSignature signs as the webhook expects it from now on.
func (h *Webhook) mendSignature(ctx context.Context, st *Standing, m *forge.SignatureMistake, ev Evidence) error {
	h.repair.signature = m
	st.Signature = &Mended{Cause: m.ID, Name: m.Name, Fix: m.Fix, Seen: ev}
	unrepaired := st.Unrepaired
	if err := h.sampleBoth(ctx, st); err != nil {
		return err
	}
	if st.Unrepaired = unrepaired; !h.accepted(*st) {
		return h.tryTokens(ctx, st)
	}
	return nil
}

// bodies is how many different bodies are signed before anything is said of the
// signature: a digest that is written in base64url differs in some only.
const bodies = 10

// signedBodies looks whether different bodies are answered alike. Where some are
// refused, the mistake by which those are accepted is looked for.
func (h *Webhook) signedBodies(ctx context.Context, st *Standing) error {
	if h.Config.Secret == "" {
		return nil
	}
	some, err := h.RefusesSome(ctx)
	if err != nil {
		return err
	}
	answers, err := h.SignedBodies(ctx)
	if err != nil {
		return err
	}
	// Each of ten may have what it minds, and what it took before have not.
	unlucky := slices.ContainsFunc(slices.Concat(st.Stranger, st.Member), h.AcceptableStatus) && !slices.ContainsFunc(answers, h.AcceptableStatus)
	if !some && !unlucky {
		return nil
	}
	i := slices.IndexFunc(answers, func(ev Evidence) bool { return !h.AcceptableStatus(ev) })
	mistakes := forge.SignatureMistakes()
	if unlucky {
		if ev := h.Session.Do(ctx, "the refused one, once more", answers[i].Exchange.Request.Clone()); h.AcceptableStatus(ev) {
			return nil // they were refused for something that has passed
		}
	}
	for j := range mistakes {
		ev, tried := h.resign(ctx, answers[i].Exchange.Request, &mistakes[j])
		if tried && h.AcceptableStatus(ev) {
			if unlucky {
				st.Unrepaired = answers[i : i+1]
			}
			return h.mendSignature(ctx, st, &mistakes[j], ev)
		}
	}
	if !some {
		return nil
	}
	return h.tryRepeats(ctx, st, answers[i])
}

// RefusesSome says whether some properly signed bodies are accepted and others are not.
func (h *Webhook) RefusesSome(ctx context.Context) (bool, error) {
	all, err := h.SignedBodies(ctx)
	refused := func(ev Evidence) bool { return !h.AcceptableStatus(ev) }
	return slices.ContainsFunc(all, h.AcceptableStatus) && slices.ContainsFunc(all, refused), err
}

// resign sends a request once more, signed by a mistake; not where that is what
// was sent already.
func (h *Webhook) resign(ctx context.Context, r wire.Request, m *forge.SignatureMistake) (Evidence, bool) {
	value := m.Sign(h.Config.Secret, r.URL, r.Body)
	if sent, _ := webhook.Signature(r.Header); value == "" || value == sent || value == webhook.Sign(h.Config.Secret, r.Body) {
		return Evidence{}, false
	}
	r = r.Clone()
	r.Header[webhook.HeaderHMAC] = []string{value}
	return h.Session.Do(trying(ctx, "SIG-VALID"), "with "+m.Name, r), true
}

// SignedBodies are the answers to different bodies, each signed as Kindly signs:
// of a stranger, or of a member where strangers are turned away.
func (h *Webhook) SignedBodies(ctx context.Context) ([]Evidence, error) {
	return h.bodies.Get(func() ([]Evidence, error) {
		var out []Evidence
		for _, member := range []bool{false, true} {
			var c Call
			if member {
				tok, err := h.Witness(h.Session.Base)
				if err != nil {
					break
				}
				c = Call{ChatID: tok.ChatID, Token: tok.Raw}
			}
			out = make([]Evidence, bodies)
			err := h.Session.Each(bodies, func(i int) error {
				r, err := h.Request(c)
				if err != nil {
					return err
				}
				webhook.SetSignature(r.Header, h.Config.Secret, r.Body)
				out[i] = h.Session.Do(h.Session.Base, "another body", r)
				return nil
			})
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(out, h.AcceptableStatus) {
				break
			}
		}
		return out, nil
	})
}
