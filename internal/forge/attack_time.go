package forge

import "fmt"

// withKey are the needs of every attack that mints.
const withKey = NeedToken | NeedPrivate

func timeAttacks() []Attack {
	minted := func(check, name, why, source string, build func(*bench)) Attack {
		return Attack{Check: check, Name: name, Why: why, Source: source, Needs: withKey, NeedsKey: true, build: build}
	}
	return []Attack{
		minted("HOOK-EXPIRED", "expired",
			"A token that never dies is a password that everybody on the way has seen.",
			"RFC 7519 §4.1.4", expired),
		minted("HOOK-EXP-MISSING", "no usable exp",
			"A library that skips a check whose claim is missing takes the token for ever.",
			"RFC 7519 §2, §4.1.4", expMissing),
		minted("HOOK-EXP-HUGE", "exp beyond all clocks",
			"A number that overflows, or is in another unit, may turn into \"never expires\".",
			"RFC 7519 §2, §4.1.4; RFC 8259 §6", expHuge),
		minted("HOOK-LIFETIME", "too long a life",
			"Kindly refuses lifetimes over 15 minutes, so such a token did not come through Kindly.",
			"https://docs.kindly.ai/guides-and-examples/chat-authentication", lifetime),
		minted("HOOK-NBF", "not yet valid",
			"A token used before its time is not what its issuer allowed.",
			"RFC 7519 §4.1.5", notBefore),
		minted("HOOK-IAT", "no usable iat",
			"Without iat nobody can tell how long the token was meant to live.",
			"RFC 7519 §4.1.6; https://docs.kindly.ai/guides-and-examples/chat-authentication", issuedAt),
	}
}

// minted adds a signed draft.
func (b *bench) minted(name string, d draft) { b.add(b.mint(name, d)) }

// lived returns a draft with these times, in seconds from now.
func (b *bench) lived(iat, exp int64) draft {
	d := b.marked().claim("iat", b.at(iat)).claim("exp", b.at(exp))
	if _, ok := d.claims.get("nbf"); ok {
		d = d.claim("nbf", b.at(iat))
	}
	return d
}

func expired(b *bench) {
	b.minted("for an hour", b.lived(-3900, -3600))
	b.minted("for a day", b.lived(-86700, -86400))
	for _, row := range []struct {
		seconds int64
		grade   Grade
	}{{290, Warning}, {60, Note}} { // leeway is common; five minutes is too much
		f := b.mint(fmt.Sprintf("for %d seconds", row.seconds), b.lived(-row.seconds-300, -row.seconds))
		f.Grade = row.grade
		b.add(f)
	}
}

func expMissing(b *bench) {
	b.minted("missing", b.marked().drop("exp"))
	soon := b.at(300)
	for _, row := range []struct{ name, raw string }{
		{"null", "null"}, {"0", "0"}, {"negative", "-1"},
		{"a string", quote(soon)}, {"an empty string", `""`}, {"a word", `"never"`},
		{"true", "true"}, {"false", "false"}, {"an object", `{}`}, {"a list", "[" + soon + "]"},
	} {
		b.minted(row.name, b.marked().claim("exp", row.raw))
	}
}

func expHuge(b *bench) {
	ms := b.at(300) + "000"
	for _, row := range []struct{ name, raw string }{
		{"1e300", "1e300"}, {"2^63", "9223372036854775808"}, {"2^64", "18446744073709551616"},
		{"milliseconds", ms},
	} {
		b.minted(row.name, b.marked().claim("exp", row.raw))
	}
}

func lifetime(b *bench) {
	b.minted("an hour", b.lived(0, 3600))
	b.minted("30 days", b.lived(0, 30*86400))
}

func notBefore(b *bench) {
	b.minted("in 10 minutes", b.lived(0, 900).claim("nbf", b.at(600)))
	b.minted("in a day", b.lived(0, 300).claim("nbf", b.at(86400)))
}

func issuedAt(b *bench) {
	b.minted("missing", b.marked().drop("iat"))
	b.minted("in an hour", b.lived(3600, 3900).claim("nbf", b.at(0)))
	b.minted("in milliseconds", b.marked().claim("iat", b.at(0)+"000"))
	b.minted("a string", b.marked().claim("iat", quote(b.at(0))))
	b.minted("null", b.marked().claim("iat", "null"))
}
