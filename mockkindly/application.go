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
	// BotKey is the bot that it talks to; empty means the first of
	// Options.Bots, or "application" where any key is served.
	BotKey string
	// Webhook gets the replies; without a URL they are only in the journal.
	Webhook Webhook
}

// application is the state of the Application API.
type application struct {
	mu    sync.Mutex     // held while a user's chat is looked for, and made
	chats *queue[string] // chat by user_id
	count atomic.Uint64
	busy  atomic.Int32
}

// maxApplication bounds messages that are being answered.
const maxApplication = 64

// ErrBusy says that too many messages of the application are being answered.
var ErrBusy = fmt.Errorf("%d messages are still being answered", maxApplication)

// Application takes a message of one of the application's users, and makes a
// chat for the first. It returns at once: replies go to the application's
// webhook, and name the ID that is returned. Errors: *InputError, ErrUnknownBot,
// ErrBusy, ErrClosed, *StoreError.
func (k *Kindly) Application(userID string, m Message) (replyTo, chatID string, err error) {
	if userID == "" || len(userID) > maxName {
		return "", "", inputErrorf("user_id", "it must have 1 to %d bytes", maxName)
	}
	chat, err := k.applicationChat(userID)
	if err != nil {
		return "", "", err
	}
	ctx, leave, err := k.enter(context.Background())
	if err != nil {
		return "", "", err
	}
	if k.app.busy.Add(1) > maxApplication {
		k.app.busy.Add(-1)
		leave()
		return "", "", ErrBusy
	}
	replyTo = strconv.FormatUint(k.app.count.Add(1), 10)
	go func() {
		defer leave()
		defer k.app.busy.Add(-1)
		k.answerApplication(ctx, chat.ID, replyTo, m)
	}()
	return replyTo, chat.ID, nil
}

// applicationChat is the user's chat; it is made for the first message.
func (k *Kindly) applicationChat(userID string) (Chat, error) {
	k.app.mu.Lock()
	defer k.app.mu.Unlock()
	if k.app.chats == nil {
		k.app.chats = newQueue[string](k.opts.ChatLimit)
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
	replies, err := k.Converse(ctx, chatID, m)
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
		if _, err := k.recordDelivery(chat, d, pending{}); err != nil {
			return
		}
	}
}

// reply sends one reply to the application.
func (k *Kindly) reply(ctx context.Context, body []byte) Delivery {
	hook := k.opts.Application.Webhook
	d := Delivery{Webhook: hook.label(), URL: hook.URL, Reason: "Replies to an application carry no token.", redact: k.redact}
	secret, rotated := k.secretFor(hook)
	d.Rotated = rotated
	h := http.Header{"Content-Type": {"application/json"}}
	webhook.SetSignature(h, secret, body)
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
