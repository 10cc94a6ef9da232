package mockkindly

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

func answering(reply string) webhook.Answer { return webhook.Answer{Reply: reply} }

func TestWhichDialogueIsTaken(t *testing.T) {
	bot := Bot{Dialogues: []Dialogue{
		{Slug: "order", Phrases: []string{"order", "Where is my order?"}, Answer: answering("x")},
		{Slug: "order-cancel", Phrases: []string{"cancel my order"}, Answer: answering("x")},
		{Slug: "greeting", Phrases: []string{"hello", "god morgen", "Straße"}, Answer: answering("x")},
		{Slug: "else", Fallback: true, Answer: answering("x")},
	}}
	for _, tt := range []struct {
		name     string
		message  Message
		slug, by string
	}{
		{"the phrase itself", Message{Text: "hello"}, "greeting", "phrase"},
		{"letter case, punctuation and spaces don't count", Message{Text: "  HELLO!! "}, "greeting", "phrase"},
		{"letters beyond ASCII", Message{Text: "STRASSE"}, "greeting", "phrase"},
		{"among other words", Message{Text: "oh, hello there"}, "greeting", "phrase"},
		{"but not within a word", Message{Text: "othello"}, "else", "fallback"},
		{"the longest phrase counts", Message{Text: "please cancel my order"}, "order-cancel", "phrase"},
		{"the slug as text", Message{Text: "order-cancel"}, "order-cancel", "slug"},
		{"the slug as a trigger", Message{Slug: "greeting"}, "greeting", "slug"},
		{"a trigger that is no slug", Message{Slug: "hello"}, "else", "fallback"},
		{"nothing matches", Message{Text: "…"}, "else", "fallback"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, report := bot.match(tt.message)
			if d.Slug != tt.slug || string(report.By) != tt.by || report.Slug != tt.slug {
				t.Errorf("%s by %s", report.Slug, report.By)
			}
		})
	}
	if _, report := (Bot{Dialogues: bot.Dialogues[:1]}).match(Message{Text: "no"}); report.By != ByNothing {
		t.Errorf("without a fallback: %+v", report)
	}
}

func TestDialoguesThatMakeNoSense(t *testing.T) {
	for _, tt := range []struct {
		name      string
		dialogues []Dialogue
		want      string
	}{
		{"nothing leads to it", []Dialogue{{Answer: answering("x")}}, "nothing leads to it"},
		{"it does nothing", []Dialogue{{Slug: "a"}}, "does nothing"},
		{"no such webhook", []Dialogue{{Slug: "a", Webhook: "b"}}, "no webhook called"},
		{"two of one slug", []Dialogue{{Slug: "a", Answer: answering("x")}, {Slug: "a", Answer: answering("x")}}, "two dialogues"},
		{"two fallbacks", []Dialogue{{Fallback: true, Answer: answering("x")}, {Fallback: true, Answer: answering("x")}}, "a fallback already"},
		{"a phrase of punctuation", []Dialogue{{Phrases: []string{"?!"}, Answer: answering("x")}}, "no letter"},
		{"it leads nowhere", []Dialogue{{Slug: "a", Answer: webhook.Answer{ExchangeSlug: "b"}}}, "no dialogue is called"},
		{"too many", make([]Dialogue, maxDialogues+1), "more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(Options{Bots: []Bot{{Key: "bot", Dialogues: tt.dialogues}}})
			var invalid *InputError
			if !errors.As(err, &invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestAMessageFollowsItsDialogues(t *testing.T) {
	hook := newHook(t, func(w http.ResponseWriter, r *http.Request) {
		var p webhook.Payload
		_ = json.NewDecoder(r.Body).Decode(&p)
		fmt.Fprintf(w, `{"reply":"for %s, n is %v","new_context":{"m":2},"exchange_slug":"bye"}`, p.Exchange.Slug, p.Context["n"])
	})
	k := newMock(t, Options{Bots: []Bot{{Key: "bot", Webhooks: []Webhook{{Name: "hook", URL: hook.URL}, {Name: "other", URL: hook.URL + "/other"}},
		Dialogues: []Dialogue{
			{Slug: "order", Phrases: []string{"order"}, Webhook: "hook", Answer: webhook.Answer{Reply: "One moment", NewContext: map[string]any{"n": 1}}},
			{Slug: "bye", Answer: answering("Bye\n\nSee you")},
		}}}})
	chat := newChat(t, k)
	shown := replied(t, k, chat.ID, "my order?")
	var got struct {
		Replies []struct {
			Slug, By, Webhook, Dialogue, Reply string
			Bubbles                            []string
		}
	}
	if err := json.Unmarshal([]byte(shown), &got); err != nil || len(got.Replies) != 3 {
		t.Fatalf("%v: %s", err, shown)
	}
	r := got.Replies
	if r[0].Slug != "order" || r[0].Reply != "One moment" || r[1].Webhook != "hook" || r[1].Dialogue != "order" ||
		r[1].Reply != "for order, n is 1" || r[2].Slug != "bye" || r[2].By != "exchange_slug" || len(r[2].Bubbles) != 2 {
		t.Errorf("the replies are %s", shown)
	}
	if c, _ := k.Chat(chat.ID); fmt.Sprintf("%v %v", c.Context["n"], c.Context["m"]) != "1 2" {
		t.Errorf("the context is %v", c.Context)
	}
	if n := len(hook.Requests); n != 1 {
		t.Errorf("the webhook was called %d times", n)
	}
}

func TestDialoguesThatLeadInACircleEnd(t *testing.T) {
	k := newMock(t, Options{Bots: []Bot{{Key: "bot", Dialogues: []Dialogue{
		{Slug: "a", Answer: webhook.Answer{ExchangeSlug: "b"}},
		{Slug: "b", Answer: webhook.Answer{ExchangeSlug: "a"}},
	}}}})
	if _, err := k.Say(context.Background(), newChat(t, k).ID, Message{Slug: "a"}); err != nil {
		t.Fatal(err)
	}
	events := k.Journal().Events(0)
	if last := events[len(events)-1]; last.Dialogue == nil || last.Dialogue.By != ByLoop || len(events) > 20 {
		t.Errorf("%d events, the last is %+v", len(events), last.Dialogue)
	}
}
