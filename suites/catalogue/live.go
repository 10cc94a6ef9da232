package catalogue

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/service"
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

var liveHookBody = onPlain(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	r, err := h.ControlRequest(ctx, st)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	bodies, err := forge.Bodies("LIVE-HOOK-BODY", r.Body)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	attempts := make([]subject.Attempt, len(bodies))
	for i, b := range bodies {
		hostile := r.Clone()
		hostile.Body = b.Bytes
		hostile.Header["Content-Type"] = []string{b.ContentType}
		if h.Config.Secret != "" {
			h.Sign(&hostile)
		}
		attempts[i] = subject.Attempt{Title: b.Name, Request: hostile}
	}
	var verdicts []subject.Verdict
	for i, ev := range h.Session.DoAll(ctx, attempts) {
		verdicts = append(verdicts, judgeBody(bodies[i], ev))
	}
	return subject.Worst(rule.Must, verdicts...)
})

var liveHookHeaders = onPlain(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	attempts := make([]subject.Attempt, len(oddHeaders))
	for i, odd := range oddHeaders {
		r, err := h.ControlRequest(ctx, st)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		odd.change(r.Header)
		attempts[i] = subject.Attempt{Title: odd.name, Request: r}
	}
	var verdicts []subject.Verdict
	for i, ev := range h.Session.DoAll(ctx, attempts) {
		odd := oddHeaders[i]
		v := subject.Holds("%s: %s", odd.name, subject.Describe(ev.Exchange))
		if st := ev.Exchange.Status(); st >= 500 {
			v = subject.Violated("no 5xx", odd.name+": "+subject.Describe(ev.Exchange)).With(ev)
		} else if ev.Exchange.Err != nil && (!ev.Exchange.ClosedForLength() || ev.Killed != nil) {
			v = subject.Violated("an answer", odd.name+": "+subject.Describe(ev.Exchange)).With(ev)
		}
		if v.Kind == subject.Broken && ev.Exchange.Status() >= 500 && odd.cause != "" {
			v = v.Because(odd.cause)
		}
		verdicts = append(verdicts, v)
	}
	return subject.Worst(rule.Must, verdicts...)
})

const (
	failsOnHeaders = "webhook-fails-on-headers"
	compareThrows  = "hmac-compare-throws"
)

var oddHeaders = []struct {
	name   string
	change func(http.Header)

	cause string // of an error; "" where it is one of tokens
}{
	{"no Content-Type", func(h http.Header) { delete(h, "Content-Type") }, failsOnHeaders},
	{"an empty Content-Type", func(h http.Header) { h["Content-Type"] = []string{""} }, failsOnHeaders},
	{"an invented Content-Type", func(h http.Header) { h["Content-Type"] = []string{"kindly/test; charset=\"nowhere\""} }, failsOnHeaders},
	{"two Content-Types", func(h http.Header) { h["Content-Type"] = []string{"application/json", "text/plain"} }, failsOnHeaders},
	{"an empty Authorization", func(h http.Header) { h["Authorization"] = []string{""} }, ""},
	{"Authorization without a token", func(h http.Header) { h["Authorization"] = []string{"Bearer "} }, ""},
	{"two Authorizations", func(h http.Header) { h["Authorization"] = []string{"Bearer a.b.c", "Basic YTpi"} }, ""},
	{"an Authorization of 16 KB", func(h http.Header) { h["Authorization"] = []string{"Bearer " + strings.Repeat("a", 16<<10)} }, ""},
	{"an unknown header of 64 KB", func(h http.Header) { h["X-Kindlytest"] = []string{strings.Repeat("a", 64<<10)} }, failsOnHeaders},
	{"an unknown charset", func(h http.Header) { h["Content-Type"] = []string{"application/json; charset=utf-99"} }, failsOnHeaders},
	{"an empty signature", func(h http.Header) {
		h[webhook.HeaderHMAC] = []string{""}
		h[webhook.HeaderHMACAlgorithm] = []string{""}
	}, compareThrows},
}

// burst is how many requests are sent at once.
const burst = 64

var liveHookBurst = onCall(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	requests := make([]wire.Request, burst)
	for i := range requests {
		var err error
		if i > 0 && (h.RemembersChats() || h.Session.Single(requests[0])) {
			if c, err = h.AnotherCall(ctx, st); err != nil {
				return subject.CouldNotRun(err)
			}
		}
		if requests[i], err = h.Request(c); err != nil {
			return subject.CouldNotRun(err)
		}
	}
	before := st.Control()
	var turnedAway []subject.Evidence
	for _, ev := range h.Session.AtOnce(ctx, "one of 64 at once", requests) {
		if h.Session.TooMany(ev) && !h.Session.TooMany(before) {
			turnedAway = append(turnedAway, ev)
			continue
		}
		if v := sameKind(h, st, ev, before, c.Token != ""); v.Kind != subject.Held {
			return v.With(ev)
		}
	}
	if len(turnedAway) > 0 {
		return tooMany(len(turnedAway), burst, turnedAway[0])
	}
	return subject.Holds("%d answers", burst)
})

var liveHookAbort = onAnswering(func(ctx context.Context, h *subject.Webhook, _ subject.Standing) subject.Verdict {
	r, err := h.Request(subject.Call{})
	if err != nil {
		return subject.CouldNotRun(err)
	}
	r.Body = []byte(`{"chat_id":`)
	death, err := h.Session.HangUp(ctx, "8 clients that hung up", 8, r)
	switch {
	case err != nil:
		return subject.CouldNotRun(fmt.Errorf("calling the webhook: %w", err))
	case death != nil:
		return subject.Violated("the next valid request is answered as before", death.String()).Surely()
	}
	return subject.Holds("it works after 8 of them")
})

// bodiesATime are how many hostile bodies are sent between two valid requests.
const bodiesATime = 4

var liveAuthBody = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	if !e.ReadsBody() {
		return subject.Missing("%s", noChatInBody)
	}
	valid := e.WithChat(s.NewChatID())
	bodies, err := forge.BodiesLike("LIVE-AUTH-BODY", param.BodyKind(valid), valid.Header.Get("Content-Type"), valid.Body)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	var verdicts []subject.Verdict
	for some := range slices.Chunk(bodies, bodiesATime) {
		var names []string
		for _, b := range some {
			answer := s.Do(ctx, b.Name, withBody(e, b))
			v := judgeBody(b, answer)
			if v.Kind == subject.Broken && subject.SaysError(answer.Exchange) {
				v = v.At(rule.Info) // in the way of its protocol
			}
			verdicts, names = append(verdicts, v), append(names, b.Name)
		}
		ev, err := s.PlainAnswer(ctx)
		if err != nil && s.OnlyInPage() != "" {
			return subject.CouldNotRun(err)
		}
		if err != nil {
			verdicts = append(verdicts, subject.Violated("the next valid request gets a token", "after "+strings.Join(names, ", ")+" it did not: "+err.Error()).With(ev))
			break
		}
	}
	return subject.Worst(rule.Must, verdicts...)
})

var liveAuthBurst = onEndpoint(func(ctx context.Context, s *subject.Session, _ *subject.Endpoint) subject.Verdict {
	return s.Lasting(ctx, func(e *subject.Endpoint) subject.Verdict { return tokensAtOnce(ctx, s, e, burst) })
})

// whereItDied is the URL that was called, where that is known: several webhooks may
// share a process.
func whereItDied(d service.Death) string {
	r := d.Evidence.Exchange.Request
	if called := cmp.Or(r.ConnectTo, r.URL); d.Blamed() && called != "" {
		return redact.URL(called)
	}
	return d.Address
}

// liveProcess speaks of every death, whoever caused it.
func liveProcess(ctx context.Context, s *subject.Session) subject.Verdict {
	s.Settle(ctx)
	s.LookAtAll(ctx)
	deaths := s.Deaths()
	if len(deaths) == 0 && s.Sent() == 0 {
		return subject.Missing("nothing was sent that could have killed one")
	}
	if len(deaths) == 0 {
		return subject.Holds("none died")
	}
	var seen []string
	var culprits [][2]string
	var evidence []subject.Evidence
	for _, d := range deaths {
		culprit := [2]string{whereItDied(d), d.Check}
		if d.Blamed() && slices.Contains(culprits, culprit) {
			continue // the same mistake, by another of the same check's requests
		}
		culprits = append(culprits, culprit)
		if text := "at " + culprit[0] + ": " + d.String(); !slices.Contains(seen, text) {
			seen = append(seen, text)
		}
		if d.Evidence.Title != "" {
			evidence = append(evidence, d.Evidence)
		}
	}
	actual := strings.Join(seen[:min(3, len(seen))], "; ")
	if n := len(seen); n > 3 {
		actual += fmt.Sprintf("; and %d more", n-3)
	}
	v := subject.Violated("no process dies", actual).Surely().With(evidence[:min(3, len(evidence))]...)
	if !slices.ContainsFunc(deaths, service.Death.Blamed) {
		why := "it was restarted, or an error ended it that nothing here could repeat."
		if slices.ContainsFunc(deaths, func(d service.Death) bool { return d.Gone }) {
			why = "an error ended it, or it was stopped. Start it again, and run with --concurrency 1, which sends one request at a time: then it is known which one does it."
		}
		return v.At(rule.Should).Fix("Look into its log: " + why) // nobody is blamed for what can't be shown
	}
	if slices.ContainsFunc(deaths, func(d service.Death) bool { return d.Late && slices.Contains(wellFormed, d.Check) }) {
		return v.Because("webhook-verifies-too-late") // if it has believed such tokens, too
	}
	return v.Because("process-dies")
}

// wellFormed are checks whose tokens have no mistake but that somebody else signed
// them: what ends of one after the answer has only then looked at the signature.
var wellFormed = []string{"HOOK-WRONG-KEY", "HOOK-TAMPERED", "HOOK-EMBEDDED-KEY", "HOOK-REMOTE-KEY"}
