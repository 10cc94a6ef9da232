package mockkindly

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// A Delivery is one message sent to one webhook, and what came back. Its
// Exchange is as it was on the wire, token included; its printed and its JSON
// form hold no credential.
type Delivery struct {
	Webhook string // its name; its URL if it has none
	URL     string // the public one, which decides about the token

	// Decision is whether the token may go to URL, for an authenticated chat.
	Decision allowlist.Decision
	// WithToken says that it did go along, Reason why or why not.
	WithToken bool
	Reason    string

	Exchange wire.Exchange

	// Answer is what Kindly reads of the response, if it is a JSON object;
	// AnswerErr says why it is not. Problems are the fields it would not take.
	// All are empty unless the status is 200.
	Answer    webhook.Answer
	AnswerErr error
	Problems  []webhook.Problem
	Bubbles   []string // Answer's reply as the visitor sees it
	// ContextError says why new_context was not taken over.
	ContextError error

	Truncated bool // the journal's copy of a body was cut; a cut answer is left out

	Dialogue   string     // slug of the dialogue that called the webhook, if it has one
	ResendOf   uint64     // Seq of the delivery that this one repeats; 0 if it is the first
	TokenState TokenState // of one that was sent again
	Rotated    bool       // signed with another secret, by the fault RotateSecret
	Heard      *Heard     // of one that the real Kindly has made; nil otherwise

	redact   *redact.Redactor // what is to be hidden where the webhook repeats it
	redacted bool             // read back, without credentials that the request's body held
}

// Format prints d in one line without credentials, whatever the verb.
func (d Delivery) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// String is a line such as "order-status: 200, with the token".
func (d Delivery) String() string {
	outcome := string(d.Exchange.Kind())
	if d.Exchange.Response != nil {
		outcome = fmt.Sprint(d.Exchange.Status())
	}
	if d.WithToken {
		return d.Webhook + ": " + outcome + ", with the token"
	}
	return d.Webhook + ": " + outcome + ", without the token: " + d.Reason
}

// payload is what every webhook gets for a message.
func (k *Kindly) payload(chat Chat, bot Bot, m Message) (webhook.Payload, error) {
	exchangeID, err := k.ids.uuid()
	if err != nil {
		return webhook.Payload{}, err
	}
	p := webhook.New(chat.ID, m.Text)
	p.OrganizationID, p.BotID, p.UserID = bot.OrganizationID, bot.ID, chat.UserID
	p.Context = chat.Context
	p.Exchange.ID = exchangeID
	p.Links.Chat = k.opts.Public + "/mock/v1/chats/" + chat.ID
	p.Source = chat.Web.Source
	p.WebHost, p.WebPath, p.WebURL = chat.Web.Host, chat.Web.Path, chat.Web.URL
	return p, nil
}

// deliver sends one message to one webhook, and again where Kindly was seen to do
// so. What failed before the last attempt is journalled; the last one is returned.
func (k *Kindly) deliver(ctx context.Context, chat Chat, hook Webhook, p webhook.Payload, written pending) (Delivery, error) {
	d := k.attempt(ctx, chat, hook, p)
	if k.opts.Manner == nil {
		return d, nil
	}
	first := uint64(0)
	for _, wait := range k.opts.Manner.RetryAfter {
		if !webhook.Failed(d.Exchange) || d.Exchange.Request.Method == "" {
			break // it was taken, or not sent at all
		}
		e, err := k.recordDelivery(chat, d, written)
		if err != nil {
			return d, err
		}
		if first == 0 {
			first = e.Seq
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return d, nil
		}
		again := d
		again.Exchange = k.send(ctx, d.Exchange.Request)
		again.ResendOf, again.TokenState = first, TokenSame
		again.Answer, again.AnswerErr, again.Problems, again.Bubbles = webhook.Answer{}, nil, nil, nil
		again.read()
		d = again
	}
	return d, nil
}

// attempt sends one message to one webhook.
func (k *Kindly) attempt(ctx context.Context, chat Chat, hook Webhook, p webhook.Payload) Delivery {
	d := Delivery{Webhook: hook.label(), URL: hook.URL, Dialogue: p.Exchange.Slug, redact: k.redact}
	d.decide(chat, hook, k.Now())
	o := webhook.RequestOptions{URL: hook.URL, ConnectTo: hook.ConnectTo, Payload: p, Manner: k.opts.Manner}
	o.Secret, d.Rotated = k.secretFor(hook)
	if d.WithToken {
		o.Token = chat.Token
	}
	req, err := webhook.NewRequest(o)
	if err != nil {
		d.Exchange = wire.Exchange{At: k.opts.Now(), Err: fmt.Errorf("making the request: %w", err)}
		return d
	}
	req.Host = hook.Host
	d.Exchange = k.send(ctx, req)
	d.read()
	return d
}

// send sends a request as soon as there is a free connection, and follows where
// answers lead if Kindly was seen to do so. It is the last answer that comes back.
func (k *Kindly) send(ctx context.Context, req wire.Request) wire.Exchange {
	select {
	case k.slots <- struct{}{}:
		defer func() { <-k.slots }()
		ex := k.client.Do(ctx, req)
		for hop := 0; ; hop++ {
			next, ok := k.opts.Manner.Next(ex, hop)
			if !ok {
				ex.Request = req // that is what is sent again
				return ex
			}
			ex = k.client.Do(ctx, next)
		}
	case <-ctx.Done():
		return wire.Exchange{At: k.opts.Now(), Request: req, Err: fmt.Errorf("waiting for a free connection: %w", context.Cause(ctx))}
	}
}

// decide whether the token goes along.
func (d *Delivery) decide(chat Chat, hook Webhook, now time.Time) {
	d.Decision = decisionFor(chat.Domains, hook)
	switch {
	case !chat.Authenticated:
		d.Reason = "The chat is not authenticated."
	case chat.Token == "":
		d.Reason = "The chat's token was not kept across the restart of the mock: the page is asked for another."
	case chat.ExpiredAt(now):
		d.Reason = "The chat's token expired at " + chat.Expires.UTC().Format(time.RFC3339) + "."
	default:
		d.WithToken, d.Reason = d.Decision.Allowed, d.Decision.Reason
	}
}

// decisionFor is whether a token with these domains may go to a webhook.
func decisionFor(domains []string, hook Webhook) allowlist.Decision {
	if wire.IsLoopback(hook.URL) {
		return allowlist.Decision{Reason: "A loopback address never gets the token: Kindly cannot reach it, and localhost cannot be listed. " +
			"Give the webhook its public name too, as PUBLIC=LOCAL: https://hooks.example.com/kindly=" + redact.URL(hook.URL)}
	}
	return allowlist.Decide(domains, hook.URL)
}

// read takes the answer apart.
func (d *Delivery) read() {
	if d.Exchange.Status() != 200 {
		return
	}
	if d.Exchange.Response.Truncated {
		d.AnswerErr = fmt.Errorf("the answer is longer than %d bytes", len(d.Exchange.Body()))
		return
	}
	d.Answer, d.Problems, d.AnswerErr = webhook.ParseAnswer(d.Exchange.Body())
	d.Bubbles = bubbles(d.Answer.Reply)
}

// bubbles splits a reply where Kindly does, at empty lines.
func bubbles(reply string) []string {
	var out []string
	for b := range strings.SplitSeq(reply, "\n\n") {
		if b = strings.TrimSpace(b); b != "" {
			out = append(out, b)
		}
	}
	return out
}
