package token

import (
	"fmt"
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

// timeRules judge iat, exp and nbf. Where one of them cannot be read as
// seconds, one rule says so, and those that count with it are unjudged.
var timeRules = []judgedRule{
	{rule.Rule{
		ID: "TOK-IAT", Level: rule.Must, Fidelity: rule.Documented,
		Text:    "iat is an integer in seconds (milliseconds are named as such).",
		Source:  rule.ChatAuthentication,
		Fix:     "Set iat to the current time in whole seconds since 1970, as a number: Math.floor(Date.now() / 1000) in JavaScript.",
		Broken:  "iat is no time in whole seconds.",
		Why:     "exp is measured from iat. In milliseconds it lies tens of thousands of years ahead; as text, strict libraries refuse it.",
		Refused: rule.Documented,
	}, needForm | needClaims, func(s *state) verdict { return judgeInstant("iat", s.iat) }},
	{rule.Rule{
		ID: "TOK-EXP", Level: rule.Must, Fidelity: rule.Documented,
		Text:    "exp is an integer in seconds.",
		Source:  rule.ChatAuthentication,
		Fix:     "Set exp to iat plus at most 900, in whole seconds, as a number.",
		Broken:  "exp is no time in whole seconds.",
		Why:     "exp is what makes a stolen token harmless after some minutes. In milliseconds it never does.",
		Refused: rule.Documented,
	}, needForm | needClaims, func(s *state) verdict { return judgeInstant("exp", s.exp) }},
	{rule.Rule{
		ID: "TOK-EXP-MAX", Level: rule.Must, Fidelity: rule.Documented,
		Text:    "exp is after iat and at most 900 s after it.",
		Source:  rule.ChatAuthentication,
		Fix:     "Let the token live for 15 minutes at most; Kindly asks for a new one before it expires.",
		Broken:  "The token lives longer than 15 minutes, or no time at all.",
		Why:     "The longer a token lives, the longer a stolen one works. A longer life than Kindly allows costs you all tokens, not only the long ones.",
		Refused: rule.Documented,
	}, needForm | needClaims, judgeExpMax},
	{rule.Rule{
		ID: "TOK-EXP-FUTURE", Level: rule.Must, Fidelity: rule.Documented,
		Text:    "It has not expired when it arrives.",
		Source:  rule.RFC7519 + "#section-4.1.4",
		Fix:     "Make a new token on each call instead of keeping one, and check the clock of the server that signs.",
		Broken:  "The token has expired when it arrives.",
		Why:     "An expired token is refused. If it is born expired, a clock is wrong or a token was kept, and every user is a stranger.",
		Refused: rule.Documented,
	}, needForm | needClaims | needClock, judgeExpFuture},
	{rule.Rule{
		ID: "TOK-IAT-SKEW", Level: rule.Must, Fidelity: rule.Assumed,
		Text:    "iat is within 300 s of the real time.",
		Source:  rule.RFC7519 + "#section-4.1.6",
		Fix:     "Set the clock of the server that signs (NTP), use UTC seconds, and make a new token on each call.",
		Broken:  "iat is more than five minutes away from the real time.",
		Why:     "If your clock is minutes off, tokens come from the future or have expired on arrival. It begins on one server of several, and looks like chance.",
		Refused: rule.Assumed,
	}, needForm | needClaims | needClock, judgeSkew},
	{rule.Rule{
		ID: "TOK-IAT-CLOCK", Level: rule.Should, Fidelity: rule.Assumed,
		Text:   "iat is within 60 s of the real time.",
		Source: rule.RFC7519 + "#section-4.1.6",
		Fix:    "Set the clock of the server that signs (NTP), and make a new token on each call.",
		Broken: "iat is more than a minute away from the real time.",
		Why:    "A clock that is a minute off today is five off next month. Until then only the strictest of your webhooks refuses tokens.",
	}, needForm | needClaims | needClock, judgeClock},
	{rule.Rule{
		ID: "TOK-NBF", Level: rule.Must, Fidelity: rule.Assumed,
		Text:    "If there is an nbf, it has passed.",
		Source:  rule.RFC7519 + "#section-4.1.5",
		Fix:     "Leave nbf out, or set it to iat minus a minute, so that clocks may differ a little.",
		Broken:  "The token is not valid yet when it arrives.",
		Why:     "A token that is not valid yet is refused when it is used at once, and a chat uses it at once.",
		Refused: rule.Assumed,
	}, needForm | needClaims | needClock, judgeNBF},
}

// seconds reads a claim that holds seconds since 1970, and says what it is if
// it is something else.
func seconds(v Value) (n int64, problem string) {
	n, ok := v.Int()
	switch {
	case !v.Exists():
		return 0, "is missing"
	case v.Kind() != Number:
		return 0, "is " + show(v)
	case !ok:
		return 0, "is written " + shorten(v.JSON()) + ", which is no integer of 64 bits"
	case n < 0:
		return 0, fmt.Sprintf("is %d: before 1970", n)
	case n >= 1e17:
		return 0, fmt.Sprintf("is %d: that looks like nanoseconds", n)
	case n >= 1e14:
		return 0, fmt.Sprintf("is %d: that looks like microseconds", n)
	case n >= 1e11: // the year 5138 in seconds, 1973 in milliseconds
		return 0, fmt.Sprintf("is %d: that is milliseconds", n)
	}
	return n, ""
}

func judgeInstant(name string, at instant) verdict {
	if at.problem == "" {
		return held
	}
	return bad("whole seconds since 1970, as a number", name+" "+at.problem)
}

// unreadable says which of the claims is no instant; "" if all are.
func (s *state) unreadable(iat, exp bool) string {
	switch {
	case iat && s.iat.problem != "":
		return "iat is no integer in seconds: see TOK-IAT"
	case exp && s.exp.problem != "":
		return "exp is no integer in seconds: see TOK-EXP"
	}
	return ""
}

func judgeExpMax(s *state) verdict {
	if reason := s.unreadable(true, true); reason != "" {
		return unknown(reason)
	}
	switch lifetime := s.exp.seconds - s.iat.seconds; {
	case lifetime == 0:
		return bad("exp after iat", "exp equals iat")
	case lifetime < 0:
		return badf("exp after iat", "exp is %d s before iat", -lifetime)
	case lifetime > maxLifetime:
		return badf("at most 900 s", "exp is %d s after iat", lifetime)
	}
	return held
}

func judgeExpFuture(s *state) verdict {
	if reason := s.unreadable(false, true); reason != "" {
		return unknown(reason)
	}
	if ago := s.Now.Unix() - s.exp.seconds; ago >= 0 {
		return badf("exp in the future", "it expired %d s ago (%s)", ago, clockTime(s.exp.seconds))
	}
	return held
}

// skew is how far iat is ahead of the real time, in seconds.
func (s *state) skew() int64 { return s.iat.seconds - s.Now.Unix() }

func judgeSkew(s *state) verdict {
	if reason := s.unreadable(true, false); reason != "" {
		return unknown(reason)
	}
	if d := s.skew(); d > maxSkew || d < -maxSkew {
		return bad("within 300 s of "+clockTime(s.Now.Unix()), "iat is "+describeSkew(d))
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
		return bad("within 60 s of "+clockTime(s.Now.Unix()), "iat is "+describeSkew(d))
	}
	return held
}

func judgeNBF(s *state) verdict {
	const expected = "no nbf, or one that has passed"
	nbf := s.claim("nbf")
	if !nbf.Exists() {
		return held
	}
	n, problem := seconds(nbf)
	if problem != "" {
		return bad(expected, "nbf "+problem)
	}
	if ahead := n - s.Now.Unix(); ahead > nbfGrace {
		return badf(expected, "nbf is %d s in the future", ahead)
	}
	return held
}

func describeSkew(d int64) string {
	if d < 0 {
		return fmt.Sprintf("%d s behind the real time", -d)
	}
	return fmt.Sprintf("%d s ahead of the real time", d)
}

func clockTime(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
