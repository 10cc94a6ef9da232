package forge

import (
	"crypto"
	"encoding/base64"
)

func keyAttacks() []Attack {
	return []Attack{{
		Check: "HOOK-EMBEDDED-KEY", Name: "a key brought along", Needs: NeedToken | NeedAttacker,
		Why:    "A key that comes with the token proves only that its sender has a key.",
		Source: "RFC 7515 §4.1.3, §4.1.6; RFC 8725 §3.8, §3.10; CVE-2018-0114", build: embeddedKey,
	}, {
		Check: "HOOK-REMOTE-KEY", Name: "a key to be fetched", Needs: NeedToken | NeedAttacker | NeedListener,
		Why:    "Whoever fetches keys from where the token says trusts everybody, and makes requests for strangers.",
		Source: "RFC 7515 §4.1.2, §4.1.5; RFC 8725 §3.10", build: remoteKey,
	}}
}

func kidAttacks() []Attack {
	return []Attack{{
		Check: "HOOK-KID-INJECTION", Name: "a hostile kid", Needs: NeedToken | NeedAttacker,
		Why:    "A kid that reaches a path, a query or a shell lets the sender choose the key, or more.",
		Source: "RFC 8725 §3.10; RFC 7515 §4.1.4", build: kidInjection,
	}}
}

func embeddedKey(b *bench) {
	key, err := b.Attacker.key()
	if err != nil {
		b.fail(err)
		return
	}
	der, err := b.Attacker.certificate(b.Now)
	if err != nil {
		b.fail(err)
		return
	}
	x5c := `["` + base64.StdEncoding.EncodeToString(der) + `"]` // not base64url: RFC 7515 §4.1.6
	own, named := jwk(&key.PublicKey, "").String(), jwk(&key.PublicKey, attackerKid).String()

	b.rs256("jwk", b.marked().head("jwk", own))
	b.rs256("jwk, claims unchanged", b.fresh().head("jwk", own))
	b.rs256("jwk and its kid", b.marked().head("jwk", named).head("kid", quote(attackerKid)))
	b.rs256("x5c", b.marked().head("x5c", x5c))
	b.rs256("x5c and jwk", b.marked().head("x5c", x5c).head("jwk", own))
}

func remoteKey(b *bench) {
	kid := quote(attackerKid)
	each := func(name string, change func(d draft, base string) draft) {
		base := b.Listener()
		if b.rs256(name, change(b.marked(), base)); b.err == nil {
			b.out[len(b.out)-1].Listener = base
		}
	}
	each("jku", func(d draft, base string) draft { return d.head("jku", quote(base+jwksPath)).head("kid", kid) })
	each("jku, the page's kid", func(d draft, base string) draft { return d.head("jku", quote(base+jwksPath)) })
	each("x5u", func(d draft, base string) draft { return d.head("x5u", quote(base+certPath)) })
	each("a kid that is a URL", func(d draft, base string) draft { return d.head("kid", quote(base+jwksPath)) })
	// The customer's own issuer must not be made to fetch either.
	each("an iss that is a URL", func(d draft, base string) draft { return d.claim("iss", quote(base)) })
}

func kidInjection(b *bench) {
	secret := "kindlytest"
	// Where the kid chooses the key, the sender can choose one that it knows.
	for _, row := range []struct{ name, raw, secret string }{
		{"an empty file by path", `"../../../../../../../../dev/null"`, ""},
		{"an empty file", `"/dev/null"`, ""},
		{"SQL that returns a key", `"x' UNION SELECT '` + secret + `' -- "`, secret},
	} {
		d := b.marked().head("kid", row.raw).head("alg", `"HS256"`)
		b.put("kid "+row.name, d, mac(crypto.SHA256, []byte(row.secret), d))
	}
	for _, row := range []struct{ name, raw string }{
		{"empty", `""`}, {"null", "null"}, {"a number", "0"}, {"true", "true"},
		{"a list", `["a","b"]`}, {"an object", `{"$ne":null}`},
		{"a path", `"../../../../../../../../etc/passwd"`}, {"a path with NUL", `"key\u0000.pem"`},
		{"SQL", `"' OR '1'='1"`}, {"a quote", `"'"`},
		// The command prints; it changes nothing.
		{"a command", `"x; echo kindlytest"`}, {"a command to be opened", `"|echo kindlytest"`},
		{"a substituted command", `"$(echo kindlytest)"`},
		{"a name of the prototype", `"__proto__"`}, {"a method of the prototype", `"constructor"`},
		{"line ends", `"a\r\nSet-Cookie: kindlytest=1"`},
	} {
		b.rs256("kid "+row.name, b.marked().head("kid", row.raw))
	}
}
