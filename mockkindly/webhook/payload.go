// Package webhook is the request that Kindly sends to a dialogue's webhook, and
// the answer that it reads.
//
//	p := webhook.New(chatID, "where is my order?")
//	req, err := webhook.NewRequest(webhook.RequestOptions{
//		URL: "https://hooks.example.com/kindly", Secret: secret, Token: raw, Payload: p,
//	})
//	if err != nil { … }
//	ex := client.Do(ctx, req) // a *wire.Client
//	answer, problems, err := webhook.ParseAnswer(ex.Body())
//
// Whether a token may go to a URL is not decided here: see package allowlist.
//
// Source: https://docs.kindly.ai/webhooks, https://docs.kindly.ai/hmac and
// https://docs.kindly.ai/smart-webhooks.
package webhook

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/kindlytest/kindlytest/internal/plainjson"
)

// A Source is the channel that a message came from.
type Source string

const (
	SourceWeb      Source = "web"
	SourceFacebook Source = "facebook"
	SourceSlack    Source = "slack"
	SourceApp      Source = "app"
	SourceTest     Source = "test"
)

// Sources returns every documented source.
func Sources() []Source {
	return []Source{SourceWeb, SourceFacebook, SourceSlack, SourceApp, SourceTest}
}

// A Payload is the JSON body of the request. A nil list or map is left out, an
// empty one is sent. The web fields are left out when empty, and for every
// source but web.
type Payload struct {
	OrganizationID int            `json:"organization_id"`
	BotID          int            `json:"bot_id"`
	ChatID         string         `json:"chat_id"` // a UUID
	UserID         string         `json:"user_id"`
	ChatLabels     []string       `json:"chat_labels,omitzero"`
	Message        string         `json:"message"` // exactly what the user wrote
	Attachments    []any          `json:"attachments,omitzero"`
	Context        map[string]any `json:"context,omitzero"` // what the chat has collected
	Exchange       Exchange       `json:"exchange"`
	Links          Links          `json:"_links"`
	Source         Source         `json:"source"`
	WebPath        string         `json:"web_path,omitempty"` // web clients only, like the next two
	WebHost        string         `json:"web_host,omitempty"`
	WebURL         string         `json:"web_url,omitempty"`

	// Extra holds further members. Kindly adds fields unannounced, and a
	// webhook has to live with that.
	Extra map[string]any `json:"-"`
}

// Exchange is the dialogue that the message matched.
type Exchange struct {
	ID           string `json:"exchange_id"`             // a UUID
	LanguageCode string `json:"language_code"`           // "en"
	Slug         string `json:"exchange_slug,omitempty"` // where the dialogue has one (assumed)
}

// Links point to more about the chat.
type Links struct {
	Chat string `json:"chat"` // URL of the transcript
}

// New returns the payload of a message from a web page, with every field of
// which there is a documented default. The caller replaces what it knows
// better: the ids, Exchange, Context, the page, and Links.
func New(chatID, message string) Payload {
	return Payload{
		OrganizationID: 1,
		BotID:          1,
		ChatID:         chatID,
		UserID:         chatID,
		ChatLabels:     []string{},
		Message:        message,
		Attachments:    []any{},
		Context:        map[string]any{},
		Exchange: Exchange{
			ID:           "6f2d1b3e-0c57-4d0b-9a55-3a1f4f1c7e20",
			LanguageCode: "en",
		},
		// How Kindly's own link looks is unpublished; .invalid leads nowhere (RFC 2606).
		Links:   Links{Chat: "https://kindly.invalid/chats/" + url.PathEscape(chatID)},
		Source:  SourceWeb,
		WebPath: "/",
		WebHost: "www.example.com",
		WebURL:  "https://www.example.com/",
	}
}

// Sparse returns p without what Kindly does not always send: labels,
// attachments, context and the web fields.
func (p Payload) Sparse() Payload {
	p.ChatLabels, p.Attachments, p.Context = nil, nil, nil
	p.WebPath, p.WebHost, p.WebURL = "", "", ""
	return p
}

// Body returns the bytes that are signed and sent: compact JSON in UTF-8, its
// members in a fixed order, those of Extra last. It fails on an Extra member
// that has a documented name or no JSON form.
func (p Payload) Body() ([]byte, error) {
	if p.Source != SourceWeb {
		p.WebPath, p.WebHost, p.WebURL = "", "", ""
	}
	type documented Payload // without MarshalJSON
	body, err := plainjson.Marshal(documented(p))
	if err != nil {
		return nil, fmt.Errorf("the payload has no JSON form: %w", err)
	}
	if len(p.Extra) == 0 {
		return body, nil
	}
	for name := range p.Extra {
		if slices.Contains(documentedNames, name) {
			return nil, fmt.Errorf("the extra member %q has a documented name: set the field instead", name)
		}
	}
	extra, err := plainjson.Marshal(p.Extra)
	if err != nil {
		return nil, fmt.Errorf("the extra members have no JSON form: %w", err)
	}
	body[len(body)-1] = ','
	return append(body, extra[1:]...), nil
}

// MarshalJSON is Body, for a payload inside another value.
func (p Payload) MarshalJSON() ([]byte, error) { return p.Body() }
