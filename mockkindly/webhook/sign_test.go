package webhook

import (
	"net/http"
	"strings"
	"testing"
)

func TestSignPublishedVector(t *testing.T) {
	const want = "uEeD0Q7eW9btdx6LFvvlpwkzQBWdbknsQkg1C27Cx7Q="
	if got := Sign("examplekey", []byte(`{"foo":1,"bar":2}`)); got != want {
		t.Errorf("Sign = %s, want %s", got, want)
	}
}

func TestVerify(t *testing.T) {
	body := []byte(`{"foo":1,"bar":2}`)
	good := Sign("examplekey", body)
	tests := []struct {
		name, secret, header string
		body                 []byte
		want                 bool
	}{
		{"the signature", "examplekey", good, body, true},
		{"another secret", "Examplekey", good, body, false},
		{"the secret with a line end", "examplekey\n", good, body, false},
		{"no secret", "", good, body, false},
		{"a changed body", "examplekey", good, []byte(`{"foo":1, "bar":2}`), false},
		{"an empty header", "examplekey", "", body, false},
		{"no padding", "examplekey", strings.TrimRight(good, "="), body, false},
		{"a trailing byte", "examplekey", good + "\n", body, false},
		{"a truncated header", "examplekey", good[:20], body, false},
		{"another last digit, same bytes", "examplekey", strings.TrimSuffix(good, "Q=") + "R=", body, false},
	}
	for _, tt := range tests {
		if got := Verify(tt.secret, tt.body, tt.header); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSetSignatureReplaces(t *testing.T) {
	h := http.Header{"Kindly-Hmac": {"old"}, "kindly-hmac-algorithm": {"old"}, "Content-Type": {"application/json"}}
	SetSignature(h, "s", []byte("{}"))
	sum, algorithm := Signature(h)
	if len(h) != 3 || sum != Sign("s", []byte("{}")) || algorithm != Algorithm {
		t.Errorf("got %v", h)
	}
	SetSignature(h, "", nil)
	if len(h) != 1 {
		t.Errorf("without a secret: %v", h)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("examplekey", []byte(`{"foo":1,"bar":2}`), "uEeD0Q7eW9btdx6LFvvlpwkzQBWdbknsQkg1C27Cx7Q=")
	f.Fuzz(func(t *testing.T, secret string, body []byte, header string) {
		sum := Sign(secret, body)
		if !Verify(secret, body, sum) {
			t.Fatal("its own signature does not verify")
		}
		if Verify(secret, body, header) != (header == sum) {
			t.Fatalf("Verify(%q) differs from comparison", header)
		}
	})
}
