package token

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"testing"
)

// kilobyte is a sound token of about 1 KB.
func kilobyte() Raw {
	return mint(object{"aud": "kindly", "role": []string{"gold"}, "address": object{"country": "NO", "city": "Oslo"}})
}

// BenchmarkVerifyAlone is the floor: nobody can judge a token for less.
func BenchmarkVerifyAlone(b *testing.B) {
	c := takeApart(kilobyte().Secret())
	text := []byte(c.signed)
	for b.Loop() {
		digest := sha256.Sum256(text)
		if err := rsa.VerifyPKCS1v15(keys().key.Public, crypto.SHA256, digest[:], c.signature.bytes); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkCheck(b *testing.B, raw Raw) {
	e := expect()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		Check(raw, e)
	}
}

func BenchmarkCheckSound(b *testing.B) { benchmarkCheck(b, kilobyte()) }

// BenchmarkCheckHostile must cost less than BenchmarkCheckSound at 1 MB, and
// no more than grows with its size below the bound.
func BenchmarkCheckHostile(b *testing.B) {
	fill := func(unit string, size int) Raw {
		return signed(`{"alg":"RS256"}`, "{"+strings.Repeat(unit, size/len(unit))+`"z":1}`)
	}
	for name, raw := range map[string]Raw{
		"1MB of dots":          Raw(strings.Repeat(".", 1<<20)),
		"1MB of claims":        fill(`"a":1,`, 700_000),
		"64KB of one claim":    fill(`"a":1,`, 44_000),
		"64KB of lists":        fill(`"a":[[[[[[1]]]]]],`, 44_000),
		"64KB of escapes":      fill(`"\u0061":"\u0061",`, 44_000),
		"64KB of eyJ":          fill(`"a":"eyJhbGciOi.a.b",`, 44_000),
		"64KB of stray bytes":  Raw(strings.Repeat("\n.", 32_000)),
		"64KB of deep nesting": signed(`{"alg":"RS256"}`, strings.Repeat(`{"a":`, 8_000)),
	} {
		b.Run(name, func(b *testing.B) { benchmarkCheck(b, raw) })
	}
}
