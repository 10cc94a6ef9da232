package mockkindly

import (
	"context"
	"fmt"
	"sync"
)

// enter counts a caller who must be gone before Close returns. It returns the
// way out, and a context that ends at Close too.
func (k *Kindly) enter(ctx context.Context) (context.Context, func(), error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil, nil, ErrClosed
	}
	k.flying.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(k.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
		k.flying.Done()
	}, nil
}

// Say is a visitor's message: it goes to every webhook of the chat's bot, at
// the same time, and Say returns when all have answered or failed. The
// deliveries come in the order of Bot.Webhooks; that one failed is no error of
// Say, but stands in its Exchange.
//
// The token goes along only if the chat is authenticated, the token has not
// expired, and chat.webhook_domains covers the webhook's public URL. Nothing is
// retried, and no redirect is followed.
//
// The error is ErrUnknownChat, an *InputError for an empty message or a context
// that is too large, or ErrClosed.
func (k *Kindly) Say(ctx context.Context, chatID string, m Message) ([]Delivery, error) {
	ctx, leave, err := k.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if m.Text == "" {
		return nil, inputErrorf("text", "the message is empty")
	}
	if err := k.collect(chatID, m.Context); err != nil {
		return nil, err
	}
	chat, bot, err := k.chatAndBot(chatID)
	if err != nil {
		return nil, err
	}
	k.record(Event{Kind: MessageReceived, Bot: chat.BotKey, Chat: chat.ID, Message: &m})
	payload, err := k.payload(chat, bot, m)
	if err != nil {
		return nil, err
	}
	deliveries := make([]Delivery, len(bot.Webhooks))
	var all sync.WaitGroup
	for i, hook := range bot.Webhooks {
		all.Go(func() { deliveries[i] = k.deliver(ctx, chat, hook, payload) })
	}
	all.Wait()
	k.conclude(chat, deliveries)
	return deliveries, nil
}

// conclude takes over what the webhooks told, in their order, and journals it.
func (k *Kindly) conclude(chat Chat, deliveries []Delivery) {
	for i := range deliveries {
		d := &deliveries[i]
		// The context goes on to other webhooks, which must not learn this one's
		// credentials from it.
		added, _ := d.sent.hideIn(d.Answer.NewContext).(map[string]any)
		if err := k.collect(chat.ID, added); err != nil {
			d.ContextError = fmt.Errorf("new_context is dropped: %w", err)
		}
		kind := WebhookDelivered
		if d.Exchange.Err != nil {
			kind = WebhookFailed
		}
		k.record(Event{Kind: kind, Bot: chat.BotKey, Chat: chat.ID, Delivery: d})
	}
}
