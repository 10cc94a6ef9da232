package suites

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites/forge"
	"github.com/kindlytest/kindlytest/suites/oracle"
)

// attack is the check of a HOOK row that forge holds attacks for: every forged
// token must be refused, by every webhook.
func attack(r rule.Rule, needs Need) Check {
	return Check{Requirement: r, Needs: needs, Hostile: true,
		Probe: eachHook(r.Level, func(ctx context.Context, s *Session, h *hook) Verdict { return s.attack(ctx, h, r, needs) }),
	}
}

func (s *Session) attack(ctx context.Context, h *hook, r rule.Rule, needs Need) Verdict {
	if needs&(NeedToken|NeedKey) != 0 {
		if _, err := s.acceptedPass(ctx); err != nil {
			return CouldNotRun(err)
		}
	}
	if v, unserved := h.unserved(ctx, "HOOK-VALID"); unserved {
		return v
	}
	var verdicts []Verdict
	for _, a := range forge.For(r.ID) {
		v, err := s.carryOut(ctx, h, a)
		if err != nil {
			return CouldNotRun(err)
		}
		verdicts = append(verdicts, v...)
	}
	v := worst(r.Level, verdicts...)
	if v.kind == holds && r.ID == "HOOK-REMOTE-KEY" && !isLoopback(h.called()) {
		v = v.Weak("the listener is on this machine, where this webhook could not fetch from")
	}
	if v.kind == holds {
		v.actual = fmt.Sprintf("%d forged tokens refused", len(verdicts))
		if r.Level == rule.Info {
			v.actual = fmt.Sprintf("%d tokens tried", len(verdicts))
		}
	}
	return v
}

// carryOut sends each token of one attack in an otherwise valid request.
func (s *Session) carryOut(ctx context.Context, h *hook, a forge.Attack) ([]Verdict, error) {
	m, err := s.material(ctx, h)
	if err != nil {
		return nil, err
	}
	listener, err := s.listener()
	if err != nil {
		return nil, err
	}
	tokens, err := a.Build(m)
	var lacking *forge.MissingError
	if errors.As(err, &lacking) {
		return []Verdict{Missing("%s is needed for it", strings.Join(lacking.What, ", "))}, nil
	}
	if err != nil {
		return nil, err
	}
	var verdicts []Verdict
	baseline := false
	for _, f := range tokens {
		fetched := listener.count.Load()
		v, err := s.tryForged(ctx, h, m.ChatID, f)
		if err != nil {
			return nil, err
		}
		if n := listener.count.Load() - fetched; n > 0 && a.Check == "HOOK-REMOTE-KEY" {
			v = Violated("no fetch", f.Name+": it fetched the URL in the token's header").With(v.evidence...)
		}
		baseline = baseline || f.Want == forge.Baseline && v.kind == violated
		verdicts = append(verdicts, v)
	}
	if baseline {
		return []Verdict{Holds("not judged: what it looks for shows in answers anyway")}, nil
	}
	return verdicts, nil
}

// material is what tokens are forged from: a current valid one, if there is one.
func (s *Session) material(ctx context.Context, h *hook) (forge.Material, error) {
	p, err := s.acceptedPass(ctx)
	if errors.Is(err, ErrMissing) { // some attacks are made from nothing
		p = pass{chatID: s.newChatID()}
	} else if err != nil {
		return forge.Material{}, err
	}
	listener, err := s.listener()
	if err != nil {
		return forge.Material{}, err
	}
	m := forge.Material{
		Token: forge.Secret(p.raw.Secret()), ChatID: p.chatID, Now: s.opts.Now(), Rand: lockedRand{s},
		PublicPEM: s.target.PublicPEM, Attacker: s.attacker(), Listener: listener.URL,
	}
	if len(s.target.PublicKeys) > 0 {
		m.Public = s.target.PublicKeys[0].Public
	}
	if s.target.PrivateKey != nil {
		m.Private = s.target.PrivateKey.Private
	}
	return m, nil
}

// tryForged sends one forged token and says what became of it.
func (s *Session) tryForged(ctx context.Context, h *hook, chatID string, f forge.Forged) (Verdict, error) {
	c := call{chatID: chatID}
	if f.OmitChatID {
		c.body = func(b []byte) ([]byte, error) { return forge.Without(b, "chat_id") }
	}
	r, err := h.request(c)
	if err != nil {
		return Verdict{}, err
	}
	if r, err = f.Apply(r); err != nil {
		return Verdict{}, err
	}
	ev, j, err := h.try(ctx, attempt{title: f.Name, request: r, canaries: f.Canaries, oversized: f.Oversized})
	if err != nil {
		return Verdict{}, err
	}
	v := judgeForged(f, ev, j).With(ev)
	switch f.Grade {
	case forge.Warning:
		v = v.softened(rule.Should)
	case forge.Note:
		v = v.softened(rule.Info)
	}
	return v, nil
}

// softened lowers a violation to a level that is less bad.
func (v Verdict) softened(level rule.Level) Verdict {
	if v.kind == violated {
		v.level = level
	}
	return v
}

// judgeForged compares what the token wants with what the oracle saw.
func judgeForged(f forge.Forged, ev Evidence, j oracle.Judgement) Verdict {
	switch f.Want {
	case forge.Accepted:
		if j.Class == oracle.Believed {
			return Holds("%s: accepted", f.Name)
		}
		return Violated("accepted, like the page's own token", fmt.Sprintf("%s: %s", f.Name, j.Why))
	case forge.Anything:
		if j.Class == oracle.Believed {
			return Violated("refused, though nothing says that it must be", f.Name+": believed").at(rule.Info)
		}
		return Holds("%s: %s", f.Name, describe(ev.Exchange))
	case forge.Silent, forge.Escaped, forge.Baseline:
		return judgeCanaries(f, ev, j)
	}
	return refusal(f.Name, ev, j)
}

// refusal is the verdict on something that had to be refused.
func refusal(what string, ev Evidence, j oracle.Judgement) Verdict {
	const expected = "a refusal (401), or the answer that a stranger gets"
	actual := fmt.Sprintf("%s: %s", what, j.Why)
	var v Verdict
	switch j.Class {
	case oracle.Refusal, oracle.Stranger:
		v = Holds("%s: %s", what, describe(ev.Exchange))
		if j.Weak {
			v = v.Weak("answers with and without a token are alike (see HOOK-DISTINGUISHES), so this pass proves less")
		}
	case oracle.Believed, oracle.Error:
		v = Violated(expected, actual)
	default:
		v = Doubtful(expected, actual+"; it is like neither the answer with a token nor the one without")
	}
	return v
}

// judgeCanaries looks for a token's markers in the answer: whether the token
// itself is accepted does not matter.
func judgeCanaries(f forge.Forged, ev Evidence, j oracle.Judgement) Verdict {
	if j.Class == oracle.Error {
		return Violated("an answer", fmt.Sprintf("%s: %s", f.Name, j.Why))
	}
	for _, c := range f.Canaries {
		if f.Want != forge.Escaped && oracle.Shows(ev.Exchange, c) {
			return Violated("the claim is not used", f.Name+": its value is in the answer")
		}
		if f.Want == forge.Escaped && oracle.Verbatim(ev.Exchange, c) {
			return Violated("markup comes back escaped", f.Name+": it came back as it was")
		}
	}
	return Holds("%s: not in the answer", f.Name)
}

// A keyListener is a local server that serves an attacker's key set, and
// counts who fetches it.
type keyListener struct {
	*httptest.Server
	count atomic.Int64
}

func (l *keyListener) Close() error { l.Server.Close(); return nil }

func (s *Session) listener() (*keyListener, error) {
	return s.listening.get(func() (*keyListener, error) {
		documents, err := s.attacker().Documents(s.opts.Now())
		if err != nil {
			return nil, fmt.Errorf("making the attacker's key set: %w", err)
		}
		l := &keyListener{}
		mux := http.NewServeMux()
		for _, d := range documents {
			mux.HandleFunc(d.Path, func(w http.ResponseWriter, _ *http.Request) {
				l.count.Add(1)
				w.Header().Set("Content-Type", d.ContentType)
				w.Write(d.Body)
			})
		}
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { l.count.Add(1); http.NotFound(w, r) })
		l.Server = httptest.NewServer(mux)
		s.onClose(l)
		return l, nil
	})
}

// attacker is whoever forges in this run; its key is made at the first use.
func (s *Session) attacker() *forge.Attacker {
	a, _ := s.forger.get(func() (*forge.Attacker, error) { return forge.NewAttacker(lockedRand{s}), nil })
	return a
}

// lockedRand is the session's randomness, for several goroutines.
type lockedRand struct{ s *Session }

func (r lockedRand) Read(b []byte) (int, error) { r.s.random(b); return len(b), nil }
