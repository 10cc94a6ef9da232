package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"

	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

func TestApplicationAPI(t *testing.T) {
	bot := newHook(t, replying(`{"reply":"You are welcome","buttons":[{"button_type":"quick_reply","label":"Bye"}],"new_context":{"seen":true}}`))
	app := newHook(t, replying(`{}`))
	k := newMockFor(t, Options{APIKey: "the key"}, mockkindly.Options{
		Bots: []mockkindly.Bot{{Key: "bot", Webhooks: []mockkindly.Webhook{{Name: "bot", URL: bot.URL}}, Dialogues: []mockkindly.Dialogue{
			{Slug: "greeting", Answer: answering("Hi there")}, {Fallback: true, Webhook: "bot"},
		}}},
		Application: mockkindly.Application{Webhook: mockkindly.Webhook{Name: "app", URL: app.URL, Secret: "hush-hush"}},
	})
	send := func(path, body string) map[string]string {
		t.Helper()
		w := doAt(k, "example.com", "POST", path, body, "Authorization", "Bearer the key")
		var got map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return got
	}
	reply := func(to string) (payload struct {
		ReplyToID string `json:"reply_to_id"`
		UserID    string `json:"user_id"`
		Message   string
		Context   map[string]any
		Buttons   []webhook.Button
	}) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		e, err := k.Journal().Wait(ctx, func(e mockkindly.Event) bool {
			return e.Kind == mockkindly.WebhookDelivered && e.Delivery.Webhook == "app" && strings.Contains(string(e.Delivery.Exchange.Request.Body), `"reply_to_id":"`+to+`"`)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(e.Delivery.Exchange.Request.Body, &payload); err != nil {
			t.Fatal(err)
		}
		return payload
	}
	first := send("/api/v1/send", `{"user_id":"u-1","message":"thanks","new_context":{"n":1},"language_code":"nb"}`)
	if r := reply(first["reply_to_id"]); r.Message != "You are welcome" || r.UserID != "u-1" || len(r.Buttons) != 1 || fmt.Sprint(r.Context) != "map[n:1 seen:true]" {
		t.Errorf("the reply is %+v", r)
	}
	got := app.Last(t)
	signature, _ := webhook.Signature(got.Header)
	if !webhook.Verify("hush-hush", got.Body, signature) {
		t.Error("the reply is not signed")
	}
	second := send("/api/v1/greet", `{"user_id":"u-1"}`)
	if r := reply(second["reply_to_id"]); r.Message != "Hi there" || second["chat_id"] != first["chat_id"] {
		t.Errorf("the greeting is %+v", r)
	}
	if other := send("/api/v1/greet", `{"user_id":"u-2"}`); other["chat_id"] == first["chat_id"] {
		t.Error("two users share a chat")
	}
	if c, _ := k.Chat(first["chat_id"]); c.UserID != "u-1" || c.Web.Source != webhook.SourceApp {
		t.Errorf("the chat is %+v", c)
	}
	for name, key := range map[string]string{"no key": "", "another key": "Bearer the keys"} {
		if w := doAt(k, "example.com", "POST", "/api/v1/send", `{"user_id":"u","message":"m"}`, "Authorization", key); w.Code != 401 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	for _, body := range []string{`{"message":"m"}`, `{"user_id":"u"}`, `{"user_id":"` + strings.Repeat("u", 257) + `","message":"m"}`} {
		if w := doAt(k, "example.com", "POST", "/api/v1/send", body, "Authorization", "Bearer the key"); w.Code != 400 {
			t.Errorf("%.50s: %d", body, w.Code)
		}
	}
}

func TestContactsAreStoredOnlyIfVerified(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	chat := newChat(t, k)
	authenticate := func(email string, verified any) string {
		c := claims(chat.ID, time.Now())
		c["email"], c["phone_number"] = email, "+4712345678"
		delete(c, "email_verified")
		if verified != nil {
			c["email_verified"] = verified
		}
		if _, err := k.Authenticate(chat.ID, sign(c), mockkindly.Expired); err != nil {
			t.Fatal(err)
		}
		w := do(k, "GET", "/mock/v1/chats/"+chat.ID, "")
		var got struct{ Contacts []mockkindly.Contact }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Contacts) != 2 {
			t.Fatalf("%v %s", err, w.Body)
		}
		phone := got.Contacts[1]
		if phone.Stored || phone.Why == "" {
			t.Errorf("the number is stored: %+v", phone)
		}
		e := got.Contacts[0]
		return fmt.Sprint(e.Value, " ", e.Stored, " ", e.StoredValue)
	}
	for _, tt := range []struct {
		email    string
		verified any
		want     string
	}{
		{"a@example.com", nil, "a@example.com false "},
		{"a@example.com", false, "a@example.com false "},
		{"b@example.com", true, "b@example.com true b@example.com"},
		{"c@example.com", false, "c@example.com false b@example.com"},
		{"b@example.com", nil, "b@example.com true b@example.com"},
	} {
		if got := authenticate(tt.email, tt.verified); got != tt.want {
			t.Errorf("%s, verified %v: %s, want %s", tt.email, tt.verified, got, tt.want)
		}
	}
	w := do(k, "GET", "/mock/v1/users", "")
	if !strings.Contains(w.Body.String(), `"chats":1`) || !strings.Contains(w.Body.String(), `"stored_value":"b@example.com"`) {
		t.Error(w.Body)
	}
}

func TestChatsPageByPage(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	var ids []string
	for range 5 {
		ids = append(ids, newChat(t, k).ID)
	}
	var seen []string
	before := ""
	for {
		w := do(k, "GET", "/mock/v1/chats?limit=2&before="+before, "")
		var p struct {
			Chats []struct{ ID string }
			More  bool
			Total int
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Total != 5 {
			t.Fatalf("%v %s", err, w.Body)
		}
		for _, c := range p.Chats {
			seen = append(seen, c.ID)
			before = c.ID
		}
		if !p.More {
			break
		}
	}
	if len(seen) != 5 || seen[0] != ids[4] || seen[4] != ids[0] {
		t.Errorf("%v, want %v turned around", seen, ids)
	}
	for _, limit := range []string{"0", "501", "x"} {
		if w := do(k, "GET", "/mock/v1/chats?limit="+limit, ""); w.Code != 400 {
			t.Errorf("limit %s: %d", limit, w.Code)
		}
	}
}
