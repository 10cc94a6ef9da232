package mockkindly

import (
	"bytes"
	"context"
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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// The customer of these tests: its key pair is made once, at run time.
var customerKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func publicPEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(&customerKey().PublicKey)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// claims are what a sound token holds; change them before sign.
func claims(chatID string, now time.Time, domains ...string) map[string]any {
	return map[string]any{
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "iss": "shop.example.com",
		"sub": "user-1", "name": "Ada", "email": "ada@example.com", "email_verified": true,
		"chat": map[string]any{"id": chatID, "webhook_domains": append([]string{}, domains...)},
	}
}

func sign(claims map[string]any) token.Raw {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	input := enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc(payload)
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(nil, customerKey(), crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return token.Raw(input + "." + enc(sig))
}

func signature(raw token.Raw) string {
	s := raw.Secret()
	return s[strings.LastIndexByte(s, '.')+1:]
}

// newMock returns a mock with the bot "bot" and these webhooks.
func newMock(t testing.TB, o Options, hooks ...Webhook) *Kindly {
	t.Helper()
	if o.Bots == nil {
		o.Bots = []Bot{MustBot("bot", publicPEM(), hooks...)}
	}
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func newChat(t testing.TB, k *Kindly) Chat {
	t.Helper()
	chat, err := k.CreateChat("bot", Web{Host: "shop.example.com", Path: "/", URL: "https://shop.example.com/"})
	if err != nil {
		t.Fatal(err)
	}
	return chat
}

// authenticated returns a new chat with an accepted token.
func authenticated(t testing.TB, k *Kindly, domains ...string) (Chat, token.Raw) {
	t.Helper()
	chat := newChat(t, k)
	raw := sign(claims(chat.ID, k.opts.Now(), domains...))
	res, err := k.Authenticate(chat.ID, raw, InitialConnect)
	if err != nil || !res.Accepted() {
		t.Fatalf("a sound token is refused: %v, violations %+v, unjudged %+v", err, res.Violations, res.Unjudged)
	}
	chat, _ = k.Chat(chat.ID)
	return chat, raw
}

// say sends one message and returns the only delivery.
func say(t testing.TB, k *Kindly, chatID string) Delivery {
	t.Helper()
	ds, err := k.Say(context.Background(), chatID, Message{Text: "where is my order?"})
	if err != nil || len(ds) != 1 {
		t.Fatalf("Say gave %d deliveries, %v", len(ds), err)
	}
	return ds[0]
}

// hook is a webhook server under test: it keeps what it got, and answers body.
type hook struct {
	*httptest.Server
	mu       sync.Mutex
	requests []received
}

type received struct {
	header http.Header
	body   []byte
}

func newHook(t testing.TB, answer http.HandlerFunc) *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		h.requests = append(h.requests, received{r.Header.Clone(), body})
		h.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func replying(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

func (h *hook) last(t testing.TB) received {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.requests) == 0 {
		t.Fatal("the webhook got no request")
	}
	return h.requests[len(h.requests)-1]
}

// replied is what a page gets for a message.
func replied(t testing.TB, k *Kindly, chatID, text string) string {
	t.Helper()
	replies, err := k.Converse(context.Background(), chatID, Message{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	body, err := marshal(map[string]any{"replies": replies})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// now is the time of tests that need no certain one.
func now() time.Time { return time.Now() }

const unknownID = "00000000-0000-4000-8000-000000000000"

// memoryStore keeps what a file would.
type memoryStore struct{ text bytes.Buffer }

func (s *memoryStore) Append(events []StoredEvent, chats []StoredChat) error {
	for _, e := range events {
		s.text.Write(e.JSON)
	}
	for _, c := range chats {
		s.text.Write(c.JSON)
	}
	return nil
}
func (s *memoryStore) Events(Query) ([]StoredEvent, error)       { return nil, nil }
func (s *memoryStore) Span() (first, last, ever uint64, e error) { return 0, 0, 0, nil }
func (s *memoryStore) Chats() ([]StoredChat, error)              { return nil, nil }
func (s *memoryStore) Reset(uint64) error                        { return nil }
