package subject

import (
	"context"
	"math"
	"slices"

	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// What an endpoint does only in company, or only now and then: it would be told by
// whatever probe happens to ask just then.

// atATime is how many chats are asked for at the same time, to see whether they
// are mixed up.
const atATime = 8

// mostRounds is how often several ask at the same time, where users were turned away: who
// asks last is whom all others are taken for, and every other time that is a stranger.
const mostRounds = 8

// lookInCompany asks for several chats at the same time, for the user and for strangers
// in turn. Where chats or users are mixed up, that is one mistake, AUTH-CONCURRENT's or
// AUTH-BIND-SESSION's; all other probes ask alone then, as if it were mended. So they do
// where users are turned away in company, and it is not known why.
func (s *Session) lookInCompany(e *Endpoint) {
	for round := range mostRounds {
		chats, given, away := s.company(e)
		users := given != nil && !s.GivesAlone(trying(s.Base, "AUTH-NO-SESSION"), e.WithoutSession(e.WithChat(s.NewChatID())))
		if given != nil && !users {
			s.Endpoints.stranger.Store(given)
		}
		if s.InOrder() { // nothing is asked in company
			chats, users = false, false
		}
		if away != nil && !users && round == 0 && s.forgets(e, *away) {
			return
		}
		if chats || users || away != nil && round == mostRounds-1 && !s.InOrder() {
			s.OneByOne(e.Request)
		}
		if chats || users || away == nil || s.InOrder() {
			return
		}
	}
}

// company says whether one who asks for several chats at the same time gets a token for
// one in answer to another, and returns an answer that gave a stranger one, and one by
// which the user was turned away.
func (s *Session) company(e *Endpoint) (chats bool, given, away *Evidence) {
	asked := make([]string, atATime)
	answers := make([]Evidence, atATime)
	got := make([]token.Raw, atATime)
	for i := range asked {
		asked[i] = s.NewChatID()
	}
	stranger := func(i int) bool { return i%2 == 1 && len(e.Credentials()) > 0 }
	s.Each(atATime, func(i int) error {
		r := e.WithChat(asked[i])
		if stranger(i) { // what dies of it, dies of the lack of a session
			r = e.WithoutSession(r)
			r.Form.Anew = true // who keeps a connection meets the same process again
			answers[i] = s.do(trying(s.Base, "AUTH-NO-SESSION"), "without credentials", r)
		} else {
			answers[i] = s.do(s.Base, "one of several chats at once", r)
		}
		got[i], _ = s.TokenIn(answers[i].Exchange)
		return nil
	})
	for i, raw := range got {
		t, err := token.Decode(raw)
		chats = chats || err == nil && t.ChatID() != asked[i] && slices.Contains(asked, t.ChatID())
		switch {
		case raw == "" && !stranger(i) && isRefusal(answers[i]):
			away = &answers[i]
		case raw != "" && stranger(i):
			given = &answers[i]
		}
	}
	return chats, given, away
}

// GivesAlone says whether a stranger's request gets a token also where nobody else asks at
// the same time, at one of several times.
func (s *Session) GivesAlone(ctx context.Context, r wire.Request) bool {
	r.Form.Anew = true // who keeps a connection meets the same process again
	for range AloneTries {
		if s.GivesToken(s.AtOnce(ctx, "without credentials, when nobody else asks", []wire.Request{r})[0].Exchange) {
			return true
		}
	}
	return false
}

// GivenToStranger is an answer that gave a stranger a token when others asked, too: one
// of several processes may know nobody, and others ask it then.
func (s *Session) GivenToStranger() (Evidence, bool) {
	if ev := s.Endpoints.stranger.Load(); ev != nil {
		return *ev, true
	}
	return Evidence{}, false
}

// Forgetting says of an endpoint that it knows the session now and then: as where each of
// several processes keeps sessions in its memory.
type Forgetting struct {
	Known, Of int
	Seen      Evidence // of who was turned away
	tries     int      // after which it is no accident that a request is turned away
}

// unlucky is how likely it may be that a session is not known at any of many tries.
const unlucky = 1e-4

// mostAlone is how often a user asks alone until the session is known once.
const mostAlone = 24

// Forgets is what is known of that, or nil.
func (s *Session) Forgets() *Forgetting { return s.Endpoints.forgets.Load() }

// forgets finds out whether the endpoint knows the session only now and then, of which
// it has answered as strangers are. Each try is on a connection of its own: who keeps
// one meets the same process again.
func (s *Session) forgets(e *Endpoint, away Evidence) bool {
	if s.Forgets() != nil || len(e.Credentials()) == 0 || !isRefusal(away) {
		return false
	}
	if stranger := s.Do(s.Base, "a stranger", e.WithoutSession(e.WithChat(s.NewChatID()))); stranger.Exchange.Status() != away.Exchange.Status() {
		return false
	}
	f := &Forgetting{Seen: away}
	for f.Of < atATime || f.Known == 0 && f.Of < mostAlone {
		r := e.WithChat(s.NewChatID())
		r.Form.Anew = true
		_, raw := s.Ask(s.Base, "is the session known?", r)
		if f.Of++; raw != "" {
			f.Known++
		}
	}
	if f.Known == 0 || f.Known == f.Of {
		return false
	}
	f.tries = int(math.Ceil(math.Log(unlucky) / math.Log(1-float64(f.Known)/float64(f.Of+1))))
	s.Endpoints.forgets.Store(f)
	return true
}

// Do sends a request to the target. One with a session that is known now and then is sent
// until it is known; and one that gets a token for what another one asks for, by itself.
func (s *Session) Do(ctx context.Context, title string, r wire.Request) Evidence {
	alone := s.InOrder() || s.Single(r)
	ev := s.do(ctx, title, r)
	if !alone && s.mixedUp(r, ev) {
		s.OneByOne(r)
		again := s.do(ctx, title, r)
		if !s.mixedUp(r, again) { // else it is told by who asks alone, too
			s.Endpoints.mixed.CompareAndSwap(nil, &ev)
		}
		return again
	}
	return ev
}

// do is Do for who looks whether chats are mixed up.
func (s *Session) do(ctx context.Context, title string, r wire.Request) Evidence {
	ev := s.Traffic.Do(ctx, title, r)
	f := s.Forgets()
	if f == nil || !s.withSession(r) {
		return ev
	}
	for range f.tries {
		if ev.Exchange.Err != nil || ev.Exchange.Status() != f.Seen.Exchange.Status() || ctx.Err() != nil {
			break
		}
		r.Form.Anew = true
		ev = s.Traffic.Do(ctx, title, r)
	}
	return ev
}

// mixedUp says whether a request in company got a token for a chat that others have asked
// for: where that is rare, it was not seen when [Session.lookInCompany] looked.
func (s *Session) mixedUp(r wire.Request, ev Evidence) bool {
	e, known := s.Endpoints.Found()
	if !known || wire.OriginOf(r.URL) != e.Origin() || r.Way != nil { // on its way it may name the chat
		return false
	}
	raw, _ := s.TokenIn(ev.Exchange)
	t, err := token.Decode(raw)
	if err != nil || !s.MadeChatID(t.ChatID()) {
		return false
	}
	asked := func(text string) bool { return param.HoldsID(text, t.ChatID()) }
	for _, values := range r.Header {
		if slices.ContainsFunc(values, asked) {
			return false
		}
	}
	return !asked(r.URL) && !asked(string(r.Body))
}

// MixedUp is the first answer in company that held a token for a chat that another request
// had asked for, and that asked alone held none.
func (s *Session) MixedUp() (Evidence, bool) {
	if ev := s.Endpoints.mixed.Load(); ev != nil {
		return *ev, true
	}
	return Evidence{}, false
}

// withSession says whether a request goes to the endpoint with the session of one of the
// users.
func (s *Session) withSession(r wire.Request) bool {
	first, _ := s.Endpoints.Found()
	second, _, _ := s.Endpoints.second.Known()
	return first.hasSessionOf(r) || second.hasSessionOf(r)
}

// hasSessionOf says whether a request has a session of the endpoint's, and no other.
func (e *Endpoint) hasSessionOf(r wire.Request) bool {
	if e == nil || wire.OriginOf(r.URL) != e.Origin() {
		return false
	}
	has := false
	for name, values := range e.Request.Header {
		if !mayBeSession(name) || e.sendsChat(name) || len(r.Header[name]) == 0 {
			continue
		}
		if !slices.Equal(values, r.Header[name]) {
			return false
		}
		has = true
	}
	return has
}
