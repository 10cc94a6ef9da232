package token

import (
	"errors"
	"fmt"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// Expect is what a token is judged against. What is left out cannot be judged,
// and Result.Unjudged says so.
type Expect struct {
	// Keys[0] is the key that was uploaded to Kindly. The others are known to
	// the caller, and serve only to say who signed instead.
	Keys []*Key
	// ChatID is what getAuthToken was called with.
	ChatID string
	// Now is when the token arrived.
	Now time.Time
	// Published maps fingerprints (lower-case hex, see Key) of keys whose
	// private half is public to where that is. The built-in ones always count.
	Published map[string]string
}

// A Violation is a rule that does not hold.
type Violation struct {
	Rule     rule.Rule
	Level    rule.Level // may differ from Rule.Level, up or down
	Expected string     // "at most 900 s"
	Actual   string     // "exp is 1800 s after iat"; holds no secret
	Fix      string
	// Diagnosis is the mistake that it comes from; empty where that can't be told.
	Diagnosis Diagnosis
}

// Unjudged is a rule that may or may not hold.
type Unjudged struct {
	Rule   rule.Rule
	Reason string
}

// Result is what Check found, in the order of Rules. Each rule is in
// Violations, in Unjudged, or holds.
type Result struct {
	Token      *Token // never nil; decoded as far as possible
	Violations []Violation
	Unjudged   []Unjudged
	SignedBy   *Key // the one of Expect.Keys that verifies the signature, or nil
}

// Refused says whether Kindly refuses a token for this violation. For all
// others it takes the token, which is unsafe then, or shown wrongly.
func (v Violation) Refused() bool { return v.Level == rule.Must && v.Rule.Refused != "" }

// String is one line for people.
func (v Violation) String() string {
	return fmt.Sprintf("%s %s: %s, expected %s", v.Level, v.Rule.ID, v.Actual, v.Expected)
}

// String says whether the token is accepted, and what it violates, a line each.
func (r Result) String() string {
	text := "refused"
	if r.Accepted() {
		text = "accepted"
	}
	for _, v := range r.Violations {
		text += "\n" + v.String()
	}
	return text
}

// Accepted says whether Kindly would let the user in: nothing for which it
// refuses tokens is violated, or left unjudged but TOK-CHAT-ID. Without a key or
// a time it is false. An accepted token may still break rules: see Violations.
func (r Result) Accepted() bool {
	if len(r.Refused()) > 0 {
		return false
	}
	for _, u := range r.Unjudged {
		if u.Rule.Refused != "" && u.Rule.ID != "TOK-CHAT-ID" {
			return false
		}
	}
	return true
}

// Refused returns the violations for which Kindly refuses the token.
func (r Result) Refused() []Violation {
	var out []Violation
	for _, v := range r.Violations {
		if v.Refused() {
			out = append(out, v)
		}
	}
	return out
}

// Violation returns the violation of the rule of that ID.
func (r Result) Violation(id string) (Violation, bool) {
	for _, v := range r.Violations {
		if v.Rule.ID == id {
			return v, true
		}
	}
	return Violation{}, false
}

// Check judges raw by all Rules. It depends on nothing but its arguments, and
// is safe for hostile input: a token over 64 KB is judged by its size alone.
func Check(raw Raw, e Expect) Result {
	s := newState(raw, e)
	result := Result{}
	for i := range allRules {
		r := &allRules[i]
		v := s.judge(r)
		switch v.outcome {
		case violated:
			result.Violations = append(result.Violations, v.violation(r.Rule))
		case unjudged:
			if result.Unjudged == nil { // one missing thing often hides many rules
				result.Unjudged = make([]Unjudged, 0, len(allRules)-i)
			}
			result.Unjudged = append(result.Unjudged, Unjudged{r.Rule, v.reason})
		}
	}
	result.Token, result.SignedBy = s.token, s.signedBy
	return result
}

// state is one token under judgement.
type state struct {
	Expect
	compact
	size      int
	tooLarge  bool
	token     *Token
	headerErr error
	claimsErr error
	encoded   error // what is wrong with JSON that could be read all the same
	key       *Key  // the uploaded one, nil if there is none
	signedBy  *Key  // set by TOK-SIGNATURE
	iat, exp  instant
}

func newState(raw Raw, e Expect) *state {
	s := &state{Expect: e, size: len(raw)}
	if len(e.Keys) > 0 && e.Keys[0] != nil && e.Keys[0].Public != nil {
		s.key = e.Keys[0]
	}
	if s.tooLarge = len(raw) > maxBytes; s.tooLarge {
		s.token = &Token{Raw: raw}
		return s
	}
	s.compact = takeApart(string(raw))
	s.token, s.headerErr, s.claimsErr = decode(raw, s.compact)
	for _, err := range []*error{&s.claimsErr, &s.headerErr} {
		if errors.Is(*err, errEncoding) {
			s.encoded, *err = *err, nil
		}
	}
	s.readTimes()
	return s
}

func (s *state) claim(name string) Value { return s.token.Claims.Get(name) }

func (s *state) chat() Value { return s.claim("chat") }

// judge applies one rule, if what it needs is there.
func (s *state) judge(r *judgedRule) verdict {
	if s.tooLarge && r.needs != needNothing {
		return unknown(errTooLarge.Error())
	}
	switch {
	case r.needs&needHeader != 0 && s.headerErr != nil:
		return unknown("the header cannot be read")
	case r.needs&needClaims != 0 && s.claimsErr != nil:
		return unknown("the payload cannot be read")
	case r.needs&needKey != 0 && s.key == nil:
		return unknown("no public key was given")
	case r.needs&needClock != 0 && s.Now.IsZero():
		return unknown("the time of arrival was not given")
	}
	return r.judge(s)
}

// need is what must be there for a rule to be judged.
type need uint8

const (
	needForm   need = 1 << iota // a token of bearable size
	needHeader                  // a header that can be read
	needClaims                  // a payload that can be read
	needKey                     // the uploaded public key
	needClock                   // the time of arrival

	needNothing need = 0
)

// judgedRule is a rule and how it is judged.
type judgedRule struct {
	rule.Rule
	needs need
	judge func(*state) verdict
}

type outcome uint8

const (
	holds outcome = iota
	violated
	unjudged
)

// verdict is what a judge says. The zero verdict is that the rule holds.
type verdict struct {
	outcome          outcome
	level            rule.Level // of the rule, if empty
	expected, actual string
	fix              string // of the rule, if empty
	diagnosis        Diagnosis
	reason           string // why unjudged
}

var held verdict

func bad(expected, actual string) verdict {
	return verdict{outcome: violated, expected: expected, actual: actual}
}

func badf(expected, format string, args ...any) verdict {
	return bad(expected, fmt.Sprintf(format, args...))
}

func unknown(reason string) verdict { return verdict{outcome: unjudged, reason: reason} }

func (v verdict) at(l rule.Level) verdict { v.level = l; return v }

func (v verdict) fixedBy(fix string) verdict { v.fix = fix; return v }

func (v verdict) violation(r rule.Rule) Violation {
	out := Violation{Rule: r, Level: v.level, Expected: v.expected, Actual: v.actual, Fix: v.fix, Diagnosis: v.diagnosis}
	if out.Level == "" {
		out.Level = r.Level
	}
	if out.Fix == "" {
		out.Fix = r.Fix
	}
	return out
}
