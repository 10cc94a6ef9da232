package catalogue

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

var respStatus = eachHook(func(ctx context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
	k, err := h.ControlOrSilence(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if h.Acceptable(k.Before) {
		return subject.Holds("%s", subject.Describe(k.Before.Exchange))
	}
	v := subject.Violated("status 200", subject.Describe(k.Before.Exchange)).With(k.Before)
	switch st := k.Before.Exchange.Status(); {
	case h.Config.Secret == "" && (st == 401 || st == 403):
		return v.Fix("If it wants Kindly's signature, give kindlytest the secret: KINDLYTEST_HMAC_SECRET, or hmac_secret in kindlytest.yaml.")
	case st > 200 && st < 300:
		return v.Fix(fmt.Sprintf("Answer 200, the only success that Kindly documents. If %d is meant, say so in kindlytest.yaml: authenticated: {status: [%d]}.", st, st))
	}
	return v
})

// onAnswer makes a probe of a function over the answer to a valid request.
func onAnswer(judge func(*subject.Webhook, subject.Evidence) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return eachHook(func(ctx context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
		k, err := h.Control(ctx)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		return judge(h, k.Before)
	})
}

// answerChecks are those of the list, with webhook's own rules of an answer's
// body after the first.
func answerChecks() []Check {
	var checks []Check
	for _, r := range webhook.Rules() {
		checks = append(checks, Check{Requirement: r, Needs: target.NeedWebhook, Probe: onAnswer(func(h *subject.Webhook, ev subject.Evidence) subject.Verdict {
			return judgeAnswer(h, r, ev).With(ev)
		})})
	}
	return after(Answer, "RESP-STATUS", checks...)
}

func judgeAnswer(h *subject.Webhook, r rule.Rule, ev subject.Evidence) subject.Verdict {
	if !h.Acceptable(ev) {
		return subject.Missing("the valid request is not accepted (see RESP-STATUS)")
	}
	if coding := ev.Exchange.Response.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		if r.ID == webhook.RespJSON.ID {
			return subject.Violated("a JSON object", fmt.Sprintf("an answer in Content-Encoding %q, though the request has no Accept-Encoding", coding)).
				Fix("Compress only where Accept-Encoding asks for it.")
		}
		return subject.Missing("the answer is compressed, and nobody asked for that (see RESP-JSON)")
	}
	if r.ID == webhook.RespJSON.ID && ev.Exchange.Response.Truncated {
		return subject.Violated("a JSON object", fmt.Sprintf("an answer longer than %d bytes: the rest was not read", len(ev.Exchange.Body())))
	}
	_, problems, err := webhook.ParseAnswer(ev.Exchange.Body())
	if r.ID == webhook.RespJSON.ID && err == nil {
		return judgeMediaType(ev)
	}
	for _, p := range problems {
		if p.Rule.ID == r.ID {
			return subject.Violated(p.Expected, at(p.Path)+p.Actual).At(p.Level).Fix(p.Fix)
		}
	}
	if err != nil {
		return subject.Missing("the answer is no JSON object (see RESP-JSON)")
	}
	return subject.Holds("")
}

func at(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func judgeMediaType(ev subject.Evidence) subject.Verdict {
	contentType := ev.Exchange.Response.Header.Get("Content-Type")
	mediaType, _, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(mediaType), "application/json") {
		return subject.Doubtful("Content-Type: application/json", fmt.Sprintf("a JSON object as %q", contentType))
	}
	return subject.Holds("a JSON object")
}

// slowAnswer is how long a user should have to wait for a reply.
const slowAnswer = 5 * time.Second

var respTime = onAnswer(func(_ *subject.Webhook, ev subject.Evidence) subject.Verdict {
	if took := ev.Exchange.Duration; took > slowAnswer {
		return subject.Violated("an answer within "+slowAnswer.String(), fmt.Sprintf("it took %s", took.Round(time.Millisecond))).With(ev)
	}
	return subject.Holds("%d ms", ev.Exchange.Duration.Milliseconds())
})

// A variant is a valid request with something unusual in it.
type variant struct {
	name    string
	payload func(*webhook.Payload)
}

// tolerates sends variants of the control, none of which may end in a 5xx.
func tolerates(ctx context.Context, h *subject.Webhook, variants []variant) subject.Verdict {
	c, before, err := h.ControlCall(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if st := before.Exchange.Status(); st >= 500 || st == 0 {
		return subject.Missing("the valid request is not answered either (see RESP-STATUS)")
	}
	for _, v := range variants {
		c.Payload = v.payload
		ev, err := steadyCall(ctx, h, v.name, c)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		if ev.Exchange.Err != nil || ev.Exchange.Status() >= 500 {
			return subject.Violated("no 5xx", fmt.Sprintf("%s: %s", v.name, subject.Describe(ev.Exchange))).With(ev)
		}
	}
	return subject.Holds("%d requests", len(variants))
}

var respAdditive = eachHook(func(ctx context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
	c, before, err := h.ControlCall(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	c.Payload = func(p *webhook.Payload) {
		p.Extra = map[string]any{"kindlytest_new_field": map[string]any{"a": 1}, "another_new_field": []int{1, 2}}
	}
	ev, err := steadyCall(ctx, h, "unknown fields", c)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	return sameKind(h, ev, before, c.Token != "").With(ev)
})

// sameKind says whether an answer is of the kind that the control got.
func sameKind(h *subject.Webhook, ev, control subject.Evidence, withToken bool) subject.Verdict {
	if got, want := ev.Exchange.Status(), control.Exchange.Status(); got != want {
		return subject.Violated("status "+subject.Itoa(want)+", as for the control", subject.Describe(ev.Exchange))
	}
	if withToken {
		if o, err := h.Oracle(); err == nil && o.Signal() {
			if j := o.Judge(oracle.Probe{Exchange: ev.Exchange}); j.Class == oracle.Stranger {
				return subject.Violated("the answer that the token's user gets", j.Why)
			}
		}
	}
	return subject.Holds("%s, as for the control", subject.Describe(ev.Exchange))
}

var respSparse = eachHook(func(ctx context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
	return tolerates(ctx, h, []variant{{"only the required fields", func(p *webhook.Payload) { *p = p.Sparse() }}})
})

var respUnicode = eachHook(func(ctx context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
	var variants []variant
	for _, m := range []struct{ name, text string }{
		{"emoji", "👩‍👩‍👧‍👦 🇳🇴 where is my order?"}, {"combining marks", "e\u0301\u0323 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A"},
		{"right-to-left text", "\u202eאיפה ההזמנה שלי؟"}, {"a NUL", "a\u0000b"}, {"an empty message", ""},
		{"10,000 characters", strings.Repeat("æ", 10_000)},
	} {
		variants = append(variants, variant{m.name, func(p *webhook.Payload) { p.Message = m.text }})
	}
	return tolerates(ctx, h, variants)
})

var respSources = eachHook(func(ctx context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
	var variants []variant
	for _, source := range webhook.Sources() {
		variants = append(variants, variant{"source " + string(source), func(p *webhook.Payload) { p.Source = source }})
	}
	return tolerates(ctx, h, variants)
})

var respMethod = eachHook(func(ctx context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
	r, _, err := h.ControlRequest(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	r.Method, r.Body = http.MethodGet, nil
	webhook.SetSignature(r.Header, h.Config.Secret, r.Body)
	ev, err := steady(ctx, h, "GET", r)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	answer, _, err := webhook.ParseAnswer(ev.Exchange.Body())
	if ev.Exchange.Status() == 200 && err == nil && (answer.Reply != "" || answer.ExchangeSlug != "" || len(answer.Buttons) > 0) {
		return subject.Violated("405, or a page", "GET gets the webhook's answer").With(ev)
	}
	return subject.Holds("GET: %s", subject.Describe(ev.Exchange))
})

var respRepeat = eachHook(func(ctx context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
	r, withToken, err := h.ControlRequest(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	first, err := h.Send(ctx, "the first time", r)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	second, err := h.Send(ctx, "the very same request again", r)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	return sameKind(h, second, first, withToken).With(first, second)
})
