package catalogue

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// judgeBody is the verdict on the answer to a hostile body.
func judgeBody(b forge.Body, ev subject.Evidence) subject.Verdict {
	what := b.Name + ": " + subject.Describe(ev.Exchange)
	st := ev.Exchange.Status()
	switch {
	case ev.Exchange.Err != nil, st >= 500:
		return subject.Violated(string(b.Want), what).With(ev)
	case b.Want == forge.ClientError && (st < 400 || st >= 500):
		return subject.Violated(string(b.Want), what).With(ev)
	}
	return subject.Holds("%s", what)
}

var liveHookBody = onServed(func(ctx context.Context, h *subject.Webhook, c subject.Call, _ subject.Evidence) subject.Verdict {
	r, err := h.Request(c)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	bodies, err := forge.Bodies("LIVE-HOOK-BODY", r.Body)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	var verdicts []subject.Verdict
	for _, b := range bodies {
		hostile := r.Clone()
		hostile.Body = b.Bytes
		hostile.Header["Content-Type"] = []string{b.ContentType}
		webhook.SetSignature(hostile.Header, h.Config.Secret, hostile.Body)
		verdicts = append(verdicts, survives(ctx, h, b.Name, hostile, func(ev subject.Evidence) subject.Verdict { return judgeBody(b, ev) }))
	}
	return subject.Worst(rule.Must, verdicts...)
})

// survives sends one hostile request, judges its answer, and then sends the
// control: where that fails, the request is the culprit.
func survives(ctx context.Context, h *subject.Webhook, what string, r wire.Request, judge func(subject.Evidence) subject.Verdict) subject.Verdict {
	if h.Down != nil { // no lock: LIVE checks run alone
		return subject.CouldNotRun(h.Down)
	}
	ev := h.Session.Do(ctx, what, r)
	v := judge(ev)
	return stillAlive(ctx, h, what, v, ev)
}

// stillAlive turns v into a violation if the control is not answered.
func stillAlive(ctx context.Context, h *subject.Webhook, what string, v subject.Verdict, evidence ...subject.Evidence) subject.Verdict {
	k, err := h.Control(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	ok, err := h.Alive(ctx, k)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if ok {
		return v
	}
	broken := subject.Violated("the next valid request is answered as before", "after "+what+" the valid request was not answered as before").With(evidence...)
	if err := h.AwaitAlive(ctx, k, what); err != nil {
		broken.Actual += ", and the service did not come back"
	}
	return broken
}

var liveHookHeaders = onServed(func(ctx context.Context, h *subject.Webhook, c subject.Call, _ subject.Evidence) subject.Verdict {
	var verdicts []subject.Verdict
	for _, odd := range oddHeaders {
		r, err := h.Request(c)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		odd.change(r.Header)
		verdicts = append(verdicts, survives(ctx, h, odd.name, r, func(ev subject.Evidence) subject.Verdict {
			if st := ev.Exchange.Status(); st >= 500 {
				return subject.Violated("no 5xx", odd.name+": "+subject.Describe(ev.Exchange)).With(ev)
			}
			if ev.Exchange.Err != nil && !odd.long {
				return subject.Violated("an answer", odd.name+": "+subject.Describe(ev.Exchange)).With(ev)
			}
			return subject.Holds("%s: %s", odd.name, subject.Describe(ev.Exchange))
		}))
	}
	return subject.Worst(rule.Must, verdicts...)
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

var liveHookBurst = onServed(func(ctx context.Context, h *subject.Webhook, c subject.Call, before subject.Evidence) subject.Verdict {
	requests := make([]wire.Request, burst)
	for i := range requests {
		var err error
		if requests[i], err = h.Request(c); err != nil {
			return subject.CouldNotRun(err)
		}
	}
	var turnedAway []subject.Evidence
	for _, ev := range h.Session.AtOnce(ctx, h.Session.Crowd, "one of 64 at once", requests) {
		if subject.Limited(ev) && !subject.Limited(before) {
			turnedAway = append(turnedAway, ev)
			continue
		}
		if v := sameKind(h, ev, before, c.Token != ""); v.Kind != subject.Held {
			return stillAlive(ctx, h, "64 requests at once", v.With(ev))
		}
	}
	v := subject.Holds("%d answers", burst)
	if len(turnedAway) > 0 {
		v = tooMany(len(turnedAway), burst, turnedAway[0])
	}
	return stillAlive(ctx, h, "64 requests at once", v)
})

var liveHookAbort = eachHook(func(ctx context.Context, s *subject.Session, h *subject.Webhook) subject.Verdict {
	if _, err := h.Control(ctx); err != nil {
		return subject.CouldNotRun(err)
	}
	for range 8 {
		r := wire.Request{Method: http.MethodPost, URL: h.Called(), Header: http.Header{
			"Content-Type": {"application/json"}, subject.HeaderCheck: {subject.RunningOf(ctx).Rule.ID},
		}, Body: []byte(`{"chat_id":`)}
		if err := s.Client.HangUp(ctx, r); err != nil {
			return subject.CouldNotRun(fmt.Errorf("calling the webhook: %w", err))
		}
	}
	return stillAlive(ctx, h, "8 clients that hung up", subject.Holds("it works after 8 of them"))
})

var liveAuthBody = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	if !readsBody(e) {
		return subject.Missing("the page sends the chat id in the URL, not in the body")
	}
	valid := e.WithChat(s.NewChatID())
	bodies, err := forge.Bodies("LIVE-AUTH-BODY", valid.Body)
	if err != nil {
		return subject.Missing("the page sends no JSON object: %v", err)
	}
	var verdicts []subject.Verdict
	for _, b := range bodies {
		ev := s.Do(ctx, b.Name, withBody(e, b))
		verdicts = append(verdicts, judgeBody(b, ev))
		if _, _, err := s.FetchToken(ctx, s.NewChatID()); err != nil {
			verdicts = append(verdicts, subject.Violated("the next valid request gets a token", "after "+b.Name+" it did not: "+err.Error()).With(ev))
			break
		}
	}
	return subject.Worst(rule.Must, verdicts...)
})

var liveAuthBurst = onEndpoint(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	return tokensAtOnce(ctx, s, e, burst)
})
