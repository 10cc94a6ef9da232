package mockkindly

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/mocktest"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// The customer of these tests.
var (
	publicPEM = mocktest.PublicPEM
	claims    = mocktest.Claims
	sign      = mocktest.Sign
	newHook   = mocktest.NewHook
	replying  = mocktest.Replying
)

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

// replied is what a page gets for a message.
func replied(t testing.TB, k *Kindly, chatID, text string) string {
	t.Helper()
	replies, err := k.Converse(context.Background(), chatID, Message{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	body, err := redact.JSON(map[string]any{"replies": replies})
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
