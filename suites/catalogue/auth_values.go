package catalogue

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// Values that may say who somebody is, and others in their place.

// otherUsersValues are those that the second user's page sends otherwise than the
// first one's, with the second user's value.
func otherUsersValues(s *subject.Session, e *subject.Endpoint) []param.Leaf {
	if s.Target.Second == nil || e.Seen.Exchange.Response == nil || len(e.Sent()) == 0 {
		return nil
	}
	second, err := s.SecondEndpoint()
	if err != nil {
		return nil // AUTH-BIND-SESSION says why
	}
	theirs := second.Sent()
	var out []param.Leaf
	for _, mine := range e.Sent() {
		if value, ok := valueAt(theirs, mine); ok && value != mine.Value {
			mine.Value = value
			out = append(out, mine)
		}
	}
	return out
}

// valueAt is the value of the leaf at the same place.
func valueAt(leaves []param.Leaf, at param.Leaf) (any, bool) {
	for _, l := range leaves {
		if l.Same(at) {
			return l.Value, true
		}
	}
	return nil, false
}

// names says whether a value says who somebody is: by its name, or because the
// token says the same of its user.
func names(sent param.Leaf, p *person) bool {
	return subject.NamesSomebody(sent.Name()) || isIdentity(sent.Text(), p.token)
}

// isIdentity says whether a text is what a token says of its user.
func isIdentity(text string, t *token.Token) bool {
	text = strings.TrimSpace(text)
	return slices.ContainsFunc(aliases(t), func(known string) bool { return known != "" && strings.EqualFold(text, known) })
}

// swapped is what would stand for the second user where text stands for the first.
func swapped(text string, first, second *token.Token) string {
	theirs := aliases(second)
	for i, mine := range aliases(first) {
		if mine != "" && theirs[i] != "" && strings.EqualFold(strings.TrimSpace(text), mine) {
			return theirs[i]
		}
	}
	return text
}

// aliases are the texts by which a token names its user, and what pages make of
// them: the end of the sub (42 of u-42), the first name, the name of the mailbox.
// The same place is the same kind for every token.
func aliases(t *token.Token) []string {
	username, _ := t.Claims.Get("preferred_username").Text()
	mailbox, _, _ := strings.Cut(t.Email(), "@")
	first, _, _ := strings.Cut(t.Name(), " ")
	sub := written(t.Claims.Get("sub"))
	return []string{sub, subEnd.FindString(sub), t.Email(), mailbox, t.Name(), first, t.Phone(), username}
}

// written is a claim as it is written in a request. That a sub is a number is
// TOK-SUB's; it names somebody all the same.
func written(claim token.Value) string {
	if text, ok := claim.Text(); ok {
		return text
	}
	if claim.Kind() == token.Number {
		return claim.JSON()
	}
	return ""
}

// subEnd is the last part of a sub.
var subEnd = regexp.MustCompile(`[A-Za-z0-9]+$`)

// opaque says whether a value looks like a credential, and like nothing that
// people write.
func opaque(l param.Leaf) bool {
	text := l.Text()
	return len(text) >= subject.MinOpaque && !strings.ContainsAny(text, " @")
}

var (
	anAddress = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
	aUUID     = regexp.MustCompile(`^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
)

// invent makes another value of the same kind. Of a value that has no other, such
// as null, there is none.
func invent(value any, unique string) (any, bool) {
	switch v := value.(type) {
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return nil, false
		}
		return json.Number(strconv.FormatInt(n/2+7_654_321, 10)), true
	case bool:
		return !v, true
	case string:
		switch n, err := strconv.ParseInt(v, 10, 64); {
		case v == "":
			return nil, false
		case err == nil:
			return strconv.FormatInt(n/2+7_654_321, 10), true
		case anAddress.MatchString(v):
			return "kindlytest-" + unique[:8] + "@example.com", true
		case aUUID.MatchString(v):
			return unique, true
		}
		return "kindlytest-" + unique[:8], true
	}
	return nil, false
}
