package suites

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

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

// eachHook makes a probe that judges every webhook and reports the worst.
func eachHook(level rule.Level, judge func(context.Context, *Session, *hook) Verdict) func(context.Context, *Session) Verdict {
	return func(ctx context.Context, s *Session) Verdict {
		var verdicts []Verdict
		for _, h := range s.hooks {
			v := judge(ctx, s, h)
			if len(s.hooks) > 1 && v.actual != "" {
				v.actual = h.name() + ": " + v.actual
			}
			verdicts = append(verdicts, v)
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
		return h.sample("with a valid token", call{chatID: p.chatID, token: p.raw})
	})
}

func (h *hook) sample(title string, c call) ([]Evidence, error) {
	var out []Evidence
	for range controlSamples {
		ev, err := h.call(h.s.base, title, c)
		if err != nil {
			return nil, err
		}
		if ev.Exchange.Kind() == wire.KindUnreachable {
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
	h.s.problem(err.Error(), "Is it running? For local work: --webhook PUBLIC=LOCAL, with LOCAL the address on this machine.")
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

// An attempt is something hostile to send, and how to read the answer.
type attempt struct {
	title    string
	request  wire.Request
	canaries []string
	// oversized marks a request that a server may answer by hanging up.
	oversized bool
}

func (a attempt) probe(ev Evidence) oracle.Probe {
	return oracle.Probe{Exchange: ev.Exchange, Canaries: a.canaries, Oversized: a.oversized}
}

// judge says what an answer to an attempt amounts to. Without a valid token the
// oracle has nothing to compare with, and the status must do.
func (h *hook) judge(a attempt, ev Evidence) (oracle.Judgement, error) {
	o, err := h.oracle()
	if errors.Is(err, ErrMissing) {
		strangers, err := h.asStranger()
		if err != nil {
			return oracle.Judgement{}, err
		}
		return byStatus(ev, strangers[0]), nil
	}
	if err != nil {
		return oracle.Judgement{}, err
	}
	return o.Judge(a.probe(ev)), nil
}

// byStatus compares an answer's status with that of a stranger's.
func byStatus(ev, stranger Evidence) oracle.Judgement {
	why := describe(ev.Exchange)
	switch st := ev.Exchange.Status(); {
	case ev.Exchange.Err != nil, st >= 500:
		return oracle.Judgement{Class: oracle.Error, Why: why}
	case st >= 400:
		return oracle.Judgement{Class: oracle.Refusal, Why: why}
	case st == stranger.Exchange.Status():
		return oracle.Judgement{Class: oracle.Stranger, Weak: true, Why: why + ", as without a token"}
	}
	return oracle.Judgement{Class: oracle.Unknown, Why: why}
}

// try sends an attempt and judges the answer. An error is looked into: the
// attempt is repeated with nothing else going on, and the valid control after
// it says whether the service is still there.
func (h *hook) try(ctx context.Context, a attempt) (Evidence, oracle.Judgement, error) {
	if _, err := h.control(ctx); err != nil {
		return Evidence{}, oracle.Judgement{}, err
	}
	ev, err := h.send(ctx, a.title, a.request)
	if err != nil {
		return ev, oracle.Judgement{}, err
	}
	j, err := h.judge(a, ev)
	if err != nil || ev.Exchange.Err == nil && j.Class != oracle.Error {
		return ev, j, err
	}
	if ctx.Err() != nil {
		return ev, j, ctx.Err()
	}
	return h.confirm(ctx, a, ev)
}

// confirm repeats an attempt alone, between two controls. first is how it ended
// in company; if the service never comes back from that, that is the verdict.
func (h *hook) confirm(ctx context.Context, a attempt, first Evidence) (Evidence, oracle.Judgement, error) {
	ev, err := h.alone(ctx, a.title, a.request)
	var died *diedError
	if errors.As(err, &died) && died.culprit == a.title {
		return first, oracle.Judgement{Class: oracle.Error, Why: describe(first.Exchange) + "; after it the service did not come back"}, nil
	}
	if err != nil {
		return ev, oracle.Judgement{}, err
	}
	j, err := h.judge(a, ev)
	if h.died() != nil {
		j.Why += "; after it the service answered no valid request any more"
	}
	return ev, j, err
}

// alone sends a request between two controls, with nothing else going on. That
// the second one fails is no error of this request, but of the next.
func (h *hook) alone(ctx context.Context, title string, r wire.Request) (Evidence, error) {
	k, err := h.control(ctx)
	if err != nil {
		return Evidence{}, err
	}
	h.calling.Lock()
	defer h.calling.Unlock()
	if h.down != nil {
		return Evidence{}, h.down
	}
	if err := h.awaitAlive(ctx, k, title); err != nil {
		return Evidence{}, err
	}
	ev := h.s.do(ctx, title, r)
	if err := h.awaitAlive(ctx, k, title); err != nil && h.down == nil {
		return ev, err
	}
	return ev, nil
}

// died says whether the webhook is down for good.
func (h *hook) died() error {
	h.calling.RLock()
	defer h.calling.RUnlock()
	return h.down
}

// A diedError says that a webhook is down for good, and what was sent last.
type diedError struct{ webhook, culprit string }

func (e *diedError) Error() string {
	return fmt.Sprintf("the webhook %s died after %q and did not come back within %s", e.webhook, e.culprit, comeback)
}

// comeback is how long a service may take to come back after it died.
const comeback = 15 * time.Second

// awaitAlive waits until the control is answered again, or declares the
// webhook down. The caller holds calling alone.
func (h *hook) awaitAlive(ctx context.Context, k control, culprit string) error {
	ctx, cancel := context.WithTimeout(ctx, comeback)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		ok, err := h.alive(ctx, k)
		if err != nil {
			return err
		}
		if ok {
			return nil
		}
		if sleep(ctx, pause) != nil {
			h.down = &diedError{webhook: h.name(), culprit: culprit}
			h.s.problem(h.down.Error(), "Restart it, and run again; --only and --skip narrow the run down.")
			return h.down
		}
	}
}

// alive sends the control: it works if the status is the one from before.
func (h *hook) alive(ctx context.Context, k control) (bool, error) {
	c, err := k.current(ctx, h.s)
	if err != nil {
		return false, err
	}
	r, err := h.request(c)
	if err != nil {
		return false, err
	}
	ev := h.s.do(ctx, "the control", r)
	return ev.Exchange.Status() == k.before.Exchange.Status(), nil
}

// A control is the request that the webhook should answer best, and how it
// answered it at first.
type control struct {
	before   Evidence
	asMember bool // with a valid token; otherwise as a stranger
}

// control finds out how the control is answered: with a valid token where there
// is one. It calls the webhook, and so must be asked before calling is locked.
// Where there is no answer, nothing can be compared with it: silence after a
// probe would look like silence before.
func (h *hook) control(ctx context.Context) (control, error) {
	h.calling.RLock()
	down := h.down
	h.calling.RUnlock()
	if down != nil {
		return control{}, down
	}
	k, err := h.controlOrSilence(ctx)
	if err == nil {
		err = unanswered(k.before)
	}
	return k, err
}

// unanswered is an error where there was no answer.
func unanswered(all ...Evidence) error {
	for _, ev := range all {
		if ev.Exchange.Err != nil {
			return missingError(fmt.Sprintf("a valid request gets %s (see RESP-STATUS)", describe(ev.Exchange)))
		}
	}
	return nil
}

// controlOrSilence is control, whether there was an answer or not.
func (h *hook) controlOrSilence(ctx context.Context) (control, error) {
	if _, err := h.s.acceptedPass(ctx); err == nil {
		all, err := h.asUser()
		if err != nil {
			return control{}, err
		}
		return control{before: all[0], asMember: true}, nil
	}
	all, err := h.asStranger()
	if err != nil {
		return control{}, err
	}
	return control{before: all[0]}, nil
}

// unserved is the verdict where the control itself is turned away: then that
// something hostile is turned away too proves nothing. see is the check that
// speaks of it.
func (h *hook) unserved(ctx context.Context, see string) (Verdict, bool) {
	k, err := h.control(ctx)
	if err != nil {
		return CouldNotRun(err), true
	}
	// A stranger may be turned away; a user may not.
	if st := k.before.Exchange.Status(); k.asMember && (st < 200 || st > 299) && !h.cfg.Authenticated.Matches(k.before.Exchange) {
		return Missing("the valid request is turned away too, so that nothing can be told (see %s)", see), true
	}
	return Verdict{}, false
}

// current is the control as a call, with a token that has not expired.
func (k control) current(ctx context.Context, s *Session) (call, error) {
	if !k.asMember {
		return call{}, nil
	}
	p, err := s.acceptedPass(ctx)
	return call{chatID: p.chatID, token: p.raw}, err
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
