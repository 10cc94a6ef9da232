// Package mocktest is the customer of the mock's own tests: a key pair, tokens
// and webhooks. It shares nothing with fixtures, the customer of the checks.
package mocktest

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Key is the customer's, made once, at run time.
var Key = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// PublicPEM is the other half of [Key], as bots have it.
func PublicPEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(&Key().PublicKey)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// Claims are what a sound token holds; change them before [Sign].
func Claims(chatID string, now time.Time, domains ...string) map[string]any {
	return map[string]any{
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "iss": "shop.example.com",
		"sub": "user-1", "name": "Ada", "email": "ada@example.com", "email_verified": true,
		"chat": map[string]any{"id": chatID, "webhook_domains": append([]string{}, domains...)},
	}
}

// Sign makes a token of claims with [Key].
func Sign(claims map[string]any) token.Raw {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	input := enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc(payload)
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(nil, Key(), crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return token.Raw(input + "." + enc(sig))
}

// A Hook is a webhook server under test: it keeps what it got, and answers as it is told.
type Hook struct {
	*httptest.Server
	mu       sync.Mutex
	Requests []Received
}

// Received is one request to a [Hook].
type Received struct {
	Header http.Header
	Body   []byte
}

// NewHook starts one, which ends with the test.
func NewHook(t testing.TB, answer http.HandlerFunc) *Hook {
	h := &Hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		h.Requests = append(h.Requests, Received{r.Header.Clone(), body})
		h.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

// Replying answers with a body of JSON.
func Replying(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

// Last is the newest request.
func (h *Hook) Last(t testing.TB) Received {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.Requests) == 0 {
		t.Fatal("the webhook got no request")
	}
	return h.Requests[len(h.Requests)-1]
}
