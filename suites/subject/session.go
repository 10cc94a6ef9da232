package subject

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/forge"
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
	// base outlives single probes: facts are shared, so that they must not die
	// with the probe that happened to ask first.
	Base context.Context

	Client *wire.Client // bounded by --rate
	Crowd  *wire.Client // for probes that are about many requests at once
	Redact *redactor

	chrome    Memo[*browser.Browser]
	listening Memo[*keyListener]
	forger    Memo[*forge.Attacker]
	pages     pageFacts
	Endpoints endpointFacts
	passes    passes
	Webhooks  []*Webhook
	story     story
	Stacks    stacks
	limited   atomic.Bool // it goes on answering 429; nothing is waited for any more

	Mu       sync.Mutex
	Problems []Problem
	Notes    []reports.Note
	closers  []io.Closer
}

// A problem keeps a run from checking what it should: the thing, and the way
// out.
type Problem struct {
	Text, Hint string
	OfChrome   bool // it does not start, which only matters to what needs it
}

// A memo is a fact that is found out once. Whoever asks meanwhile waits.
type Memo[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (m *Memo[T]) Get(find func() (T, error)) (T, error) {
	m.once.Do(func() { m.value, m.err = find() })
	return m.value, m.err
}

// open prepares a session. It calls nobody yet.
func Open(ctx context.Context, t target.Target, o Options) *Session {
	o = o.WithDefaults(t)
	s := &Session{Target: t, Options: o, Base: ctx, Redact: &redactor{}}
	limit := rate.Inf
	if o.Rate > 0 {
		limit = rate.Limit(o.Rate)
	}
	limiter := rate.NewLimiter(limit, o.Concurrency)
	common := wire.Options{Timeout: o.Timeout, UserAgent: o.userAgent(), Resolve: t.Resolve, TLS: t.TLS(), Now: o.Now}
	polite := common
	polite.Wait = limiter.Wait
	s.Client, s.Crowd = wire.NewClient(polite), wire.NewClient(common)
	for i := range t.Webhooks {
		s.Webhooks = append(s.Webhooks, newHook(s, t.Webhooks[i]))
		s.Redact.add(t.Webhooks[i].Secret)
	}
	for _, raw := range t.Urls() {
		s.Redact.add(urlSecrets(raw)...)
	}
	s.keepSecret(t.Login)
	s.keepSecret(t.Second)
	if t.Endpoint != nil {
		for name, values := range t.Endpoint.Header {
			for _, v := range values {
				s.Redact.add(headerSecrets(name, v)...)
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
			s.Redact.add(f.Value)
		}
	}
	for _, c := range l.Cookies {
		s.Redact.add(c.Value)
	}
	for name, v := range l.Headers {
		s.Redact.add(headerSecrets(name, v)...)
	}
	for _, v := range l.LocalStorage {
		s.Redact.add(v)
	}
}

// Close ends what the session started: Chrome, listeners, connections.
func (s *Session) Close() {
	s.Mu.Lock()
	closers := s.closers
	s.closers = nil
	s.Mu.Unlock()
	for i := len(closers) - 1; i >= 0; i-- {
		closers[i].Close() // nobody can do anything about a failure here
	}
	s.Client.Close()
	s.Crowd.Close()
}

func (s *Session) onClose(c io.Closer) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.closers = append(s.closers, c)
}

// problem notes what keeps the run from checking what it should.
func (s *Session) Problem(text, hint string) { s.addProblem(Problem{Text: text, Hint: hint}) }

func (s *Session) addProblem(p Problem) {
	p.Text = s.Redact.Text(p.Text)
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.Problems = append(s.Problems, p)
}

// note adds a remark on the whole run.
func (s *Session) Note(level reports.Outcome, format string, args ...any) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.Notes = append(s.Notes, reports.Note{Level: level, Text: s.Redact.Text(fmt.Sprintf(format, args...))})
}

// HeaderCheck names the check on each request of the harness, so that a team
// finds in its logs who sent it and why.
const HeaderCheck = "Kindlytest-Check"

type checkRunKey struct{}

// A checkRun is one check in progress, and what got into its way.
type Running struct {
	Rule  rule.Rule
	Alone bool // nothing else goes on meanwhile
	// hindered is set once a request of it was not answered for a reason that
	// says nothing about the requirement; see do.
	hindered atomic.Pointer[error]
}

// withCheck marks ctx as belonging to a check.
func WithRunning(ctx context.Context, c *Running) context.Context {
	return context.WithValue(ctx, checkRunKey{}, c)
}

// checkOf is the check that ctx belongs to; one without a name if to none.
func RunningOf(ctx context.Context) *Running {
	if c, ok := ctx.Value(checkRunKey{}).(*Running); ok {
		return c
	}
	return &Running{}
}

// do sends r politely and returns it as evidence. A target that limits how
// often it is called is waited for: its 429 would pass for a refusal.
func (s *Session) Do(ctx context.Context, title string, r wire.Request) Evidence {
	ev := s.send(ctx, s.Client, title, r)
	for pause := time.Second; Limited(ev) && !s.limited.Load(); pause *= 2 {
		if pause = max(pause, retryAfter(ev)); pause > longestPause || Sleep(ctx, pause) != nil {
			break
		}
		ev = s.send(ctx, s.Client, title, r)
	}
	switch {
	case Limited(ev):
		if s.limited.CompareAndSwap(false, true) {
			s.Problem(ErrLimited.Error(), "--rate N makes kindlytest slower; or lift the limit for it.")
		}
		RunningOf(ctx).hindered.Store(&ErrLimited)
	case errors.Is(ev.Exchange.Err, wire.ErrNotSent):
		err := ev.Exchange.Err
		RunningOf(ctx).hindered.Store(&err)
	}
	return ev
}

// longestPause bounds how long a target that limits requests is waited for.
const longestPause = 4 * time.Second

var ErrLimited = errors.New("the target limits how often it is called: it answers 429, which tells nothing")

// limited says whether a request was turned away for being one too many.
func Limited(ev Evidence) bool { return ev.Exchange.Status() == http.StatusTooManyRequests }

// retryAfter is how long the answer asks to wait; 0 if it does not say.
func retryAfter(ev Evidence) time.Duration {
	seconds, err := strconv.Atoi(ev.Exchange.Response.Header.Get("Retry-After"))
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// unhindered turns a verdict into one that says that the check could not run, if
// something got into its way. A violation that was seen all the same stays.
func (s *Session) Unhindered(c *Running, v Verdict) Verdict {
	hindrance := c.hindered.Load()
	if hindrance == nil && s.limited.Load() && slices.ContainsFunc(v.Evidence, Limited) {
		hindrance = &ErrLimited // it met a shared fact, such as the webhook's control
	}
	if hindrance == nil || v.Kind == couldNotRun {
		return v
	}
	if v.Kind == Broken && len(v.Evidence) > 0 && !slices.ContainsFunc(v.Evidence, saysNothing) {
		return v
	}
	return CouldNotRun(*hindrance).With(v.Evidence...)
}

// saysNothing says whether an exchange is about the harness, not the target.
func saysNothing(ev Evidence) bool {
	return Limited(ev) || errors.Is(ev.Exchange.Err, wire.ErrNotSent)
}

func (s *Session) send(ctx context.Context, client *wire.Client, title string, r wire.Request) Evidence {
	r = r.Clone()
	if c := RunningOf(ctx); c.Rule.ID != "" {
		r.Header[HeaderCheck] = []string{c.Rule.ID}
	}
	ex := client.Do(ctx, r)
	s.Stacks.see(ex)
	return Evidence{Title: title, Exchange: ex}
}

// atOnce sends requests at the same time and returns the answers in order.
func (s *Session) AtOnce(ctx context.Context, client *wire.Client, title string, requests []wire.Request) []Evidence {
	answers := make([]Evidence, len(requests))
	done := make(chan struct{})
	for i, r := range requests {
		go func() {
			answers[i] = s.send(ctx, client, title, r)
			done <- struct{}{}
		}()
	}
	for range requests {
		<-done
	}
	return answers
}

// newChatID makes a UUID, as Kindly's chat ids are.
func (s *Session) NewChatID() string {
	var b [16]byte
	s.random(b[:])
	return mockkindly.UUID(b)
}

// random fills b. Where the injected source fails, the system's never does.
func (s *Session) random(b []byte) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	if _, err := io.ReadFull(s.Options.Rand, b); err != nil {
		rand.Read(b)
	}
}

// checkToken judges a token as Kindly would.
func (s *Session) checkToken(raw token.Raw, chatID string) token.Result {
	return token.Check(raw, token.Expect{
		Keys: s.Target.PublicKeys, ChatID: chatID, Now: s.Options.Now(), Published: s.Target.Published,
	})
}

func Itoa(n int) string { return strconv.Itoa(n) }

// canonical returns the first value of a header in any spelling of its name.
func Canonical(h http.Header, name string) string {
	for k, v := range h {
		if len(v) > 0 && http.CanonicalHeaderKey(k) == http.CanonicalHeaderKey(name) {
			return v[0]
		}
	}
	return ""
}
