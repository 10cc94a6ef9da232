package mockkindly

import (
	"bytes"
	"context"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// A Sending is one webhook request, without a mock behind it.
type Sending struct {
	Webhook Webhook
	Payload webhook.Payload
	Body    []byte // sent instead of Payload, byte for byte, if not nil
	// Token goes along if its own chat.webhook_domains cover the webhook and it
	// has not expired, as with Kindly. Nothing else about it is checked: a
	// refused token is a good test of a webhook.
	Token token.Raw
	// Manner is that of Options. What fails is not sent again, and no redirect is
	// followed.
	Manner *webhook.Manner
}

// Send sends one request to a webhook and reads the answer. The error is about
// the request, which then was not sent; that there is no answer stands in the
// delivery's Exchange.
func Send(ctx context.Context, client *wire.Client, s Sending, now time.Time) (Delivery, error) {
	d := Delivery{Webhook: s.Webhook.label(), URL: s.Webhook.URL, redact: &redact.Redactor{}}
	s.Webhook.teach(d.redact)
	d.redact.LearnTokens(s.Token.Secret())
	o := webhook.RequestOptions{URL: s.Webhook.URL, ConnectTo: s.Webhook.ConnectTo, Secret: s.Webhook.Secret, Payload: s.Payload, Manner: s.Manner}
	if s.Token == "" {
		d.Reason = "No token was given."
	} else {
		if d.decideBy(token.Check(s.Token, token.Expect{Now: now}), s.Webhook, now); d.WithToken {
			o.Token = s.Token
		}
	}
	req, err := webhook.NewRequest(o)
	if err != nil {
		return d, err
	}
	if s.Body != nil {
		req.Body = bytes.Clone(s.Body)
		s.Manner.Sign(req.Header, s.Webhook.Secret, req.Body)
	}
	d.Exchange = client.Do(ctx, req)
	d.read()
	return d, nil
}

// decideBy decides by a token alone whether it goes along.
func (d *Delivery) decideBy(res token.Result, hook Webhook, now time.Time) {
	t := res.Token
	d.decide(Chat{Authenticated: true, Token: t.Raw, Domains: t.WebhookDomains(), Expires: t.Expires()}, hook, now)
	expires, wrong := res.Violation("TOK-EXP")
	switch {
	case t.Claims.Kind() != token.Object:
		d.WithToken, d.Reason = false, "The token cannot be read, so that nobody knows where it may go: kindlytest verify says why."
	case wrong:
		d.WithToken, d.Reason = false, "Nobody knows when the token ends: "+expires.Actual+". kindlytest verify says more."
	}
}
