package catalogue

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

var respStatus = eachHook(func(_ context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	ev := st.Control()
	if f := st.Fault; f != nil && f.Check != "RESP-STATUS" {
		if f.Check == "HOOK-VALID" && h.AcceptableStatus(st.Stranger[0]) { // to a stranger it is what it should be
			return subject.Holds("%s to a stranger", subject.Describe(st.Stranger[0].Exchange)).With(st.Stranger[0])
		}
		v, _ := h.Unserved(st)
		return v.With(f.Seen)
	}
	if m := st.Transport; m != nil {
		mended := documentedSuccess(h, st)
		if status := st.Unrepaired[0].Exchange.Status(); mended.Kind == subject.Broken && status/100 == 3 { // FWD-REDIRECT tells of that
			return mended
		}
		return subject.Violated("status 200", subject.Describe(st.Unrepaired[0].Exchange)+"; it wants "+m.Name).Because(m.Cause).Fix(m.Fix).With(m.Seen, st.Unrepaired[0])
	}
	if st.Fault == nil && st.Deaf() {
		return subject.Violated("status 200", "without a token: "+subject.Describe(st.Stranger[0].Exchange)).
			Because(subject.Silence(st.Stranger[0])).Fix(subject.Refuted(st.Stranger[0].Exchange.Err)).With(st.Stranger[0], ev)
	}
	if st.Fault == nil {
		return documentedSuccess(h, st)
	}
	expected := "status 200"
	if ev.Exchange.Status() == http.StatusOK {
		expected = "an answer of the webhook's own"
	}
	v := st.Fault.Verdict(expected, subject.Describe(ev.Exchange))
	if status := ev.Exchange.Status(); h.Config.Secret == "" && st.Fault.Who == "" && (status == 401 || status == 403) {
		return v.Fix("If it wants Kindly's signature, give kindlytest the secret: KINDLYTEST_HMAC_SECRET, or hmac_secret in kindlytest.yaml.")
	}
	return v
})

// documentedSuccess says whether the success by which a webhook answers is 200, to
// members and, where it has an answer for them, to strangers.
func documentedSuccess(h *subject.Webhook, st subject.Standing) subject.Verdict {
	for _, row := range []struct {
		whose string
		ev    subject.Evidence
	}{{"", st.Control()}, {"without a token: ", st.Stranger[0]}} {
		if !h.AcceptableStatus(row.ev) || h.AsDocumented(row.ev) {
			continue
		}
		status := row.ev.Exchange.Status()
		return subject.Violated("status 200", row.whose+subject.Describe(row.ev.Exchange)).With(row.ev).
			Fix(fmt.Sprintf("Answer 200, the only success that Kindly documents. If %d is meant, say so in kindlytest.yaml: authenticated: {status: [%d]}.", status, status))
	}
	return subject.Holds("%s", subject.Describe(st.Control().Exchange)).With(st.Control())
}

// onAnswer makes a probe of a function over the answer to a valid request. A
// token that is refused is no matter: strangers are answered too. That the answer
// stands in another one is told once.
func onAnswer(r rule.Rule, judge func(context.Context, *subject.Webhook, subject.Evidence) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return eachHook(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
		if m := st.Envelope; m != nil && r.ID == webhook.RespEmpty.ID {
			return subject.Violated("an answer with a field that Kindly reads", m.Name).Because(m.Cause).With(m.Seen)
		}
		ev := st.Control()
		if st.Fault != nil {
			if ev = st.Stranger[0]; !h.AcceptableStatus(ev) && st.Fault.Check != "RESP-JSON" {
				v, _ := h.Unserved(st)
				return v.With(st.Fault.Seen)
			}
		}
		return judge(ctx, h, ev)
	})
}

// answerChecks are those of the list, with webhook's own rules of an answer's
// body after the first.
func answerChecks() []Check {
	var checks []Check
	for _, r := range webhook.Rules() {
		checks = append(checks, Check{Requirement: r, Needs: target.NeedWebhook, Probe: onAnswer(r, func(ctx context.Context, h *subject.Webhook, ev subject.Evidence) subject.Verdict {
			if ev.Exchange.Status() == http.StatusNoContent && h.AsDocumented(ev) {
				return subject.Missing("status 204 has no body, and kindlytest.yaml says that it is meant (authenticated)")
			}
			v := judgeAnswer(r, ev).With(ev)
			if r.ID == webhook.RespJSON.ID && (v.Kind == subject.Held || v.Level == rule.Should) {
				v = subject.Worst(r.Level, v, judgeQuoting(ctx, h))
			}
			if r.ID == webhook.RespEmpty.ID {
				return v
			}
			if st, err := h.Standing(); err == nil && st.Members() && st.Stranger[0].Exchange.Status()/100 == 2 { // who is not known is answered too
				if stranger := judgeAnswer(r, st.Stranger[0]); stranger.Kind == subject.Broken {
					stranger.Actual = "without a token: " + stranger.Actual
					v = subject.Worst(r.Level, v, stranger.With(st.Stranger[0]))
				}
			}
			return v
		})})
	}
	return after(Answer, "RESP-STATUS", checks...)
}

// judgeQuoting lets the user write what JSON has to escape: an answer that is put
// together by hand breaks where it repeats that.
func judgeQuoting(ctx context.Context, h *subject.Webhook) subject.Verdict {
	st, err := h.Standing()
	if err != nil || st.Fault != nil || !h.AcceptableStatus(st.Control()) {
		return subject.Holds("there is no valid request whose message could be changed")
	}
	c, err := h.ControlCall(ctx, st)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	c.Payload = func(p *webhook.Payload) { p.Message += ` "quoted" \ and` + "\nanother line" }
	const what = "a message with quotes, a backslash and a line end"
	ev, err := h.Call(ctx, what, c)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if _, _, err := webhook.ParseAnswer(ev.Exchange.Body()); err != nil && h.AcceptableStatus(ev) {
		return subject.Violated("a JSON object", what+": "+subject.Bound(err.Error(), 120)).With(ev).
			Fix("Let a JSON library write the answer: what the user has written is put into it as it is.")
	}
	return subject.Holds("%s: %s", what, subject.Describe(ev.Exchange))
}

func judgeAnswer(r rule.Rule, ev subject.Evidence) subject.Verdict {
	if r.ID == webhook.RespJSON.ID && ev.Exchange.Response.Truncated {
		return subject.Violated("a JSON object", fmt.Sprintf("an answer longer than %d bytes: the rest was not read", len(ev.Exchange.Body())))
	}
	_, problems, err := webhook.ParseAnswer(ev.Exchange.Body())
	if r.ID == webhook.RespJSON.ID && err == nil {
		v := judgeMediaType(ev)
		if coding := ev.Exchange.Response.Coding; coding != "" && v.Kind == subject.Held {
			return subject.Violated("a JSON object as it is", fmt.Sprintf("one in Content-Encoding %q, though the request has no Accept-Encoding", coding)).
				Fix("Compress only where Accept-Encoding asks for it: nobody says that Kindly reads it otherwise.").At(rule.Info)
		}
		return v
	}
	for _, p := range problems {
		if p.Rule.ID == r.ID {
			v := subject.Violated(p.Expected, at(p.Path)+p.Actual).At(p.Level).Fix(p.Fix)
			if r.ID == webhook.RespJSON.ID && subject.IsPage(ev.Exchange) {
				v.Actual += ": " + subject.WhatAnswered(ev.Exchange)
				return v.Because("webhook-answers-a-page").Fix(fixPage(ev.Exchange.Body()))
			}
			if r.ID == webhook.RespJSON.ID || r.ID == webhook.RespEmpty.ID || enveloped(ev.Exchange.Body()) != "" {
				if named, ok := answerMistake(v, ev.Exchange.Body()); ok {
					return named
				}
			}
			if r.ID == webhook.RespEmpty.ID && p.Level != rule.Info && !slices.ContainsFunc(problems, func(p webhook.Problem) bool { return p.Rule.ID == webhook.RespFieldNames.ID }) {
				return v.Because("answer-says-nothing").Fix("Write what the user is to read into the answer of this very request, as reply: Kindly takes no later call. If nothing is to be said, answer {}.")
			}
			return v
		}
	}
	if err != nil {
		return subject.Missing("the answer is no JSON object (see RESP-JSON)")
	}
	return subject.Holds("")
}

// defaultPage is what servers show where they know no site by the name that is asked for.
var defaultPage = regexp.MustCompile(`<h1>It works!|Welcome to nginx|Welcome to OpenResty|Apache2? \w* ?Default Page|Default Web Site Page|IIS Windows|Test Page for the|Welcome to Caddy|Your Caddy`)

// robotCheck is what hosts and firewalls show that let in browsers only, which run its
// script and come again.
var robotCheck = regexp.MustCompile(`(?i)requires javascript to work|/aes\.js|sgcaptcha|just a moment\.\.\.|challenge-platform|_incapsula_resource|enable javascript and cookies|ddos-guard|checking your browser`)

// fixPage says what to do where a page for people answers.
func fixPage(body []byte) string {
	if defaultPage.Match(body) {
		return "It is the page of a server that knows no site by this name: let it serve the host of the webhook's URL (server_name in nginx, ServerName in Apache) and pass its path on to the app. Or the URL leads to another server."
	}
	if robotCheck.Match(body) {
		return "It is a check for robots, which only a browser gets past: it runs a script and comes again, and Kindly does neither. Except the webhook's path from it (a rule of the firewall or CDN); free hosts that can't do that (InfinityFree and its like) serve no webhooks."
	}
	return "See what answers there: a login, a gateway or the framework. Let Kindly's requests through to the webhook, without a login."
}

func at(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func judgeMediaType(ev subject.Evidence) subject.Verdict {
	if h := ev.Exchange.Response.Header; !webhook.SaysJSON(h) {
		return subject.Doubtful("Content-Type: application/json", fmt.Sprintf("a JSON object as %q", h.Get("Content-Type")))
	}
	return subject.Holds("a JSON object")
}

// slowAnswer is how long a user should have to wait for a reply.
const slowAnswer = 5 * time.Second

var respTime = eachHook(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	ev := st.Control()
	if ev.Exchange.Err != nil {
		v, _ := h.Unserved(st)
		return v.With(ev)
	}
	limit := slowAnswer
	if waits := h.Session.Options.Observed.Patience(); waits > 0 && waits < limit {
		limit = waits // then it hangs up
	}
	within := "an answer within " + limit.String()
	if st.Waking > limit {
		return subject.Violated(within, fmt.Sprintf("no answer in %s at first, and quick later (%d ms)", st.Waking.Round(time.Second), ev.Exchange.Duration.Milliseconds())).
			Because("webhook-cold-start").Fix("Keep one instance warm, or answer at once and do the work later. --timeout gives it longer here.").With(ev)
	}
	if took := ev.Exchange.Duration; took > limit {
		again, err := anotherMessage(ctx, h, st)
		if err == nil && h.AcceptableStatus(again) && again.Exchange.Duration <= limit { // others were asked at the same time, or it had to wake up
			return subject.Violated(within, fmt.Sprintf("it took %s, and %d ms when it was asked again", took.Round(time.Millisecond), again.Exchange.Duration.Milliseconds())).At(rule.Info).With(ev, again)
		}
		verdict := subject.Violated(within, fmt.Sprintf("it took %s", took.Round(time.Millisecond)))
		if waits := h.Session.Options.Observed.Patience(); waits > 0 && took > waits {
			verdict = verdict.Fix("Answer at once, and do the work later: Kindly was seen to hang up after " + waits.String() + ".")
		}
		return verdict.With(ev)
	}
	return subject.Holds("%d ms", ev.Exchange.Duration.Milliseconds())
})

// anotherMessage is the answer to a valid request that says something else, which nobody can
// have kept.
func anotherMessage(ctx context.Context, h *subject.Webhook, st subject.Standing) (subject.Evidence, error) {
	c, err := h.ControlCall(ctx, st)
	if err != nil {
		return subject.Evidence{}, err
	}
	change := c.Payload
	c.Payload = func(p *webhook.Payload) {
		if change != nil {
			change(p)
		}
		p.Message += " " + h.Session.NewChatID()
	}
	return h.Call(ctx, "another message", c)
}

// A variant is a valid request with something unusual in it.
type variant struct {
	name    string
	payload func(*webhook.Payload)
}

// tolerates sends variants of the valid request, none of which may end in a 5xx.
func tolerates(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call, variants []variant) subject.Verdict {
	if status := st.Control().Exchange.Status(); status >= 500 || status == 0 {
		v, _ := h.Unserved(st)
		return v
	}
	attempts := make([]subject.Attempt, len(variants))
	for i, v := range variants {
		c, err := h.Another(ctx, st, c)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		c.Payload = v.payload
		r, err := h.Request(c)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		attempts[i] = subject.Attempt{Title: v.name, Request: r}
	}
	answers := h.Session.DoAll(ctx, attempts)
	refused := func(ev subject.Evidence) bool {
		st := ev.Exchange.Status()
		return st == http.StatusUnauthorized || st == http.StatusForbidden
	}
	if st.Fault == nil && slices.ContainsFunc(answers, refused) { // by how it checks the signature, mostly
		var which []int
		var odd []subject.Evidence
		for i, ev := range answers {
			if refused(ev) {
				which, odd = append(which, i), append(odd, ev)
			}
		}
		if _, mended, ok := h.WhatAccepts(ctx, odd); ok {
			for k, i := range which {
				answers[i] = mended[k]
			}
		}
	}
	for i, ev := range answers {
		if ev.Exchange.Err != nil || ev.Exchange.Status() >= 500 {
			return subject.Violated("no 5xx", fmt.Sprintf("%s: %s", variants[i].name, subject.Describe(ev.Exchange))).With(ev)
		}
	}
	if i := slices.IndexFunc(answers, refused); i >= 0 && st.Fault == nil {
		return subject.Missing("%s: %s, though it is signed and carries the token (see SIG-RAW-BODY)", variants[i].name, subject.Describe(answers[i].Exchange)).With(answers[i])
	}
	return subject.Holds("%d requests", len(variants))
}

var respAdditive = onCall(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	c.Payload = func(p *webhook.Payload) {
		p.Extra = map[string]any{"kindlytest_new_field": map[string]any{"a": 1}, "another_new_field": []int{1, 2}}
	}
	ev, err := h.Call(ctx, "unknown fields", c)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	return sameKind(h, st, ev, st.Control(), c.Token != "").With(ev)
})

// sameKind says whether an answer is of the kind that the valid request got.
func sameKind(h *subject.Webhook, st subject.Standing, ev, control subject.Evidence, withToken bool) subject.Verdict {
	if got, want := ev.Exchange.Status(), control.Exchange.Status(); got != want {
		return subject.Violated("status "+strconv.Itoa(want)+", as for the control", subject.Describe(ev.Exchange))
	}
	if withToken {
		if o, err := h.Oracle(); err == nil && o.Signal() {
			j := o.Judge(oracle.Probe{Exchange: ev.Exchange})
			if j.Class == oracle.Stranger && j.Weak { // that it is another text than two or three others may be chance
				if err := h.ObserveEnough(o, st); err != nil {
					return subject.CouldNotRun(err)
				}
				j = o.Judge(oracle.Probe{Exchange: ev.Exchange})
			}
			if j.Class == oracle.Stranger && (!j.Weak || j.Odd) {
				return subject.Violated("the answer that the token's user gets", j.Why)
			}
		}
	}
	return subject.Holds("%s, as for the control", subject.Describe(ev.Exchange))
}

var respSparse = onCall(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	return tolerates(ctx, h, st, c, []variant{{"only the required fields", func(p *webhook.Payload) { *p = p.Sparse() }}})
})

var respUnicode = onCall(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	var variants []variant
	for _, m := range []struct{ name, text string }{
		{"emoji", "👩‍👩‍👧‍👦 🇳🇴 where is my order?"}, {"combining marks", "e\u0301\u0323 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A"},
		{"right-to-left text", "\u202eאיפה ההזמנה שלי؟"}, {"a NUL", "a\u0000b"}, {"an empty message", ""},
		{"10,000 characters", strings.Repeat("æ", 10_000)},
	} {
		variants = append(variants, variant{m.name, func(p *webhook.Payload) { p.Message = m.text }})
	}
	return tolerates(ctx, h, st, c, variants)
})

var respSources = onCall(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	var variants []variant
	for _, source := range webhook.Sources() {
		variants = append(variants, variant{"source " + string(source), func(p *webhook.Payload) { p.Source = source }})
	}
	return tolerates(ctx, h, st, c, variants)
})

var respMethod = onPlain(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	r, err := h.ControlRequest(ctx, st)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	r.Method, r.Body = http.MethodGet, nil
	if h.Config.Secret != "" {
		h.Sign(&r)
	}
	ev := h.Session.Do(ctx, "GET", r)
	if ev.Exchange.Err != nil {
		return subject.Violated("405, or a page", "GET: "+subject.Describe(ev.Exchange)).With(ev)
	}
	answer, _, err := webhook.ParseAnswer(ev.Exchange.Body())
	if ev.Exchange.Status() < 300 && err == nil && (answer.Reply != "" || answer.ExchangeSlug != "" || len(answer.Buttons) > 0) {
		return subject.Violated("405, or a page", "GET gets the webhook's answer").Surely().With(ev)
	}
	return notServed("GET", ev)
})

var respRepeat = onPlain(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	r, err := h.ControlRequest(ctx, st)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	first := h.Session.Do(ctx, "the first time", r)
	second := h.Session.Do(ctx, "the very same request again", r)
	return sameKind(h, st, second, first, st.Members()).With(first, second)
})
