package mockkindly

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Bounds of what a bot may be made of.
const (
	maxBots       = 1000
	maxName       = 256 // bytes of a key or a name
	maxURL        = 8192
	maxPublicKeys = 16
	maxWebhooks   = 64
)

// A Bot is what a customer sets up at Kindly: the public key that its tokens
// are checked with, and the webhooks that its messages go to.
type Bot struct {
	Key string // the page's data-bot-key

	// ID and OrganizationID are told to webhooks.
	ID, OrganizationID int

	// PublicKeys[0] is the key uploaded to Kindly. The others are only used to
	// say whose signature a refused token has.
	PublicKeys []*token.Key

	// Published holds more keys whose private half is public: the fingerprint,
	// and where it was published.
	Published map[string]string

	// Webhooks all get every message, unless there are dialogues.
	Webhooks []Webhook
	// Dialogues decide what becomes of a message.
	Dialogues []Dialogue
}

// A Webhook is one receiver of a bot's messages. Its printed form leaves the
// secret out.
type Webhook struct {
	// Name is what reports call it; the URL without credentials if empty.
	Name string
	// URL is its public address. It alone decides whether the token may go along.
	URL string
	// ConnectTo is where requests are sent instead, for work on a local server:
	// https://hooks.example.com/kindly=http://localhost:3000/kindly.
	ConnectTo string
	// Host is what requests call it by, where ConnectTo leads to a server that knows it by
	// another name than ConnectTo's; empty for that one.
	Host string
	// Secret signs the body (Kindly-HMAC); empty means unsigned.
	Secret string
}

// Format prints w without its secret, whatever the verb.
func (w Webhook) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, w.String())
}

// String is the name and the addresses, without the secret.
func (w Webhook) String() string {
	s := redact.URL(w.URL)
	if w.ConnectTo != "" {
		s += "=" + redact.URL(w.ConnectTo)
	}
	if w.Name != "" {
		s = w.Name + "=" + s
	}
	return s
}

func (w Webhook) label() string {
	if w.Name != "" {
		return w.Name
	}
	return redact.URL(w.URL)
}

// BotFromPEM returns a bot with one public key, as it is pasted into Kindly's
// settings, and webhooks. The error is a *token.KeyError if the key is no
// public key.
func BotFromPEM(key string, publicKey []byte, webhooks ...Webhook) (Bot, error) {
	k, err := token.ParsePublicKey("public key of bot "+key, publicKey)
	if err != nil {
		return Bot{}, fmt.Errorf("bot %q: %w", key, err)
	}
	b := Bot{Key: key, ID: 1, OrganizationID: 1, PublicKeys: []*token.Key{k}, Webhooks: webhooks}
	return b, b.validate()
}

// MustBot is BotFromPEM for tests: it panics instead of returning an error.
func MustBot(key string, publicKey []byte, webhooks ...Webhook) Bot {
	b, err := BotFromPEM(key, publicKey, webhooks...)
	if err != nil {
		panic(err)
	}
	return b
}

// clone returns a copy whose lists belong to it.
func (b Bot) clone() Bot {
	b.PublicKeys = slices.Clone(b.PublicKeys)
	b.Webhooks = slices.Clone(b.Webhooks)
	b.Published = maps.Clone(b.Published)
	b.Dialogues = slices.Clone(b.Dialogues)
	return b
}

func (b Bot) validate() error {
	switch {
	case b.Key == "":
		return inputErrorf("key", "a bot needs a key, the data-bot-key of the page")
	case len(b.Key) > maxName:
		return inputErrorf("key", "longer than %d bytes", maxName)
	}
	return b.validateParts()
}

// validateParts is validate for a template, which has no key.
func (b Bot) validateParts() error {
	switch {
	case len(b.PublicKeys) > maxPublicKeys:
		return inputErrorf("public_keys", "more than %d keys", maxPublicKeys)
	case slices.Contains(b.PublicKeys, nil):
		return inputErrorf("public_keys", "one of the keys is nil")
	case len(b.Webhooks) > maxWebhooks:
		return inputErrorf("webhooks", "more than %d webhooks", maxWebhooks)
	}
	seen := map[string]bool{}
	for i, w := range b.Webhooks {
		field := fmt.Sprintf("webhooks[%d]", i)
		if err := w.validate(field); err != nil {
			return err
		}
		if seen[w.label()] {
			return inputErrorf(field+".name", "two webhooks are called %q; give them different names", w.label())
		}
		seen[w.label()] = true
	}
	return validateDialogues(b.Dialogues, b.Webhooks)
}

func (w Webhook) validate(field string) error {
	if len(w.Name) > maxName {
		return inputErrorf(field+".name", "longer than %d bytes", maxName)
	}
	if err := validateURL(field+".url", w.URL); err != nil {
		return err
	}
	if w.ConnectTo == "" {
		return nil
	}
	return validateURL(field+".connect_to", w.ConnectTo)
}

// validateURL wants an absolute http or https URL. It does not quote the URL,
// which may hold a password.
func validateURL(field, raw string) error {
	u, err := url.Parse(raw)
	switch {
	case len(raw) > maxURL:
		return inputErrorf(field, "longer than %d bytes", maxURL)
	case err != nil || u.Host == "":
		return inputErrorf(field, "no absolute URL; write one like https://hooks.example.com/kindly")
	case u.Scheme != "https" && u.Scheme != "http":
		return inputErrorf(field, "its scheme is %q, not https or http", u.Scheme)
	}
	return nil
}
