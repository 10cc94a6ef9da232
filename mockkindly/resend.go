package mockkindly

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// A TokenState says which token a delivery is sent again with.
type TokenState string

const (
	TokenSame      TokenState = "same"       // as it was, with or without
	TokenNone      TokenState = "none"       // without
	TokenExpired   TokenState = "expired"    // its claims, expired; signed with Options.SigningKey
	TokenOtherChat TokenState = "other-chat" // of another chat: a real one, or signed with Options.SigningKey
)

// ErrUnknownDelivery says that the journal holds no delivery with the number.
var ErrUnknownDelivery = errors.New("unknown delivery")

// A ResendError says why a delivery cannot be sent again so.
type ResendError struct{ Problem string }

func (e *ResendError) Error() string { return e.Problem }

// Resend sends a delivery of the journal once more: the same body, to the same
// webhook where that is now, signed with its present secret. A token goes along
// only where its own chat.webhook_domains cover the webhook's present URL: the
// same one is left out otherwise, as from a first delivery, and one in another
// state is refused. The answer is journalled, and has no effect on the chat.
// Errors: ErrUnknownDelivery, *ResendError, *InputError, ErrClosed, *StoreError.
func (k *Kindly) Resend(ctx context.Context, seq uint64, state TokenState) (Event, error) {
	if err := oneOf("token", state, TokenSame, TokenNone, TokenExpired, TokenOtherChat); err != nil {
		return Event{}, err
	}
	ctx, leave, err := k.enter(ctx)
	if err != nil {
		return Event{}, err
	}
	defer leave()
	e, err := k.delivery(seq)
	if err != nil {
		return Event{}, err
	}
	d, err := k.again(e, state)
	if err != nil {
		return Event{}, err
	}
	d.Exchange = k.send(ctx, d.Exchange.Request)
	d.read()
	kind := WebhookDelivered
	if d.Exchange.Err != nil {
		kind = WebhookFailed
	}
	return k.begin(Event{Kind: kind, Bot: e.Bot, Chat: e.Chat, Delivery: d}, false, pending{}).wait()
}

// delivery is an event of the journal that is one.
func (k *Kindly) delivery(seq uint64) (Event, error) {
	e, ok, err := k.journal.event(seq)
	if err == nil && (!ok || e.Delivery == nil) {
		err = ErrUnknownDelivery
	}
	return e, err
}

// whole says why the body of a delivery's request is not as it was sent.
func (d *Delivery) whole() error {
	switch {
	case d.Truncated && len(d.Exchange.Request.Body) >= maxJournalBody:
		return &ResendError{fmt.Sprintf("The request's body was longer than the %d bytes that the journal keeps.", maxJournalBody)}
	case d.redacted:
		return &ResendError{"The request's body held a token or a secret, which no store keeps: " +
			"what is left of the body was never sent. Let the page send it again."}
	}
	return nil
}

// again is the delivery of an event before it is sent again.
func (k *Kindly) again(e Event, state TokenState) (*Delivery, error) {
	old := e.Delivery
	bot, ok := k.Bot(e.Bot)
	hook, known := hookNamed(bot.Webhooks, old.Webhook)
	if !ok || !known {
		return nil, &ResendError{"The webhook " + clip.Text(old.Webhook, 128) + " is not set up any more."}
	}
	if err := old.whole(); err != nil {
		return nil, err
	}
	raw, reason, err := k.tokenFor(e, hook, state)
	if err != nil {
		return nil, err
	}
	decision := k.decisionAgain(e.Chat, hook, raw)
	if old.Heard != nil && old.WithToken {
		decision = allowedBefore(old.Exchange.At)
	}
	if raw != "" && !decision.Allowed {
		if state != TokenSame {
			return nil, &ResendError{"No token may go to this webhook. " + decision.Reason}
		}
		raw, reason = "", decision.Reason
	}
	d := &Delivery{
		Webhook: old.Webhook, URL: hook.URL, Decision: decision, WithToken: raw != "", Reason: reason,
		Dialogue: old.Dialogue, ResendOf: e.Seq, TokenState: state,
	}
	k.redact.LearnTokens(raw.Secret()) // it may be minted for this
	secret, rotated := k.secretFor(hook)
	d.redact, d.Rotated = k.redact, rotated
	req := old.Exchange.Request.Clone()
	req.URL, req.ConnectTo = hook.URL, hook.ConnectTo
	if m := k.opts.Manner; m != nil {
		req.Form, req.Timeout = m.Form, m.Timeout // no store keeps them
	}
	k.opts.Manner.Sign(req.Header, secret, req.Body)
	maps.DeleteFunc(req.Header, func(name string, _ []string) bool { return strings.EqualFold(name, "Authorization") })
	if raw != "" {
		req.Header.Set("Authorization", "Bearer "+raw.Secret())
	}
	d.Exchange.Request = req
	return d, nil
}

// decisionAgain is whether a token may go to where the webhook is now: by the
// domains of the one that is about to be sent, or of the chat's if none is.
func (k *Kindly) decisionAgain(chatID string, hook Webhook, raw token.Raw) allowlist.Decision {
	if raw != "" {
		var domains []string
		if t := token.Check(raw, token.Expect{}).Token; t != nil {
			domains = t.WebhookDomains()
		}
		return decisionFor(domains, hook)
	}
	chat, ok := k.Chat(chatID)
	if !ok {
		return allowlist.Decision{Reason: "The chat is not kept any more, and with it the list of its domains."}
	}
	return decisionFor(chat.Domains, hook)
}

// withoutAgain begins the reason of a delivery that had no token before either.
const withoutAgain = "Sent again without the token, as before. "

// tokenFor finds or makes the token of a delivery that is sent again.
func (k *Kindly) tokenFor(e Event, hook Webhook, state TokenState) (raw token.Raw, reason string, err error) {
	old := e.Delivery
	switch state {
	case TokenNone:
		return "", "Sent again without the token.", nil
	case TokenSame:
		if !old.WithToken {
			return "", withoutAgain + strings.TrimPrefix(old.Reason, withoutAgain), nil
		}
		if raw = tokenOf(old); raw == "" {
			return "", "", &ResendError{"The token was not kept across the restart of the mock. Send it without, or let the page load again."}
		}
		return raw, "Sent again with the same token.", nil
	case TokenOtherChat:
		if raw, ok := k.tokenOfAnother(e, hook); ok {
			return raw, "Sent again with the token of another chat.", nil
		}
	}
	return k.mintFor(e, state)
}

// tokenOf is the token that a delivery took along, "" if it is not known whole.
func tokenOf(d *Delivery) token.Raw {
	raw := bearerOf(d.Exchange.Request)
	if strings.ContainsAny(raw.Secret(), "<[") { // what was removed
		return ""
	}
	return raw
}

// tokenOfAnother is a live token of another chat that may go to the webhook.
func (k *Kindly) tokenOfAnother(e Event, hook Webhook) (token.Raw, bool) {
	for _, c := range k.Chats(0) {
		if c.ID == e.Chat || c.BotKey != e.Bot || c.Token == "" {
			continue
		}
		var d Delivery
		if d.decide(c, hook, k.Now()); d.WithToken {
			return c.Token, true
		}
	}
	return "", false
}
