package suites

import (
	"context"
	"fmt"
	"maps"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/mockkindly/wire"
	"github.com/kindlytest/kindlytest/suites/forge"
	"github.com/kindlytest/kindlytest/suites/oracle"
)

// signed is the check of a SIG row: probes of every webhook that has a secret.
// They get the control as a call, to spoil it.
func signed(r rule.Rule, hostile bool, judge func(context.Context, *hook, call) Verdict) Check {
	return Check{Requirement: r, Needs: NeedWebhook | NeedHMAC, Hostile: hostile,
		Probe: eachHook(r.Level, func(ctx context.Context, s *Session, h *hook) Verdict {
			if h.cfg.Secret == "" {
				return Missing("no secret of %s was given", h.name())
			}
			if v, unserved := h.unserved(ctx, "SIG-VALID"); unserved && r.ID != "SIG-VALID" {
				return v
			}
			c, _, err := h.controlCall(ctx)
			if err != nil {
				return CouldNotRun(err)
			}
			return judge(ctx, h, c)
		}),
	}
}

// altered sends the control with its signature spoiled, and judges.
func (h *hook) altered(ctx context.Context, what string, c call, spoil func(*wire.Request)) Verdict {
	r, err := h.request(c)
	if err != nil {
		return CouldNotRun(err)
	}
	if spoil != nil {
		spoil(&r)
	}
	ev, err := h.steady(ctx, what, r)
	if err != nil {
		return CouldNotRun(err)
	}
	return h.judgeUnsigned(what, ev, c.token != "").With(ev)
}

// steady sends a request; where it ended in an error it is repeated alone, so
// that another probe's damage is not blamed on it.
func (h *hook) steady(ctx context.Context, title string, r wire.Request) (Evidence, error) {
	ev, err := h.send(ctx, title, r)
	if err != nil || ev.Exchange.Err == nil && ev.Exchange.Status() < 500 {
		return ev, err
	}
	return h.alone(ctx, title, r)
}

// steadyCall builds a request and sends it steadily.
func (h *hook) steadyCall(ctx context.Context, title string, c call) (Evidence, error) {
	r, err := h.request(c)
	if err != nil {
		return Evidence{}, err
	}
	return h.steady(ctx, title, r)
}

// judgeUnsigned is the verdict on a request whose signature is not right.
func (h *hook) judgeUnsigned(what string, ev Evidence, withToken bool) Verdict {
	const expected = "a 4xx (401), before anything else is looked at"
	actual := fmt.Sprintf("%s: %s", what, describe(ev.Exchange))
	switch st := ev.Exchange.Status(); {
	case ev.Exchange.Err != nil, st >= 500:
		return Violated(expected, actual)
	case st >= 400:
		return Holds("%s", actual)
	}
	if withToken {
		if o, err := h.oracle(); err == nil && o.Signal() {
			if j := o.Judge(oracle.Probe{Exchange: ev.Exchange}); j.Class.Passes() {
				return Doubtful(expected, actual+", with the answer that a stranger gets")
			}
		}
	}
	return Violated(expected, actual+": it was accepted")
}

var _ = check(signed(rule.Rule{ID: "SIG-VALID", Level: rule.Must, Fidelity: rule.Documented, Source: rule.HMAC,
	Text: "A correctly signed request is accepted.",
	Fix:  "Compute base64(HMAC-SHA256(raw body, secret)) over the bytes that came, and compare it with Kindly-HMAC in constant time.",
}, false, func(ctx context.Context, h *hook, _ call) Verdict {
	k, err := h.control(ctx)
	if err != nil {
		return CouldNotRun(err)
	}
	ev := k.before
	if !h.acceptable(ev) {
		return Violated("status 200", "the correctly signed request got "+describe(ev.Exchange)).With(ev)
	}
	return Holds("%s", describe(ev.Exchange)).With(ev)
}))

var _ = check(signed(rule.Rule{ID: "SIG-MISSING", Level: rule.Must, Fidelity: rule.Documented, Source: rule.HMAC,
	Text: "Without the two headers it is refused with a 4xx, alive.",
	Fix:  "Answer 401 where Kindly-HMAC is missing, before anything else is looked at.",
}, true, func(ctx context.Context, h *hook, c call) Verdict {
	c.unsigned = true
	return h.altered(ctx, "no signature", c, nil)
}))

var _ = check(signed(rule.Rule{ID: "SIG-WRONG", Level: rule.Must, Fidelity: rule.Documented, Source: rule.HMAC,
	Text: "Signed with another secret, or none, it is refused.",
	Fix:  "Compare the signature, not only its presence.",
}, true, func(ctx context.Context, h *hook, c call) Verdict {
	var verdicts []Verdict
	for _, secret := range []string{h.cfg.Secret + "x", "kindlytest", ""} {
		what := "signed with another secret"
		if secret == "" {
			what = "signed with an empty secret"
		}
		verdicts = append(verdicts, h.altered(ctx, what, c, func(r *wire.Request) {
			r.Header[webhook.HeaderHMAC] = []string{webhook.Sign(secret, r.Body)}
		}))
	}
	return worst(rule.Must, verdicts...)
}))

var _ = check(signed(rule.Rule{ID: "SIG-BODY", Level: rule.Must, Fidelity: rule.Documented, Source: rule.HMAC,
	Text: "A body changed after signing is refused.",
	Fix:  "Compute the HMAC over the whole raw body.",
}, true, func(ctx context.Context, h *hook, c call) Verdict {
	var verdicts []Verdict
	for what, change := range bodyChanges {
		verdicts = append(verdicts, h.altered(ctx, what, c, func(r *wire.Request) { r.Body = change(r.Body) }))
	}
	return worst(rule.Must, verdicts...)
}))

// bodyChanges are changes of a signed body: of its meaning, and of bytes only.
var bodyChanges = map[string]func([]byte) []byte{
	"a member added after signing": func(b []byte) []byte {
		changed, err := forge.With(b, "kindlytest", []byte("1"))
		if err != nil {
			return append(b, ' ')
		}
		return changed
	},
	"a line end added after signing": func(b []byte) []byte { return append(b, '\n') },
}

var _ = check(signed(rule.Rule{ID: "SIG-RAW-BODY", Level: rule.Must, Fidelity: rule.Documented, Source: rule.HMAC,
	Text: `Unusual but valid JSON (spacing, \u00e6 and æ, \/, key order, trailing newline), signed over its raw bytes, is accepted.`,
	Fix:  "Keep the bytes of the body as they came, and verify those: writing the parsed JSON again gives others.",
}, false, func(ctx context.Context, h *hook, c call) Verdict {
	c.payload = func(p *webhook.Payload) { p.Context = withNote(p.Context) }
	plain, err := h.request(c)
	if err != nil {
		return CouldNotRun(err)
	}
	spellings, err := forge.RawJSON(plain.Body)
	if err != nil {
		return CouldNotRun(err)
	}
	for _, sp := range spellings {
		r := plain.Clone()
		r.Body = sp.Bytes
		webhook.SetSignature(r.Header, h.cfg.Secret, r.Body)
		ev, err := h.steady(ctx, sp.Name, r)
		if err != nil {
			return CouldNotRun(err)
		}
		if !h.acceptable(ev) {
			return Violated("accepted: the signature is right", fmt.Sprintf("%s: %s", sp.Name, describe(ev.Exchange))).With(ev)
		}
	}
	return Holds("%d spellings accepted", len(spellings))
}))

// withNote adds text to a context that JSON can spell in several ways.
func withNote(context map[string]any) map[string]any {
	out := map[string]any{"note": "blåbær/ok"}
	maps.Copy(out, context)
	return out
}

var _ = check(signed(rule.Rule{ID: "SIG-ENCODING", Level: rule.Must, Fidelity: rule.Documented, Source: rule.HMAC,
	Text: "Hex, base64url where it differs, truncated, prefixed, with trailing bytes, or empty: refused.",
	Fix:  "Compare with the expected value as a whole, in standard base64 and in constant time; never only as many bytes as came.",
}, true, func(ctx context.Context, h *hook, c call) Verdict {
	r, err := h.request(c)
	if err != nil {
		return CouldNotRun(err)
	}
	spellings, err := forge.Signatures(webhook.Sign(h.cfg.Secret, r.Body))
	if err != nil {
		return CouldNotRun(err)
	}
	var verdicts []Verdict
	for _, sp := range spellings {
		spoiled := r.Clone()
		spoiled.Header[webhook.HeaderHMAC] = []string{string(sp.Bytes)}
		ev, err := h.steady(ctx, sp.Name, spoiled)
		if err != nil {
			return CouldNotRun(err)
		}
		v := h.judgeUnsigned(sp.Name, ev, c.token != "").With(ev)
		if v.kind == violated && sp.Lenient && ev.Exchange.Status() < 300 {
			v.actual += ": its decoder of base64 is lenient. Nobody can make this without the secret, but one value should have one spelling"
			v = v.at(rule.Should).Fix("Compare the text of Kindly-HMAC with the expected text, rather than what they decode to.")
		}
		verdicts = append(verdicts, v)
	}
	return worst(rule.Must, verdicts...)
}))

var _ = check(signed(rule.Rule{ID: "SIG-ALGORITHM", Level: rule.Must, Fidelity: rule.Documented, Source: rule.HMAC,
	Text: "A missing or different Kindly-HMAC-algorithm is refused with a 4xx, alive.",
	Fix:  `Compare Kindly-HMAC-algorithm exactly with "HMAC-SHA-256 (base64 encoded)", and answer 401 to anything else.`,
}, true, func(ctx context.Context, h *hook, c call) Verdict {
	var verdicts []Verdict
	for what, value := range map[string][]string{
		"no algorithm": nil, "an empty algorithm": {""}, "HMAC-SHA-1": {"HMAC-SHA-1 (base64 encoded)"}, "none": {"none"},
	} {
		verdicts = append(verdicts, h.altered(ctx, what, c, func(r *wire.Request) {
			if delete(r.Header, webhook.HeaderHMACAlgorithm); value != nil {
				r.Header[webhook.HeaderHMACAlgorithm] = value
			}
		}))
	}
	return worst(rule.Must, verdicts...)
}))

var _ = check(signed(rule.Rule{ID: "SIG-TWICE", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.HMAC,
	Text: "Two Kindly-HMAC headers, one wrong: refused.",
	Fix:  "Refuse a request that has Kindly-HMAC more than once: whoever reads the other one is fooled.",
}, true, func(ctx context.Context, h *hook, c call) Verdict {
	var verdicts []Verdict
	for what, wrongFirst := range map[string]bool{"the wrong signature first": true, "the wrong signature last": false} {
		verdicts = append(verdicts, h.altered(ctx, what, c, func(r *wire.Request) {
			right, wrong := webhook.Sign(h.cfg.Secret, r.Body), webhook.Sign("kindlytest", r.Body)
			if wrongFirst {
				right, wrong = wrong, right
			}
			r.Header[webhook.HeaderHMAC] = []string{right, wrong}
		}))
	}
	return worst(rule.Should, verdicts...)
}))

var _ = check(Check{
	Requirement: rule.Rule{ID: "SIG-UNCHECKED", Level: rule.Should, Fidelity: rule.Documented, Source: rule.HMAC,
		Text: "Where no secret is configured: an unsigned request is refused.",
		Fix:  "Set a secret at Kindly, verify Kindly-HMAC, and give kindlytest the secret (KINDLYTEST_HMAC_SECRET)."},
	Needs: NeedWebhook,
	Probe: eachHook(rule.Should, func(ctx context.Context, _ *Session, h *hook) Verdict {
		if h.cfg.Secret != "" {
			return Missing("a secret is configured (see SIG-MISSING)")
		}
		k, err := h.control(ctx)
		if err != nil {
			return CouldNotRun(err)
		}
		if st := k.before.Exchange.Status(); st >= 400 && st < 500 {
			return Holds("an unsigned request gets status %d", st).With(k.before)
		}
		return Violated("a 4xx for an unsigned request", describe(k.before.Exchange)+": anyone who knows the URL can call it").With(k.before)
	}),
})
