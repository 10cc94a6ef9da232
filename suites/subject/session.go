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
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
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

	Client *wire.Client // bounded by --rate
	crowd  *wire.Client // for probes that are about many requests at once
	Redact *redactor

	chrome    Memo[*browser.Browser]
	listening Memo[*keyListener]
	forger    Memo[*forge.Attacker]
	pages     pageFacts
	Endpoints endpointFacts
	tokens    issued
	Webhooks  []*Webhook
	story     story
	unjudged  incomplete
	Stacks    stacks
	Patience  Patience
	sent      atomic.Int64        // requests of checks
	bounded   *semaphore.Weighted // all requests under way; nil where each service has its own bound

	mu       sync.Mutex
	services map[string]*service // by address
	replaced map[string]string   // credentials that no longer count, and those that do
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
	s := &Session{Target: t, Options: o, Base: ctx, Redact: &redactor{}, Patience: patienceFor(o.Timeout), services: map[string]*service{}}
	if bound > 0 {
		s.bounded = semaphore.NewWeighted(int64(bound))
	}
	limit := rate.Inf
	if o.Rate > 0 {
		limit = rate.Limit(o.Rate)
	}
	limiter := rate.NewLimiter(limit, o.Concurrency)
	common := t.Wire(wire.Options{Timeout: o.Timeout, UserAgent: o.userAgent(), Now: o.Now})
	polite := common
	polite.Wait = limiter.Wait
	s.Client, s.crowd = wire.NewClient(polite), wire.NewClient(common)
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
	s.mu.Lock()
	closers := s.closers
	s.closers = nil
	s.mu.Unlock()
	for _, v := range s.allServices() {
		v.close()
	}
	for i := len(closers) - 1; i >= 0; i-- {
		closers[i].Close() // nobody can do anything about a failure here
	}
	s.Client.Close()
	s.crowd.Close()
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

// HeaderCheck names the check on each request of the harness, so that a team
// finds in its logs who sent it and why.
const HeaderCheck = "Kindlytest-Check"

type checkRunKey struct{}

// Running is one check in progress, and what got into its way.
type Running struct {
	Rule  rule.Rule
	Alone bool // nothing else goes on meanwhile
	// hindered is set once a request of it was not answered for a reason that
	// says nothing about the requirement; see Do.
	hindered atomic.Pointer[error]
	killed   atomic.Pointer[Death] // the first death that a request of it caused
}

func (r *Running) kills(d Death) { r.killed.CompareAndSwap(nil, &d) }

// Killed is the death that a request of the check has caused; nil if none did.
func (r *Running) Killed() *Death { return r.killed.Load() }

// WithRunning marks ctx as belonging to a check.
func WithRunning(ctx context.Context, c *Running) context.Context {
	return context.WithValue(ctx, checkRunKey{}, c)
}

// RunningOf is the check that ctx belongs to; one without a name if to none.
func RunningOf(ctx context.Context) *Running {
	if c, ok := ctx.Value(checkRunKey{}).(*Running); ok {
		return c
	}
	return &Running{}
}

// Do sends r politely and returns it as evidence: when its service can take it,
// and again where the answer was due to a limit, or to damage that was not its
// own.
func (s *Session) Do(ctx context.Context, title string, r wire.Request) Evidence {
	return s.deliver(ctx, sending{title: title, request: r})
}

// DoOversized is Do for a request that a server may answer by hanging up.
func (s *Session) DoOversized(ctx context.Context, title string, r wire.Request) Evidence {
	return s.deliver(ctx, sending{title: title, request: r, oversized: true})
}

func (s *Session) deliver(ctx context.Context, x sending) Evidence {
	running := RunningOf(ctx)
	x.running, x.plain = running, running.Rule.ID == ""
	if !x.plain {
		s.sent.Add(1)
	}
	ev := s.serviceOf(x.request).do(ctx, s.Client, x)
	switch {
	case Limited(ev):
		running.hindered.Store(&ErrLimited)
		s.Problem(ErrLimited.Error(), "--rate N makes kindlytest slower; or lift the limit for it.")
	case errors.Is(ev.Exchange.Err, wire.ErrNotSent), IsDown(ev.Exchange.Err):
		err := ev.Exchange.Err
		running.hindered.Store(&err)
	}
	return ev
}

var ErrLimited = errors.New("the target limits how often it is called: it answers 429, which tells nothing")

// Limited says whether a request was turned away for being one too many.
func Limited(ev Evidence) bool { return ev.Exchange.Status() == http.StatusTooManyRequests }

// retryAfter is how long the answer asks to wait; 0 if it does not say.
func retryAfter(ev Evidence, now time.Time) time.Duration {
	value := ev.Exchange.Response.Header.Get("Retry-After")
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	seconds, err := strconv.Atoi(value)
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// Unhindered turns a verdict into one that says that the check could not run, if
// something got into its way. A violation that was seen all the same stays.
func (s *Session) Unhindered(c *Running, v Verdict) Verdict {
	hindrance := c.hindered.Load()
	if hindrance == nil || v.Kind == Hindered {
		return v
	}
	if v.Kind == Broken && len(v.Evidence) > 0 && !slices.ContainsFunc(v.Evidence, saysNothing) {
		return v
	}
	return CouldNotRun(*hindrance).With(v.Evidence...)
}

// saysNothing says whether an exchange is about the harness, not the target.
func saysNothing(ev Evidence) bool {
	return Limited(ev) || errors.Is(ev.Exchange.Err, wire.ErrNotSent) || IsDown(ev.Exchange.Err)
}

// AtOnce sends requests at the same time, with nothing else going on, and
// returns the answers in order. What it breaks is known, and awaited.
func (s *Session) AtOnce(ctx context.Context, title string, requests []wire.Request) []Evidence {
	if len(requests) == 0 {
		return nil
	}
	return s.serviceOf(requests[0]).atOnce(ctx, s.crowd, title, requests)
}

// HangUp sends requests only halfway, and says whether the service outlived it.
func (s *Session) HangUp(ctx context.Context, title string, times int, r wire.Request) (*Death, error) {
	return s.serviceOf(r).hangUp(ctx, s.crowd, title, times, r)
}

// NewChatID makes a UUID, as Kindly's chat ids are.
func (s *Session) NewChatID() string {
	var b [16]byte
	s.random(b[:])
	return mockkindly.UUID(b)
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

// Itoa is strconv.Itoa, for texts that name a status.
func Itoa(n int) string { return strconv.Itoa(n) }

// Canonical returns the first value of a header in any spelling of its name.
func Canonical(h http.Header, name string) string {
	for k, v := range h {
		if len(v) > 0 && http.CanonicalHeaderKey(k) == http.CanonicalHeaderKey(name) {
			return v[0]
		}
	}
	return ""
}

// Remarks are what the run as a whole has to say: what kept it from checking
// all, and what the reader should know.
func (s *Session) Remarks() ([]Problem, []reports.Note) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems), slices.Clone(s.notes)
}

// Deaths are those of all services, in the order of their addresses.
func (s *Session) Deaths() []Death {
	var out []Death
	for _, v := range s.allServices() {
		v.mu.Lock()
		out = append(out, v.deaths...)
		v.mu.Unlock()
	}
	return out
}

// allServices are in the order of their addresses.
func (s *Session) allServices() []*service {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*service
	for _, address := range slices.Sorted(maps.Keys(s.services)) {
		out = append(out, s.services[address])
	}
	return out
}

// Sent is how many requests the checks have sent so far.
func (s *Session) Sent() int { return int(s.sent.Load()) }
