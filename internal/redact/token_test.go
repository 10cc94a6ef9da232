package redact

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

// slowToken says the same as Signatures, in a way that is easier to believe,
// and slow.
var slowToken = regexp.MustCompile(`(e(?:y[A-DI-L]|w[k-r0-3])[A-Za-z0-9_-]{9,}\.[A-Za-z0-9_-]*\.)(?:[A-Za-z0-9_=+/-]|\.[A-Za-z0-9_-])+`)

func withoutSignatures(text string) string { return slowToken.ReplaceAllString(text, "${1}"+Removed) }

// TestSignaturesAsTheExpressionDoes compares both, on texts made of parts
// that matter.
func TestSignaturesAsTheExpressionDoes(t *testing.T) {
	parts := []string{
		"e", "ey", "eyJ", "ew0", "ewk", "ewx", "ey-", "A", "eyJhbGciOiJSUzI1NiJ9", "ABCDEFGH", "ABCDEFG", "0123456789abc", "0123456789ab",
		".", ".", ".", "\"", " ", "\\n", "-_", "é",
	}
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 200_000 {
		var b strings.Builder
		for i := range 1 + random.IntN(12) {
			if i%2 == 1 && random.IntN(3) > 0 {
				b.WriteString(".")
			}
			b.WriteString(parts[random.IntN(len(parts))])
		}
		text := b.String()
		want, got := withoutSignatures(text), string(Signatures([]byte(text)))
		if got != want {
			t.Fatalf("%q became %q, not %q", text, got, want)
		}
		if got != text {
			found++
		}
	}
	if found < 1000 {
		t.Errorf("only %d texts held a token", found)
	}
}

func FuzzSignatures(f *testing.F) {
	f.Add(`{"a":"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"}`)
	f.Fuzz(func(t *testing.T, text string) {
		if want, got := withoutSignatures(text), string(Signatures([]byte(text))); got != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	})
}

// TestSignaturesInLinearTime would take minutes otherwise.
func TestSignaturesInLinearTime(t *testing.T) {
	for _, unit := range []string{"eyJ", "eyJhbGciOiJSUzI1NiJ9.", "e.", "eyJhbGciOiJSUzI1NiJ9.ABCDEFGH.x "} {
		start := time.Now()
		Signatures([]byte(strings.Repeat(unit, 4<<20/len(unit))))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q: %v", unit, took)
		}
	}
}
