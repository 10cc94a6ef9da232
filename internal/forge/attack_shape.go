package forge

import "strings"

func shapeAttacks() []Attack {
	return []Attack{{
		Check: "HOOK-SEGMENTS", Name: "too few or too many segments", Needs: NeedToken,
		Why:    "Code that splits at dots without counting reads past the end, or takes the part that it likes.",
		Source: "RFC 7515 §5.2; RFC 7519 §7.2; CVE-2025-30204", build: segments,
	}, {
		Check: "HOOK-GARBAGE", Name: "no token inside",
		Why:    "A webhook that falls over a token nobody vouches for can be switched off by anybody.",
		Source: "RFC 7519 §7.2; RFC 7515 §5.2", build: garbage,
	}}
}

func segments(b *bench) {
	h, p, s := b.parts[0], b.parts[1], b.parts[2]
	own := h + "." + p + "." + s // what follows it, some libraries don't look at
	for _, row := range []struct{ name, token string }{
		{"no segment", ""},
		{"1 segment", h},
		{"1 segment, the payload", p},
		{"2 segments", h + "." + p},
		{"2 segments, the payload and signature", p + "." + s},
		{"4 segments", own + "." + s},
		{"4 segments, the last empty", own + "."},
		{"4 segments, the first empty", "." + h + "." + p + "." + s},
		{"5 segments", own + "." + p + "." + s},
		{"one dot", "."},
		{"two dots", ".."},
		{"two dots and a payload", "." + p + "."},
		{"two dots and a signature", ".." + s},
		{"5,000 dots", strings.Repeat(".", 5000)},
		{"a token and 5,000 dots", own + strings.Repeat(".", 5000)},
		{"100,000 dots", strings.Repeat(".", 100_000)},
	} {
		f := Forged{Name: row.name, Token: Secret(row.token)}
		if strings.HasPrefix(row.token, own+".") {
			f.Want = Genuine
		}
		b.add(f)
	}
}

// Sizes of HOOK-GARBAGE.
const (
	deep = 10_000   // levels
	long = 64 << 10 // bytes
)

// garbage needs no token: where there is one, its sound half is used.
func garbage(b *bench) {
	signature := b64(b.random(256))
	header, payload := b64(b.fresh().header.String()), b64(b.fresh().claims.String())
	for _, row := range broken() {
		b.add(Forged{Name: "header: " + row.name, Token: Secret(row.segment + "." + payload + "." + signature)})
		b.add(Forged{Name: "payload: " + row.name, Token: Secret(header + "." + row.segment + "." + signature)})
	}
	for _, row := range broken()[:3] {
		b.add(Forged{Name: "both: " + row.name, Token: Secret(row.segment + "." + row.segment + "." + signature)})
	}
	// An unsecured token with nothing in it is where careless code reads null.
	none := b64(`{"alg":"none"}`)
	b.add(Forged{Name: "alg none, payload: null", Token: Secret(none + "." + b64("null") + ".")})
	b.add(Forged{Name: "alg none, payload: empty", Token: Secret(none + "..")})
	b.add(Forged{Name: "a word", Token: "kindlytest"})
	b.add(Forged{Name: "64 KB of letters", Token: Secret(strings.Repeat("a", long))})
}

type segment struct{ name, segment string }

// broken returns segments that are no JSON object, or too much of one.
func broken() []segment {
	open, shut := strings.Repeat("[", deep), strings.Repeat("]", deep)
	return []segment{
		{"null", b64("null")},
		{"a list", b64(`["RS256"]`)},
		{"a string", b64(`"RS256"`)},
		{"a number", b64("1")},
		{"true", b64("true")},
		{"an empty object", b64("{}")},
		{"words", b64("hello, webhook")},
		{"cut off", b64(`{"alg":"RS256","sub":"ki`)},
		{"two objects", b64(`{"alg":"RS256"}{"alg":"RS256"}`)},
		{"not UTF-8", b64("{\"alg\":\"RS256\",\"sub\":\"\xff\xfe\"}")},
		{"UTF-16", b64("{\x00\"\x00a\x00\"\x00:\x001\x00}\x00")},
		{"bytes of no text", b64("\x00\x01\x02\xff")},
		{"a huge number", b64(`{"alg":"RS256","exp":1e999999}`)},
		{"no base64url", "!!!!"},
		{"base64 of one letter", "a"},
		{"percent signs", "%00%ff"},
		{"empty", ""},
		{"10,000 lists deep", b64(`{"alg":"RS256","sub":` + open + shut + `}`)},
		{"10,000 objects deep", b64(strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep))},
		{"10,000 levels never closed", b64(open)},
		{"64 KB long", b64(`{"alg":"RS256","sub":"` + strings.Repeat("a", long) + `"}`)},
	}
}

func carriageAttacks() []Attack {
	return []Attack{{
		Check: "HOOK-SCHEME", Name: "the token elsewhere", Needs: NeedToken,
		Why:    "Kindly sends the token in one place; every other that is read ends up in logs, or can be set by a page.",
		Source: "RFC 6750 §2.1, §2.3, §5.3", build: scheme,
	}, {
		Check: "HOOK-BEARER-CASE", Name: "the scheme in another case", Needs: NeedToken,
		Why:    "Names of authentication schemes are case-insensitive, and proxies change them.",
		Source: "RFC 9110 §11.1", build: bearerCase,
	}}
}

func scheme(b *bench) {
	for _, row := range []struct {
		name string
		by   Carriage
	}{
		{"under Basic", Carriage{InScheme, "Basic"}},
		{"under Token", Carriage{InScheme, "Token"}},
		{"under JWT", Carriage{InScheme, "JWT"}},
		{"bare", Carriage{Place: InBare}},
		{"in the query, access_token", Carriage{InQuery, "access_token"}},
		{"in the query, token", Carriage{InQuery, "token"}},
		{"in a cookie, token", Carriage{InCookie, "token"}},
		{"in a cookie, access_token", Carriage{InCookie, "access_token"}},
	} {
		b.add(Forged{Name: row.name, Token: b.Token, Carriage: row.by})
	}
}

func bearerCase(b *bench) {
	for _, name := range []string{"bearer", "BEARER"} {
		b.add(Forged{Name: name, Token: b.Token, Carriage: Carriage{InScheme, name}, Want: Accepted, Grade: Note})
	}
}
