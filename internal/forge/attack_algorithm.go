package forge

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
)

func algorithmAttacks() []Attack {
	return []Attack{{
		Check: "HOOK-ALG-NONE", Name: "unsecured", Needs: NeedToken,
		Why:    "A webhook that believes the header's \"none\" needs no signature, so anybody can write a token.",
		Source: "RFC 8725 §2.1, §3.2; CVE-2015-9235", build: algNone,
	}, {
		Check: "HOOK-ALG-MALFORMED", Name: "an odd alg", Needs: NeedToken,
		Why:    "A library that does not know what to do with an alg may do nothing.",
		Source: "RFC 7515 §4.1.1; RFC 8725 §3.1", build: algMalformed,
	}, {
		Check: "HOOK-KEY-CONFUSION", Name: "HMAC keyed with the public key", Needs: NeedToken | NeedPublic,
		Why:    "A webhook that lets the header choose HMAC uses the public key, which everybody may have, as the secret.",
		Source: "RFC 8725 §2.1, §3.1; CVE-2015-9235; CVE-2016-10555; CVE-2022-29217", build: keyConfusion,
	}, {
		Check: "HOOK-KEY-CONFUSION", Name: "HMAC keyed with nothing", Needs: NeedToken,
		Why:    "Where no secret is configured, a library may take the empty one, which everybody knows.",
		Source: "RFC 8725 §3.1, §3.5", build: emptySecret,
	}, {
		Check: "HOOK-ECDSA-ZERO", Name: "an ECDSA signature of zeros", Needs: NeedToken,
		Why:    "Verifiers that don't check the range of r and s accept zeros for every message and key.",
		Source: "CVE-2022-21449; RFC 8725 §3.1", build: ecdsaZero,
	}}
}

func algNone(b *bench) {
	for _, alg := range []string{"none", "None", "NONE", "nOnE"} {
		d := b.marked().head("alg", quote(alg))
		b.put("alg "+alg+", empty signature", d, "")
		d = b.marked().head("alg", quote(alg))
		b.put("alg "+alg+", old signature", d, b.parts[2])
		d = b.marked().head("alg", quote(alg))
		b.add(Forged{Name: "alg " + alg + ", last dot missing", Token: Secret(d.input()), Canaries: d.canaries})
	}
}

func algMalformed(b *bench) {
	rows := []struct{ name, raw string }{
		{"null", "null"}, {"empty", `""`}, {"a number", "256"}, {"true", "true"},
		{"a list", `["RS256"]`}, {"an empty list", "[]"}, {"an object", `{"alg":"RS256"}`},
		{"rs256", `"rs256"`}, {"with a space", `"RS256 "`}, {"with a NUL", `"RS256\u0000"`},
		{"unknown", `"KT256"`}, {"a name of the prototype", `"constructor"`},
	}
	for _, row := range rows {
		b.put("alg "+row.name, b.marked().head("alg", row.raw), b.parts[2])
	}
	for _, under := range []struct{ name, key, alg, signature string }{
		{"RS256 under ALG, old signature", "ALG", "RS256", b.parts[2]},
		{"none under ALG, no signature", "ALG", "none", ""},
		{"none under Alg, no signature", "Alg", "none", ""},
	} {
		d := b.marked()
		d.header = d.header.without("alg").plus(under.key, quote(under.alg))
		b.put(under.name, d, under.signature)
	}
	for _, signature := range []struct{ name, value string }{{"old signature", b.parts[2]}, {"no signature", ""}} {
		d := b.marked()
		d.header = d.header.without("alg")
		b.put("alg missing, "+signature.name, d, signature.value)
	}
}

var hmacs = []struct {
	alg  string
	hash crypto.Hash
}{{"HS256", crypto.SHA256}, {"HS384", crypto.SHA384}, {"HS512", crypto.SHA512}}

func keyConfusion(b *bench) {
	keys, err := publicForms(b.Public, b.PublicPEM)
	if err != nil {
		b.fail(err)
		return
	}
	for _, key := range keys {
		for _, h := range hmacs {
			d := b.marked().head("alg", quote(h.alg))
			b.put(h.alg+" keyed with "+key.name, d, mac(h.hash, key.bytes, d))
		}
	}
}

func emptySecret(b *bench) {
	for _, h := range hmacs {
		d := b.marked().head("alg", quote(h.alg))
		b.put(h.alg+" keyed with nothing", d, mac(h.hash, nil, d))
		d = b.marked().head("alg", quote(h.alg))
		b.put(h.alg+" keyed with nothing, emptied signature", d, "")
	}
}

type form struct {
	name  string
	bytes []byte
}

// publicForms returns the public key in every form in which a program may hold
// it, each once.
func publicForms(key *rsa.PublicKey, uploaded []byte) ([]form, error) {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding the public key: %w", err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(key)
	lf := bytes.ReplaceAll(uploaded, []byte("\r\n"), []byte("\n"))
	spkiPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
	pkcs1PEM := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1})
	plain, named := jwk(key, ""), jwk(key, "")
	named = object{named[2], named[0], named[1]} // the order of RFC 7638
	forms := []form{
		{"the PEM as uploaded", uploaded},
		{"the PEM without its last line end", bytes.TrimRight(uploaded, "\r\n")},
		{"the PEM with LF line ends", lf},
		{"the PEM with CRLF line ends", bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n"))},
		{"the SPKI PEM", spkiPEM},
		{"the SPKI PEM without its last line end", bytes.TrimRight(spkiPEM, "\n")},
		{"the SPKI PEM with CRLF line ends", bytes.ReplaceAll(spkiPEM, []byte("\n"), []byte("\r\n"))},
		{"the PKCS#1 PEM", pkcs1PEM},
		{"the PKCS#1 PEM without its last line end", bytes.TrimRight(pkcs1PEM, "\n")},
		{"the SPKI DER", spki},
		{"the PKCS#1 DER", pkcs1},
		{"the PEM's base64 on one line", []byte(base64.StdEncoding.EncodeToString(spki))},
		{"the JWK", []byte(plain.String())},
		{"the JWK in thumbprint order", []byte(named.String())},
		{"the JWK's n", []byte(b64(key.N.Bytes()))},
		{"the modulus", key.N.Bytes()},
	}
	return dedupe(forms), nil
}

// dedupe drops empty forms and those that are like an earlier one.
func dedupe(forms []form) []form {
	seen := map[string]bool{"": true}
	var out []form
	for _, f := range forms {
		if !seen[string(f.bytes)] {
			seen[string(f.bytes)] = true
			out = append(out, f)
		}
	}
	return out
}

func ecdsaZero(b *bench) {
	zeroDER := []byte{0x30, 6, 2, 1, 0, 2, 1, 0}
	for _, row := range []struct {
		name, alg string
		signature []byte
	}{
		{"ES256, 64 zero bytes", "ES256", make([]byte, 64)},
		{"ES256, zeros as DER", "ES256", zeroDER},
		{"ES384, 96 zero bytes", "ES384", make([]byte, 96)},
		{"ES512, 132 zero bytes", "ES512", make([]byte, 132)},
	} {
		b.put(row.name, b.marked().head("alg", quote(row.alg)), b64(row.signature))
	}
}
