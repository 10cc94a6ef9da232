package server

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// TestUnsafeTokensAreTakenForwardedAndMarked: Kindly cannot know that a key
// stands in a repository, or that a claim is a secret. The mock goes on with
// such a token as Kindly does, and the inbox tells.
func TestUnsafeTokensAreTakenForwardedAndMarked(t *testing.T) {
	hook := newHook(t, replying(`{}`))
	bot := mockkindly.MustBot("bot", publicPEM(), mockkindly.Webhook{Name: "hook", URL: "https://hooks.example.com/kindly", ConnectTo: hook.URL})
	bot.Published = map[string]string{bot.PublicKeys[0].Fingerprint: "in a sample"}
	k := newMock(t, mockkindly.Options{Bots: []mockkindly.Bot{bot}})
	chat := newChat(t, k)
	c := claims(chat.ID, time.Now(), "hooks.example.com", "https://other.example.com/x")
	c["password"], c["email_verified"] = "hunter2hunter2", "true"
	raw := sign(c)
	if res, err := k.Authenticate(chat.ID, raw, mockkindly.InitialConnect); err != nil || !res.Accepted() {
		t.Fatalf("%v, refused for %+v", err, res.Refused())
	}
	say(t, k, chat.ID)
	if got := hook.Last(t).Header.Get("Authorization"); got != "Bearer "+raw.Secret() {
		t.Error("the token is not forwarded")
	}
	marked := func() []string {
		var shown struct {
			Marked bool
			Marks  []struct{ ID, Refused string }
		}
		w := do(k, "GET", "/mock/v1/chats/"+chat.ID, "")
		if err := json.Unmarshal(w.Body.Bytes(), &shown); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, m := range shown.Marks {
			if ids = append(ids, m.ID); m.Refused != "" {
				t.Errorf("%s: Kindly refuses it, and takes it", m.ID)
			}
		}
		if shown.Marked != (len(ids) > 0) {
			t.Errorf("marked: %v, with %v", shown.Marked, ids)
		}
		return ids
	}
	if got := marked(); len(got) != 4 || got[0] != "TOK-KEY-PUBLISHED" || got[1] != "TOK-EMAIL-VERIFIED" || got[2] != "TOK-SECRETS" || got[3] != "FWD-PATTERNS" {
		t.Errorf("marked with %v", got)
	}
	if _, err := k.AddBot(mockkindly.MustBot("bot", publicPEM())); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Authenticate(chat.ID, sign(claims(chat.ID, time.Now())), mockkindly.Expired); err != nil {
		t.Fatal(err)
	}
	if got := marked(); len(got) != 0 {
		t.Errorf("a sound token came, and the chat is still marked with %v", got)
	}
}
