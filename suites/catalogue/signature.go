package catalogue

import (
	"context"
	"fmt"
	"maps"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// signed makes a probe of every webhook that has a secret. It gets the control as
// a call, to spoil it.
func signed(judge func(context.Context, *subject.Webhook, subject.Call) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return eachHook(func(ctx context.Context, s *subject.Session, h *subject.Webhook) subject.Verdict {
		if h.Config.Secret == "" {
			return subject.Missing("no secret of %s was given", h.Name())
		}
		if v, unserved := h.Unserved(ctx, "SIG-VALID"); unserved && subject.RunningOf(ctx).Rule.ID != "SIG-VALID" {
			return v
		}
		c, _, err := h.ControlCall(ctx)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		return judge(ctx, h, c)
	})
}

// altered sends the control with its signature spoiled, and judges.
func altered(ctx context.Context, h *subject.Webhook, what string, c subject.Call, spoil func(*wire.Request)) subject.Verdict {
	r, err := h.Request(c)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if spoil != nil {
		spoil(&r)
	}
	ev, err := steady(ctx, h, what, r)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	return judgeUnsigned(h, what, ev, c.Token != "").With(ev)
}

// steady sends a request; where it ended in an error it is repeated alone, so
// that another probe's damage is not blamed on it.
func steady(ctx context.Context, h *subject.Webhook, title string, r wire.Request) (subject.Evidence, error) {
	ev, err := h.Send(ctx, title, r)
	if err != nil || ev.Exchange.Err == nil && ev.Exchange.Status() < 500 {
		return ev, err
	}
	return h.Alone(ctx, title, r)
}

// steadyCall builds a request and sends it steadily.
func steadyCall(ctx context.Context, h *subject.Webhook, title string, c subject.Call) (subject.Evidence, error) {
	r, err := h.Request(c)
	if err != nil {
		return subject.Evidence{}, err
	}
	return steady(ctx, h, title, r)
}

// judgeUnsigned is the verdict on a request whose signature is not right.
func judgeUnsigned(h *subject.Webhook, what string, ev subject.Evidence, withToken bool) subject.Verdict {
	const expected = "a 4xx (401), before anything else is looked at"
	actual := fmt.Sprintf("%s: %s", what, subject.Describe(ev.Exchange))
	switch st := ev.Exchange.Status(); {
	case ev.Exchange.Err != nil, st >= 500:
		return subject.Violated(expected, actual)
	case st >= 400:
		return subject.Holds("%s", actual)
	}
	if withToken {
		if o, err := h.Oracle(); err == nil && o.Signal() {
			if j := o.Judge(oracle.Probe{Exchange: ev.Exchange}); j.Class.Passes() {
				return subject.Doubtful(expected, actual+", with the answer that a stranger gets")
			}
		}
	}
	return subject.Violated(expected, actual+": it was accepted")
}

var sigValid = signed(func(ctx context.Context, h *subject.Webhook, _ subject.Call) subject.Verdict {
	k, err := h.Control(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	ev := k.Before
	if !h.Acceptable(ev) {
		return subject.Violated("status 200", "the correctly signed request got "+subject.Describe(ev.Exchange)).With(ev)
	}
	return subject.Holds("%s", subject.Describe(ev.Exchange)).With(ev)
})

var sigMissing = signed(func(ctx context.Context, h *subject.Webhook, c subject.Call) subject.Verdict {
	c.Unsigned = true
	return altered(ctx, h, "no signature", c, nil)
})

var sigWrong = signed(func(ctx context.Context, h *subject.Webhook, c subject.Call) subject.Verdict {
	var verdicts []subject.Verdict
	for _, secret := range []string{h.Config.Secret + "x", "kindlytest", ""} {
		what := "signed with another secret"
		if secret == "" {
			what = "signed with an empty secret"
		}
		verdicts = append(verdicts, altered(ctx, h, what, c, func(r *wire.Request) {
			r.Header[webhook.HeaderHMAC] = []string{webhook.Sign(secret, r.Body)}
		}))
	}
	return subject.Worst(rule.Must, verdicts...)
})

var sigBody = signed(func(ctx context.Context, h *subject.Webhook, c subject.Call) subject.Verdict {
	var verdicts []subject.Verdict
	for what, change := range bodyChanges {
		verdicts = append(verdicts, altered(ctx, h, what, c, func(r *wire.Request) { r.Body = change(r.Body) }))
	}
	return subject.Worst(rule.Must, verdicts...)
})

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

var sigRawBody = signed(func(ctx context.Context, h *subject.Webhook, c subject.Call) subject.Verdict {
	c.Payload = func(p *webhook.Payload) { p.Context = withNote(p.Context) }
	plain, err := h.Request(c)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	spellings, err := forge.RawJSON(plain.Body)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	for _, sp := range spellings {
		r := plain.Clone()
		r.Body = sp.Bytes
		webhook.SetSignature(r.Header, h.Config.Secret, r.Body)
		ev, err := steady(ctx, h, sp.Name, r)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		if !h.Acceptable(ev) {
			return subject.Violated("accepted: the signature is right", fmt.Sprintf("%s: %s", sp.Name, subject.Describe(ev.Exchange))).With(ev)
		}
	}
	return subject.Holds("%d spellings accepted", len(spellings))
})

// withNote adds text to a context that JSON can spell in several ways.
func withNote(context map[string]any) map[string]any {
	out := map[string]any{"note": "blåbær/ok"}
	maps.Copy(out, context)
	return out
}

var sigEncoding = signed(func(ctx context.Context, h *subject.Webhook, c subject.Call) subject.Verdict {
	r, err := h.Request(c)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	spellings, err := forge.Signatures(webhook.Sign(h.Config.Secret, r.Body))
	if err != nil {
		return subject.CouldNotRun(err)
	}
	var verdicts []subject.Verdict
	for _, sp := range spellings {
		spoiled := r.Clone()
		spoiled.Header[webhook.HeaderHMAC] = []string{string(sp.Bytes)}
		ev, err := steady(ctx, h, sp.Name, spoiled)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		v := judgeUnsigned(h, sp.Name, ev, c.Token != "").With(ev)
		if v.Kind == subject.Broken && sp.Lenient && ev.Exchange.Status() < 300 {
			v.Actual += ": its decoder of base64 is lenient. Nobody can make this without the secret, but one value should have one spelling"
			v = v.At(rule.Should).Fix("Compare the text of Kindly-HMAC with the expected text, rather than what they decode to.")
		}
		verdicts = append(verdicts, v)
	}
	return subject.Worst(rule.Must, verdicts...)
})

var sigAlgorithm = signed(func(ctx context.Context, h *subject.Webhook, c subject.Call) subject.Verdict {
	var verdicts []subject.Verdict
	for what, value := range map[string][]string{
		"no algorithm": nil, "an empty algorithm": {""}, "HMAC-SHA-1": {"HMAC-SHA-1 (base64 encoded)"}, "none": {"none"},
	} {
		verdicts = append(verdicts, altered(ctx, h, what, c, func(r *wire.Request) {
			if delete(r.Header, webhook.HeaderHMACAlgorithm); value != nil {
				r.Header[webhook.HeaderHMACAlgorithm] = value
			}
		}))
	}
	return subject.Worst(rule.Must, verdicts...)
})

var sigTwice = signed(func(ctx context.Context, h *subject.Webhook, c subject.Call) subject.Verdict {
	var verdicts []subject.Verdict
	for what, wrongFirst := range map[string]bool{"the wrong signature first": true, "the wrong signature last": false} {
		verdicts = append(verdicts, altered(ctx, h, what, c, func(r *wire.Request) {
			right, wrong := webhook.Sign(h.Config.Secret, r.Body), webhook.Sign("kindlytest", r.Body)
			if wrongFirst {
				right, wrong = wrong, right
			}
			r.Header[webhook.HeaderHMAC] = []string{right, wrong}
		}))
	}
	return subject.Worst(rule.Should, verdicts...)
})

var sigUnchecked = eachHook(func(ctx context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
	if h.Config.Secret != "" {
		return subject.Missing("a secret is configured (see SIG-MISSING)")
	}
	k, err := h.Control(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if st := k.Before.Exchange.Status(); st >= 400 && st < 500 {
		return subject.Holds("an unsigned request gets status %d", st).With(k.Before)
	}
	return subject.Violated("a 4xx for an unsigned request", subject.Describe(k.Before.Exchange)+": anyone who knows the URL can call it").With(k.Before)
})
