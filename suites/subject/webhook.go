package subject

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/target"
)

// A Webhook is one webhook under test: it sends what Kindly would send, and what
// it never would, and knows what the answers mean.
type Webhook struct {
	Session *Session
	Config  target.Webhook

	standing Memo[Standing]
	bodies   Memo[[]Evidence]
	ourKey   Memo[bool] // it takes what the private key signs
	learned  Memo[*oracle.Oracle]
	// signed and signedMember know how good and bad signatures are answered,
	// without a token and with one.
	signed, signedMember Memo[*oracle.Oracle]
	repair               repair // set while standing is found, and read after
	said                 *Said  // likewise: what is said in place of the invented message; nil for that

	welcome welcome

	company sync.Mutex         // held while it is found out whether something is accepted alone
	mixes   bool               // something was accepted in company only
	alone   map[seenAlone]bool // something was accepted alone, too
}

func newWebhook(s *Session, w target.Webhook) *Webhook { return &Webhook{Session: s, Config: w} }

// RemembersChats says whether its answers depend on what was said in the chat
// before: each attempt needs a chat of its own then.
func (h *Webhook) RemembersChats() bool { return h.repair.ownChats }

// Name is the webhook's, or its URL.
func (h *Webhook) Name() string {
	if h.Config.Name != "" {
		return h.Config.Name
	}
	return redact.URL(h.Config.URL)
}

// Called is the URL that is really called.
func (h *Webhook) Called() string {
	return cmp.Or(h.Config.ConnectTo, h.Config.URL)
}

// WebhooksApart says whether webhooks are surely other processes than the page and the
// endpoint: on this machine, at other ports. Behind names, nobody knows who shares one.
func (s *Session) WebhooksApart() bool {
	others := []string{s.Target.PageURL}
	if e, ok := s.Endpoints.Found(); ok {
		others = append(others, e.Request.URL)
	}
	apart := func(called string) bool {
		return wire.IsLoopback(called) && !slices.ContainsFunc(others, func(other string) bool {
			return other != "" && (!wire.IsLoopback(other) || service.Address(other) == service.Address(called))
		})
	}
	return !slices.ContainsFunc(s.Webhooks, func(h *Webhook) bool { return !apart(h.Called()) })
}

// Message is what the user writes.
func (h *Webhook) Message() string {
	if h.said != nil {
		return h.said.Message
	}
	return cmp.Or(h.Config.Message, "Hello")
}

// Context is what the chat has collected before.
func (h *Webhook) Context() map[string]any {
	if h.said != nil {
		return h.said.Context
	}
	return h.Config.Context
}

// A Call is one webhook request to build; the zero value is a stranger's.
type Call struct {
	ChatID string // a new one if empty
	Token  token.Raw
	// Payload and Body may change what is sent, before it is signed.
	Payload func(*webhook.Payload)
	Body    func([]byte) ([]byte, error)
	// Secret replaces the webhook's own; Unsigned sends no signature at all.
	Secret   *string
	Unsigned bool
}

// Request builds the request that Kindly would send, but for what the webhook is
// known to expect differently.
func (h *Webhook) Request(c Call) (wire.Request, error) {
	if c.ChatID == "" {
		c.ChatID = h.Session.NewChatID()
	}
	p := h.payload(c.ChatID)
	if c.Payload != nil {
		c.Payload(&p)
	}
	r, err := webhook.NewRequest(webhook.RequestOptions{URL: h.Config.URL, ConnectTo: h.Config.ConnectTo, Token: c.Token, Payload: p, Manner: h.Session.manner})
	if err != nil {
		return r, err
	}
	maps.Copy(r.Header, h.Config.Header)
	r.Host = h.repair.host
	h.repair.transport.apply(&r)
	if h.repair.envelope {
		r.Open = func(answer *wire.Response) {
			if opened, _, ok := inEnvelope(answer); ok {
				*answer = *opened
			}
		}
	}
	if c.Body != nil {
		if r.Body, err = c.Body(r.Body); err != nil {
			return r, err
		}
	}
	secret := h.Config.Secret
	if c.Secret != nil {
		secret = *c.Secret
	}
	if c.Unsigned || secret == "" {
		return r, nil
	}
	h.SignWith(&r, secret)
	return r, nil
}

// Sign signs a request anew, as the webhook expects it.
func (h *Webhook) Sign(r *wire.Request) { h.SignWith(r, h.Config.Secret) }

// SignWith is Sign with another secret.
func (h *Webhook) SignWith(r *wire.Request, secret string) {
	h.Session.manner.Sign(r.Header, secret, r.Body)
	if m := h.repair.signature; m != nil && secret != "" {
		if value := m.Sign(secret, r.URL, r.Body); value != "" {
			r.Header[webhook.HeaderHMAC] = []string{value}
		}
	}
}

func (h *Webhook) payload(chatID string) webhook.Payload {
	p := webhook.New(chatID, h.Message())
	p.UserID = h.Session.NewChatID()
	p.Exchange.ID = h.Session.NewChatID()
	p.Exchange.Slug = h.Config.Slug
	if h.said != nil {
		h.said.say(&p)
	}
	if c := h.Context(); c != nil {
		p.Context = c
	}
	if u, err := url.Parse(h.Session.Target.PageURL); err == nil && u.Host != "" {
		p.WebHost, p.WebPath, p.WebURL = u.Host, u.Path, redact.URL(h.Session.Target.PageURL)
	}
	return p
}

// Call builds and sends a request.
func (h *Webhook) Call(ctx context.Context, title string, c Call) (Evidence, error) {
	r, err := h.Request(c)
	if err != nil {
		return Evidence{}, err
	}
	return h.Session.Do(ctx, title, r), nil
}

// Acceptable says whether an answer is one to a valid request: as the target
// states it (authenticated), or else a success and no page for people. That
// another success than 200 is none that Kindly documents is RESP-STATUS's: who
// answers 201 has taken the request all the same.
func (h *Webhook) Acceptable(ev Evidence) bool {
	if e := h.Config.Authenticated; e != nil {
		if len(e.Status) == 0 && !succeeded(ev) {
			return false
		}
		return e.Matches(ev.Exchange)
	}
	return succeeded(ev)
}

// AcceptableStatus is Acceptable for those who are nobody's members: what the
// target says of authenticated users does not hold for them.
func (h *Webhook) AcceptableStatus(ev Evidence) bool {
	if e := h.Config.Authenticated; e != nil && len(e.Status) > 0 {
		return succeeded(ev) || h.Acceptable(ev)
	}
	return succeeded(ev)
}

func succeeded(ev Evidence) bool {
	status := ev.Exchange.Status()
	return status >= 200 && status < 300 && !IsPage(ev.Exchange)
}

// AsDocumented says whether a success is the one that Kindly documents, or that
// the target states.
func (h *Webhook) AsDocumented(ev Evidence) bool {
	status, stated := ev.Exchange.Status(), h.Config.Authenticated
	return status == 200 || stated != nil && slices.Contains(stated.Status, status)
}

// IsPage says whether an answer is an HTML document: a login page, a gateway's
// or a framework's, and no webhook's.
func IsPage(ex wire.Exchange) bool {
	start := strings.ToLower(strings.TrimSpace(string(ex.Body()[:min(len(ex.Body()), 512)])))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html") || strings.HasPrefix(start, "<head")
}

// MarkersOf are the claims by which an answer may show that it knows the user.
func MarkersOf(t *token.Token) []oracle.Marker {
	if t == nil {
		return nil
	}
	var out []oracle.Marker
	for _, m := range []oracle.Marker{{Claim: "name", Value: t.Name()}, {Claim: "email", Value: t.Email()}, {Claim: "sub", Value: t.Subject()}} {
		if m.Value != "" {
			out = append(out, m)
		}
	}
	return out
}

// badCertificate says whether it is for its certificate that nobody can call the
// webhook, Kindly neither: at its public address, and by no want of an authority.
func (h *Webhook) badCertificate(ev Evidence) bool {
	return h.Called() == h.Config.URL && Refuted(ev.Exchange.Err) != ""
}

// unreachable notes that the webhook can't be called at all.
func (h *Webhook) unreachable(ev Evidence) error {
	err := fmt.Errorf("the webhook %s could not be called: %w", redact.URL(h.Called()), ev.Exchange.Err)
	way := WayOut(ev.Exchange.Err, "Is it running? For local work: --webhook PUBLIC=LOCAL, with LOCAL the address on this machine.")
	if errors.Is(ev.Exchange.Err, wire.ErrCertificate) {
		way += " Kindly has none: at the public address it must do without."
	}
	h.Session.Problem(err.Error(), way)
	return settledError{err}
}
