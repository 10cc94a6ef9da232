package subject

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"sync"

	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/target"
)

// A hook is one webhook under test: it sends what Kindly would send, and what
// it never would, and knows what the answers mean.
type Webhook struct {
	Session *Session
	Config  target.Webhook

	// calling is held shared by whoever calls, and alone by whoever must find
	// out which of several calls broke the service.
	calling sync.RWMutex
	Down    error // set once, under calling: it died and did not come back

	strangers Memo[[]Evidence] // answers without a token
	believed  Memo[[]Evidence] // answers with a valid token
	learned   Memo[*oracle.Oracle]
}

func newHook(s *Session, w target.Webhook) *Webhook { return &Webhook{Session: s, Config: w} }

func (h *Webhook) Name() string {
	if h.Config.Name != "" {
		return h.Config.Name
	}
	return SafeURL(h.Config.URL)
}

// called is the URL that is really called.
func (h *Webhook) Called() string {
	return cmp.Or(h.Config.ConnectTo, h.Config.URL)
}

func (h *Webhook) Message() string {
	if h.Config.Message != "" {
		return h.Config.Message
	}
	return "Hello"
}

// A call is one webhook request to build; the zero value is a stranger's.
type Call struct {
	ChatID string // a new one if empty
	Token  token.Raw
	// payload and body may change what is sent, before it is signed.
	Payload func(*webhook.Payload)
	Body    func([]byte) ([]byte, error)
	// secret replaces the webhook's own; unsigned sends no signature at all.
	secret   *string
	Unsigned bool
}

// request builds the request that Kindly would send.
func (h *Webhook) Request(c Call) (wire.Request, error) {
	if c.ChatID == "" {
		c.ChatID = h.Session.NewChatID()
	}
	secret := h.Config.Secret
	if c.secret != nil {
		secret = *c.secret
	}
	if c.Unsigned {
		secret = ""
	}
	p := h.payload(c.ChatID)
	if c.Payload != nil {
		c.Payload(&p)
	}
	r, err := webhook.NewRequest(webhook.RequestOptions{
		URL: h.Config.URL, ConnectTo: h.Config.ConnectTo, Secret: secret, Token: c.Token, Payload: p,
	})
	if err != nil || c.Body == nil {
		return r, err
	}
	if r.Body, err = c.Body(r.Body); err != nil {
		return r, err
	}
	if secret != "" {
		webhook.SetSignature(r.Header, secret, r.Body)
	}
	return r, nil
}

func (h *Webhook) payload(chatID string) webhook.Payload {
	p := webhook.New(chatID, h.Message())
	p.UserID = h.Session.NewChatID()
	p.Exchange.ID = h.Session.NewChatID()
	p.Exchange.Slug = h.Config.Slug
	if h.Config.Context != nil {
		p.Context = h.Config.Context
	}
	if u, err := url.Parse(h.Session.Target.PageURL); err == nil && u.Host != "" {
		p.WebHost, p.WebPath, p.WebURL = u.Host, u.Path, SafeURL(h.Session.Target.PageURL)
	}
	return p
}

// call builds and sends a request.
func (h *Webhook) Call(ctx context.Context, title string, c Call) (Evidence, error) {
	r, err := h.Request(c)
	if err != nil {
		return Evidence{}, err
	}
	return h.Send(ctx, title, r)
}

// send sends a request, unless the webhook is known to be down.
func (h *Webhook) Send(ctx context.Context, title string, r wire.Request) (Evidence, error) {
	h.calling.RLock()
	defer h.calling.RUnlock()
	if h.Down != nil {
		return Evidence{}, h.Down
	}
	return h.Session.Do(ctx, title, r), nil
}

// controlSamples is how many equal requests the oracle learns from: what
// differs between them is noise. It asks for more where two are too few.
const controlSamples = 2

// asStranger returns the answers to requests without a token.
func (h *Webhook) AsStranger() ([]Evidence, error) {
	return h.strangers.Get(func() ([]Evidence, error) {
		return h.sample("without a token", Call{})
	})
}

// asUser returns the answers to requests with a valid token.
func (h *Webhook) AsUser() ([]Evidence, error) {
	return h.believed.Get(func() ([]Evidence, error) {
		p, err := h.Session.AcceptedToken(h.Session.Base)
		if err != nil {
			return nil, err
		}
		all, err := h.sample("with a valid token", Call{ChatID: p.ChatID, Token: p.Raw})
		if err == nil {
			h.Session.tellForward(h, p, all[0])
		}
		return all, err
	})
}

func (h *Webhook) sample(title string, c Call) ([]Evidence, error) {
	var out []Evidence
	for range controlSamples {
		ev, err := h.Call(h.Session.Base, title, c)
		if err != nil {
			return nil, err
		}
		if ev.Exchange.Kind() == wire.KindUnreachable || target.Untrusted(ev.Exchange.Err) {
			return nil, h.unreachable(ev)
		}
		out = append(out, ev)
	}
	return out, nil
}

// anonymous is the first answer to a stranger.
func (h *Webhook) Anonymous(_ context.Context) (Evidence, error) {
	all, err := h.AsStranger()
	if err != nil {
		return Evidence{}, err
	}
	return all[0], nil
}

// unreachable notes that the webhook can't be called at all.
func (h *Webhook) unreachable(ev Evidence) error {
	err := fmt.Errorf("the webhook %s could not be called: %v", SafeURL(h.Called()), ev.Exchange.Err)
	h.Session.Problem(err.Error(), target.WayToTrust(ev.Exchange.Err,
		"Is it running? For local work: --webhook PUBLIC=LOCAL, with LOCAL the address on this machine."))
	return err
}

// oracle learns what the webhook's answers mean, from the controls.
func (h *Webhook) Oracle() (*oracle.Oracle, error) {
	return h.learned.Get(func() (*oracle.Oracle, error) {
		strangers, err := h.AsStranger()
		if err != nil {
			return nil, err
		}
		users, err := h.AsUser()
		if err != nil {
			return nil, err
		}
		if err := Unanswered(append(strangers[:len(strangers):len(strangers)], users...)...); err != nil {
			return nil, err
		}
		controls := oracle.Controls{Valid: exchanges(users), Anonymous: exchanges(strangers)}
		if !h.Session.Options.Safe {
			refused, err := h.sample("with a token that is none", Call{Token: "kindlytest"})
			if err != nil {
				return nil, err
			}
			controls.Unreadable = exchanges(refused)
		}
		return h.learn(controls)
	})
}

func (h *Webhook) learn(c oracle.Controls) (*oracle.Oracle, error) {
	p, err := h.Session.FirstToken()
	if err != nil {
		return nil, err
	}
	o, err := oracle.Learn(c, oracle.Options{
		Markers: MarkersOf(p.Result.Token), Authenticated: h.Config.Authenticated, Refused: h.Config.Refused,
	})
	if err != nil {
		return nil, fmt.Errorf("the answers to valid and to anonymous requests tell nothing: %w", err)
	}
	for range oracle.Enough {
		if !o.WantsMore() {
			break
		}
		if err := h.observe(o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// observe shows the oracle one more answer of each kind.
func (h *Webhook) observe(o *oracle.Oracle) error {
	p, err := h.Session.AcceptedToken(h.Session.Base)
	if err != nil {
		return err
	}
	for kind, c := range map[oracle.Kind]Call{oracle.Valid: {ChatID: p.ChatID, Token: p.Raw}, oracle.Anonymous: {}} {
		ev, err := h.Call(h.Session.Base, "one more control", c)
		if err != nil {
			return err
		}
		if err := o.Observe(kind, ev.Exchange); err != nil {
			return err
		}
	}
	return nil
}

func exchanges(all []Evidence) []wire.Exchange {
	out := make([]wire.Exchange, len(all))
	for i, e := range all {
		out[i] = e.Exchange
	}
	return out
}

// acceptedPass is a current token that Kindly would forward.
func (s *Session) AcceptedToken(ctx context.Context) (pass, error) {
	p, err := s.validPass(ctx)
	if err != nil {
		return pass{}, err
	}
	if why, refused := NotForwarded(p.Result); refused {
		return pass{}, MissingError(fmt.Sprintf("Kindly would refuse the token, and never forward it (see %s)", why))
	}
	return p, nil
}

// markersOf are the claims by which an answer may show that it knows the user.
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
