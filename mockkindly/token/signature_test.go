package token

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
)

func TestSignatureSaysWhoSigned(t *testing.T) {
	k := keys()
	text := b64(`{"alg":"HS256"}`) + "." + b64(mintJSON(nil))
	spki, _ := x509.MarshalPKIXPublicKey(k.key.Public)
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	mac.Write([]byte(text))
	confused := Raw(text + "." + b64(string(mac.Sum(nil))))
	other := Raw(text + "." + b64(strings.Repeat("x", 32)))
	rs512 := b64(`{"alg":"RS512"}`) + "." + b64(mintJSON(nil))
	ps256 := b64(`{"alg":"PS256"}`) + "." + b64(mintJSON(nil))
	h512 := crypto.SHA512.New()
	h512.Write([]byte(rs512))
	sig512, _ := rsa.SignPKCS1v15(nil, k.private, crypto.SHA512, h512.Sum(nil))
	h256 := sha256.Sum256([]byte(ps256))
	sigPSS, _ := rsa.SignPSS(rand.Reader, k.private, crypto.SHA256, h256[:], nil)
	for _, c := range []struct {
		name   string
		raw    Raw
		signer *Key
		actual string
	}{
		{"another known key", signedBy(k.otherPrivate, mintJSON(nil)), k.other, `another key: "other.pem"`},
		{"HS256 keyed with the public key", confused, nil, "keyed with the public key: anyone"},
		{"HS256 by some secret", other, nil, "a shared secret"},
		{"RS512 by the right key", Raw(rs512 + "." + b64(string(sig512))), nil, "the right key signed it, but with RS512"},
		{"PS256 by the right key", Raw(ps256 + "." + b64(string(sigPSS))), nil, "the right key signed it, but with PS256"},
		{"ES256", Raw(b64(`{"alg":"ES256"}`) + "." + b64(mintJSON(nil)) + "." + b64(strings.Repeat("\x00", 64))), nil, "elliptic curve"},
		{"RS256 in name, HMAC in length", Raw(b64(`{"alg":"RS256"}`) + "." + b64(mintJSON(nil)) + "." + b64(strings.Repeat("x", 32))), nil, "as an HMAC has"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := expect()
			e.Keys = append(e.Keys, nil, k.other)
			result := Check(c.raw, e)
			v, ok := result.Violation("TOK-SIGNATURE")
			if !ok || !strings.Contains(v.Actual, c.actual) {
				t.Errorf("says %q, want something with %q", v.Actual, c.actual)
			}
			if result.SignedBy != c.signer || result.Accepted() {
				t.Errorf("signed by %v, accepted %v", result.SignedBy, result.Accepted())
			}
		})
	}
}

func TestKeySize(t *testing.T) {
	k := keys()
	odd := NewKey("odd.pem", &rsa.PublicKey{N: k.key.Public.N, E: 65539})
	for _, c := range []struct {
		name, actual string
		key          *Key
	}{
		{"1024 bits", "1024 bits", NewKey("small.pem", &k.small.PublicKey)},
		{"an unusual exponent", "65539", odd},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := expect()
			e.Keys = []*Key{c.key}
			v, _ := Check(signedBy(k.small, mintJSON(nil)), e).Violation("TOK-KEY-SIZE")
			if !strings.Contains(v.Actual, c.actual) {
				t.Errorf("says %q, want something with %q", v.Actual, c.actual)
			}
		})
	}
}

func TestKeysThatCannotVerifyLeaveTheSignatureUnjudged(t *testing.T) {
	e := expect()
	e.Keys = []*Key{NewKey("tiny.pem", &rsa.PublicKey{N: big.NewInt(1<<62 - 57), E: 65537})}
	result := Check(mint(nil), e)
	if _, violated := result.Violation("TOK-KEY-SIZE"); !violated || result.Accepted() {
		t.Errorf("a key of 62 bits: %+v", result.Violations)
	}
	for _, u := range result.Unjudged {
		if u.Rule.ID == "TOK-SIGNATURE" && strings.Contains(u.Reason, "insecure") {
			return
		}
	}
	t.Errorf("unjudged: %+v", result.Unjudged)
}
