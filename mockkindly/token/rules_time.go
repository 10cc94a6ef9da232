package token

import (
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// Bounds of the time rules, in seconds.
const (
	maxLifetime = 900 // documented: 15 minutes
	maxSkew     = 300
	maxClock    = 60
	nbfGrace    = 1 // claims are whole seconds: nbf = iat = now may round up
)

// timeRules judge iat, exp and nbf. Where one of them is not written in seconds,
// one rule says so, and the others judge the time that is meant; where none is,
// those that count with it are unjudged.
var timeRules = []judgedRule{
	{rule.Rule{
		ID: "TOK-IAT", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:    "iat is an integer in seconds (milliseconds are named as such).",
		Source:  rule.ChatAuthentication,
		Fix:     "Set iat to the current time in whole seconds since 1970, as a number: Math.floor(Date.now() / 1000) in JavaScript.",
		Broken:  "iat is no time in whole seconds.",
		Why:     "exp is measured from iat. In milliseconds it lies tens of thousands of years ahead; as text, strict libraries refuse it.",
		Refused: rule.Documented,
	}, needForm | needClaims, func(s *state) verdict { return judgeInstant("iat", s.iat) }},
	{rule.Rule{
		ID: "TOK-EXP", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:    "exp is an integer in seconds.",
		Source:  rule.ChatAuthentication,
		Fix:     "Set exp to iat plus at most 900, in whole seconds, as a number.",
		Broken:  "exp is no time in whole seconds.",
		Why:     "exp is what makes a stolen token harmless after some minutes. In milliseconds it never does.",
		Refused: rule.Documented,
	}, needForm | needClaims, func(s *state) verdict { return judgeInstant("exp", s.exp) }},
	{rule.Rule{
		ID: "TOK-EXP-MAX", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:    "exp is after iat and at most 900 s after it.",
		Source:  rule.ChatAuthentication,
		Fix:     "Let the token live for 15 minutes at most; Kindly asks for a new one before it expires.",
		Broken:  "The token lives longer than 15 minutes, or no time at all.",
		Why:     "The longer a token lives, the longer a stolen one works. A longer life than Kindly allows costs you all tokens, not only the long ones.",
		Kindly:  "exp is at most 15 minutes after iat.",
		Refused: rule.Documented,
	}, needForm | needClaims, judgeExpMax},
	{rule.Rule{
		ID: "TOK-EXP-FUTURE", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:    "It has not expired when it arrives.",
		Source:  rule.RFC7519 + "#section-4.1.4",
		Fix:     "Make a new token on each call instead of keeping one, and check the clock of the server that signs.",
		Broken:  "The token has expired when it arrives.",
		Why:     "An expired token is refused. If it is born expired, a clock is wrong or a token was kept, and every user is a stranger.",
		Refused: rule.Documented,
	}, needForm | needClaims | needClock, judgeExpFuture},
	{rule.Rule{
		ID: "TOK-IAT-SKEW", Level: rule.Must, Fidelity: rule.Assumed, Code: "mint",
		Text:    "iat is within 300 s of the real time.",
		Source:  rule.RFC7519 + "#section-4.1.6",
		Fix:     "Set the clock of the server that signs (NTP), use UTC seconds, and make a new token on each call.",
		Broken:  "iat is more than five minutes away from the real time.",
		Why:     "If your clock is minutes off, tokens come from the future or have expired on arrival. It begins on one server of several, and looks like chance.",
		Refused: rule.Assumed,
	}, needForm | needClaims | needClock, judgeSkew},
	{rule.Rule{
		ID: "TOK-IAT-CLOCK", Level: rule.Should, Fidelity: rule.Assumed, Code: "mint",
		Text:   "iat is within 60 s of the real time.",
		Source: rule.RFC7519 + "#section-4.1.6",
		Fix:    "Set the clock of the server that signs (NTP), and make a new token on each call.",
		Broken: "iat is more than a minute away from the real time.",
		Why:    "A clock that is a minute off today is five off next month. Until then only the strictest of your webhooks refuses tokens.",
	}, needForm | needClaims | needClock, judgeClock},
	{rule.Rule{
		ID: "TOK-NBF", Level: rule.Must, Fidelity: rule.Assumed, Code: "mint",
		Text:    "If there is an nbf, it has passed.",
		Source:  rule.RFC7519 + "#section-4.1.5",
		Fix:     "Leave nbf out, or set it to iat minus a minute, so that clocks may differ a little.",
		Broken:  "The token is not valid yet when it arrives.",
		Why:     "A token that is not valid yet is refused when it is used at once, and a chat uses it at once.",
		Refused: rule.Assumed,
	}, needForm | needClaims | needClock, judgeNBF},
}

func judgeInstant(name string, at instant) verdict {
	if at.problem == "" {
		return held
	}
	v := bad("whole seconds since 1970, as a number", name+" "+at.problem)
	if at.mistake.ID != "" {
		return v.as(at.mistake)
	}
	return v
}

// unreadable says which of the claims tells no time at all; "" if all do.
func (s *state) unreadable(iat, exp bool) string {
	switch {
	case iat && !s.iat.known:
		return "iat is no integer in seconds: see TOK-IAT"
	case exp && !s.exp.known:
		return "exp is no integer in seconds: see TOK-EXP"
	}
	return ""
}

func judgeExpMax(s *state) verdict {
	if reason := s.unreadable(true, true); reason != "" {
		return unknown(reason)
	}
	lifetime := s.exp.seconds - s.iat.seconds
	if lifetime > 0 && lifetime <= maxLifetime {
		return held
	}
	return s.describeLifetime(lifetime)
}

func judgeExpFuture(s *state) verdict {
	if reason := s.unreadable(false, true); reason != "" {
		return unknown(reason)
	}
	ago := s.Now.Unix() - s.exp.seconds
	if ago < 0 {
		return held
	}
	v := badf("exp in the future", "it expired %d s ago (%s)", ago, clockTime(s.exp.seconds))
	if mistake := s.whyExpired(); mistake.ID != "" {
		if d := s.skew(); mistake == skewMistake(d) {
			v.actual += ": iat is " + describeSkew(d)
		}
		return v.as(mistake)
	}
	return v
}

// skew is how far iat is ahead of the real time, in seconds.
func (s *state) skew() int64 { return s.iat.seconds - s.Now.Unix() }

func judgeSkew(s *state) verdict {
	if reason := s.unreadable(true, false); reason != "" {
		return unknown(reason)
	}
	if d := s.skew(); d > maxSkew || d < -maxSkew {
		return bad("within 300 s of "+clockTime(s.Now.Unix()), "iat is "+describeSkew(d)).as(skewMistake(d))
	}
	return held
}

// judgeClock is silent where TOK-IAT-SKEW speaks: one wrong clock is one
// finding.
func judgeClock(s *state) verdict {
	if reason := s.unreadable(true, false); reason != "" {
		return unknown(reason)
	}
	switch d := s.skew(); {
	case d > maxSkew || d < -maxSkew:
		return unknown("TOK-IAT-SKEW says it already")
	case d > maxClock || d < -maxClock:
		return bad("within 60 s of "+clockTime(s.Now.Unix()), "iat is "+describeSkew(d)).as(skewMistake(d))
	}
	return held
}

func judgeNBF(s *state) verdict {
	const expected = "no nbf, or one that has passed"
	nbf := s.claim("nbf")
	if !nbf.Exists() {
		return held
	}
	at := readInstant(nbf)
	if at.problem != "" {
		v := judgeInstant("nbf", at)
		v.expected = expected
		return v
	}
	ahead := at.seconds - s.Now.Unix()
	if ahead <= nbfGrace {
		return held
	}
	v := badf(expected, "nbf is %d s in the future", ahead)
	if d := s.skew(); s.iat.known && d > maxClock {
		return v.as(skewMistake(d))
	}
	return v
}

func clockTime(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
