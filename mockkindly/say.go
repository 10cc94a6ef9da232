package mockkindly

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
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

// Say is a visitor's message. Without dialogues it goes to every webhook of the
// chat's bot, at the same time; with dialogues it leads to one, which may
// answer, call one webhook, and lead to the next. Say returns when all is done:
// the deliveries in the order of Bot.Webhooks, or in the order of the
// dialogues. That one failed is no error of Say, but stands in its Exchange.
//
// The token goes along only if the chat is authenticated, the token has not
// expired, and chat.webhook_domains covers the webhook's public URL. Nothing is
// retried, and no redirect is followed, unless Options.Manner says so.
//
// The error is ErrUnknownChat, an *InputError for an empty message or a context
// that is too large, ErrClosed, or a *StoreError. A message that could not be
// kept may have reached webhooks, but what they answered counts for nothing.
func (k *Kindly) Say(ctx context.Context, chatID string, m Message) ([]Delivery, error) {
	replies, err := k.Converse(ctx, chatID, m)
	var deliveries []Delivery
	for _, r := range replies {
		if r.Delivery != nil {
			deliveries = append(deliveries, *r.Delivery)
		}
	}
	return deliveries, err
}

// Converse is Say, with what dialogues answer themselves.
func (k *Kindly) Converse(ctx context.Context, chatID string, m Message) ([]Reply, error) {
	ctx, leave, err := k.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if m.Text == "" && m.Slug == "" {
		return nil, inputErrorf("text", "the message is empty")
	}
	if m.Context, err = k.contextOf(chatID, m.Context); err != nil {
		return nil, err
	}
	if err := k.collect(chatID, m.Context); err != nil {
		return nil, err
	}
	chat, bot, err := k.chatAndBot(chatID)
	if err != nil {
		return nil, err
	}
	e := Event{Kind: MessageReceived, Bot: chat.BotKey, Chat: chat.ID, Message: &m}
	written := k.begin(e, len(m.Context) > 0, pending{})
	defer written.wait() // at the end nothing is on its way to the store

	if m.Text == "" { // Kindly's own text for a trigger is unpublished
		m.Text = m.Slug
	}
	if len(bot.Dialogues) == 0 {
		return k.toAllWebhooks(ctx, chat, bot, m, written)
	}
	if _, err := written.wait(); err != nil {
		return nil, err
	}
	return k.followDialogues(ctx, chat, bot, m)
}

// contextOf is what a page adds to the chat's context. It goes on to all
// webhooks, and must not tell them each other's credentials.
func (k *Kindly) contextOf(chatID string, added map[string]any) (map[string]any, error) {
	if len(added) == 0 {
		return nil, nil
	}
	if _, ok := k.Chat(chatID); !ok {
		return nil, ErrUnknownChat
	}
	hidden, _ := k.redact.Values(added).(map[string]any)
	return hidden, nil
}

// toAllWebhooks sends the message while it is written down. What they answer
// counts for nothing if the message was not kept.
func (k *Kindly) toAllWebhooks(ctx context.Context, chat Chat, bot Bot, m Message, written pending) ([]Reply, error) {
	payload, err := k.payload(chat, bot, m)
	if err != nil {
		return nil, err
	}
	deliveries, failed := make([]Delivery, len(bot.Webhooks)), make([]error, len(bot.Webhooks))
	var others sync.WaitGroup
	for i, hook := range bot.Webhooks {
		if i == 0 {
			continue // most bots have one, and a goroutine would cost it a stack
		}
		others.Go(func() { deliveries[i], failed[i] = k.deliver(ctx, chat, hook, payload, written) })
	}
	if len(bot.Webhooks) > 0 {
		deliveries[0], failed[0] = k.deliver(ctx, chat, bot.Webhooks[0], payload, written)
	}
	others.Wait()
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	replies := make([]Reply, len(deliveries))
	for i := range deliveries {
		replies[i].Delivery = &deliveries[i]
		if err := k.conclude(chat, &deliveries[i], written); err != nil {
			return nil, err
		}
	}
	_, err = written.wait() // a bot may have no webhook
	return replies, err
}

// followDialogues does what the message's dialogue says, and those that it
// leads to by exchange_slug.
func (k *Kindly) followDialogues(ctx context.Context, chat Chat, bot Bot, m Message) ([]Reply, error) {
	d, report := bot.match(m)
	var replies []Reply
	for hop := 1; ; hop++ {
		if hop > maxHops {
			report.By, report.Answer, report.Bubbles, d = ByLoop, webhook.Answer{}, nil, Dialogue{}
		}
		more, next, err := k.perform(ctx, chat.ID, d, report, m)
		replies = append(replies, more...)
		if err != nil || next == "" {
			return replies, err
		}
		d, _ = bot.dialogue(next)
		report = d.report(ByExchangeSlug)
		if d.label() == "" {
			report = DialogueReport{Slug: clip.Text(next, maxName), By: ByNothing}
		}
	}
}

// perform does what one dialogue says, and returns the slug of the next.
func (k *Kindly) perform(ctx context.Context, chatID string, d Dialogue, report DialogueReport, m Message) (replies []Reply, next string, err error) {
	added := d.Answer.NewContext
	if err := k.collect(chatID, added); err != nil {
		return nil, "", err
	}
	chat, bot, err := k.chatAndBot(chatID) // with what was collected meanwhile
	if err != nil {
		return nil, "", err
	}
	replies, next = []Reply{{Dialogue: &report}}, d.Answer.ExchangeSlug
	e := Event{Kind: DialogueMatched, Bot: chat.BotKey, Chat: chat.ID, Dialogue: &report}
	if err := k.record(e, len(added) > 0); err != nil {
		return nil, "", err
	}
	hook, ok := hookNamed(bot.Webhooks, d.Webhook)
	if !ok || d.Webhook == "" {
		return replies, next, nil
	}
	payload, err := k.payload(chat, bot, m)
	if err != nil {
		return replies, "", err
	}
	payload.Exchange.Slug = d.Slug
	delivery, err := k.deliver(ctx, chat, hook, payload, pending{})
	if err != nil {
		return replies, "", err
	}
	if slug := delivery.Answer.ExchangeSlug; slug != "" {
		next = slug
	}
	return append(replies, Reply{Delivery: &delivery}), next, k.conclude(chat, &delivery, pending{})
}

// conclude takes over what a webhook told, and journals it; but not if the
// message could not be written.
func (k *Kindly) conclude(chat Chat, d *Delivery, written pending) error {
	added := d.Answer.NewContext
	if len(added) > 0 {
		if _, err := written.wait(); err != nil {
			return err
		}
		// It goes on to other webhooks, which must not learn this one's
		// credentials from it.
		added, _ = k.redact.Learnt(added).(map[string]any)
	}
	if err := k.collect(chat.ID, added); err != nil {
		d.ContextError = fmt.Errorf("new_context is dropped: %w", err)
	}
	_, err := k.begin(k.deliveryEvent(chat, d), len(added) > 0, written).wait()
	return err
}

// recordDelivery journals one that changes nothing.
func (k *Kindly) recordDelivery(chat Chat, d Delivery, written pending) (Event, error) {
	return k.begin(k.deliveryEvent(chat, &d), false, written).wait()
}

func (k *Kindly) deliveryEvent(chat Chat, d *Delivery) Event {
	kind := WebhookDelivered
	if d.Exchange.Err != nil {
		kind = WebhookFailed
	}
	return Event{Kind: kind, Bot: chat.BotKey, Chat: chat.ID, Delivery: d}
}
