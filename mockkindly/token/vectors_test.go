package token

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var vectors = flag.String("vectors", "", "the folder testvectors_v1 of Wycheproof; make attack fetches it")

// A group of Wycheproof's has one key and many signatures.
type vectorGroup struct {
	PublicKeyPem string
	Sha          string
	Public       struct{ Kty, Alg, Use, N, E string }
	Tests        []struct {
		ID      int `json:"tcId"`
		Comment string
		Msg     string
		Sig     string
		JWS     string
		Result  string
	}
}

func readVectors(t *testing.T, pattern string, each func(name string, g vectorGroup)) {
	t.Helper()
	if *vectors == "" {
		t.Skip("SKIPPED, NOT CHECKED: Wycheproof is not here; make attack fetches it")
	}
	paths, err := filepath.Glob(filepath.Join(*vectors, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s in %s: %v", pattern, *vectors, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ TestGroups []vectorGroup }
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, g := range file.TestGroups {
			each(filepath.Base(path), g)
		}
	}
}

// Signatures that only look like PKCS #1 v1.5 with SHA-256 are none, with every
// size of key; those of other hashes are none of RS256.
func TestWycheproofSignatures(t *testing.T) {
	n := 0
	readVectors(t, "rsa_signature_*_test.json", func(file string, g vectorGroup) {
		key, err := ParsePublicKey(file, []byte(g.PublicKeyPem))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, v := range g.Tests {
			msg, errMsg := hex.DecodeString(v.Msg)
			sig, errSig := hex.DecodeString(v.Sig)
			if errMsg != nil || errSig != nil {
				t.Fatalf("%s %d: %v %v", file, v.ID, errMsg, errSig)
			}
			n++
			digest := sha256.Sum256(msg)
			believed := verifyRS256(key, digest[:], sig) == nil
			// Those files hold signatures with SHA-256 too, as what is invalid there.
			isSound := v.Result == "valid" && g.Sha == "SHA-256" || strings.HasPrefix(v.Comment, "The message is hashed with SHA-256 instead of")
			if believed != isSound && v.Result != "acceptable" {
				t.Errorf("%s %d (%s) with %s: %s, and believed is %v", file, v.ID, v.Comment, g.Sha, v.Result, believed)
			}
		}
	})
	t.Logf("%d vectors agree", n)
}

// ofAKeyForSomethingElse are tokens with a sound RS256 signature, whose key says
// that it is not for that. A PEM file, which is what Kindly gets, can't say so.
var ofAKeyForSomethingElse = map[int]string{332: "UsingRS256", 353: "rejectWrongUse", 355: "rejectWrongKeyOps"}

// Whole tokens: whoever's signature is believed has a sound vector.
func TestWycheproofTokens(t *testing.T) {
	n := 0
	readVectors(t, "json_web_signature_test.json", func(file string, g vectorGroup) {
		modulus, err := base64.RawURLEncoding.DecodeString(g.Public.N)
		if g.Public.Kty != "RSA" || err != nil {
			return // Kindly takes no other keys
		}
		exponent, err := base64.RawURLEncoding.DecodeString(g.Public.E)
		if err != nil {
			t.Fatal(err)
		}
		key := NewKey(file, &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64())})
		for _, v := range g.Tests {
			n++
			e := expect()
			e.Keys = []*Key{key}
			r := Check(Raw(v.JWS), e)
			_, wrongAlg := r.Violation("TOK-ALG")
			_, malformed := r.Violation("TOK-COMPACT")
			believed := r.SignedBy != nil && !wrongAlg && !malformed
			why, other := ofAKeyForSomethingElse[v.ID]
			isSound := v.Result == "valid" && g.Public.Alg == "RS256" || other && why == v.Comment
			if believed != isSound {
				t.Errorf("%d (%s), key for %q %q: %s, and believed is %v", v.ID, v.Comment, g.Public.Alg, g.Public.Use, v.Result, believed)
			}
		}
	})
	t.Logf("%d vectors agree", n)
}
