package subject

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/target"
)

// A Session is one run against one target: what probes use to look at it. What
// costs time (the browser, the page's run, the webhooks' controls) is found out
// once, when the first probe asks.
type Session struct {
	Target  target.Target
	Options Options
	// Base outlives single probes: facts are shared, so that they must not die
	// with the probe that happened to ask first.
	Base context.Context

	// Traffic is all that the session sends to the target's services.
	*service.Traffic
	Redact *redactor

	manner    *webhook.Manner // of requests to webhooks; nil: as documented, or assumed
	chrome    Memo[*browser.Browser]
	listening Memo[*keyListener]
	pages     pageFacts
	Endpoints endpointFacts
	tokens    issued
	Webhooks  []*Webhook
	timeline  timeline
	unjudged  incomplete
	Stacks    stacks
	kinds     knownKinds
	crowded   sync.Once // a page has sent more than is looked at

	mu       sync.Mutex
	made     map[string]bool // the chat ids that NewChatID made
	problems []Problem
	notes    []reports.Note
	closers  []io.Closer
}

// A Problem keeps a run from checking what it should: the thing, and the way
// out.
type Problem struct {
	Text, Hint string
	OfChrome   bool // it does not start, which only matters to what needs it
}

// Open prepares a session. It calls nobody yet.
func Open(ctx context.Context, t target.Target, o Options) *Session {
	bound := o.Concurrency
	o = o.WithDefaults(t)
	s := &Session{Target: t, Options: o, Base: ctx, Redact: &redactor{}, manner: mannerOf(o.Observed), made: map[string]bool{}}
	limit := rate.Inf
	if o.Rate > 0 {
		limit = rate.Limit(o.Rate)
	}
	limiter := rate.NewLimiter(limit, o.Concurrency)
	common := t.Wire(wire.Options{Timeout: o.Timeout, UserAgent: o.userAgent(), Now: o.Now})
	polite := common
	polite.Wait = limiter.Wait
	s.Traffic = service.NewTraffic(ctx, service.Options{
		Client: wire.NewClient(polite), Unbounded: wire.NewClient(common), Concurrency: bound,
		Patience: service.PatienceFor(o.Timeout), Now: o.Now, Kind: s.kind, Seen: s.see, Problem: s.Problem,
	})
	for i := range t.Webhooks {
		s.Webhooks = append(s.Webhooks, newWebhook(s, t.Webhooks[i]))
		s.Redact.Learn(t.Webhooks[i].Secret)
	}
	for _, raw := range t.Urls() {
		s.Redact.Learn(redact.URLSecrets(raw)...)
	}
	s.Redact.Learn(secretsOf(t)...)
	s.Redact.Learn(t.GateSecrets()...)
	s.keepSecret(t.Login)
	s.keepSecret(t.Second)
	if t.Endpoint != nil {
		for _, header := range []http.Header{t.Endpoint.Header, t.Endpoint.SecondHeader} {
			for name, values := range header {
				for _, v := range values {
					if BrowserHeaders.MatchString(name) {
						continue // its type of content, for one
					}
					s.Redact.Learn(redact.HeaderSecrets(name, v)...)
				}
			}
		}
	}
	return s
}

// mannerOf is how requests are sent by what was seen of the real Kindly, but for its
// patience: what comes late, fails or leads elsewhere is for checks to judge.
func mannerOf(l *observed.Learnt) *webhook.Manner {
	m := l.Manner()
	if m != nil {
		m.Timeout, m.RetryAfter, m.FollowRedirects = 0, nil, false
	}
	return m
}

// keepSecret adds what a login types or sets to the values that are never
// shown. What it fills in is secret as a whole: a user name is nobody's
// business either.
func (s *Session) keepSecret(l *browser.Login) {
	if l == nil {
		return
	}
	for _, step := range l.Steps {
		for _, f := range step.Fill {
			s.Redact.Learn(f.Value)
		}
	}
	for _, c := range l.Cookies {
		s.Redact.Learn(c.Value)
	}
	for name, v := range l.Headers {
		s.Redact.Learn(redact.HeaderSecrets(name, v)...)
	}
	for _, v := range l.LocalStorage {
		s.Redact.Learn(v)
	}
	s.keepStorage(slices.Collect(maps.Values(l.Storage))...)
}

// Close ends what the session started: Chrome, listeners, connections.
func (s *Session) Close() {
	s.pages.ahead.underway.Wait()
	s.mu.Lock()
	closers := s.closers
	s.closers = nil
	s.mu.Unlock()
	s.Traffic.Close()
	for i := len(closers) - 1; i >= 0; i-- {
		closers[i].Close() // nobody can do anything about a failure here
	}
	s.Client.Close()
	s.Unbounded.Close()
}

// see learns from an exchange what it gives away: secrets, and the stack.
func (s *Session) see(ex wire.Exchange) {
	s.Stacks.see(ex)
	s.Redact.see(ex)
}

func (s *Session) onClose(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, c)
}

// Problem notes what keeps the run from checking what it should.
func (s *Session) Problem(text, hint string) { s.addProblem(Problem{Text: text, Hint: hint}) }

func (s *Session) addProblem(p Problem) {
	p.Text = s.Redact.Text(p.Text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, p)
}

// Note adds a remark on the whole run.
func (s *Session) Note(level reports.Outcome, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, reports.Note{Level: level, Text: s.Redact.Text(fmt.Sprintf(format, args...))})
}

// Conclude is what a verdict comes to, once it is known what got into the check's
// way: what was held back or broken off proves nothing, not even that it holds, and
// a death that it caused is a violation. One that was seen all the same stays.
func Conclude(r *service.Running, v Verdict) Verdict {
	if h := r.Hindrance(); h != nil && (v.Kind != Hindered || service.IsDown(h)) && (v.Kind != Broken || len(v.Evidence) == 0 || slices.ContainsFunc(v.Evidence, saysNothing)) {
		v = CouldNotRun(h).With(v.Evidence...)
	}
	d := r.Killed()
	switch {
	case d == nil || r.Reads:
	case v.Kind != Broken:
		v = Violated("an answer, and a service that lives", d.String()).With(d.Evidence).Surely().Because("process-dies")
	default:
		if !restsOnAnswer(v) { // else it has a mistake of its own, beside the death
			v = v.Because("process-dies")
		}
		if v = v.Surely(); !strings.Contains(v.Actual, "kill") {
			v.Actual += "; " + d.String()
		}
	}
	return v
}

// Unailing is a verdict that comes of an error or a time-out, if a plain request is still
// answered there: where it is not by now, they tell nothing.
func (s *Session) Unailing(ctx context.Context, v Verdict) Verdict {
	if v.Kind != Broken || v.Sure || len(v.Evidence) == 0 {
		return v
	}
	last := v.Evidence[len(v.Evidence)-1]
	if last.Exchange.Status() < http.StatusInternalServerError && last.Exchange.Kind() != wire.KindTimeout {
		return v
	}
	if err := s.Ailing(ctx, last); err != nil {
		where := v.Where
		v = CouldNotRun(err).With(last)
		v.Where = where
	}
	return v
}

// restsOnAnswer says whether a verdict is about something that the service answered, and
// not with an error.
func restsOnAnswer(v Verdict) bool {
	if len(v.Evidence) == 0 {
		return false
	}
	last := v.Evidence[len(v.Evidence)-1]
	return last.Exchange.Response != nil && last.Exchange.Status() < http.StatusInternalServerError && !last.StandIn
}

// saysNothing says whether an exchange is about the harness, not the target.
func saysNothing(ev Evidence) bool {
	return service.Limited(ev) || errors.Is(ev.Exchange.Err, wire.ErrNotSent) || service.IsDown(ev.Exchange.Err)
}

// NewChatID makes a UUID, as Kindly's chat ids are.
func (s *Session) NewChatID() string {
	var b [16]byte
	s.random(b[:])
	id := mockkindly.UUID(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made[id] = true
	return id
}

// MadeChatID says whether an id is one that NewChatID made.
func (s *Session) MadeChatID(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made[id]
}

// random fills b. Where the injected source fails, the system's never does.
func (s *Session) random(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.Options.Rand, b); err != nil {
		rand.Read(b)
	}
}

// checkToken judges a token as Kindly would.
func (s *Session) checkToken(raw token.Raw, chatID string) token.Result {
	return token.Check(raw, token.Expect{
		Keys: token.WithPrivate(s.Target.PublicKeys, s.Target.PrivateKey), ChatID: chatID, Now: s.Options.Now(), Published: s.Target.Published,
	})
}

// Remarks are what the run as a whole has to say: what kept it from checking
// all, and what the reader should know.
func (s *Session) Remarks() ([]Problem, []reports.Note) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems), slices.Clone(s.notes)
}
