package forge

import (
	"crypto"
	"crypto/rsa"
	"encoding/json"
	"strings"
)

func claimAttacks() []Attack {
	minted := func(check, name, why, source string, build func(*bench)) Attack {
		return Attack{Check: check, Name: name, Why: why, Source: source, Needs: withKey, NeedsKey: true, build: build}
	}
	const kindly = "https://docs.kindly.ai/guides-and-examples/chat-authentication"
	return []Attack{
		minted("HOOK-NO-CHAT", "for no chat",
			"A token that is bound to no chat works in all of them, so one that leaks is good anywhere.",
			kindly+"; RFC 8725 §3.12", noChat),
		minted("HOOK-CHAT-TYPE", "an odd chat",
			"Loose comparison takes a list or a number for the chat id that it resembles.",
			kindly+"; RFC 8725 §3.12", chatType),
		minted("HOOK-SUB-TYPE", "an odd sub",
			"A sub that is no string finds nobody, or the first user that the query meets.",
			"RFC 7519 §4.1.2; RFC 8725 §3.8", subType),
		minted("HOOK-DUPLICATE-CLAIMS", "claims that come twice",
			"Where two parsers read one token differently, one of them is being lied to.",
			"RFC 7519 §4; RFC 8259 §4", duplicates),
		minted("HOOK-UNVERIFIED", "verified in words only",
			"In many languages the string \"false\" is as true as \"true\".",
			kindly, unverified),
		minted("HOOK-ESCAPES", "markup in a name",
			"Kindly shows replies as HTML, and people choose their own names.",
			"https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html", escapes),
	}
}

func mintedHeaderAttacks() []Attack {
	return []Attack{{
		Check: "HOOK-ALG-OTHER", Name: "another RSA algorithm", Needs: withKey, NeedsKey: true,
		Why:    "One key is for one algorithm; what else is accepted is one more thing that can be wrong.",
		Source: "RFC 8725 §3.1", build: algOther,
	}, {
		Check: "HOOK-CRIT", Name: "an unknown critical extension", Needs: withKey, NeedsKey: true,
		Why:    "crit says: refuse this if you don't understand it.",
		Source: "RFC 7515 §4.1.11", build: crit,
	}}
}

// noChat tries each token also in a request without chat_id, where a
// comparison of nothing with nothing succeeds.
func noChat(b *bench) {
	for _, row := range []struct{ name, chat string }{
		{"no chat", ""},
		{"an empty chat", "{}"},
		{"no chat.id", `{"webhook_domains":[]}`},
		{"chat.id null", `{"id":null}`},
		{"chat.id empty", `{"id":""}`},
	} {
		for _, omit := range []bool{false, true} {
			d := b.marked().drop("chat")
			if row.chat != "" {
				d = d.claim("chat", row.chat)
			}
			f := b.mint(row.name, d)
			if omit {
				f.Name, f.OmitChatID = f.Name+", nor chat_id", true
			}
			b.add(f)
		}
	}
}

func chatType(b *bench) {
	id := quote(b.As.Chat(b.ChatID))
	for _, row := range []struct{ name, chat string }{
		{"null", "null"}, {"a string", id}, {"true", "true"}, {"a number", "1"},
		{"a list", "[" + id + "]"}, {"a list of objects", `[{"id":` + id + `}]`},
		{"id a number", `{"id":1}`}, {"id a list", `{"id":[` + id + `]}`},
		{"id an object", `{"id":{"id":` + id + `}}`}, {"id true", `{"id":true}`},
	} {
		b.minted("chat "+row.name, b.marked().claim("chat", row.chat))
	}
}

func subType(b *bench) {
	b.minted("sub missing", b.marked().drop("sub"))
	for _, row := range []struct{ name, raw string }{
		{"empty", `""`}, {"null", "null"}, {"a number", "1"}, {"0", "0"}, {"true", "true"},
		{"an object", `{"$ne":null}`}, {"a list", `["1"]`},
	} {
		if b.NumericSub && isNumber(row.raw) {
			continue // what the endpoint signs, the webhook has to take (TOK-SUB)
		}
		b.minted("sub "+row.name, b.marked().claim("sub", row.raw))
	}
}

func isNumber(raw string) bool {
	return json.Valid([]byte(raw)) && strings.ContainsAny(raw[:1], "-0123456789")
}

func duplicates(b *bench) {
	past, soon := b.at(-3600), b.at(300)
	other := `{"id":"` + otherChat + `"}`
	chat, _ := b.fresh().claims.get("chat")
	twice := func(name, first, second string) func(draft) draft {
		return func(d draft) draft {
			d.claims = d.claims.without(name).plus(name, first).plus(name, second)
			return d
		}
	}
	beside := func(name, value, shadow, raw string) func(draft) draft {
		return func(d draft) draft { d.claims = d.claims.with(name, value).plus(shadow, raw); return d }
	}
	sub, _ := b.claims.get("sub")
	for _, row := range []struct {
		name string
		edit func(draft) draft
	}{
		{"exp: expired, then valid", twice("exp", past, soon)},
		{"exp: valid, then expired", twice("exp", soon, past)},
		{"chat: another, then this", twice("chat", other, chat)},
		{"chat: this, then another", twice("chat", chat, other)},
		{"exp expired, EXP valid", beside("exp", past, "EXP", soon)},
	} {
		f := b.mint(row.name, row.edit(b.marked()))
		f.Want = Anything
		b.add(f)
	}
	for _, first := range []bool{true, false} {
		c := b.Canary("sub")
		name, edit := "sub: the page's, then a stranger's", twice("sub", sub, quote(c))
		if first {
			name, edit = "sub: a stranger's, then the page's", twice("sub", quote(c), sub)
		}
		f := b.mint(name, edit(b.fresh()))
		f.Want, f.Canaries = Anything, []string{c}
		b.add(f)
	}
}

// otherChat is a chat that no request is about.
const otherChat = "00000000-0000-4000-8000-000000000001"

// unverified puts the canary into email alone: the token is valid, and only
// the address may not be used. Where a plain false lets the address show too,
// the webhook does not look at email_verified at all.
func unverified(b *bench) {
	row := func(name, raw string, want Want) {
		email := b.Canary("email")
		f := b.mint(name, b.fresh().claim("email", quote(email)).claim("email_verified", raw))
		f.Canaries, f.Want = []string{email}, want
		b.add(f)
	}
	row(`the string "true"`, `"true"`, Silent)
	row(`the string "false"`, `"false"`, Silent)
	row("1", "1", Silent)
	row("a list", "[true]", Silent)
	row("false, to compare", "false", Baseline)
}

func escapes(b *bench) {
	for _, row := range []struct{ name, before, after string }{
		{"an image", `<img src=x onerror=`, `>`},
		{"a script", `<script>`, `</script>`},
		{"a link", `<a href="javascript:`, `">x</a>`},
		{"the end of an attribute", `"><b id=`, `>`},
	} {
		name := row.before + b.Canary("name") + row.after
		f := b.mint(row.name, b.fresh().called("name", name))
		f.Canaries, f.Want = []string{name}, Escaped
		b.add(f)
	}
}

func algOther(b *bench) {
	for _, row := range []struct {
		alg  string
		hash crypto.Hash
	}{{"RS384", crypto.SHA384}, {"RS512", crypto.SHA512}} {
		d := b.marked().head("alg", quote(row.alg))
		b.put(row.alg, d, b.rsa(b.Private, row.hash, d))
	}
	d := b.marked().head("alg", `"PS256"`)
	sig, err := rsa.SignPSS(b.Rand, b.Private, crypto.SHA256, digest(crypto.SHA256, d.input()),
		&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	if err != nil {
		b.fail(err)
		return
	}
	b.put("PS256", d, b64(sig))
}

func crit(b *bench) {
	const name = "https://kindlytest.example/critical"
	b.minted("an unknown extension", b.marked().head("crit", `["`+name+`"]`).head(name, "true"))
	b.minted("an extension that is missing", b.marked().head("crit", `["`+name+`"]`))
	b.minted("an empty list", b.marked().head("crit", "[]"))
	b.minted("no list", b.marked().head("crit", "true"))
}
