package catalogue

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// signed makes a probe of every webhook that has a secret. It gets the valid
// request as a call, to spoil it.
func signed(judge func(context.Context, *subject.Webhook, subject.Standing, subject.Call) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return onCall(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
		if h.Config.Secret == "" {
			return subject.Missing("no secret of %s was given", h.Name())
		}
		return judge(ctx, h, st, c)
	})
}

// sigValid judges the signature alone: a token that is refused is HOOK-VALID's.
var sigValid = eachHook(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	const expected = "accepted: it is signed as Kindly signs"
	switch {
	case h.Config.Secret == "":
		return subject.Missing("no secret of %s was given", h.Name())
	case st.Signature != nil:
		v := subject.Violated(expected, "it accepts "+st.Signature.Name+", and not what Kindly sends").Because(st.Signature.Cause).Fix(st.Signature.Fix).With(st.Signature.Seen).With(st.Unrepaired[:min(1, len(st.Unrepaired))]...)
		return howMany(ctx, h, v)
	case st.Fault != nil && st.Fault.Check == "SIG-VALID":
		return st.Fault.Verdict(expected, "the correctly signed request gets "+subject.Describe(st.Fault.Seen.Exchange))
	case h.AcceptableStatus(st.Stranger[0]):
		return howMany(ctx, h, subject.Holds("%s", subject.Describe(st.Stranger[0].Exchange)).With(st.Stranger[0]))
	case st.Fault != nil:
		v, _ := h.Unserved(st)
		return v.With(st.Fault.Seen)
	}
	return howMany(ctx, h, subject.Holds("%s", subject.Describe(st.Control().Exchange)).With(st.Control()))
})

// howMany looks at the different bodies that were signed as Kindly signs: a
// webhook that writes the digest in base64url accepts some of them.
func howMany(ctx context.Context, h *subject.Webhook, v subject.Verdict) subject.Verdict {
	all, err := h.SignedBodies(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	var refused []subject.Evidence
	for _, ev := range all {
		if !h.AcceptableStatus(ev) {
			refused = append(refused, ev)
		}
	}
	if len(refused) == 0 || len(refused) == len(all) {
		return v
	}
	which := ""
	for _, letters := range []string{"+", "/", "+/"} {
		if !slices.ContainsFunc(all, func(ev subject.Evidence) bool {
			value, _ := webhook.Signature(ev.Exchange.Request.Header)
			return strings.ContainsAny(value, letters) == h.AcceptableStatus(ev)
		}) {
			which = ", those whose signature has " + strings.Join(strings.Split(letters, ""), " or ")
			break
		}
	}
	some := subject.Violated("accepted: each is signed as Kindly signs", fmt.Sprintf("%d of %d bodies refused%s", len(refused), len(all), which)).With(refused[0])
	some.Cause, some.Advice = v.Cause, v.Advice
	if v.Kind == subject.Broken {
		some.Actual += "; " + v.Actual
	}
	return some.Surely()
}

// An alteration spoils the signature of a valid request.
type alteration struct {
	what  string
	spoil func(*wire.Request)
}

// altered sends the valid request with its signature spoiled in each way, and judges.
func altered(ctx context.Context, h *subject.Webhook, st subject.Standing, level rule.Level, c subject.Call, ways ...alteration) subject.Verdict {
	attempts := make([]subject.Attempt, len(ways))
	for i, way := range ways {
		anew := func() (wire.Request, error) {
			r, err := h.Request(c)
			if err == nil {
				way.spoil(&r)
			}
			return r, err
		}
		r, err := anew()
		if err != nil {
			return subject.CouldNotRun(err)
		}
		attempts[i] = subject.Attempt{Title: way.what, Request: r, Again: anew}
	}
	var verdicts []subject.Verdict
	for i, ev := range h.Session.DoAll(ctx, attempts) {
		v := judgeUnsigned(ctx, h, attempts[i], ev, c.Token != "").With(ev)
		if v.Sure {
			if beside, ok := h.InCompany(ctx, attempts[i]); ok {
				v = beside.With(ev)
			}
		}
		verdicts = append(verdicts, v)
	}
	return h.StillWelcome(ctx, st, subject.Worst(level, verdicts...))
}

// judgeUnsigned is the verdict on a request whose signature is not right.
func judgeUnsigned(ctx context.Context, h *subject.Webhook, a subject.Attempt, ev subject.Evidence, withToken bool) subject.Verdict {
	const expected = "a 4xx (401), before anything else is looked at"
	actual := fmt.Sprintf("%s: %s", a.Title, subject.Describe(ev.Exchange))
	switch status := ev.Exchange.Status(); {
	case ev.Exchange.Err != nil:
		return subject.Violated(expected, actual).Errs()
	case status >= 500:
		return subject.Violated(expected, actual).Errs().Because("hmac-compare-throws")
	case status >= 400:
		return subject.Holds("%s", actual)
	}
	byNames := false // they alone tell whether it was accepted
	if withToken {
		if o, err := h.Oracle(); err == nil && o.Signal() {
			j := o.Judge(oracle.Probe{Exchange: ev.Exchange})
			polite := subject.Doubtful(expected, actual+", with the answer that a stranger gets").Because("webhook-refuses-politely")
			if j.Class.Passes() && j.Weak { // some valid answers may be like it, too
				st, err := h.Standing()
				if err == nil {
					err = h.ObserveEnough(o, st)
				}
				if err != nil { // it is like no valid answer so far
					return polite
				}
				j = o.Judge(oracle.Probe{Exchange: ev.Exchange})
			}
			if j.PassesSurely() {
				return polite
			}
			byNames = j.Class.Passes() && o.Named()
		}
	}
	if !byNames && h.RefusesPolitely(ev, withToken) || withToken && neverNamed(ctx, h, a, ev) {
		return subject.Doubtful(expected, actual+", with another answer than a good signature gets").Because("webhook-refuses-politely")
	}
	v := subject.Violated(expected, actual+": it was accepted")
	if h.AcceptableStatus(ev) {
		return v.Surely()
	}
	return subject.Violated(expected, actual)
}

// neverNamed says whether the answers to an attempt show nothing of the user, as valid ones
// do: not the first one, ev, and none of so many more that it is no chance.
func neverNamed(ctx context.Context, h *subject.Webhook, a subject.Attempt, ev subject.Evidence) bool {
	o, err := h.Oracle()
	if err != nil || !o.Named() {
		return false
	}
	chance := o.Nameless()
	for range oracle.Enough {
		if o.Judge(oracle.Probe{Exchange: ev.Exchange}).Class == oracle.Believed {
			return false
		}
		if chance < 0.01 {
			break
		}
		r := a.Request
		if a.Again != nil {
			if r, err = a.Again(); err != nil {
				break
			}
		}
		again := h.Session.Do(ctx, a.Title+", again", r)
		if again.Exchange.Err != nil || again.Exchange.Status() >= http.StatusInternalServerError || h.Session.TooMany(again) {
			continue // it tells of the moment
		}
		ev = again
		chance *= o.Nameless()
	}
	return chance < 0.01 && o.Judge(oracle.Probe{Exchange: ev.Exchange}).Class != oracle.Believed
}

var sigMissing = signed(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	c.Unsigned = true
	v := altered(ctx, h, st, rule.Must, c, alteration{"no signature", func(*wire.Request) {}})
	if v.Kind == subject.Broken && v.Sure && onlyByAlgorithm(ctx, h, st, c) {
		return v.Because("webhook-checks-hmac-by-algorithm")
	}
	return v
})

// onlyByAlgorithm says whether a wrong signature is accepted where nothing says its
// algorithm, and refused where it is said.
func onlyByAlgorithm(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) bool {
	c.Unsigned = false
	wrong := func(r *wire.Request) { r.Header[webhook.HeaderHMAC] = []string{"a2luZGx5dGVzdA=="} }
	said := altered(ctx, h, st, rule.Must, c, alteration{"a wrong signature", wrong})
	unsaid := altered(ctx, h, st, rule.Must, c, alteration{"a wrong signature, and no algorithm", func(r *wire.Request) {
		wrong(r)
		delete(r.Header, webhook.HeaderHMACAlgorithm)
	}})
	return said.Kind == subject.Held && unsaid.Kind == subject.Broken && unsaid.Sure
}

var sigWrong = signed(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	var ways []alteration
	for _, row := range []struct{ what, secret string }{
		{"signed with another secret", anotherSecret(h.Config.Secret)}, {"signed with another secret", h.Config.Secret + "x"}, {"signed with another secret", "kindlytest"}, {"signed with an empty secret", ""},
	} {
		if sameSignature(h, row.secret) {
			continue // where a secret is decoded, others give the same bytes
		}
		ways = append(ways, alteration{row.what, func(r *wire.Request) {
			h.SignWith(r, row.secret)
			if row.secret == "" {
				r.Header[webhook.HeaderHMAC] = []string{webhook.Sign("", r.Body)}
				r.Header[webhook.HeaderHMACAlgorithm] = []string{webhook.Algorithm}
			}
		}})
	}
	return altered(ctx, h, st, rule.Must, c, ways...)
})

// anotherSecret is of the same form: where secrets are decoded, it can be too.
func anotherSecret(secret string) string {
	if strings.HasPrefix(secret, "0") {
		return "1" + secret[1:]
	}
	return "0" + secret[min(1, len(secret)):]
}

// sameSignature says whether a secret gives the signature of the right one.
func sameSignature(h *subject.Webhook, secret string) bool {
	right := wire.Request{Header: http.Header{}, Body: []byte(`{}`)}
	wrong := right.Clone()
	h.Sign(&right)
	h.SignWith(&wrong, secret)
	want, _ := webhook.Signature(right.Header)
	got, _ := webhook.Signature(wrong.Header)
	return secret != "" && got == want
}

var sigEncoding = signed(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	r, err := h.Request(c)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	right, _ := webhook.Signature(r.Header)
	spellings, err := forge.Signatures(webhook.Sign(h.Config.Secret, r.Body))
	if err != nil {
		return subject.CouldNotRun(err)
	}
	// The one that this webhook is known to expect is SIG-VALID's.
	spellings = slices.DeleteFunc(spellings, func(sp forge.Spelling) bool { return string(sp.Bytes) == right })
	attempts := make([]subject.Attempt, len(spellings))
	for i, sp := range spellings {
		spoiled := r.Clone()
		spoiled.Header[webhook.HeaderHMAC] = []string{string(sp.Bytes)}
		attempts[i] = subject.Attempt{Title: sp.Name, Request: spoiled}
	}
	var verdicts []subject.Verdict
	others := false // than an empty one are taken
	for i, ev := range h.Session.DoAll(ctx, attempts) {
		sp := spellings[i]
		v := judgeUnsigned(ctx, h, attempts[i], ev, c.Token != "").With(ev)
		if v.Kind == subject.Broken && sp.Lenient && ev.Exchange.Status() < 300 {
			v.Actual += ": it takes more than one spelling of a signature. Nobody can make this without the secret, but one value should have one spelling"
			v = v.At(rule.Should).Fix("Compare the text of Kindly-HMAC with the expected text, rather than what they decode to.")
		}
		if sp.Odd && ev.Exchange.Status() >= 500 { // which refuses it all the same
			v = softened(v, rule.Should).Fix("Compare bytes: what compares texts in constant time throws on letters beyond ASCII.")
		}
		others = others || v.Kind == subject.Broken && len(sp.Bytes) > 0 && ev.Exchange.Status() < 300
		verdicts = append(verdicts, v)
	}
	worst := subject.Worst(rule.Must, verdicts...)
	if worst.Sure && !others {
		return worst.Because("webhook-checks-hmac-if-there") // to it, an empty one is none
	}
	return h.StillWelcome(ctx, st, worst)
})

var sigAlgorithm = signed(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	var ways []alteration
	for _, row := range []struct {
		what   string
		values []string
	}{
		{"no algorithm", nil}, {"an empty algorithm", []string{""}}, {"HMAC-SHA-1", []string{"HMAC-SHA-1 (base64 encoded)"}}, {"none", []string{"none"}},
		{"HMAC-SHA-256 in hex", []string{"HMAC-SHA-256 (hex encoded)"}},
	} {
		ways = append(ways, alteration{row.what, func(r *wire.Request) {
			if delete(r.Header, webhook.HeaderHMACAlgorithm); row.values != nil {
				r.Header[webhook.HeaderHMACAlgorithm] = row.values
			}
		}})
	}
	return altered(ctx, h, st, rule.Must, c, ways...)
})

var sigTwice = signed(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	var ways []alteration
	for _, what := range []string{"the wrong signature first", "the wrong signature last"} {
		ways = append(ways, alteration{what, func(r *wire.Request) {
			right, _ := webhook.Signature(r.Header)
			wrong := webhook.Sign("kindlytest", r.Body)
			r.Header[webhook.HeaderHMAC] = []string{right, wrong}
			if what == "the wrong signature first" {
				r.Header[webhook.HeaderHMAC] = []string{wrong, right}
			}
		}})
	}
	return altered(ctx, h, st, rule.Should, c, ways...)
})

// sigEcho sends wrong signatures, and looks for the right one in the answers.
var sigEcho = signed(func(ctx context.Context, h *subject.Webhook, _ subject.Standing, c subject.Call) subject.Verdict {
	var attempts []subject.Attempt
	for _, wrong := range []string{"a2luZGx5dGVzdA==", webhook.Sign("kindlytest", []byte("another body")), ""} {
		r, err := h.Request(c)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		r.Header[webhook.HeaderHMAC] = []string{wrong}
		attempts = append(attempts, subject.Attempt{Title: "a wrong signature", Request: r})
	}
	answered := 0
	for i, ev := range h.Session.DoAll(ctx, attempts) {
		if ev.Exchange.Response == nil || service.Gateway(ev.Exchange.Status()) {
			continue
		}
		answered++
		r := attempts[i].Request
		right := webhook.Sign(h.Config.Secret, r.Body)
		h.Sign(&r)
		expects, _ := webhook.Signature(r.Header)
		seen := string(ev.Exchange.Body()) + fmt.Sprint(ev.Exchange.Response.Header)
		for _, form := range append(forge.DigestForms(right), expects) {
			if strings.Contains(seen, form) {
				return subject.Violated("an answer without the right signature", "the answer to a wrong signature holds the right one").Surely().With(ev)
			}
		}
	}
	if answered == 0 {
		return subject.Missing("there was no answer to look at (see SIG-WRONG)")
	}
	return subject.Holds("not in %d answers", answered)
})

var sigUnchecked = eachHook(func(_ context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	if h.Config.Secret != "" {
		return subject.Missing("a secret is configured (see SIG-MISSING)")
	}
	ev := st.Control()
	switch {
	case h.AcceptableStatus(ev):
		return subject.Violated("a 4xx for an unsigned request", subject.Describe(ev.Exchange)+": anyone who knows the URL can call it").With(ev)
	case st.Fault != nil && st.Fault.Check != "HOOK-VALID":
		v, _ := h.Unserved(st)
		return v.With(ev)
	}
	return subject.Holds("an unsigned request gets %s", subject.Describe(ev.Exchange)).With(ev)
})
