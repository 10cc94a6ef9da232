package mockkindly

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// An Overheard delivery is one of the real Kindly's, which somebody between it
// and the webhook has seen.
type Overheard struct {
	Bot, Webhook string // of this mock, so that it can be sent again
	Exchange     wire.Exchange
	Heard        Heard
}

// Heard is what is known of a delivery that the real Kindly has made.
type Heard struct {
	Protocol string `json:"protocol"` // HTTP/1.1
	// Signature is what was found about Kindly-HMAC.
	Signature Signature `json:"signature"`
	// GivenUp says that Kindly hung up before the answer was whole.
	GivenUp bool `json:"given_up,omitempty"`
	// Differences are where the request's body is not what the contract says;
	// BodyError says why it can't be compared.
	Differences []webhook.Difference `json:"differences,omitempty"`
	BodyError   string               `json:"body_error,omitempty"`
}

// A Signature is what was found about a request's Kindly-HMAC.
type Signature struct {
	// Verdict is right, wrong, missing, unjudged, or the ID of a known mistake.
	Verdict string `json:"verdict"`
	Text    string `json:"text"` // a sentence for people
	Fix     string `json:"fix,omitempty"`
}

// Overhear journals what the real Kindly has sent and what was answered, as if
// the mock had sent it: the chat that the body names, its message, the token by
// all rules, and the answer as Kindly reads it. Nothing is sent. Errors:
// ErrUnknownBot, ErrClosed, *StoreError.
func (k *Kindly) Overhear(o Overheard) (Event, error) {
	_, leave, err := k.enter(context.Background())
	if err != nil {
		return Event{}, err
	}
	defer leave()
	bot, ok := k.Bot(o.Bot)
	if !ok {
		return Event{}, ErrUnknownBot
	}
	hook, _ := hookNamed(bot.Webhooks, o.Webhook)
	raw := bearerOf(o.Exchange.Request)
	k.redact.LearnTokens(raw.Secret())
	heard := o.Heard
	d := &Delivery{
		Webhook: o.Webhook, URL: hook.URL, Exchange: o.Exchange, Heard: &heard, redact: k.redact,
		WithToken: raw != "", Reason: "Kindly sent no token.",
	}
	if d.WithToken {
		d.Reason = "Kindly sent it."
	}
	if heard.Differences, err = webhook.Compare(o.Exchange.Request.Body); err != nil {
		heard.BodyError = err.Error()
	}
	d.read()
	chat, err := k.overhearChat(o, raw)
	if err != nil {
		return Event{}, err
	}
	d.Dialogue = chat.dialogue
	if chat.ID != "" { // as Kindly merges it
		added, _ := k.redact.Learnt(d.Answer.NewContext).(map[string]any)
		d.ContextError = k.collect(chat.ID, added)
	}
	kind := WebhookDelivered
	if o.Exchange.Err != nil {
		kind = WebhookFailed
	}
	return k.begin(Event{Kind: kind, Bot: o.Bot, Chat: chat.ID, Delivery: d}, true, pending{}).wait()
}

// overheardChat is what a body tells of its chat.
type overheardChat struct {
	ID       string         `json:"chat_id"`
	UserID   string         `json:"user_id"`
	Message  string         `json:"message"`
	Context  map[string]any `json:"context"`
	Source   webhook.Source `json:"source"`
	WebHost  string         `json:"web_host"`
	WebPath  string         `json:"web_path"`
	WebURL   string         `json:"web_url"`
	Exchange struct {
		Slug string `json:"exchange_slug"`
	} `json:"exchange"`

	dialogue string
}

// overhearChat journals the chat of a delivery, its message and its token. A
// body without a chat has none of them.
func (k *Kindly) overhearChat(o Overheard, raw token.Raw) (overheardChat, error) {
	var c overheardChat
	// What has another type than expected is left out, and the rest is read.
	_ = json.NewDecoder(bytes.NewReader(o.Exchange.Request.Body)).Decode(&c)
	c.dialogue = clip.Text(k.redact.Known(c.Exchange.Slug), maxName)
	if c.ID == "" || len(c.ID) > maxName {
		return overheardChat{dialogue: c.dialogue}, nil
	}
	chat, known := k.Chat(c.ID)
	if !known {
		w := Web{Source: webhook.Source(clip.Text(string(c.Source), maxName)), Host: clip.Text(c.WebHost, maxName), Path: clip.Text(c.WebPath, maxURL), URL: clip.Text(c.WebURL, maxURL)}
		var err error
		if chat, err = k.createChat(&Chat{ID: c.ID, BotKey: o.Bot, UserID: clip.Text(c.UserID, maxName), Web: w}); err != nil {
			return c, err
		}
	}
	added, _ := k.redact.Values(c.Context).(map[string]any)
	_ = k.collect(c.ID, added) // too much of it is seen in the delivery
	if raw != "" && chat.Token != raw {
		if _, err := k.Authenticate(c.ID, raw, Forwarded); err != nil {
			return c, err
		}
	}
	return c, k.record(Event{Kind: MessageReceived, Bot: o.Bot, Chat: c.ID, Message: &Message{Text: c.Message, Slug: c.dialogue}}, true)
}

// Forwarded is the reason of a token that came with a delivery of the real Kindly.
const Forwarded = "FORWARDED"

// bearerOf is the token of a request, however its header is spelled.
func bearerOf(r wire.Request) token.Raw {
	for name, values := range r.Header {
		if !strings.EqualFold(name, "Authorization") || len(values) == 0 {
			continue
		}
		if scheme, credential, _ := strings.Cut(values[0], " "); strings.EqualFold(scheme, "Bearer") {
			return token.Raw(strings.TrimSpace(credential))
		}
	}
	return ""
}

// allowedBefore is the decision about a token that goes where the real Kindly
// has sent one already.
func allowedBefore(at time.Time) allowlist.Decision {
	return allowlist.Decision{Allowed: true, Reason: "Kindly itself sent a token here, at " + at.UTC().Format(time.RFC3339) + "."}
}
