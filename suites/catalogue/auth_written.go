package catalogue

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// writtenSessions are sessions that anybody can write: the page's own, in which
// what says who the user is, readable, says somebody else. Where that is signed,
// it is refused; where it is no session, the token stays the same.
func writtenSessions(ctx context.Context, s *subject.Session, e *subject.Endpoint, guest *person) []subject.Verdict {
	plain, v := whoAmI(ctx, s, e)
	if plain == nil {
		return []subject.Verdict{v}
	}
	theirs := sessionValues(s)
	readable := func(name, text string) bool {
		return isIdentity(text, plain.token) || namesUser(name) && text != "" || writable(text, theirs[name])
	}
	if r := e.WithChat(s.NewChatID()); !e.EditReadable(r.Header, func(name, text string) (string, bool) { return "", readable(name, text) }) {
		return nil
	}
	verdicts := namesAlone(ctx, s, e, plain, guest)
	try := func(title string, r wire.Request) {
		ev, raw := s.Ask(ctx, title, r)
		p, ok := personOf(raw)
		switch {
		case !ok:
			verdicts = append(verdicts, byTheEndpoint(s, refused(title, ev), ev))
		case guest.is(raw):
			verdicts = append(verdicts, subject.Holds("%s: it is nobody's", title))
		case became(ctx, s, e, p, plain) != "":
			verdicts = append(verdicts, subject.Violated("no token: nobody may write a session", title+", written into the cookie or header as anybody can: a token for somebody else").Surely().With(ev))
		default:
			verdicts = append(verdicts, subject.Holds("%s: the token is still the session's", title))
		}
	}
	for _, other := range otherPeople(ctx, s, plain, theirs) {
		r := e.WithChat(s.NewChatID())
		written := map[string]bool{}
		another := false
		e.EditReadable(r.Header, func(name, text string) (string, bool) {
			changed := other.of(name, text)
			if readable(name, text) {
				another, written[changed] = another || changed != text, true
			}
			return changed, readable(name, text)
		})
		if !another {
			continue
		}
		try("a session that names "+other.who, r)
		// A name may count only where nobody knows the rest: to be remembered by.
		broken := false
		lone, _ := e.EditSession(r, func(v string) string {
			if written[v] {
				return v
			}
			broken = true
			return invented(v)
		})
		if broken {
			try("an invented session beside the name of "+other.who, lone)
		}
	}
	return verdicts
}

// namesAlone keeps of the session what the token says of its user, and nothing else: who
// gets the token by that gets anybody's.
func namesAlone(ctx context.Context, s *subject.Session, e *subject.Endpoint, plain, guest *person) []subject.Verdict {
	const title = "what the token says of its user, and nothing else of the session"
	named := false
	r, _ := e.EditSession(e.WithChat(s.NewChatID()), func(v string) string {
		if len(v) < subject.MinOpaque && isIdentity(v, plain.token) {
			named = true
			return v
		}
		return invented(v)
	})
	if !named {
		return nil
	}
	ev, raw := s.Ask(ctx, title, r)
	if p, ok := personOf(raw); !ok || guest.is(raw) || p.claims["sub"] != plain.claims["sub"] {
		return []subject.Verdict{byTheEndpoint(s, refused(title, ev), ev)}
	}
	return []subject.Verdict{subject.Violated("no token: nobody may write a session", title+": their token").Surely().With(ev)}
}

// userNames are the names under which a session says whose it is, in small letters
// and without what parts words.
var userNames = map[string]bool{"userid": true, "uid": true, "user": true, "username": true, "login": true, "account": true, "accountid": true,
	"customer": true, "customerid": true, "member": true, "memberid": true, "personid": true, "email": true, "mail": true}

func namesUser(name string) bool {
	return userNames[strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(name))]
}

// guessed is how many bits at most two sessions may differ in, for one to be found from the
// other by trying: some hundred million requests.
const guessed = 28

// guessable says whether two texts differ in so little that who has one finds the other:
// a number that is counted, an id, a name. What is about them in both is the same for all.
func guessable(one, other string) bool {
	for one != "" && other != "" && one[0] == other[0] {
		one, other = one[1:], other[1:]
	}
	for one != "" && other != "" && one[len(one)-1] == other[len(other)-1] {
		one, other = one[:len(one)-1], other[:len(other)-1]
	}
	letters := 64.0
	for _, a := range []struct {
		all  string
		size float64
	}{{"abcdefghijklmnopqrstuvwxyz0123456789", 36}, {"abcdef0123456789", 16}, {"0123456789", 10}} {
		if strings.Trim(one+other, a.all) == "" {
			letters = a.size
		}
	}
	return other != "" && float64(max(len(one), len(other)))*math.Log2(letters) < guessed
}

// writable says whether two texts at the same place of two sessions are of a kind
// that anybody can write: both are e-mail addresses, whatever the token makes of
// them, or one is guessed from the other.
func writable(one, other string) bool {
	return one != other && other != "" && (anAddress.MatchString(one) && anAddress.MatchString(other) || guessable(one, other))
}

// An otherPerson says what stands for another user.
type otherPerson struct {
	who string
	of  func(name, text string) string
}

// otherPeople are one who is made up, those whose numbers are near, and the second
// user, if there is one.
func otherPeople(ctx context.Context, s *subject.Session, plain *person, theirs map[string]string) []otherPerson {
	unique := s.NewChatID()
	out := []otherPerson{{"an invented user", func(_, text string) string {
		if invented, ok := invent(text, unique); ok {
			return invented.(string)
		}
		return text
	}}}
	for _, step := range []int{1, -1} {
		out = append(out, otherPerson{fmt.Sprintf("the user whose number differs by %+d", step), func(_, text string) string {
			if n, err := strconv.Atoi(text); err == nil && n+step > 0 {
				return strconv.Itoa(n + step)
			}
			return text
		}})
	}
	if second := secondPerson(ctx, s); second != nil {
		out = append(out, otherPerson{"the second user", func(name, text string) string {
			if value := theirs[name]; namesUser(name) && value != "" || writable(text, value) {
				return value
			}
			return swapped(text, plain.token, second.token)
		}})
	}
	return out
}

// sessionValues are what the second user's session says readably, by its names.
func sessionValues(s *subject.Session) map[string]string {
	out := map[string]string{}
	if e, err := s.SecondEndpoint(); err == nil {
		e.EditReadable(e.Request.Header.Clone(), func(name, text string) (string, bool) {
			if name != "" || anAddress.MatchString(text) {
				out[name] = text
			}
			return text, false
		})
	}
	return out
}

// secondPerson is whom the second user's session gives a token for; nil if there
// is none.
func secondPerson(ctx context.Context, s *subject.Session) (p *person) {
	_ = s.LastingSecond(ctx, func(e *subject.Endpoint) bool { // AUTH-BIND-SESSION says why there is none
		_, raw := s.Ask(ctx, "the second user's token", e.WithChat(s.NewChatID()))
		p, _ = personOf(raw)
		return raw != ""
	})
	return p
}
