package catalogue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// hookValid judges the webhook's own mistakes about tokens: what it gets wrong of
// the signature is SIG-VALID's.
var hookValid = eachHook(func(_ context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	if m := st.TokenRepair; m != nil && m.Cause == "token-too-large" {
		return subject.Missing("the token is so long that it is refused: %s (see TOK-SIZE)", subject.Describe(st.Unrepaired[0].Exchange)).Because(m.Cause)
	} else if m != nil {
		return subject.Violated(h.Expectation(), fmt.Sprintf("%s; it accepts %s", subject.Describe(st.Unrepaired[0].Exchange), m.Name)).
			Because(m.Cause).Fix(m.Fix).With(m.Seen, st.Unrepaired[0])
	}
	if why, refused := subject.NotForwarded(st.Token.Result); refused && st.Members() {
		return subject.Missing("Kindly would refuse the token, and never forward it (see %s)", why)
	}
	if f := st.Fault; f != nil {
		if f.Lacks != "" {
			return subject.Missing("%s, and %s", f.What, f.Lacks).With(f.Seen)
		}
		if f.Check != "HOOK-VALID" {
			v, _ := h.Unserved(st)
			return v.With(f.Seen)
		}
		v := f.Verdict(h.Expectation(), "a valid token "+subject.Fares(f.Seen))
		v.Evidence = append([]subject.Evidence{st.Stranger[0]}, v.Evidence...)
		return v
	}
	if !st.Members() {
		return subject.Missing("no page, endpoint or private key gave a token that could be sent")
	}
	return subject.Holds("%s", subject.Describe(st.Member[0].Exchange)).With(st.Member[0])
})

var hookAnonymous = eachHook(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	all := st.Stranger
	if st.Members() { // a webhook must not remember whom it talked to
		all = slices.Clone(all)
		for _, c := range []struct {
			title string
			subject.Call
		}{
			{"without a token, after a request with one", subject.Call{}},
			{"without a token, in the chat of a request with one", subject.Call{ChatID: st.Token.ChatID}}, // who has logged out is still in it
		} {
			ev, err := h.Call(ctx, c.title, c.Call)
			if err != nil {
				return subject.CouldNotRun(err)
			}
			all = append(all, ev)
		}
	}
	if st.Kept != nil {
		return subject.Violated("nobody's data", st.Kept.Title+": the answer is the one that its user got").Surely().With(*st.Kept).
			Fix("Take the user from each request's own token; keep nobody by the chat, who may have logged out since.")
	}
	if st.Mistaken != nil { // others may be the last user by now
		all = append([]subject.Evidence{*st.Mistaken}, all...)
	}
	for _, ev := range all {
		if ev.Exchange.Err != nil || ev.Exchange.Status() >= 500 {
			if st.Fault != nil {
				v, _ := h.Unserved(st)
				return v.With(ev)
			}
			return subject.Violated("an answer below 500", subject.Describe(ev.Exchange)).Because(subject.Silence(ev)).With(ev)
		}
		if m, shown := knownMarker(h.Session, st, ev); shown {
			return subject.Violated("nobody's data", fmt.Sprintf("%s: the answer holds the member's %s", ev.Title, m.Claim)).Surely().With(ev)
		}
	}
	return subject.Holds("%s", subject.Describe(all[0].Exchange)).With(all[0])
})

// knownMarker finds a claim of the member in an answer: of the page's user, or else of
// the one whose token the webhook has seen. A sub such as "7" is no marker: it turns
// up by chance.
func knownMarker(s *subject.Session, st subject.Standing, ev subject.Evidence) (oracle.Marker, bool) {
	member := st.Token
	if p, err := s.FirstToken(); err == nil {
		member = p
	}
	for _, m := range subject.MarkersOf(member.Result.Token) {
		if m.Telling() && oracle.ShowsWord(ev.Exchange, m.Value) {
			return m, true
		}
	}
	return oracle.Marker{}, false
}

// hookUserID names a member wherever a request can name somebody, and brings no
// token. What an answer says then that it does not say to a stranger is somebody's.
var hookUserID = onWelcome(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	who := memberOf(h.Session, st)
	if len(who) == 0 {
		return subject.Missing("no member is known who could be named: no page or endpoint gave a token")
	}
	var attempts []subject.Attempt
	var named []naming
	for _, m := range who {
		for _, n := range namings {
			n.who = m
			r, err := h.Request(n.call(m))
			if err != nil {
				return subject.CouldNotRun(err)
			}
			attempts = append(attempts, subject.Attempt{Title: n.title(), Request: r})
			named = append(named, n)
		}
	}
	o, err := h.Oracle()
	tells := err == nil && o.Signal()
	found := false
	var verdicts []subject.Verdict
	for i, ev := range h.Session.DoAll(ctx, attempts) {
		v, repeats := judgeNamed(h, st, named[i], who, ev)
		if v.Kind == subject.Held && !found && (repeats || !tells) {
			twin, known, err := named[i].known(ctx, h, st, ev)
			if err != nil {
				return subject.CouldNotRun(err)
			}
			if found = known; known {
				v = subject.Violated("the answer that a stranger gets", named[i].title()+": the answer is another one than for somebody invented").Surely().With(ev, twin)
			}
		}
		const too = "a stranger who names nobody gets it too (see HOOK-ANONYMOUS)"
		if v.Kind == subject.Broken && st.Mistaken != nil {
			return subject.Missing(too).With(ev, *st.Mistaken)
		}
		for try := 0; v.Kind == subject.Broken && !found && try < 2; try++ { // others may have called between
			twin, err := h.Call(ctx, "without a token, and naming nobody", subject.Call{})
			if err != nil {
				return subject.CouldNotRun(err)
			}
			if judged, _ := judgeNamed(h, st, named[i], who, twin); judged.Kind == subject.Broken {
				return subject.Missing(too).With(ev, twin)
			}
		}
		verdicts = append(verdicts, v)
	}
	v := subject.Worst(service.RunningOf(ctx).Rule.Level, verdicts...)
	if v.Kind == subject.Held && !tells {
		v = v.Weak(alike)
	}
	return v
})

// namings are the places of a request in which somebody can be named.
var namings = []naming{
	{where: "user_id", name: func(p *webhook.Payload, m oracle.Marker) { p.UserID = m.Value }},
	{where: "the context", name: func(p *webhook.Payload, m oracle.Marker) {
		named := maps.Clone(p.Context)
		if named == nil {
			named = map[string]any{}
		}
		for _, name := range []string{m.Claim, "user_id", "userId", "user", "customer_id", "customerId"} {
			named[name] = m.Value
		}
		p.Context = named
	}},
	{where: "the message", name: func(p *webhook.Payload, m oracle.Marker) { p.Message += " I am " + m.Value }},
}

// memberOf are the ways in which the page's user can be named: the token's claims,
// what the page sends of its user beside the chat id, and what the webhook itself
// notes of a member in the chat's context. Each is called by its name there.
func memberOf(s *subject.Session, st subject.Standing) []oracle.Marker {
	known := st.Token
	if p, err := s.FirstToken(); err == nil {
		known = p
	}
	who := subject.MarkersOf(known.Result.Token)
	add := func(name, value string) {
		if value != "" && !slices.ContainsFunc(who, func(m oracle.Marker) bool { return m.Value == value }) {
			who = append(who, oracle.Marker{Claim: name, Value: value})
		}
	}
	p, ok := personOf(known.Raw)
	if !ok {
		return who
	}
	add("sub", written(p.token.Claims.Get("sub")))
	if e, ok := s.Endpoints.Found(); ok {
		for i, l := range e.Sent() {
			if i < maxSent && l.Place != param.InHeader && names(l, p) {
				add(l.Name(), l.Text())
			}
		}
	}
	if st.Members() {
		for _, l := range noted(st.Member[0]) {
			if names(l, p) {
				add(l.Name(), l.Text())
			}
		}
	}
	return who
}

// noted are the values that an answer puts into the chat's context.
func noted(ev subject.Evidence) []param.Leaf {
	answer, _, err := webhook.ParseAnswer(ev.Exchange.Body())
	if err != nil {
		return nil
	}
	var out []param.Leaf
	for _, name := range slices.Sorted(maps.Keys(answer.NewContext)) {
		switch value := answer.NewContext[name].(type) {
		case string:
			out = append(out, param.Leaf{Place: param.InJSON, Steps: []string{name}, Value: value})
		case float64:
			out = append(out, param.Leaf{Place: param.InJSON, Steps: []string{name}, Value: json.Number(strconv.FormatFloat(value, 'f', -1, 64))})
		}
	}
	return out
}

// judgeNamed looks for what a stranger can't know: a claim that the request did
// not name, or the answer that only members get. It says whether the answer is taken for
// a member's but for a claim that it may repeat.
func judgeNamed(h *subject.Webhook, st subject.Standing, n naming, who []oracle.Marker, ev subject.Evidence) (v subject.Verdict, repeats bool) {
	const expected = "the answer that a stranger gets"
	what := n.title()
	if st.Deaf() && ev.Exchange.Err != nil {
		return subject.Missing("%s: %s, as every stranger (see RESP-STATUS)", what, subject.Describe(ev.Exchange)), false
	}
	said := func(m oracle.Marker) bool { // by the request itself, which the answer may repeat
		return m.Claim == n.who.Claim || bytes.Contains(ev.Exchange.Request.Body, []byte(m.Value)) || madeOf(m.Value, n.who.Value)
	}
	for _, m := range who {
		if !said(m) && m.Telling() && oracle.ShowsWord(ev.Exchange, m.Value) && !oracle.ShowsWord(st.Stranger[0].Exchange, m.Value) {
			return subject.Violated(expected, fmt.Sprintf("%s: the answer holds the member's %s", what, m.Claim)).Surely().With(ev), false
		}
	}
	if o, err := h.Oracle(); err == nil && o.Signal() {
		if j := o.Judge(oracle.Probe{Exchange: ev.Exchange}); j.Class == oracle.Believed {
			repeats = slices.ContainsFunc(who, func(m oracle.Marker) bool { return said(m) && j.Shows(m) })
			if !repeats {
				return subject.Violated(expected, what+": "+j.Why).Surely().With(ev), false
			}
		}
	}
	return notServed(what, ev), repeats
}

// notServed is the verdict on a webhook's answer that is none such as members get. An
// error is no refusal: it has begun with what it should leave alone.
func notServed(what string, ev subject.Evidence) subject.Verdict {
	if status := ev.Exchange.Status(); ev.Exchange.Err != nil || status >= 500 && status != http.StatusNotImplemented {
		return subject.Missing("%s: %s, which is no refusal: what it answers where nothing fails is not known", what, subject.Describe(ev.Exchange)).With(ev)
	}
	return subject.Holds("%s: %s", what, subject.Describe(ev.Exchange))
}

var hookDistinguishes = eachHook(func(_ context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	if v, unserved := h.Unserved(st); unserved {
		return v
	}
	o, err := h.Oracle()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if o.Signal() {
		return subject.Holds("they differ")
	}
	v := subject.Violated("different answers with and without a token", "the answers are alike, with a valid token and without one").With(st.Member...).With(st.Stranger[0])
	if !h.Arrives() {
		return v.Because("token-does-not-arrive").Inferring(true)
	}
	return v
})

var hookOtherChat = onServed(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	if !st.Members() {
		return subject.Missing("no page, endpoint or private key gave a token of another chat")
	}
	p, err := h.Witness(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	return mustRefuse(ctx, h, "a token of another chat", subject.Call{Token: p.Raw}) // of a new chat
})

var hookExpired = onServed(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	switch s := h.Session; {
	case s.Target.PrivateKey != nil:
		v := attack(ctx, h, st, service.RunningOf(ctx).Rule)
		if v.Kind == subject.Broken && v.Level == rule.Should && v.Cause == "" { // what has expired for an hour is refused
			v = v.Because("webhook-forgives-expiry")
		}
		return v
	case s.Options.WaitExpiry:
		return outlive(ctx, h)
	}
	return subject.Missing("%s; or --wait-expiry waits until the real token has expired", target.NeedKey.Hint())
})

// mustRefuse sends a call whose token must be refused, and judges the answer.
func mustRefuse(ctx context.Context, h *subject.Webhook, what string, c subject.Call) subject.Verdict {
	r, err := h.Request(c)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	ev, j, err := h.Try(ctx, subject.Attempt{Title: what, Request: r})
	if err != nil {
		return subject.CouldNotRun(err)
	}
	return refusal(what, ev, j).With(ev)
}

// outlive waits until a real token has long expired, and sends it.
func outlive(ctx context.Context, h *subject.Webhook) subject.Verdict {
	p, err := h.Session.Witness(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	t, err := token.Decode(p.Raw)
	if err != nil || t.Expires().IsZero() {
		return subject.Missing("the token has no readable exp (see TOK-EXP)")
	}
	if err := service.Sleep(ctx, t.Expires().Add(service.PastExpiry).Sub(h.Session.Options.Now())); err != nil {
		return subject.CouldNotRun(err)
	}
	return mustRefuse(ctx, h, "a token expired for 90 s", subject.Call{ChatID: p.ChatID, Token: p.Raw})
}

var hookTokenEcho = onWelcome(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	refused, err := provoke(ctx, h, 2, "HOOK-SIGNATURE")
	if err != nil {
		return subject.CouldNotRun(err)
	}
	all := append(slices.Clone(st.Member), refused...)
	answered := 0
	for _, ev := range all {
		if ev.Exchange.Response != nil {
			answered++
		}
		sent := strings.TrimPrefix(wire.HeaderValue(ev.Exchange.Request.Header, "Authorization"), "Bearer ")
		if sent != "" && strings.Contains(string(ev.Exchange.Body()), sent) {
			return subject.Violated("an answer without the token", "the answer contains the token that was sent").Surely().With(ev)
		}
	}
	if answered == 0 {
		return subject.Missing("there was no answer to look at (see RESP-STATUS)")
	}
	return subject.Holds("not in %d answers", answered)
})

// provoke sends a few tokens of each attack of some checks, which are refused: errors
// are where tokens are echoed.
func provoke(ctx context.Context, h *subject.Webhook, few int, checks ...string) ([]subject.Evidence, error) {
	m, err := h.Session.Material(ctx, h)
	if err != nil {
		return nil, err
	}
	var attacks []forge.Attack
	for _, id := range checks {
		attacks = append(attacks, forge.For(id)...)
	}
	var attempts []subject.Attempt
	for _, a := range attacks {
		tokens, err := a.BuildSome(m, 0, few)
		var lacking *forge.MissingError
		if errors.As(err, &lacking) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range tokens {
			r, err := h.Request(subject.Call{ChatID: m.ChatID, Token: token.Raw(f.Token.Reveal())})
			if err != nil {
				return nil, err
			}
			attempts = append(attempts, subject.Attempt{Title: f.Name, Request: r})
		}
	}
	return h.Session.DoAll(ctx, attempts), nil
}

// oftenErrs are the checks whose tokens code stumbles over that verifies, and then takes
// for granted what is in a token.
var oftenErrs = []string{"HOOK-ALG-MALFORMED", "HOOK-SEGMENTS", "HOOK-EXP-MISSING", "HOOK-NO-CHAT", "HOOK-CHAT-TYPE", "HOOK-SUB-TYPE"}

// hookErrorLeak provokes a few errors, and reads them.
var hookErrorLeak = onWelcome(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	all, err := provoke(ctx, h, 2, "HOOK-SIGNATURE")
	if err != nil {
		return subject.CouldNotRun(err)
	}
	foreign, err := provoke(ctx, h, 4, "HOOK-WRONG-KEY") // the last names a key that nobody has; what follows may end the process
	if err != nil {
		return subject.CouldNotRun(err)
	}
	odd, err := provoke(ctx, h, 1, oftenErrs...)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	all = append(append(all, foreign...), odd...)
	var attempts []subject.Attempt
	for _, body := range []string{"{", "null", `{"chat_id":7,"message":{}}`} {
		r, err := h.ControlRequest(ctx, st)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		if r.Body = []byte(body); h.Config.Secret != "" {
			h.Sign(&r)
		}
		attempts = append(attempts, subject.Attempt{Title: "the body " + body, Request: r})
	}
	for _, odd := range oddHeaders {
		if odd.cause != compareThrows || h.Config.Secret == "" {
			continue
		}
		r, err := h.ControlRequest(ctx, st)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		odd.change(r.Header)
		attempts = append(attempts, subject.Attempt{Title: odd.name, Request: r})
	}
	all = append(append(all, h.Session.DoAll(ctx, attempts)...), st.Stranger...)
	answered := 0
	for _, ev := range all {
		if ev.Exchange.Response != nil && phpError.pattern.Match(ev.Exchange.Body()) {
			return subject.Violated("an answer without internals", ev.Title+": the answer shows "+phpError.what).Surely().With(ev)
		}
		if ev.Exchange.Response == nil || ev.Exchange.Status() < http.StatusBadRequest {
			continue
		}
		answered++
		if what := leakIn(ev.Exchange.Body()); what != "" {
			return subject.Violated("an error without internals", ev.Title+": the answer shows "+what).Surely().With(ev)
		}
	}
	if answered == 0 {
		return subject.Holds("it answered nothing with an error")
	}
	return subject.Holds("none seen in %d errors", answered)
})
