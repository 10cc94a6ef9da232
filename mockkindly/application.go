package mockkindly

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// An Application is a customer's own chat client that talks to Kindly from
// server to server (docs.kindly.ai/api/application).
type Application struct {
	// APIKey is what /api/v1/… wants as a bearer token. Empty means
	// Options.AdminToken, and without that any.
	APIKey string
	// BotKey is the bot that it talks to; empty means the first of
	// Options.Bots, or "application" where any key is served.
	BotKey string
	// Webhook gets the replies; without a URL they are only in the journal.
	Webhook Webhook
}

// application is the state of the Application API.
type application struct {
	mu    sync.Mutex     // held while a user's chat is looked for, and made
	chats *shelf[string] // chat by user_id
	count atomic.Uint64
	busy  atomic.Int32
}

// maxApplication bounds messages that are being answered.
const maxApplication = 64

func (k *Kindly) checkAPIKey(r *http.Request) error {
	got, want := bearerOf(r), k.opts.Application.APIKey
	if want == "" {
		want = k.opts.AdminToken
	}
	if got != "" && (want == "" || sameSecret(got, want)) {
		return nil
	}
	return newProblem(http.StatusUnauthorized, "unauthorized", "Unauthorized",
		"The Application API wants Authorization: Bearer and the API key.")
}

// applicationInput is the body of both routes. Unknown members are allowed, as
// Kindly may know more.
type applicationInput struct {
	UserID       string         `json:"user_id"`
	Message      string         `json:"message"`
	LanguageCode string         `json:"language_code"`
	ExchangeID   string         `json:"exchange_id"`
	NewContext   map[string]any `json:"new_context"`
}

func (k *Kindly) postSend(w http.ResponseWriter, r *http.Request) error {
	var in applicationInput
	if err := decodeServer(w, r, &in); err != nil {
		return err
	}
	if in.Message == "" {
		return inputErrorf("message", "missing")
	}
	return k.converse(w, in, Message{Text: in.Message, Context: in.NewContext})
}

// greeting is the slug of the dialogue that greets (assumed).
const greeting = "greeting"

func (k *Kindly) postGreet(w http.ResponseWriter, r *http.Request) error {
	var in applicationInput
	if err := decodeServer(w, r, &in); err != nil {
		return err
	}
	return k.converse(w, in, Message{Slug: greeting, Context: in.NewContext})
}

// converse answers at once; the bot's replies go to the application's webhook.
func (k *Kindly) converse(w http.ResponseWriter, in applicationInput, m Message) error {
	if in.UserID == "" || len(in.UserID) > maxName {
		return inputErrorf("user_id", "it must have 1 to %d bytes", maxName)
	}
	chat, err := k.applicationChat(in.UserID)
	if err != nil {
		return err
	}
	ctx, leave, err := k.enter(context.Background())
	if err != nil {
		return err
	}
	if k.app.busy.Add(1) > maxApplication {
		k.app.busy.Add(-1)
		leave()
		return newProblem(http.StatusTooManyRequests, "busy", "Too many messages", "%d messages are still being answered.", maxApplication)
	}
	id := strconv.FormatUint(k.app.count.Add(1), 10)
	go func() {
		defer leave()
		defer k.app.busy.Add(-1)
		k.answerApplication(ctx, chat.ID, id, m)
	}()
	// Older and newer documentation name it differently.
	return writeJSON(w, http.StatusOK, map[string]string{"chatmessage_id": id, "reply_to_id": id, "chat_id": chat.ID})
}

// applicationChat is the user's chat; it is made for the first message.
func (k *Kindly) applicationChat(userID string) (Chat, error) {
	k.app.mu.Lock()
	defer k.app.mu.Unlock()
	if k.app.chats == nil {
		k.app.chats = newShelf[string](k.opts.ChatLimit)
	}
	id, _ := k.app.chats.get(userID)
	if c, ok := k.Chat(id); ok { // else it is the first time, or a reset came between
		return c, nil
	}
	c, err := k.createChat(&Chat{BotKey: k.applicationBot(), UserID: userID, Web: Web{Source: webhook.SourceApp}})
	if err != nil {
		return c, err
	}
	k.app.chats.put(userID, c.ID)
	return c, nil
}

func (k *Kindly) applicationBot() string {
	switch {
	case k.opts.Application.BotKey != "":
		return k.opts.Application.BotKey
	case len(k.opts.Bots) > 0:
		return k.opts.Bots[0].Key
	}
	return "application"
}

// answerApplication sends what the bot replies, one request a reply. What fails
// is in the journal.
func (k *Kindly) answerApplication(ctx context.Context, chatID, replyTo string, m Message) {
	replies, err := k.talk(ctx, chatID, m)
	if err != nil || k.opts.Application.Webhook.URL == "" {
		return
	}
	for _, r := range replies {
		answer := r.answer()
		if answer.Reply == "" && len(answer.Buttons) == 0 && len(answer.ImageCarousel) == 0 {
			continue
		}
		chat, ok := k.Chat(chatID)
		if !ok {
			return
		}
		body, err := json.Marshal(map[string]any{
			"reply_to_id": replyTo, "user_id": chat.UserID, "chat_id": chat.ID, "message": answer.Reply,
			"context": chat.Context, "buttons": append([]webhook.Button{}, answer.Buttons...), "image_carousel": answer.ImageCarousel,
		})
		if err != nil {
			return
		}
		d := k.reply(ctx, body)
		if k.recordDelivery(chat, &d, false, pending{}) != nil {
			return
		}
	}
}

// answer is what a reply says.
func (r reply) answer() webhook.Answer {
	if r.delivery != nil {
		return r.delivery.Answer
	}
	return r.dialogue.Answer
}

// reply sends one reply to the application.
func (k *Kindly) reply(ctx context.Context, body []byte) Delivery {
	hook := k.opts.Application.Webhook
	d := Delivery{Webhook: hook.label(), URL: hook.URL, Reason: "Replies to an application carry no token."}
	d.sent.secret, d.Rotated = k.secretFor(hook)
	h := http.Header{"Content-Type": {"application/json"}}
	webhook.SetSignature(h, d.sent.secret, body)
	d.Exchange = k.send(ctx, wire.Request{Method: http.MethodPost, URL: hook.URL, ConnectTo: hook.ConnectTo, Header: h, Body: body})
	return d
}

func (a Application) validate() error {
	if a.Webhook.URL == "" {
		return nil
	}
	if err := a.Webhook.validate("application.webhook"); err != nil {
		return fmt.Errorf("the application: %w", err)
	}
	return nil
}
