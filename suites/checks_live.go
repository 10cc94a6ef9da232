package suites

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/mockkindly/wire"
	"github.com/kindlytest/kindlytest/suites/forge"
)

// judgeBody is the verdict on the answer to a hostile body.
func judgeBody(b forge.Body, ev Evidence) Verdict {
	what := b.Name + ": " + describe(ev.Exchange)
	st := ev.Exchange.Status()
	switch {
	case ev.Exchange.Err != nil, st >= 500:
		return Violated(string(b.Want), what).With(ev)
	case b.Want == forge.ClientError && (st < 400 || st >= 500):
		return Violated(string(b.Want), what).With(ev)
	}
	return Holds("%s", what)
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "LIVE-HOOK-BODY", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.Webhooks,
		Text: "What is no JSON object (an empty body, other text, [], null, form data, gzip without saying so): a 4xx, alive. Valid JSON of 1 MB or 10,000 levels, and text/plain: no 5xx, alive.",
		Fix:  "Bound the body's size, catch the parser's error, check that the value is an object, and answer 400."},
	Needs: NeedWebhook, Turn: Last, Hostile: true,
	Probe: onServed(rule.Must, func(ctx context.Context, h *hook, c call, _ Evidence) Verdict {
		r, err := h.request(c)
		if err != nil {
			return CouldNotRun(err)
		}
		bodies, err := forge.Bodies("LIVE-HOOK-BODY", r.Body)
		if err != nil {
			return CouldNotRun(err)
		}
		var verdicts []Verdict
		for _, b := range bodies {
			hostile := r.Clone()
			hostile.Body = b.Bytes
			hostile.Header["Content-Type"] = []string{b.ContentType}
			webhook.SetSignature(hostile.Header, h.cfg.Secret, hostile.Body)
			verdicts = append(verdicts, h.survives(ctx, b.Name, hostile, func(ev Evidence) Verdict { return judgeBody(b, ev) }))
		}
		return worst(rule.Must, verdicts...)
	}),
})

// survives sends one hostile request, judges its answer, and then sends the
// control: where that fails, the request is the culprit.
func (h *hook) survives(ctx context.Context, what string, r wire.Request, judge func(Evidence) Verdict) Verdict {
	if h.down != nil { // no lock: LIVE checks run alone
		return CouldNotRun(h.down)
	}
	ev := h.s.do(ctx, what, r)
	v := judge(ev)
	return h.stillAlive(ctx, what, v, ev)
}

// stillAlive turns v into a violation if the control is not answered.
func (h *hook) stillAlive(ctx context.Context, what string, v Verdict, evidence ...Evidence) Verdict {
	k, err := h.control(ctx)
	if err != nil {
		return CouldNotRun(err)
	}
	ok, err := h.alive(ctx, k)
	if err != nil {
		return CouldNotRun(err)
	}
	if ok {
		return v
	}
	broken := Violated("the next valid request is answered as before", "after "+what+" the valid request was not answered as before").With(evidence...)
	if err := h.awaitAlive(ctx, k, what); err != nil {
		broken.actual += ", and the service did not come back"
	}
	return broken
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "LIVE-HOOK-HEADERS", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.Webhooks,
		Text: "Missing, empty, doubled and very long headers: alive.",
		Fix:  "Treat every header as optional and as any text; a proxy or the server should refuse very long ones with 431."},
	Needs: NeedWebhook, Turn: Last, Hostile: true,
	Probe: onServed(rule.Must, func(ctx context.Context, h *hook, c call, _ Evidence) Verdict {
		var verdicts []Verdict
		for _, odd := range oddHeaders {
			r, err := h.request(c)
			if err != nil {
				return CouldNotRun(err)
			}
			odd.change(r.Header)
			verdicts = append(verdicts, h.survives(ctx, odd.name, r, func(ev Evidence) Verdict {
				if st := ev.Exchange.Status(); st >= 500 {
					return Violated("no 5xx", odd.name+": "+describe(ev.Exchange)).With(ev)
				}
				if ev.Exchange.Err != nil && !odd.long {
					return Violated("an answer", odd.name+": "+describe(ev.Exchange)).With(ev)
				}
				return Holds("%s: %s", odd.name, describe(ev.Exchange))
			}))
		}
		return worst(rule.Must, verdicts...)
	}),
})

var oddHeaders = []struct {
	name   string
	long   bool // a server may hang up
	change func(http.Header)
}{
	{"no Content-Type", false, func(h http.Header) { delete(h, "Content-Type") }},
	{"an empty Content-Type", false, func(h http.Header) { h["Content-Type"] = []string{""} }},
	{"an invented Content-Type", false, func(h http.Header) { h["Content-Type"] = []string{"kindly/test; charset=\"nowhere\""} }},
	{"two Content-Types", false, func(h http.Header) { h["Content-Type"] = []string{"application/json", "text/plain"} }},
	{"an empty Authorization", false, func(h http.Header) { h["Authorization"] = []string{""} }},
	{"Authorization without a token", false, func(h http.Header) { h["Authorization"] = []string{"Bearer "} }},
	{"two Authorizations", false, func(h http.Header) { h["Authorization"] = []string{"Bearer a.b.c", "Basic YTpi"} }},
	{"an Authorization of 16 KB", true, func(h http.Header) { h["Authorization"] = []string{"Bearer " + strings.Repeat("a", 16<<10)} }},
	{"an unknown header of 64 KB", true, func(h http.Header) { h["X-Kindlytest"] = []string{strings.Repeat("a", 64<<10)} }},
	{"an unknown charset", false, func(h http.Header) { h["Content-Type"] = []string{"application/json; charset=utf-99"} }},
	{"an empty signature", false, func(h http.Header) {
		h[webhook.HeaderHMAC] = []string{""}
		h[webhook.HeaderHMACAlgorithm] = []string{""}
	}},
}

// burst is how many requests are sent at once.
const burst = 64

var _ = check(Check{
	Requirement: rule.Rule{ID: "LIVE-HOOK-BURST", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.Webhooks,
		Text: "64 valid requests at once are all answered correctly.",
		Fix:  "Keep nothing of a request in variables that requests share; let requests wait rather than fail."},
	Needs: NeedWebhook, Turn: Last, Hostile: true,
	Probe: onServed(rule.Must, func(ctx context.Context, h *hook, c call, before Evidence) Verdict {
		requests := make([]wire.Request, burst)
		for i := range requests {
			var err error
			if requests[i], err = h.request(c); err != nil {
				return CouldNotRun(err)
			}
		}
		var turnedAway []Evidence
		for _, ev := range h.s.atOnce(ctx, h.s.crowd, "one of 64 at once", requests) {
			if limited(ev) && !limited(before) {
				turnedAway = append(turnedAway, ev)
				continue
			}
			if v := h.sameKind(ev, before, c.token != ""); v.kind != holds {
				return h.stillAlive(ctx, "64 requests at once", v.With(ev))
			}
		}
		v := Holds("%d answers", burst)
		if len(turnedAway) > 0 {
			v = tooMany(len(turnedAway), burst, turnedAway[0])
		}
		return h.stillAlive(ctx, "64 requests at once", v)
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "LIVE-HOOK-ABORT", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.Webhooks,
		Text: "Clients that hang up halfway leave it working.",
		Fix:  "Give every request a deadline, and catch the error of a connection that ended."},
	Needs: NeedWebhook, Turn: Last, Hostile: true,
	Probe: eachHook(rule.Should, func(ctx context.Context, s *Session, h *hook) Verdict {
		if _, err := h.control(ctx); err != nil {
			return CouldNotRun(err)
		}
		for range 8 {
			r := wire.Request{Method: http.MethodPost, URL: h.called(), Header: http.Header{
				"Content-Type": {"application/json"}, HeaderCheck: {checkOf(ctx).id},
			}, Body: []byte(`{"chat_id":`)}
			if err := s.client.HangUp(ctx, r); err != nil {
				return CouldNotRun(fmt.Errorf("calling the webhook: %w", err))
			}
		}
		return h.stillAlive(ctx, "8 clients that hung up", Holds("it works after 8 of them"))
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "LIVE-AUTH-BODY", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "The same bodies at the auth endpoint, judged the same way.",
		Fix:  "Bound the body's size, catch the parser's error, check that the value is an object, and answer 400."},
	Needs: NeedEndpoint, Turn: Last, Hostile: true,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		if !e.readsBody() {
			return Missing("the page sends the chat id in the URL, not in the body")
		}
		valid := e.withChat(s.newChatID())
		bodies, err := forge.Bodies("LIVE-AUTH-BODY", valid.Body)
		if err != nil {
			return Missing("the page sends no JSON object: %v", err)
		}
		var verdicts []Verdict
		for _, b := range bodies {
			ev := s.do(ctx, b.Name, e.withBody(b))
			verdicts = append(verdicts, judgeBody(b, ev))
			if _, _, err := s.fetchToken(ctx, s.newChatID()); err != nil {
				verdicts = append(verdicts, Violated("the next valid request gets a token", "after "+b.Name+" it did not: "+err.Error()).With(ev))
				break
			}
		}
		return worst(rule.Must, verdicts...)
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "LIVE-AUTH-BURST", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "64 valid requests at once are all answered correctly.",
		Fix:  "Keep nothing of a request in variables that requests share; let requests wait rather than fail."},
	Needs: NeedEndpoint, Turn: Last, Hostile: true,
	Probe: onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict { return s.tokensAtOnce(ctx, e, burst) }),
})
