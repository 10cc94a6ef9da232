package forge

import "bytes"

func signatureAttacks() []Attack {
	return []Attack{{
		Check: "HOOK-TAMPERED", Name: "claims changed under the old signature", Needs: NeedToken,
		Why:    "A webhook that reads claims before it verifies lets everybody be anybody.",
		Source: "RFC 7515 §5.2; RFC 8725 §3.3", build: tampered,
	}, {
		Check: "HOOK-SIGNATURE", Name: "a broken signature", Needs: NeedToken,
		Why:    "A webhook that takes a missing or broken signature for a good one checks nothing.",
		Source: "RFC 7515 §5.2; RFC 8725 §3.3; CVE-2020-28042", build: brokenSignature,
	}, {
		Check: "HOOK-WRONG-KEY", Name: "signed by an unrelated key", Needs: NeedToken | NeedAttacker,
		Why:    "A signature proves something only if it is checked against the customer's own key.",
		Source: "RFC 8725 §3.3, §3.8", build: wrongKey,
	}}
}

// tampered keeps the page's header and signature.
func tampered(b *bench) {
	put := func(name string, header, claims string, canaries ...string) {
		b.add(Forged{Name: name, Canaries: canaries, Token: Secret(header + "." + b64(claims) + "." + b.parts[2])})
	}
	both := func() draft { return b.mark(b.mark(b.fresh(), "name"), "email") }
	d, own := both(), b.fresh()
	put("name and email changed", b.parts[0], d.claims.String(), d.canaries...)

	sub := b.Canary("sub")
	put("sub changed", b.parts[0], own.claim("sub", quote(sub)).claims.String(), sub)

	d = both()
	put("every identity claim changed", b.parts[0], d.claim("sub", quote(sub)).claims.String(), append(d.canaries, sub)...)
	put("a later exp", b.parts[0], b.claims.with("iat", b.at(0)).with("exp", b.at(599)).String())
	put("an added role", b.parts[0], own.claim("role", `"admin"`).claim("admin", "true").claims.String())
	// The same claims in other bytes: the signature is over the bytes.
	put("the same claims with white space", b.parts[0], " "+b.claims.String()+"\n")
	put("a changed header", b64(b.header.with("typ", `"jwt"`).plus("kindlytest", "1").String()), b.claims.String())
}

func brokenSignature(b *bench) {
	own := func(name string, signature []byte) {
		b.add(Forged{Name: name, Token: Secret(b.parts[0] + "." + b.parts[1] + "." + b64(signature))})
	}
	d := b.marked()
	b.add(Forged{Name: "removed", Token: Secret(d.input()), Canaries: d.canaries})
	b.add(Forged{Name: "removed, claims unchanged", Token: Secret(b.parts[0] + "." + b.parts[1])})
	d = b.marked()
	b.put("emptied", d, "")
	own("emptied, claims unchanged", nil)
	d = b.marked()
	b.put("random bytes", d, b64(b.random(256)))
	d = b.marked()
	b.put("zero bytes", d, b64(make([]byte, 256)))

	sig, err := b.signature()
	if err != nil || len(sig) < 2 {
		return // newBench has read it; a token so short has nothing left to break
	}
	own("last byte cut off", sig[:len(sig)-1])
	own("cut in half", sig[:len(sig)/2])
	own("first byte only", sig[:1])
	own("a zero byte behind", append(bytes.Clone(sig), 0))
	own("a zero byte before", append([]byte{0}, sig...))
	own("garbage behind", append(bytes.Clone(sig), "kindlytest"...))
	own("doubled", append(bytes.Clone(sig), sig...))
	own("first bit flipped", flip(sig, 0, 0x80))
	own("a middle bit flipped", flip(sig, len(sig)/2, 0x10))
	own("last bit flipped", flip(sig, len(sig)-1, 0x01))
}

func flip(data []byte, at int, mask byte) []byte {
	out := bytes.Clone(data)
	out[at] ^= mask
	return out
}

func wrongKey(b *bench) {
	b.rs256("the page's header", b.marked())
	b.rs256("claims unchanged", b.fresh())
	d := b.marked()
	d.header = d.header.without("kid")
	b.rs256("without kid", d)
	b.rs256("an unknown kid", b.marked().head("kid", quote(attackerKid)))
}
