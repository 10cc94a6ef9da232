package catalogue

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// attacks sends the forged tokens that forge holds for a check: every one must be
// refused, by every webhook.
var attacks = onServed(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	return attack(ctx, h, st, service.RunningOf(ctx).Rule)
})

const alike = "answers with and without a token are alike (see HOOK-DISTINGUISHES), so this pass proves less"

func attack(ctx context.Context, h *subject.Webhook, st subject.Standing, r rule.Rule) subject.Verdict {
	var verdicts []subject.Verdict
	for _, a := range forge.For(r.ID) {
		v, err := carryOut(ctx, h, a)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		verdicts = append(verdicts, v...)
	}
	v := subject.Worst(r.Level, verdicts...)
	if v.Kind != subject.Held {
		return v
	}
	if r.ID == "HOOK-REMOTE-KEY" && !wire.IsLoopback(h.Called()) {
		v = v.Weak("the listener is on this machine, where this webhook could not fetch from")
	}
	if !st.Members() {
		v = v.Weak("there is no valid token to compare with: no page, no endpoint and no private key was given, or none gave one")
	}
	if o, err := h.Oracle(); err == nil && !o.Signal() {
		v = v.Weak(alike)
	}
	tried := 0
	for _, one := range verdicts {
		if one.Kind == subject.Lacking {
			v = v.Weak("not all was tried: " + one.Reason)
			continue
		}
		tried++
	}
	v.Actual = fmt.Sprintf("%d forged tokens refused", tried)
	if r.Level == rule.Info {
		v.Actual = fmt.Sprintf("%d tokens tried", tried)
	}
	return v
}

// carryOut sends each token of one attack in an otherwise valid request.
func carryOut(ctx context.Context, h *subject.Webhook, a forge.Attack) ([]subject.Verdict, error) {
	m, err := h.Session.Material(ctx, h)
	if err != nil {
		return nil, err
	}
	tokens, err := a.Build(m)
	var lacking *forge.MissingError
	if errors.As(err, &lacking) {
		return []subject.Verdict{subject.Missing("%s: %s is needed for it", a.Name, strings.Join(lacking.What, ", "))}, nil
	}
	if err != nil {
		return nil, err
	}
	verdicts := make([]subject.Verdict, len(tokens))
	err = h.Session.Each(len(tokens), func(i int) (err error) {
		chatID := m.ChatID
		if h.RemembersChats() && i > 0 {
			if chatID, tokens[i], err = inItsOwnChat(ctx, h, a, i); err != nil {
				return err
			}
		}
		verdicts[i], err = tryForged(ctx, h, chatID, tokens[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	baseline := false
	for i, f := range tokens {
		v := verdicts[i]
		if f.Listener != "" && a.Check == "HOOK-REMOTE-KEY" && h.Session.Fetched(f.Listener) > 0 {
			v = subject.Violated("no fetch", f.Name+": it fetched the URL in the token's header").Surely().With(v.Evidence...)
		}
		baseline = baseline || f.Want == forge.Baseline && v.Kind == subject.Broken
		verdicts[i] = v
	}
	if baseline {
		return []subject.Verdict{subject.Holds("not judged: what it looks for shows in answers anyway")}, nil
	}
	return verdicts, nil
}

// inItsOwnChat is the i-th token of an attack, made again of a valid one of another
// chat.
func inItsOwnChat(ctx context.Context, h *subject.Webhook, a forge.Attack, i int) (string, forge.Forged, error) {
	m, err := h.Session.Material(ctx, h)
	if err != nil {
		return "", forge.Forged{}, err
	}
	tokens, err := a.BuildSome(m, i, 1)
	if err == nil && len(tokens) == 0 {
		err = fmt.Errorf("an attack of %s makes at most %d tokens, and had more", a.Check, i)
	}
	if err != nil {
		return "", forge.Forged{}, err
	}
	return m.ChatID, tokens[0], nil
}

// tryForged sends one forged token and says what became of it.
func tryForged(ctx context.Context, h *subject.Webhook, chatID string, f forge.Forged) (subject.Verdict, error) {
	c := subject.Call{ChatID: chatID}
	if f.OmitChatID {
		c.Body = func(b []byte) ([]byte, error) { return forge.Without(b, "chat_id") }
	}
	anew := func() (wire.Request, error) {
		r, err := h.Request(c)
		if err != nil {
			return r, err
		}
		return f.Apply(r)
	}
	r, err := anew()
	if err != nil {
		return subject.Verdict{}, err
	}
	attempt := subject.Attempt{Title: f.Name, Request: r, Canaries: f.Canaries, Grade: f.Grade}
	if f.Want == forge.Refused { // that others are believed accuses nobody
		attempt.Again = anew
	}
	ev, j, err := h.Try(ctx, attempt)
	if err != nil {
		return subject.Verdict{}, err
	}
	v := judgeForged(f, ev, j).With(ev)
	switch f.Grade {
	case forge.Warning:
		v = softened(v, rule.Should)
	case forge.Note:
		v = softened(v, rule.Info)
	}
	return v, nil
}

// softened lowers a violation to a level that is less bad.
func softened(v subject.Verdict, level rule.Level) subject.Verdict {
	if v.Kind == subject.Broken {
		v.Level = level
	}
	return v
}

// judgeForged compares what the token wants with what the oracle saw.
func judgeForged(f forge.Forged, ev subject.Evidence, j oracle.Judgement) subject.Verdict {
	switch f.Want {
	case forge.Accepted:
		if j.Class == oracle.Believed {
			return subject.Holds("%s: accepted", f.Name)
		}
		return subject.Violated("accepted, like the page's own token", fmt.Sprintf("%s: %s", f.Name, j.Why))
	case forge.Anything:
		if j.Class == oracle.Believed {
			return subject.Violated("refused, though nothing says that it must be", f.Name+": believed").At(rule.Info)
		}
		return subject.Holds("%s: %s", f.Name, subject.Describe(ev.Exchange))
	case forge.Genuine:
		if j.Class == oracle.Believed {
			return subject.Violated("a refusal (401)", f.Name+": what follows the token's own three segments is not looked at. The signature is the shop's own, so nobody gets in by that").At(rule.Info)
		}
	case forge.Silent, forge.Escaped, forge.Baseline:
		return judgeCanaries(f, ev, j)
	}
	return refusal(f.Name, ev, j)
}

// refusal is the verdict on something that had to be refused.
func refusal(what string, ev subject.Evidence, j oracle.Judgement) subject.Verdict {
	const expected = "a refusal (401), or the answer that a stranger gets"
	actual := fmt.Sprintf("%s: %s", what, j.Why)
	var v subject.Verdict
	switch j.Class {
	case oracle.Refusal, oracle.Stranger:
		v = subject.Holds("%s: %s", what, subject.Describe(ev.Exchange))
		if j.Weak {
			v = v.Weak(alike)
		}
	case oracle.InCompany:
		v = subject.Missing("%s", actual)
	case oracle.Believed:
		v = subject.Violated(expected, actual).Surely()
	case oracle.Error:
		v = subject.Violated(expected, actual).Errs().Fix("Catch what is thrown there, and answer 401.")
	default:
		v = subject.Doubtful(expected, actual)
		if j.Neither {
			v = v.Unclear()
		}
	}
	return v
}

// judgeCanaries looks for a token's markers in the answer: whether the token
// itself is accepted does not matter.
func judgeCanaries(f forge.Forged, ev subject.Evidence, j oracle.Judgement) subject.Verdict {
	if j.Class == oracle.Error {
		return subject.Violated("an answer", fmt.Sprintf("%s: %s", f.Name, j.Why))
	}
	for _, c := range f.Canaries {
		if f.Want != forge.Escaped && oracle.Shows(ev.Exchange, c) {
			return subject.Violated("the claim is not used", f.Name+": its value is in the answer").Surely()
		}
		if f.Want == forge.Escaped && oracle.Verbatim(ev.Exchange, c) {
			return subject.Violated("markup comes back escaped", f.Name+": it came back as it was").Surely()
		}
	}
	return subject.Holds("%s: not in the answer", f.Name)
}
