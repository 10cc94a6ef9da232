package keyscan

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/base64"
	"math/big"
	"regexp"
)

// A JWK (RFC 7517) is private if it has the member d, and a key if d fits the
// public members beside it. Names may be unquoted, as in JavaScript.
var (
	keyType = []byte("kty")
	member  = regexp.MustCompile(`["']?\b(kty|crv|n|e|d|x|y)["']?\s*:\s*["']([A-Za-z0-9_-]+)["']`)
	quotes  = [][2][]byte{{[]byte("&quot;"), []byte(`"`)}, {[]byte("&#34;"), []byte(`"`)}, {[]byte("&#x22;"), []byte(`"`)}, {[]byte("%22"), []byte(`"`)},
		{[]byte("%3A"), []byte(":")}, {[]byte("%3a"), []byte(":")}, {[]byte("%2C"), []byte(",")}, {[]byte("%2c"), []byte(",")}, {[]byte(`\u0022`), []byte(`"`)}, {[]byte(`\`), nil}}
)

const (
	maxJWK  = 8 << 10 // characters before and after "kty" in which its key stands
	maxJWKs = 20      // keys looked at in one text
)

func holdsJWK(text []byte) bool {
	end := 0 // of what was looked at
	for i, at := 0, next(text, keyType, 0); at >= 0 && i < maxJWKs; at = next(text, keyType, max(at+1, end)) {
		end = min(len(text), at+maxJWK)
		if isPrivateJWK(text[max(0, at-maxJWK):end]) {
			return true
		}
		i++
	}
	return false
}

func isPrivateJWK(text []byte) bool {
	for _, q := range quotes {
		text = bytes.ReplaceAll(text, q[0], q[1])
	}
	// A text may hold several keys: each member is looked at with the nearest
	// others, so that the members of one key are never mixed with another's.
	for _, object := range bytes.FieldsFunc(text, func(c rune) bool { return c == '{' || c == '}' }) {
		members := map[string][]byte{}
		for _, m := range member.FindAllSubmatch(object, 50) {
			value, err := base64.RawURLEncoding.DecodeString(string(m[2]))
			if name := string(m[1]); err == nil || name == "kty" || name == "crv" {
				if name == "kty" || name == "crv" {
					value = m[2]
				}
				members[name] = value
			}
		}
		if fits(members) {
			return true
		}
	}
	return false
}

// fits says whether d is the secret half of the public members.
func fits(m map[string][]byte) bool {
	switch string(m["kty"]) {
	case "RSA":
		return fitsRSA(m["n"], m["e"], m["d"])
	case "EC":
		curve := map[string]ecdh.Curve{"P-256": ecdh.P256(), "P-384": ecdh.P384(), "P-521": ecdh.P521()}[string(m["crv"])]
		if curve == nil {
			return false
		}
		key, err := curve.NewPrivateKey(m["d"])
		return err == nil && bytes.Equal(key.PublicKey().Bytes(), bytes.Join([][]byte{{4}, m["x"], m["y"]}, nil))
	case "OKP":
		if string(m["crv"]) == "X25519" {
			key, err := ecdh.X25519().NewPrivateKey(m["d"])
			return err == nil && bytes.Equal(key.PublicKey().Bytes(), m["x"])
		}
		return len(m["d"]) == ed25519.SeedSize && bytes.Equal(ed25519.NewKeyFromSeed(m["d"])[ed25519.SeedSize:], m["x"])
	}
	return false
}

// fitsRSA says whether what e does to a number, d undoes.
func fitsRSA(n, e, d []byte) bool {
	if len(n) < 64 || len(n) > 1024 || len(e) == 0 || len(e) > 8 || len(d) == 0 || len(d) > len(n) {
		return false
	}
	modulus, two := new(big.Int).SetBytes(n), big.NewInt(2)
	once := new(big.Int).Exp(two, new(big.Int).SetBytes(e), modulus)
	return once.Exp(once, new(big.Int).SetBytes(d), modulus).Cmp(two) == 0
}
