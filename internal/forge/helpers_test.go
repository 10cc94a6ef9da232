package forge

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	testNow  = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	testChat = "6f1c9b52-3c55-4f5e-9e0b-0d7d1c7d3a11"
	customer = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
	attacker = NewAttacker()
)

// pageClaims are the claims of the page's token, with some of its own.
const pageClaims = `{"iss":"https://shop.example","aud":"kindly","sub":"u-4711","name":"Ada Lovelace",` +
	`"email":"ada@example.org","email_verified":true,"iat":1748779200,"exp":1748779500,` +
	`"chat":{"id":"6f1c9b52-3c55-4f5e-9e0b-0d7d1c7d3a11","webhook_domains":["hooks.shop.example"]},` +
	`"tenant":{"id":12345678901234567890,"plan":"gold"}}`

func sign(t testing.TB, header, claims string) Secret {
	t.Helper()
	input := b64(header) + "." + b64(claims)
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(nil, customer(), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return Secret(input + "." + b64(sig))
}

func material(t testing.TB) Material {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&customer().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return Material{
		Token:     sign(t, `{"alg":"RS256","typ":"JWT","kid":"k1"}`, pageClaims),
		Public:    &customer().PublicKey,
		PublicPEM: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		Private:   customer(), ChatID: testChat, Now: testNow, Rand: rand.Reader,
		Attacker: attacker, Listener: func() string { return "http://127.0.0.1:9/keys" },
	}
}

func build(t testing.TB, a Attack, m Material) []Forged {
	t.Helper()
	tokens, err := a.Build(m)
	if err != nil {
		t.Fatalf("%s, %s: %v", a.Check, a.Name, err)
	}
	return tokens
}

// find returns one token of a check.
func find(t testing.TB, check, name string) Forged {
	t.Helper()
	for _, a := range For(check) {
		for _, f := range build(t, a, material(t)) {
			if f.Name == name {
				return f
			}
		}
	}
	t.Fatalf("%s has no token %q", check, name)
	return Forged{}
}

// part decodes a segment of a token.
func part(t testing.TB, f Forged, i int) string {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(f.Token.Reveal(), ".")[i])
	if err != nil {
		t.Fatalf("%s: segment %d: %v", f.Name, i, err)
	}
	return string(data)
}

func fields(t testing.TB, data string) map[string]any {
	t.Helper()
	var m map[string]any
	dec := json.NewDecoder(strings.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil {
		t.Fatalf("%.80s: %v", data, err)
	}
	return m
}

// verifies says whether key signed the token, whatever RSA algorithm it names.
func verifies(t testing.TB, f Forged, key *rsa.PublicKey) bool {
	t.Helper()
	parts := strings.Split(f.Token.Reveal(), ".")
	if len(parts) != 3 {
		return false
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	input := parts[0] + "." + parts[1]
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if rsa.VerifyPKCS1v15(key, hash, digest(hash, input), sig) == nil {
			return true
		}
	}
	return rsa.VerifyPSS(key, crypto.SHA256, digest(crypto.SHA256, input), sig, nil) == nil
}
