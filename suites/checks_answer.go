package suites

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/oracle"
)

var _ = check(Check{
	Requirement: rule.Rule{ID: "RESP-STATUS", Level: rule.Must, Fidelity: rule.Documented, Source: rule.Webhooks,
		Text: "200 for a dialogue it knows.",
		Fix:  "Answer 200 also where the business says no, with another reply or exchange_slug. If the webhook knows only some dialogues, give it one: webhooks[].message or slug."},
	Needs: NeedWebhook,
	Probe: eachHook(rule.Must, func(ctx context.Context, _ *Session, h *hook) Verdict {
		k, err := h.controlOrSilence(ctx)
		if err != nil {
			return CouldNotRun(err)
		}
		if h.acceptable(k.before) {
			return Holds("%s", describe(k.before.Exchange))
		}
		v := Violated("status 200", describe(k.before.Exchange)).With(k.before)
		switch st := k.before.Exchange.Status(); {
		case h.cfg.Secret == "" && (st == 401 || st == 403):
			return v.Fix("If it wants Kindly's signature, give kindlytest the secret: KINDLYTEST_HMAC_SECRET, or hmac_secret in kindlytest.yaml.")
		case st > 200 && st < 300:
			return v.Fix(fmt.Sprintf("Answer 200, the only success that Kindly documents. If %d is meant, say so in kindlytest.yaml: authenticated: {status: [%d]}.", st, st))
		}
		return v
	}),
})

// onAnswer makes a probe of a function over the answer to a valid request.
func onAnswer(level rule.Level, judge func(*hook, Evidence) Verdict) func(context.Context, *Session) Verdict {
	return eachHook(level, func(ctx context.Context, _ *Session, h *hook) Verdict {
		k, err := h.control(ctx)
		if err != nil {
			return CouldNotRun(err)
		}
		return judge(h, k.before)
	})
}

// The rules of an answer's body are webhook's own.
var _ = func() bool {
	for _, r := range webhook.Rules() {
		check(Check{Requirement: r, Needs: NeedWebhook, Probe: onAnswer(r.Level, func(h *hook, ev Evidence) Verdict {
			return judgeAnswer(h, r, ev).With(ev)
		})})
	}
	return true
}()

func judgeAnswer(h *hook, r rule.Rule, ev Evidence) Verdict {
	if !h.acceptable(ev) {
		return Missing("the valid request is not accepted (see RESP-STATUS)")
	}
	if coding := ev.Exchange.Response.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		if r.ID == webhook.RespJSON.ID {
			return Violated("a JSON object", fmt.Sprintf("an answer in Content-Encoding %q, though the request has no Accept-Encoding", coding)).
				Fix("Compress only where Accept-Encoding asks for it.")
		}
		return Missing("the answer is compressed, and nobody asked for that (see RESP-JSON)")
	}
	if r.ID == webhook.RespJSON.ID && ev.Exchange.Response.Truncated {
		return Violated("a JSON object", fmt.Sprintf("an answer longer than %d bytes: the rest was not read", len(ev.Exchange.Body())))
	}
	_, problems, err := webhook.ParseAnswer(ev.Exchange.Body())
	if r.ID == webhook.RespJSON.ID && err == nil {
		return judgeMediaType(ev)
	}
	for _, p := range problems {
		if p.Rule.ID == r.ID {
			return Violated(p.Expected, at(p.Path)+p.Actual).at(p.Level).Fix(p.Fix)
		}
	}
	if err != nil {
		return Missing("the answer is no JSON object (see RESP-JSON)")
	}
	return Holds("")
}

func at(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func judgeMediaType(ev Evidence) Verdict {
	contentType := ev.Exchange.Response.Header.Get("Content-Type")
	mediaType, _, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(mediaType), "application/json") {
		return Doubtful("Content-Type: application/json", fmt.Sprintf("a JSON object as %q", contentType))
	}
	return Holds("a JSON object")
}

// slowAnswer is how long a user should have to wait for a reply.
const slowAnswer = 5 * time.Second

var _ = check(Check{
	Requirement: rule.Rule{ID: "RESP-TIME", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.Webhooks,
		Text: "It answers within 5 s.",
		Fix:  "Answer at once, and do the work later; Kindly's own limit is unpublished."},
	Needs: NeedWebhook,
	Probe: onAnswer(rule.Should, func(_ *hook, ev Evidence) Verdict {
		if took := ev.Exchange.Duration; took > slowAnswer {
			return Violated("an answer within "+slowAnswer.String(), fmt.Sprintf("it took %s", took.Round(time.Millisecond))).With(ev)
		}
		return Holds("%d ms", ev.Exchange.Duration.Milliseconds())
	}),
})

// A variant is a valid request with something unusual in it.
type variant struct {
	name    string
	payload func(*webhook.Payload)
}

// tolerates sends variants of the control, none of which may end in a 5xx.
func tolerates(ctx context.Context, h *hook, variants []variant) Verdict {
	c, before, err := h.controlCall(ctx)
	if err != nil {
		return CouldNotRun(err)
	}
	if st := before.Exchange.Status(); st >= 500 || st == 0 {
		return Missing("the valid request is not answered either (see RESP-STATUS)")
	}
	for _, v := range variants {
		c.payload = v.payload
		ev, err := h.steadyCall(ctx, v.name, c)
		if err != nil {
			return CouldNotRun(err)
		}
		if ev.Exchange.Err != nil || ev.Exchange.Status() >= 500 {
			return Violated("no 5xx", fmt.Sprintf("%s: %s", v.name, describe(ev.Exchange))).With(ev)
		}
	}
	return Holds("%d requests", len(variants))
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "RESP-ADDITIVE", Level: rule.Must, Fidelity: rule.Documented, Source: rule.Webhooks,
		Text: "Unknown fields in the request change nothing.",
		Fix:  "Ignore fields that you don't know: Kindly adds some without notice."},
	Needs: NeedWebhook,
	Probe: eachHook(rule.Must, func(ctx context.Context, _ *Session, h *hook) Verdict {
		c, before, err := h.controlCall(ctx)
		if err != nil {
			return CouldNotRun(err)
		}
		c.payload = func(p *webhook.Payload) {
			p.Extra = map[string]any{"kindlytest_new_field": map[string]any{"a": 1}, "another_new_field": []int{1, 2}}
		}
		ev, err := h.steadyCall(ctx, "unknown fields", c)
		if err != nil {
			return CouldNotRun(err)
		}
		return h.sameKind(ev, before, c.token != "").With(ev)
	}),
})

// sameKind says whether an answer is of the kind that the control got.
func (h *hook) sameKind(ev, control Evidence, withToken bool) Verdict {
	if got, want := ev.Exchange.Status(), control.Exchange.Status(); got != want {
		return Violated("status "+itoa(want)+", as for the control", describe(ev.Exchange))
	}
	if withToken {
		if o, err := h.oracle(); err == nil && o.Signal() {
			if j := o.Judge(oracle.Probe{Exchange: ev.Exchange}); j.Class == oracle.Stranger {
				return Violated("the answer that the token's user gets", j.Why)
			}
		}
	}
	return Holds("%s, as for the control", describe(ev.Exchange))
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "RESP-SPARSE", Level: rule.Must, Fidelity: rule.Documented, Source: rule.Webhooks,
		Text: "A request without the optional fields (labels, attachments, web_*, context) gives no 5xx.",
		Fix:  "Read optional fields as optional: chats from Facebook or Slack have no web_host."},
	Needs: NeedWebhook,
	Probe: eachHook(rule.Must, func(ctx context.Context, _ *Session, h *hook) Verdict {
		return tolerates(ctx, h, []variant{{"only the required fields", func(p *webhook.Payload) { *p = p.Sparse() }}})
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "RESP-UNICODE", Level: rule.Must, Fidelity: rule.Documented, Source: rule.Webhooks,
		Text: "Messages with emoji, combining marks, right-to-left text, NUL escapes, 10,000 characters give no 5xx.",
		Fix:  "Take the message for any text at all: users paste anything."},
	Needs: NeedWebhook,
	Probe: eachHook(rule.Must, func(ctx context.Context, _ *Session, h *hook) Verdict {
		var variants []variant
		for _, m := range []struct{ name, text string }{
			{"emoji", "👩‍👩‍👧‍👦 🇳🇴 where is my order?"}, {"combining marks", "e\u0301\u0323 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A"},
			{"right-to-left text", "\u202eאיפה ההזמנה שלי؟"}, {"a NUL", "a\u0000b"}, {"an empty message", ""},
			{"10,000 characters", strings.Repeat("æ", 10_000)},
		} {
			variants = append(variants, variant{m.name, func(p *webhook.Payload) { p.Message = m.text }})
		}
		return tolerates(ctx, h, variants)
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "RESP-SOURCES", Level: rule.Should, Fidelity: rule.Documented, Source: rule.Webhooks,
		Text: "Every documented source gives no 5xx.",
		Fix:  "Answer chats from every source (web, facebook, slack, app, test), or tell the user that you can't."},
	Needs: NeedWebhook,
	Probe: eachHook(rule.Should, func(ctx context.Context, _ *Session, h *hook) Verdict {
		var variants []variant
		for _, source := range webhook.Sources() {
			variants = append(variants, variant{"source " + string(source), func(p *webhook.Payload) { p.Source = source }})
		}
		return tolerates(ctx, h, variants)
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "RESP-METHOD", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.Webhooks,
		Text: "GET is not answered as the webhook.",
		Fix:  "Answer 405 to everything but POST."},
	Needs: NeedWebhook,
	Probe: eachHook(rule.Should, func(ctx context.Context, _ *Session, h *hook) Verdict {
		r, _, err := h.controlRequest(ctx)
		if err != nil {
			return CouldNotRun(err)
		}
		r.Method, r.Body = http.MethodGet, nil
		webhook.SetSignature(r.Header, h.cfg.Secret, r.Body)
		ev, err := h.steady(ctx, "GET", r)
		if err != nil {
			return CouldNotRun(err)
		}
		answer, _, err := webhook.ParseAnswer(ev.Exchange.Body())
		if ev.Exchange.Status() == 200 && err == nil && (answer.Reply != "" || answer.ExchangeSlug != "" || len(answer.Buttons) > 0) {
			return Violated("405, or a page", "GET gets the webhook's answer").With(ev)
		}
		return Holds("GET: %s", describe(ev.Exchange))
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "RESP-REPEAT", Level: rule.Info, Fidelity: rule.Assumed, Source: rule.Webhooks,
		Text: "The same request twice gives the same kind of answer.",
		Fix:  "Don't count on a request to come once: nothing in it guards against a replay."},
	Needs: NeedWebhook,
	Probe: eachHook(rule.Info, func(ctx context.Context, _ *Session, h *hook) Verdict {
		r, withToken, err := h.controlRequest(ctx)
		if err != nil {
			return CouldNotRun(err)
		}
		first, err := h.send(ctx, "the first time", r)
		if err != nil {
			return CouldNotRun(err)
		}
		second, err := h.send(ctx, "the very same request again", r)
		if err != nil {
			return CouldNotRun(err)
		}
		return h.sameKind(second, first, withToken).With(first, second)
	}),
})
