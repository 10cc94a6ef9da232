package mockkindly

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

func TestIDsAreUUIDs(t *testing.T) {
	v4 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seed := bytes.Repeat([]byte{0xff, 0x00, 0x5a}, 100)
	k := newMock(t, Options{Rand: bytes.NewReader(seed)})
	a := newChat(t, k)
	b := newChat(t, newMock(t, Options{Rand: bytes.NewReader(seed)}))
	if !v4.MatchString(a.ID) || !v4.MatchString(a.UserID) || a.ID == a.UserID {
		t.Errorf("chat %q, user %q", a.ID, a.UserID)
	}
	if a.ID != b.ID {
		t.Error("the same random bytes give different IDs")
	}
	short := newMock(t, Options{Rand: bytes.NewReader(seed[:4])})
	if _, err := short.CreateChat("bot", Web{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("without randomness: %v", err)
	}
}

func TestBots(t *testing.T) {
	t.Run("an unknown key has no chat", func(t *testing.T) {
		k := newMock(t, Options{})
		if _, err := k.CreateChat("other", Web{}); !errors.Is(err, ErrUnknownBot) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a template serves any key but the empty one", func(t *testing.T) {
		template := MustBot("unread", publicPEM())
		k := newMock(t, Options{AnyBot: &template})
		chat, err := k.CreateChat("other", Web{})
		if err != nil || chat.BotKey != "other" {
			t.Errorf("got %+v, %v", chat, err)
		}
		if _, err := k.CreateChat("", Web{}); !errors.Is(err, ErrUnknownBot) {
			t.Errorf("the empty key: %v", err)
		}
	})
	t.Run("two of one key are an error", func(t *testing.T) {
		b := MustBot("bot", publicPEM())
		var invalid *InputError
		if _, err := New(Options{Bots: []Bot{b, b}}); !errors.As(err, &invalid) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a bad public key is explained", func(t *testing.T) {
		var ke *token.KeyError
		if _, err := BotFromPEM("bot", []byte("nonsense")); !errors.As(err, &ke) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the number is bounded", func(t *testing.T) {
		k := newMock(t, Options{})
		for i := range maxBots + 1 {
			if _, err := k.AddBot(Bot{Key: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if k.bots.len() != maxBots {
			t.Errorf("%d bots", k.bots.len())
		}
	})
}

func TestChatsAreBounded(t *testing.T) {
	k := newMock(t, Options{ChatLimit: 2})
	first, _, third := newChat(t, k), newChat(t, k), newChat(t, k)
	if _, ok := k.Chat(first.ID); ok {
		t.Error("the oldest chat is still there")
	}
	if got := k.Chats(1); len(got) != 1 || got[0].ID != third.ID {
		t.Errorf("the newest is not first: %v", got)
	}
}

func TestReset(t *testing.T) {
	k := newMock(t, Options{})
	id := newChat(t, k).ID
	if _, err := k.AddBot(MustBot("late", publicPEM())); err != nil {
		t.Fatal(err)
	}
	last := k.Journal().Last()
	if err := k.Reset(); err != nil {
		t.Fatal(err)
	}
	_, chat := k.Chat(id)
	_, late := k.Bot("late")
	_, bot := k.Bot("bot")
	if chat || late || !bot || len(k.Journal().Events(0)) != 0 {
		t.Errorf("after the reset: chat %v, late bot %v, first bot %v", chat, late, bot)
	}
	newChat(t, k)
	if got := k.Journal().Last(); got != last+1 {
		t.Errorf("the numbers do not go on: %d after %d", got, last)
	}
}

func TestAuthenticate(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	k := newMock(t, Options{Now: func() time.Time { return now }})
	t.Run("a sound token is accepted", func(t *testing.T) {
		chat, raw := authenticated(t, k, "hooks.example.com")
		if !chat.Authenticated || chat.Token != raw || !chat.Expires.Equal(now.Add(5*time.Minute)) || len(chat.Domains) != 1 || chat.User.Name != "Ada" {
			t.Errorf("%+v", chat)
		}
	})
	t.Run("a token of another chat is refused, and the chat goes on without", func(t *testing.T) {
		chat := newChat(t, k)
		res, err := k.Authenticate(chat.ID, sign(claims(unknownID, now)), InitialConnect)
		if _, bad := res.Violation("TOK-CHAT-ID"); err != nil || res.Accepted() || !bad {
			t.Errorf("%+v, %v", res.Violations, err)
		}
		if chat, _ = k.Chat(chat.ID); chat.Authenticated || chat.Token != "" {
			t.Error("the refused token is kept")
		}
	})
	t.Run("a refused token leaves the one before", func(t *testing.T) {
		chat, raw := authenticated(t, k)
		if _, err := k.Authenticate(chat.ID, "a.b.c", Expired); err != nil {
			t.Fatal(err)
		}
		if chat, _ = k.Chat(chat.ID); !chat.Authenticated || chat.Token != raw {
			t.Error("the accepted token is gone")
		}
	})
	t.Run("a bot without a public key accepts nothing", func(t *testing.T) {
		k := newMock(t, Options{Bots: []Bot{{Key: "bot"}}, Now: func() time.Time { return now }})
		chat := newChat(t, k)
		res, err := k.Authenticate(chat.ID, sign(claims(chat.ID, now)), InitialConnect)
		if err != nil || res.Accepted() || len(res.Unjudged) == 0 {
			t.Errorf("%+v, %v", res, err)
		}
	})
	t.Run("an unknown chat is an error", func(t *testing.T) {
		if _, err := k.Authenticate(unknownID, "a.b.c", ""); !errors.Is(err, ErrUnknownChat) {
			t.Errorf("got %v", err)
		}
	})
}

func TestInboxStoresVerifiedContactsOnly(t *testing.T) {
	now := time.Now()
	k := newMock(t, Options{})
	chat := newChat(t, k)
	for _, step := range []struct {
		name                  string
		sub, email            string
		verified              bool
		wantShown, wantStored string
	}{
		{"an unverified address is shown, not stored", "u1", "new@example.com", false, "new@example.com", ""},
		{"a verified one is stored", "u1", "ada@example.com", true, "ada@example.com", "ada@example.com"},
		{"a later unverified one is only shown", "u1", "eve@example.com", false, "eve@example.com", "ada@example.com"},
		{"another user does not inherit it", "u2", "bob@example.com", false, "bob@example.com", ""},
	} {
		c := claims(chat.ID, now)
		c["sub"], c["email"], c["email_verified"] = step.sub, step.email, step.verified
		c["phone_number"], c["phone_number_verified"] = "+4712345678", step.verified
		if res, err := k.Authenticate(chat.ID, sign(c), Expired); err != nil || !res.Accepted() {
			t.Fatalf("%s: %v, %+v", step.name, err, res.Violations)
		}
		got, _ := k.Chat(chat.ID)
		if got.User.Email != step.wantShown || got.User.StoredEmail != step.wantStored {
			t.Errorf("%s: shown %q, stored %q", step.name, got.User.Email, got.User.StoredEmail)
		}
		if (got.User.StoredPhone != "") != (step.wantStored != "") || got.User.Phone == "" {
			t.Errorf("%s: phone shown %q, stored %q", step.name, got.User.Phone, got.User.StoredPhone)
		}
	}
}
