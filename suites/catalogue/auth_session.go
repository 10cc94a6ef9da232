package catalogue

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/jws"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// nowAndThen is what is done where one of several processes gives strangers tokens.
const nowAndThen = "without credentials, now and then"

var authNoSession = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	const what, byVisitor = "without credentials", "with what a visitor has who is not logged in"
	e = s.AmongVisitors(e)
	ev := s.Do(ctx, what, e.WithoutSession(e.WithChat(s.NewChatID())))
	v := gaveNone(s, what, ev)
	if r, some := e.ByVisitor(s.NewChatID()); some && v.Kind == subject.Held {
		ev = s.Do(ctx, byVisitor, r)
		v = gaveNone(s, byVisitor, ev)
	}
	if v.Kind == subject.Held {
		if given, some := givenNowAndThen(ctx, s, e); some {
			ev, v = given, gaveNone(s, nowAndThen, given)
		}
	}
	if v.Kind == subject.Broken && s.GivesToken(ev.Exchange) && !s.GivesAlone(ctx, ev.Exchange.Request) {
		v = subject.Holds("%s, alone: no token", what)
	}
	if v.Kind == subject.Broken && s.GivesToken(ev.Exchange) && !keptAnswer(s, ev) {
		v = v.Because("endpoint-knows-nobody")
		if remembersUser(ctx, s, e) {
			v.Actual += ", of the user who asked before"
			v = v.Because("endpoint-remembers-user")
		} else if s.Target.Login == nil && s.Client.Gates().Headers(e.Request.URL).Get("Authorization") != "" {
			v = v.Fix("If the gate's name and password are a user's own, they are a login: page.login, with headers: {Authorization: …}, in place of gate. Else require the session before anything else, and answer 401 without one.")
		}
	}
	if v = byTheEndpoint(s, v, ev); v.Kind != subject.Held {
		return v
	}
	for _, w := range strangersWays {
		given, some := w.given(ctx, s, e)
		switch {
		case !some:
		case s.GivesAlone(ctx, e.WithoutSession(e.WithChat(s.NewChatID()))):
			return gaveNone(s, nowAndThen, given).Because("endpoint-knows-nobody")
		default:
			return gaveNone(s, w.what, given).Because(w.cause)
		}
	}
	if spoiled, name := e.WithOtherCSRF(e.WithChat(s.NewChatID()), true); name != "" && saysCSRF(ev.Exchange.Status(), ev.Exchange.Body()) {
		if alike := s.Do(ctx, "the user's own session, with another value of "+name, spoiled); sameAnswer(alike, ev) {
			return subject.Missing("%s: %s, and so is the user's own request with another value of %s: it is refused for that, before anybody looks who is logged in", ev.Title, subject.Describe(ev.Exchange), name).With(ev, alike)
		}
	}
	return v
})

// sameAnswer says whether two answers are the same to the letter.
func sameAnswer(a, b subject.Evidence) bool {
	return a.Exchange.Response != nil && a.Exchange.Status() == b.Exchange.Status() && bytes.Equal(a.Exchange.Body(), b.Exchange.Body())
}

// givenNowAndThen is an answer that gives a stranger a token where the first one got none.
func givenNowAndThen(ctx context.Context, s *subject.Session, e *subject.Endpoint) (given subject.Evidence, some bool) {
	if given, some = s.GivenToStranger(); some {
		return given, true
	}
	answers := make([]subject.Evidence, manyStrangers)
	_ = s.Each(manyStrangers, func(i int) error { // which returns none
		r := e.WithoutSession(e.WithChat(s.NewChatID()))
		r.Form.Anew = true // who keeps a connection meets the same process again
		answers[i] = s.Do(ctx, nowAndThen, r)
		return nil
	})
	i := slices.IndexFunc(answers, func(ev subject.Evidence) bool { return s.GivesToken(ev.Exchange) })
	if i < 0 {
		return subject.Evidence{}, false
	}
	return answers[i], true
}

// manyStrangers is how many more strangers ask: each of four processes that are met at
// random is missed by them, by the first one and by those who asked beside users with less
// than 1 %.
const manyStrangers = 12

// strangersWays are ways to a token for whom gets none in the company of strangers, and why
// it is given where it is not given to one who asks alone.
var strangersWays = []struct {
	what, cause string
	given       func(ctx context.Context, s *subject.Session, e *subject.Endpoint) (given subject.Evidence, some bool)
}{

	{"without credentials, when a user asks at the same time", "endpoint-mixes-users", besideUsers},
	{"without credentials, for a chat that a user has just asked for", "endpoint-answer-kept", inUsersChat},
}

// besideUsers lets strangers ask when users do, where no two users show who is mixed up
// (see AUTH-BIND-SESSION). Who asks last is whom all are taken for: where that was a
// stranger, and users were turned away, it is tried again.
func besideUsers(ctx context.Context, s *subject.Session, e *subject.Endpoint) (given subject.Evidence, some bool) {
	const all = 8
	if _, err := s.SecondEndpoint(); err == nil {
		return given, false
	}
	for turn := range turnsOfUsers {
		requests := make([]wire.Request, all)
		for i := range requests {
			if requests[i] = e.WithChat(s.NewChatID()); (i+turn)%2 == 0 {
				requests[i] = e.WithoutSession(requests[i])
			}
		}
		away := false
		for i, ev := range s.AtOnce(ctx, "users and strangers at once", requests) {
			gives := s.GivesToken(ev.Exchange)
			if gives && (i+turn)%2 == 0 {
				return ev, true
			}
			away = away || !gives && (i+turn)%2 == 1 && turnsAway(ev)
		}
		if !away {
			break
		}
	}
	return given, false
}

// inUsersChat lets a stranger ask for a chat that a user has a token for: what keeps
// answers by the chat gives that token to whoever names it.
func inUsersChat(ctx context.Context, s *subject.Session, e *subject.Endpoint) (given subject.Evidence, some bool) {
	chatID := s.NewChatID()
	if _, raw := s.Ask(ctx, "a chat of a user", e.WithChat(chatID)); raw == "" {
		return given, false
	}
	given = s.Do(ctx, "without credentials, for a chat of a user", e.WithoutSession(e.WithChat(chatID)))
	return given, s.GivesToken(given.Exchange)
}

// turnsOfUsers is how often each of two users asks before a stranger does: one of
// several processes that serve an endpoint remembers the user that it served.
const turnsOfUsers = 8

// remembersUser says whether strangers get the tokens of both users, who ask in turn:
// those of one are an account that the endpoint falls back to.
func remembersUser(ctx context.Context, s *subject.Session, e *subject.Endpoint) bool {
	first, _ := whoAmI(ctx, s, e)
	second := secondPerson(ctx, s)
	if first == nil || second == nil || first.claims["sub"] == second.claims["sub"] {
		return false
	}
	other, err := s.SecondEndpoint()
	if err != nil {
		return false
	}
	given := map[string]bool{}
	for range turnsOfUsers {
		for _, user := range []*subject.Endpoint{e, other} {
			s.Ask(ctx, "a user, and then a stranger", user.WithChat(s.NewChatID()))
			if p := asNobody(ctx, s, e); p != nil {
				given[p.claims["sub"]] = true
			}
		}
		if given[first.claims["sub"]] && given[second.claims["sub"]] {
			return true
		}
	}
	return false
}

// keptAnswer says whether an answer has the very token that the page's own request
// got: then something may keep it, and the endpoint was perhaps not asked at all.
func keptAnswer(s *subject.Session, ev subject.Evidence) bool {
	own, err := tokenAnswer(s.Base, s)
	if err != nil {
		return false
	}
	given, some := s.TokenIn(ev.Exchange)
	plain, both := s.TokenIn(own.Exchange)
	return some && both && given == plain
}

// byTheEndpoint keeps a refusal from passing that is not the endpoint's own: what
// a gate before it turns away has not reached it.
func byTheEndpoint(s *subject.Session, v subject.Verdict, ev subject.Evidence) subject.Verdict {
	if v.Kind == subject.Held {
		if gate := gateIn(ev, s); gate != "" {
			v = subject.Missing("what refuses is a gate before the endpoint (%s), and not the endpoint: tell kindlytest of it with `gate` in kindlytest.yaml, so that it can pass", gate).With(ev)
		}
	}
	if v.Kind == subject.Lacking {
		s.Incomplete("Whether the auth endpoint refuses strangers could not be judged: "+v.Reason+".", "")
	}
	return v
}

// isLogin says whether Basic authorization is how users log in: it is given as that, or
// each has their own.
func isLogin(s *subject.Session) bool {
	const name = "Authorization"
	e, ok := s.Endpoints.Found()
	if !ok || !e.BasicSession() {
		return false
	}
	given := s.Target.Endpoint
	return given == nil || given.SecondHeader.Get(name) != "" && given.SecondHeader.Get(name) != given.Header.Get(name)
}

// gateIn names what shows that somebody else answered than the endpoint.
func gateIn(ev subject.Evidence, s *subject.Session) string {
	h := ev.Exchange.Response.Header
	scheme, _, _ := strings.Cut(strings.TrimSpace(h.Get("WWW-Authenticate")), " ")
	switch strings.ToLower(scheme) {
	case "basic", "digest", "negotiate", "ntlm":
		if isLogin(s) {
			return ""
		}
		return "it asks for " + scheme + " authorization"
	}
	if refusesPage(ev, s) {
		return "it refuses the page with the same words"
	}
	own, err := s.Endpoints.Answer.Get(func() (subject.Evidence, error) { return s.PlainAnswer(s.Base) })
	if err != nil || own.Exchange.Response == nil {
		return ""
	}
	if mine, theirs := own.Exchange.Response.Header.Get("Server"), h.Get("Server"); mine != theirs && theirs != "" {
		return "its Server is " + subject.Bound(theirs, 40) + ", the endpoint's " + subject.Bound(orNone(mine), 40)
	}
	for _, sign := range gateSigns {
		if h.Get(sign) != "" && own.Exchange.Response.Header.Get(sign) == "" {
			return "it has the header " + sign
		}
	}
	return ""
}

// refusesPage says whether a refusal is a page for people, and the very one that nobody
// gets past to the customer's page.
func refusesPage(ev subject.Evidence, s *subject.Session) bool {
	if s.Target.PageURL == "" || !subject.IsPage(ev.Exchange) {
		return false
	}
	page := s.Do(s.Base, "the page, by nobody", wire.Request{Method: http.MethodGet, URL: s.Target.PageURL}).Exchange
	return page.Status() == ev.Exchange.Status() && page.Status() >= http.StatusBadRequest && bytes.Equal(page.Body(), ev.Exchange.Body())
}

// gateSigns are headers that gates put into their own refusals.
var gateSigns = []string{"Cf-Mitigated", "Cf-Access-Domain", "Cf-Access-Aud", "X-Goog-Iap-Generated-Response", "X-Vercel-Protection", "X-Amzn-Waf-Action"}

var authBadSession = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	var verdicts []subject.Verdict
	e = s.AmongVisitors(e)
	guest := asNobody(ctx, s, e)
	if guest != nil && remembersUser(ctx, s, e) {
		return subject.Missing("whoever has no session gets the token of the user who asked before (see AUTH-NO-SESSION)")
	}
	for _, bad := range badSessions {
		r, found := e.EditSession(e.WithChat(s.NewChatID()), bad.change)
		if !found {
			return subject.Missing("the page's request carries no session that could be broken")
		}
		ev := s.Do(ctx, bad.name, r)
		if raw, ok := s.TokenIn(ev.Exchange); ok && guest.is(raw) {
			verdicts = append(verdicts, subject.Missing("%s: it gives the token that it gives to anybody (see AUTH-NO-SESSION)", bad.name).With(ev))
			continue
		}
		verdicts = append(verdicts, byTheEndpoint(s, gaveNone(s, bad.name, ev), ev))
	}
	verdicts = append(verdicts, otherSignature(ctx, s, e, guest)...)
	return subject.Worst(rule.Must, append(verdicts, writtenSessions(ctx, s, e, guest)...)...)
})

// otherSignature changes of what is signed the signature alone: who reads the claims of a
// session and does not verify them finds nothing wrong with it, and anybody can write one.
func otherSignature(ctx context.Context, s *subject.Session, e *subject.Endpoint, guest *person) []subject.Verdict {
	some := false
	changed := func(change func(string) string) wire.Request {
		r, _ := e.EditSession(e.WithChat(s.NewChatID()), func(v string) string {
			if end := strings.LastIndexByte(v, '.'); end < 0 || end > len(v)-subject.MinOpaque || !jws.BeginsObject(v) {
				return v
			}
			some = true
			return change(v)
		})
		return r
	}
	const what = "a character of its signature changed"
	r := changed(func(v string) string { return flip(v, (strings.LastIndexByte(v, '.')+len(v))/2) })
	if !some {
		return nil
	}
	ev := s.Do(ctx, what, r)
	v := byTheEndpoint(s, gaveNone(s, what, ev), ev)
	if raw, ok := s.TokenIn(ev.Exchange); ok && v.Kind == subject.Broken {
		if _, other := s.Ask(ctx, "an invented one in its place", changed(invented)); other != "" || guest.is(raw) {
			v = subject.Holds("%s: it is not the session", what)
		}
	}
	return []subject.Verdict{v}
}

// asNobody is whom the endpoint takes those for who have no session; nil where it
// gives them no token.
func asNobody(ctx context.Context, s *subject.Session, e *subject.Endpoint) *person {
	_, raw := s.Ask(ctx, "without credentials", e.WithoutSession(e.WithChat(s.NewChatID())))
	p, _ := personOf(raw)
	return p
}

// is says whether a token names this person.
func (p *person) is(raw token.Raw) bool {
	other, ok := personOf(raw)
	return p != nil && ok && p.differsIn(other) == ""
}

var badSessions = []struct {
	name   string
	change func(string) string
}{

	{"its first character changed", func(v string) string { return flip(v, 0) }},
	{"a character in its middle changed", func(v string) string { return flip(v, len(v)/2) }},
	{"cut in half", func(v string) string { return v[:len(v)/2] }},
	{"an invented one", invented},
}

// invented is a session that nobody has.
func invented(v string) string { return strings.Repeat("a", max(len(v), 8)) }

// flip changes the character of v at i to another of the same kind.
func flip(v string, i int) string {
	if v == "" {
		return "x"
	}
	c := byte('A')
	if v[i] == 'A' || v[i] == 'a' { // ids are the same in either case to some databases
		c = 'B'
	}
	return v[:i] + string(c) + v[i+1:]
}
