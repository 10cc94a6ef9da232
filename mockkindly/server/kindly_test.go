package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
)

func TestTokenRoute(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	chat := newChat(t, k)
	path := "/mock/v1/chats/" + chat.ID + "/token"

	bad := sign(claims(unknownID, time.Now()))
	w := do(k, "POST", path, `{"token":"`+bad.Secret()+`"}`)
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 422 {
		t.Fatalf("status %d, %v: %s", w.Code, err, w.Body)
	}
	found := false
	for _, v := range p.Violations {
		found = found || v.Rule.ID == "TOK-CHAT-ID" && v.Level == "MUST" && v.Fix != "" && v.Expected != "" && v.Actual != ""
	}
	if !found || !strings.Contains(p.Detail, "TOK-CHAT-ID") {
		t.Errorf("the violation is not told: %s", w.Body)
	}

	w = do(k, "POST", path, `{"token":"`+sign(claims(chat.ID, time.Now())).Secret()+`","reason":"EXPIRED"}`)
	var ok struct {
		Authenticated bool
		User          mockkindly.User
		Expires       time.Time
	}
	if err := json.Unmarshal(w.Body.Bytes(), &ok); err != nil || w.Code != 200 {
		t.Fatalf("status %d, %v: %s", w.Code, err, w.Body)
	}
	if !ok.Authenticated || ok.User.Name != "Ada" || time.Until(ok.Expires) < time.Minute {
		t.Errorf("got %s", w.Body)
	}
}

// A whole chat's JSON and printed forms are searched for what must not be there.
func TestNoCredentialIsShown(t *testing.T) {
	const secret = "hush-hush-secret"
	echo := newHook(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		w.Header().Set("Set-Cookie", "session=cookie-value")
		answer, _ := json.Marshal(map[string]any{
			"reply":       r.Header.Get("Authorization") + " " + secret + string(body),
			"new_context": map[string]any{"echo": r.Header.Get("Authorization"), secret: []any{secret}},
		})
		_, _ = w.Write(answer)
	})
	local := strings.Replace(echo.URL, "http://", "http://user:url-password@", 1)
	k := newMock(t, mockkindly.Options{}, mockkindly.Webhook{Name: "echo", URL: "https://hooks.example.com/", ConnectTo: local, Secret: secret})
	chat, raw := authenticated(t, k, "hooks.example.com")
	_, _ = k.Say(t.Context(), chat.ID, mockkindly.Message{Text: "so that the echo is in the context"})
	message := `{"text":"my token is ` + raw.Secret() + `"}`
	shown := map[string]string{
		"reply":   do(k, "POST", "/mock/v1/chats/"+chat.ID+"/messages", message).Body.String(),
		"journal": do(k, "GET", "/mock/v1/journal", "").Body.String(),
		"chat":    do(k, "GET", "/mock/v1/chats/"+chat.ID, "").Body.String(),
		"bot":     do(k, "GET", "/mock/v1/bots/bot", "").Body.String(),
	}
	if got := echo.Last(t).Header.Get("Authorization"); got != "Bearer "+raw.Secret() {
		t.Fatal("the webhook got no token: the test shows nothing")
	}
	for _, e := range k.Journal().Events(0) {
		shown[fmt.Sprintf("event %d, printed", e.Seq)] = fmt.Sprintf("%v %+v %#v %s", e, e, e, e.Kind)
		if e.Delivery != nil {
			shown["delivery, printed"] = fmt.Sprintf("%v %+v %#v %s %x", e.Delivery, *e.Delivery, *e.Delivery, e.Delivery, *e.Delivery)
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		shown[fmt.Sprintf("event %d, marshalled", e.Seq)] = string(text)
	}
	bot, _ := k.Bot("bot")
	chat, _ = k.Chat(chat.ID)
	shown["printed"] = fmt.Sprintf("%+v %#v %+v", bot, bot.Webhooks, chat.Token)
	for where, text := range shown {
		for what, s := range map[string]string{"signature": signature(raw), "secret": secret, "cookie": "cookie-value", "password": "url-password"} {
			if strings.Contains(text, s) {
				t.Errorf("%s shows the %s:\n%.2000s", where, what, text)
			}
		}
	}
	if !strings.Contains(shown["journal"], "<signature removed>") {
		t.Error("the journal does not say that something was removed")
	}
}

func TestConcurrentUse(t *testing.T) {
	h := newHook(t, replying(`{"reply":"hi","new_context":{"a":1}}`))
	k := newMock(t, mockkindly.Options{ChatLimit: 8, JournalSize: 50},
		mockkindly.Webhook{Name: "one", URL: "https://hooks.example.com/1", ConnectTo: h.URL},
		mockkindly.Webhook{Name: "two", URL: "https://hooks.example.com/2", ConnectTo: h.URL})
	server := httptest.NewServer(k)
	defer server.Close()
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			chat, err := k.CreateChat("bot", mockkindly.Web{})
			if err != nil {
				t.Error(err)
				return
			}
			// With 8 chats kept, the chat may be gone at any step.
			ignore := func(err error) {
				if err != nil && !errors.Is(err, mockkindly.ErrUnknownChat) {
					t.Error(err)
				}
			}
			_, err = k.Authenticate(chat.ID, sign(claims(chat.ID, time.Now(), "hooks.example.com")), mockkindly.InitialConnect)
			ignore(err)
			_, err = k.Say(t.Context(), chat.ID, mockkindly.Message{Text: "hi", Context: map[string]any{"i": i}})
			ignore(err)
			for _, path := range []string{"/mock/v1/journal", "/mock/v1/chats/" + chat.ID, "/mock/v1/health"} {
				res, err := http.Get(server.URL + path)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
			_, err = k.AddBot(mockkindly.Bot{Key: fmt.Sprint("other", i)})
			ignore(err)
			// The events may be gone too: the wait ends by itself.
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			_, _ = k.Journal().Wait(ctx, func(e mockkindly.Event) bool { return e.Chat == chat.ID })
			if i == 16 {
				ignore(k.Reset())
			}
		})
	}
	all.Wait()
}
