package suites

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/mockkindly/wire"
	"github.com/kindlytest/kindlytest/suites/oracle"
)

// A hook is one webhook under test: it sends what Kindly would send, and what
// it never would, and knows what the answers mean.
type hook struct {
	s   *Session
	cfg Webhook

	// calling is held shared by whoever calls, and alone by whoever must find
	// out which of several calls broke the service.
	calling sync.RWMutex
	down    error // set once, under calling: it died and did not come back

	strangers memo[[]Evidence] // answers without a token
	believed  memo[[]Evidence] // answers with a valid token
	learned   memo[*oracle.Oracle]
}

func newHook(s *Session, w Webhook) *hook { return &hook{s: s, cfg: w} }

// hooksAtOnce is how many webhooks one check judges at the same time.
const hooksAtOnce = 4

// eachHook makes a probe that judges every webhook and reports the worst. At
// its last turn a check judges one after another: they may be one service, and
// what kills it must be known.
func eachHook(level rule.Level, judge func(context.Context, *Session, *hook) Verdict) func(context.Context, *Session) Verdict {
	return func(ctx context.Context, s *Session) Verdict {
		var group errgroup.Group
		group.SetLimit(hooksAtOnce)
		if catalogue[checkOf(ctx).id].Turn == Last {
			group.SetLimit(1)
		}
		verdicts := make([]Verdict, len(s.hooks))
		for i, h := range s.hooks {
			group.Go(func() error {
				verdicts[i] = guarded(checkOf(ctx).id, func() Verdict { return judge(ctx, s, h) })
				return nil
			})
		}
		group.Wait() // the functions return no errors
		for i, h := range s.hooks {
			if len(s.hooks) > 1 && verdicts[i].actual != "" {
				verdicts[i].actual = h.name() + ": " + verdicts[i].actual
			}
		}
		return worst(level, verdicts...)
	}
}

func (h *hook) name() string {
	if h.cfg.Name != "" {
		return h.cfg.Name
	}
	return safeURL(h.cfg.URL)
}

// called is the URL that is really called.
func (h *hook) called() string {
	return cmp.Or(h.cfg.ConnectTo, h.cfg.URL)
}

func (h *hook) message() string {
	if h.cfg.Message != "" {
		return h.cfg.Message
	}
	return "Hello"
}

// A call is one webhook request to build; the zero value is a stranger's.
type call struct {
	chatID string // a new one if empty
	token  token.Raw
	// payload and body may change what is sent, before it is signed.
	payload func(*webhook.Payload)
	body    func([]byte) ([]byte, error)
	// secret replaces the webhook's own; unsigned sends no signature at all.
	secret   *string
	unsigned bool
}

// request builds the request that Kindly would send.
func (h *hook) request(c call) (wire.Request, error) {
	if c.chatID == "" {
		c.chatID = h.s.newChatID()
	}
	secret := h.cfg.Secret
	if c.secret != nil {
		secret = *c.secret
	}
	if c.unsigned {
		secret = ""
	}
	p := h.payload(c.chatID)
	if c.payload != nil {
		c.payload(&p)
	}
	r, err := webhook.NewRequest(webhook.RequestOptions{
		URL: h.cfg.URL, ConnectTo: h.cfg.ConnectTo, Secret: secret, Token: c.token, Payload: p,
	})
	if err != nil || c.body == nil {
		return r, err
	}
	if r.Body, err = c.body(r.Body); err != nil {
		return r, err
	}
	if secret != "" {
		webhook.SetSignature(r.Header, secret, r.Body)
	}
	return r, nil
}

func (h *hook) payload(chatID string) webhook.Payload {
	p := webhook.New(chatID, h.message())
	p.UserID = h.s.newChatID()
	p.Exchange.ID = h.s.newChatID()
	p.Exchange.Slug = h.cfg.Slug
	if h.cfg.Context != nil {
		p.Context = h.cfg.Context
	}
	if u, err := url.Parse(h.s.target.PageURL); err == nil && u.Host != "" {
		p.WebHost, p.WebPath, p.WebURL = u.Host, u.Path, safeURL(h.s.target.PageURL)
	}
	return p
}

// call builds and sends a request.
func (h *hook) call(ctx context.Context, title string, c call) (Evidence, error) {
	r, err := h.request(c)
	if err != nil {
		return Evidence{}, err
	}
	return h.send(ctx, title, r)
}

// send sends a request, unless the webhook is known to be down.
func (h *hook) send(ctx context.Context, title string, r wire.Request) (Evidence, error) {
	h.calling.RLock()
	defer h.calling.RUnlock()
	if h.down != nil {
		return Evidence{}, h.down
	}
	return h.s.do(ctx, title, r), nil
}

// controlSamples is how many equal requests the oracle learns from: what
// differs between them is noise. It asks for more where two are too few.
const controlSamples = 2

// asStranger returns the answers to requests without a token.
func (h *hook) asStranger() ([]Evidence, error) {
	return h.strangers.get(func() ([]Evidence, error) {
		return h.sample("without a token", call{})
	})
}

// asUser returns the answers to requests with a valid token.
func (h *hook) asUser() ([]Evidence, error) {
	return h.believed.get(func() ([]Evidence, error) {
		p, err := h.s.acceptedPass(h.s.base)
		if err != nil {
			return nil, err
		}
		all, err := h.sample("with a valid token", call{chatID: p.chatID, token: p.raw})
		if err == nil {
			h.s.tellForward(h, p, all[0])
		}
		return all, err
	})
}

func (h *hook) sample(title string, c call) ([]Evidence, error) {
	var out []Evidence
	for range controlSamples {
		ev, err := h.call(h.s.base, title, c)
		if err != nil {
			return nil, err
		}
		if ev.Exchange.Kind() == wire.KindUnreachable || untrusted(ev.Exchange.Err) {
			return nil, h.unreachable(ev)
		}
		out = append(out, ev)
	}
	return out, nil
}

// anonymous is the first answer to a stranger.
func (h *hook) anonymous(_ context.Context) (Evidence, error) {
	all, err := h.asStranger()
	if err != nil {
		return Evidence{}, err
	}
	return all[0], nil
}

// unreachable notes that the webhook can't be called at all.
func (h *hook) unreachable(ev Evidence) error {
	err := fmt.Errorf("the webhook %s could not be called: %v", safeURL(h.called()), ev.Exchange.Err)
	h.s.problem(err.Error(), wayToTrust(ev.Exchange.Err,
		"Is it running? For local work: --webhook PUBLIC=LOCAL, with LOCAL the address on this machine."))
	return err
}

// oracle learns what the webhook's answers mean, from the controls.
func (h *hook) oracle() (*oracle.Oracle, error) {
	return h.learned.get(func() (*oracle.Oracle, error) {
		strangers, err := h.asStranger()
		if err != nil {
			return nil, err
		}
		users, err := h.asUser()
		if err != nil {
			return nil, err
		}
		if err := unanswered(append(strangers[:len(strangers):len(strangers)], users...)...); err != nil {
			return nil, err
		}
		controls := oracle.Controls{Valid: exchanges(users), Anonymous: exchanges(strangers)}
		if !h.s.opts.Safe {
			refused, err := h.sample("with a token that is none", call{token: "kindlytest"})
			if err != nil {
				return nil, err
			}
			controls.Unreadable = exchanges(refused)
		}
		return h.learn(controls)
	})
}

func (h *hook) learn(c oracle.Controls) (*oracle.Oracle, error) {
	p, err := h.s.firstPass()
	if err != nil {
		return nil, err
	}
	o, err := oracle.Learn(c, oracle.Options{
		Markers: markersOf(p.result.Token), Authenticated: h.cfg.Authenticated, Refused: h.cfg.Refused,
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
func (h *hook) observe(o *oracle.Oracle) error {
	p, err := h.s.acceptedPass(h.s.base)
	if err != nil {
		return err
	}
	for kind, c := range map[oracle.Kind]call{oracle.Valid: {chatID: p.chatID, token: p.raw}, oracle.Anonymous: {}} {
		ev, err := h.call(h.s.base, "one more control", c)
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
func (s *Session) acceptedPass(ctx context.Context) (pass, error) {
	p, err := s.validPass(ctx)
	if err != nil {
		return pass{}, err
	}
	if why, refused := notForwarded(p.result); refused {
		return pass{}, missingError(fmt.Sprintf("Kindly would refuse the token, and never forward it (see %s)", why))
	}
	return p, nil
}

// markersOf are the claims by which an answer may show that it knows the user.
func markersOf(t *token.Token) []oracle.Marker {
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
