package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// Whether whoever asks can choose whose token they get.

var authIdentityBody = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	plain, v := whoAmI(ctx, s, e)
	if plain == nil {
		return v
	}
	verdicts := append([]subject.Verdict{usualNames(ctx, s, e, plain)}, namedAsAnother(ctx, s, e, plain)...)
	others := otherUsersValues(s, e)
	for i, sent := range e.Sent() {
		if i == maxSent {
			break
		}
		verdicts = append(verdicts, changedValues(ctx, s, e, plain, sent, others)...)
	}
	if len(others) > 1 { // a pair may have to fit
		verdicts = append(verdicts, allOfAnother(ctx, s, e, plain, others))
	}
	return subject.Worst(rule.Must, verdicts...)
})

// maxSent bounds how many of the page's values are varied.
const maxSent = 12

// A person is whom a token names, in the claims that say so.
type person struct {
	token  *token.Token
	claims map[string]string
}

// identityClaims are the claims by which webhooks know somebody, or that say what
// they may do, and where the token may go.
var identityClaims = []string{"sub", "name", "email", "email_verified", "phone_number", "role", "roles", "chat"}

func personOf(raw token.Raw) (*person, bool) {
	t, err := token.Decode(raw)
	if err != nil {
		return nil, false
	}
	p := &person{token: t, claims: map[string]string{}}
	for _, name := range identityClaims {
		p.claims[name] = inOrder(t.Claims.Get(name).JSON())
	}
	p.claims["chat"] = strings.Join(slices.Sorted(slices.Values(t.WebhookDomains())), " ") // each request has a chat of its own
	return p, true
}

// inOrder is a claim with its list, if it is one, in order: that of a set differs from one
// process to the next.
func inOrder(claim string) string {
	var list []string
	if json.Unmarshal([]byte(claim), &list) != nil {
		return claim
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// differsIn names the first claim in which two people differ; "" if they are one.
func (p *person) differsIn(other *person) string {
	for _, name := range identityClaims {
		if p.claims[name] != other.claims[name] {
			return name
		}
	}
	return ""
}

// became names a claim in which a token differs from what the page gets. Claims
// that differ from one plain request to the next are nobody's doing.
func became(ctx context.Context, s *subject.Session, e *subject.Endpoint, p, plain *person) string {
	if p.differsIn(plain) == "" {
		return ""
	}
	again, _ := whoAmI(ctx, s, e)
	if again == nil {
		return ""
	}
	for _, name := range identityClaims {
		if p.claims[name] != plain.claims[name] && again.claims[name] == plain.claims[name] {
			return name
		}
	}
	return ""
}

// whoAmI asks as the page does; nil, and the verdict, where that tells nothing.
func whoAmI(ctx context.Context, s *subject.Session, e *subject.Endpoint) (*person, subject.Verdict) {
	ev, raw := s.Ask(ctx, "as the page asks", e.WithChat(s.NewChatID()))
	if raw == "" {
		return nil, subject.Missing("the page's own request got no token just now: %s", subject.Describe(ev.Exchange)).With(ev)
	}
	p, ok := personOf(raw)
	if !ok {
		return nil, subject.Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
	}
	return p, subject.Verdict{}
}

// farAway is an exp that nobody would choose.
const farAway = 4102444800

// usualNames sends an identity under the names that it usually has.
func usualNames(ctx context.Context, s *subject.Session, e *subject.Endpoint, plain *person) subject.Verdict {
	const what = "with an identity in the request"
	marker := "kindlytest-" + s.NewChatID()[:8]
	r, err := e.WithMembers(s.NewChatID(), map[string]any{
		"sub": marker, "name": marker, "email": marker + "@example.com", "email_verified": true,
		"user_id": marker, "userId": marker, "role": marker, "exp": farAway,
		"chat":            map[string]any{"id": marker, "webhook_domains": []string{marker + ".example.com"}},
		"webhook_domains": []string{marker + ".example.com"},
	})
	if err != nil {
		return subject.CouldNotRun(err)
	}
	ev, raw := s.Ask(ctx, what, r)
	if raw == "" {
		return refusedIdentity(ctx, s, e, what, ev)
	}
	p, ok := personOf(raw)
	if !ok {
		return subject.Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
	}
	claim := became(ctx, s, e, p, plain)
	switch {
	case strings.Contains(p.token.Claims.JSON(), marker) || p.token.Expires().Unix() == farAway:
		return subject.Violated("claims from the session alone", "the token holds what was sent in the request").Surely().With(ev)
	case claim != "":
		return subject.Violated("claims from the session alone", what+": the token has another "+claim).Surely().With(ev)
	}
	return subject.Holds("the claims are the session's")
}

// namedAsAnother sends what names the second user, under the names that an
// identity usually has: in the place where the chat id stands, in the query, which
// some frameworks read like a body, and in the headers by which gateways tell it.
func namedAsAnother(ctx context.Context, s *subject.Session, e *subject.Endpoint, plain *person) []subject.Verdict {
	second := secondPerson(ctx, s)
	if second == nil {
		return nil
	}
	var verdicts []subject.Verdict
	for _, claim := range []string{"sub", "email"} {
		value := written(second.token.Claims.Get(claim))
		if own := written(plain.token.Claims.Get(claim)); value == "" || value == own {
			continue
		}
		members := map[string]any{}
		for _, name := range []string{"user_id", "userId", "user", "uid", "sub", "customer_id", "customerId", "email", "username"} {
			members[name] = value
		}
		for _, place := range []struct {
			what string
			with func(string, map[string]any) (wire.Request, error)
		}{{"the second user's " + claim + " in the request", e.WithMembers}, {"the second user's " + claim + " in the query", e.WithQuery},
			{"the second user's " + claim + " in a header such as X-User-Id", func(chatID string, _ map[string]any) (wire.Request, error) {
				return e.WithIdentityHeaders(chatID, value), nil
			}}} {
			r, err := place.with(s.NewChatID(), members)
			if err != nil {
				verdicts = append(verdicts, subject.CouldNotRun(err))
				continue
			}
			ev, raw := s.Ask(ctx, "with "+place.what, r)
			p, ok := personOf(raw)
			if !ok || p.claims[claim] != second.claims[claim] || became(ctx, s, e, p, plain) == "" {
				continue // refused, or the session's own token
			}
			verdicts = append(verdicts, subject.Violated("the session's own "+claim, "with "+place.what+": the token is the second user's").Surely().With(ev))
		}
	}
	return verdicts
}

// refusedIdentity judges a refusal of further members beside a twin that has as
// many, under names that nobody knows: who refuses those too does not look anybody
// up, and who takes them has looked.
func refusedIdentity(ctx context.Context, s *subject.Session, e *subject.Endpoint, what string, ev subject.Evidence) subject.Verdict {
	if v := refused(what, ev); v.Kind != subject.Held {
		return v
	}
	twin, err := e.WithMembers(s.NewChatID(), map[string]any{"kindlytest_a": "a", "kindlytest_b": true, "kindlytest_c": map[string]any{"d": "e"}})
	if err != nil {
		return subject.CouldNotRun(err)
	}
	benign, raw := s.Ask(ctx, "with other members in the request", twin)
	switch {
	case raw != "" && lookedUp(ev):
		return subject.Violated("the plain answer: the identity is ignored",
			fmt.Sprintf("%s: %s, though other members are let through: it was looked up", what, subject.Describe(ev.Exchange))).With(ev, benign)
	case raw != "":
		return subject.Holds("%s: refused with %s", what, subject.Describe(ev.Exchange))
	}
	return subject.Holds("it refuses members that it does not know: %s", subject.Describe(benign.Exchange))
}

// lookedUp says whether an answer is what somebody gets who was searched for and
// not found.
func lookedUp(ev subject.Evidence) bool {
	st := ev.Exchange.Status()
	return st == http.StatusNotFound || st == http.StatusGone || st >= 500
}

// changedValues changes one value that the page sends: to an invented one, and to
// the other user's.
func changedValues(ctx context.Context, s *subject.Session, e *subject.Endpoint, plain *person, sent param.Leaf, others []param.Leaf) []subject.Verdict {
	var verdicts []subject.Verdict
	try := func(title string, value any, personal bool) {
		r, err := subject.WithLeaf(e.WithChat(s.NewChatID()), sent, value)
		if err != nil {
			verdicts = append(verdicts, subject.CouldNotRun(err))
			return
		}
		verdicts = append(verdicts, judgeChanged(ctx, s, e, plain, title, r, sent, personal))
	}
	other, differs := valueAt(others, sent)
	personal := names(sent, plain)
	if invented, ok := invent(sent.Value, s.NewChatID()); ok {
		try("with an invented value of the "+sent.String(), invented, personal)
	}
	if differs {
		try("with the other user's "+sent.String(), other, personal)
	}
	return verdicts
}

// judgeChanged judges the answer to the page's request with a value changed.
func judgeChanged(ctx context.Context, s *subject.Session, e *subject.Endpoint, plain *person, title string, r wire.Request, sent param.Leaf, personal bool) subject.Verdict {
	ev, raw := s.Ask(ctx, title, r)
	if ev.Exchange.Err != nil {
		return noAnswer(title, ev)
	}
	if raw == "" {
		if again, v := whoAmI(ctx, s, e); personal && lookedUp(ev) && again != nil {
			return subject.Violated("the plain answer: it is the session that counts",
				fmt.Sprintf("%s: %s instead of the token: it was looked up", title, subject.Describe(ev.Exchange))).With(ev)
		} else if again == nil {
			return v
		}
		return refused(title, ev)
	}
	p, ok := personOf(raw)
	if !ok {
		return subject.Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
	}
	claim := became(ctx, s, e, p, plain)
	if claim == "" {
		return subject.Holds("%s: the claims are the session's", title)
	}
	if !personal || opaque(sent) {
		// The value may be the session itself; then it works without the rest.
		if _, alone := s.Ask(ctx, title+", without the session", withoutBut(e, r, sent)); alone != "" {
			return subject.Holds("%s: the value is a credential by itself", title)
		}
	}
	return subject.Violated("the session's own "+claim, title+": the token has another "+claim).Surely().With(ev)
}

// withoutBut is the request without the session, but with what was changed in it.
func withoutBut(e *subject.Endpoint, r wire.Request, sent param.Leaf) wire.Request {
	out := e.WithoutSession(r)
	if sent.Place == param.InHeader {
		out.Header[sent.Steps[0]] = r.Header[sent.Steps[0]]
	}
	return out
}

// allOfAnother sends all that the other user's page sends, with this one's session.
func allOfAnother(ctx context.Context, s *subject.Session, e *subject.Endpoint, plain *person, others []param.Leaf) subject.Verdict {
	r := e.WithChat(s.NewChatID())
	for _, other := range others {
		var err error
		if r, err = subject.WithLeaf(r, other, other.Value); err != nil {
			return subject.CouldNotRun(err)
		}
	}
	const title = "with all that the other user's page sends"
	ev, raw := s.Ask(ctx, title, r)
	p, ok := personOf(raw)
	if !ok {
		return refused(title, ev)
	}
	claim := became(ctx, s, e, p, plain)
	if claim == "" {
		return subject.Holds("%s: the claims are the session's", title)
	}
	alone := e.WithoutSession(r)
	for _, other := range others {
		if other.Place == param.InHeader {
			alone.Header[other.Steps[0]] = r.Header[other.Steps[0]]
		}
	}
	if _, raw := s.Ask(ctx, title+", without the session", alone); raw != "" {
		return subject.Holds("%s: they are a credential by themselves", title)
	}
	return subject.Violated("the session's own claims", title+": the token has another "+claim).Surely().With(ev)
}
