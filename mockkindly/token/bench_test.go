package token

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"
)

// kilobyte is a sound token of about 1 KB.
func kilobyte() Raw {
	return mint(object{"aud": "kindly", "role": []string{"gold"}, "address": object{"country": "NO", "city": "Oslo"}})
}

// BenchmarkCheck compares Check with the RSA verification in it, the floor below
// which nobody can judge a token, and a hostile token with a sound one. All take
// turns, so that a busy machine slows all; the ratios are medians.
func BenchmarkCheck(b *testing.B) {
	const each = 100
	raw, expected := kilobyte(), expect()
	hostile := Raw(strings.Repeat("eyJhbGciOi.", 1<<20/11))
	apart := takeApart(raw.Secret())
	text := []byte(apart.signed)
	var verifying, checking, refusing []float64
	for b.Loop() {
		alone := timePer(each, func() {
			digest := sha256.Sum256(text)
			if err := rsa.VerifyPKCS1v15(keys().key.Public, crypto.SHA256, digest[:], apart.signature.bytes); err != nil {
				b.Fatal(err)
			}
		})
		checked := timePer(each, func() { Check(raw, expected) })
		verifying = append(verifying, checked/alone)
		checking = append(checking, checked)
		refusing = append(refusing, timePer(each, func() { Check(hostile, expected) })/checked)
	}
	b.ReportMetric(median(verifying), "x-verify")
	b.ReportMetric(median(checking), "µs/check")
	b.ReportMetric(median(refusing), "x-valid")
	b.ReportMetric(testing.AllocsPerRun(100, func() { Check(raw, expected) }), "allocs/check")
}

// timePer is how long f takes, in µs, on average.
func timePer(times int, f func()) float64 {
	start := time.Now()
	for range times {
		f()
	}
	return float64(time.Since(start).Nanoseconds()) / 1000 / float64(times)
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
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

// BenchmarkCheckHostile grows at most with the size of the token, up to the bound;
// beyond it the token costs nothing.
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
