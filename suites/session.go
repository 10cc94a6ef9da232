package suites

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

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/wire"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/browser"
	"github.com/kindlytest/kindlytest/suites/forge"
)

// A Session is one run against one target: what probes use to look at it. What
// costs time (the browser, the page's run, the webhooks' controls) is found out
// once, when the first probe asks.
type Session struct {
	target Target
	opts   Options
	// base outlives single probes: facts are shared, so that they must not die
	// with the probe that happened to ask first.
	base context.Context

	client *wire.Client // bounded by --rate
	crowd  *wire.Client // for probes that are about many requests at once
	redact *redactor

	chrome    memo[*browser.Browser]
	listening memo[*keyListener]
	forger    memo[*forge.Attacker]
	pages     pageFacts
	endpoints endpointFacts
	passes    passes
	hooks     []*hook
	story     story
	stacks    stacks
	limited   atomic.Bool // it goes on answering 429; nothing is waited for any more

	mu       sync.Mutex
	problems []problem
	notes    []reports.Note
	closers  []io.Closer
}

// A problem keeps a run from checking what it should: the thing, and the way
// out.
type problem struct {
	text, hint string
	ofChrome   bool // it does not start, which only matters to what needs it
}

// A memo is a fact that is found out once. Whoever asks meanwhile waits.
type memo[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (m *memo[T]) get(find func() (T, error)) (T, error) {
	m.once.Do(func() { m.value, m.err = find() })
	return m.value, m.err
}

// open prepares a session. It calls nobody yet.
func open(ctx context.Context, t Target, o Options) *Session {
	o = o.withDefaults(t)
	s := &Session{target: t, opts: o, base: ctx, redact: &redactor{}}
	limit := rate.Inf
	if o.Rate > 0 {
		limit = rate.Limit(o.Rate)
	}
	limiter := rate.NewLimiter(limit, o.Concurrency)
	common := wire.Options{Timeout: o.Timeout, UserAgent: o.userAgent(), Resolve: t.Resolve, TLS: t.TLS(), Now: o.Now}
	polite := common
	polite.Wait = limiter.Wait
	s.client, s.crowd = wire.NewClient(polite), wire.NewClient(common)
	for i := range t.Webhooks {
		s.hooks = append(s.hooks, newHook(s, t.Webhooks[i]))
		s.redact.add(t.Webhooks[i].Secret)
	}
	for _, raw := range t.urls() {
		s.redact.add(urlSecrets(raw)...)
	}
	s.keepSecret(t.Login)
	s.keepSecret(t.Second)
	if t.Endpoint != nil {
		for name, values := range t.Endpoint.Header {
			for _, v := range values {
				s.redact.add(headerSecrets(name, v)...)
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
			s.redact.add(f.Value)
		}
	}
	for _, c := range l.Cookies {
		s.redact.add(c.Value)
	}
	for name, v := range l.Headers {
		s.redact.add(headerSecrets(name, v)...)
	}
	for _, v := range l.LocalStorage {
		s.redact.add(v)
	}
}

// Close ends what the session started: Chrome, listeners, connections.
func (s *Session) Close() {
	s.mu.Lock()
	closers := s.closers
	s.closers = nil
	s.mu.Unlock()
	for i := len(closers) - 1; i >= 0; i-- {
		closers[i].Close() // nobody can do anything about a failure here
	}
	s.client.Close()
	s.crowd.Close()
}

func (s *Session) onClose(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, c)
}

// problem notes what keeps the run from checking what it should.
func (s *Session) problem(text, hint string) { s.addProblem(problem{text: text, hint: hint}) }

func (s *Session) addProblem(p problem) {
	p.text = s.redact.text(p.text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, p)
}

// note adds a remark on the whole run.
func (s *Session) note(level reports.Outcome, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, reports.Note{Level: level, Text: s.redact.text(fmt.Sprintf(format, args...))})
}

// HeaderCheck names the check on each request of the harness, so that a team
// finds in its logs who sent it and why.
const HeaderCheck = "Kindlytest-Check"

type checkRunKey struct{}

// A checkRun is one check in progress, and what got into its way.
type checkRun struct {
	id string
	// hindered is set once a request of it was not answered for a reason that
	// says nothing about the requirement; see do.
	hindered atomic.Pointer[error]
}

// withCheck marks ctx as belonging to a check.
func withCheck(ctx context.Context, c *checkRun) context.Context {
	return context.WithValue(ctx, checkRunKey{}, c)
}

// checkOf is the check that ctx belongs to; one without a name if to none.
func checkOf(ctx context.Context) *checkRun {
	if c, ok := ctx.Value(checkRunKey{}).(*checkRun); ok {
		return c
	}
	return &checkRun{}
}

// do sends r politely and returns it as evidence. A target that limits how
// often it is called is waited for: its 429 would pass for a refusal.
func (s *Session) do(ctx context.Context, title string, r wire.Request) Evidence {
	ev := s.send(ctx, s.client, title, r)
	for pause := time.Second; limited(ev) && !s.limited.Load(); pause *= 2 {
		if pause = max(pause, retryAfter(ev)); pause > longestPause || sleep(ctx, pause) != nil {
			break
		}
		ev = s.send(ctx, s.client, title, r)
	}
	switch {
	case limited(ev):
		if s.limited.CompareAndSwap(false, true) {
			s.problem(errLimited.Error(), "--rate N makes kindlytest slower; or lift the limit for it.")
		}
		checkOf(ctx).hindered.Store(&errLimited)
	case errors.Is(ev.Exchange.Err, wire.ErrNotSent):
		err := ev.Exchange.Err
		checkOf(ctx).hindered.Store(&err)
	}
	return ev
}

// longestPause bounds how long a target that limits requests is waited for.
const longestPause = 4 * time.Second

var errLimited = errors.New("the target limits how often it is called: it answers 429, which tells nothing")

// limited says whether a request was turned away for being one too many.
func limited(ev Evidence) bool { return ev.Exchange.Status() == http.StatusTooManyRequests }

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
func (s *Session) unhindered(c *checkRun, v Verdict) Verdict {
	hindrance := c.hindered.Load()
	if hindrance == nil && s.limited.Load() && slices.ContainsFunc(v.evidence, limited) {
		hindrance = &errLimited // it met a shared fact, such as the webhook's control
	}
	if hindrance == nil || v.kind == couldNotRun {
		return v
	}
	if v.kind == violated && len(v.evidence) > 0 && !slices.ContainsFunc(v.evidence, saysNothing) {
		return v
	}
	return CouldNotRun(*hindrance).With(v.evidence...)
}

// saysNothing says whether an exchange is about the harness, not the target.
func saysNothing(ev Evidence) bool {
	return limited(ev) || errors.Is(ev.Exchange.Err, wire.ErrNotSent)
}

func (s *Session) send(ctx context.Context, client *wire.Client, title string, r wire.Request) Evidence {
	r = r.Clone()
	if c := checkOf(ctx); c.id != "" {
		r.Header[HeaderCheck] = []string{c.id}
	}
	ex := client.Do(ctx, r)
	s.stacks.see(ex)
	return Evidence{Title: title, Exchange: ex}
}

// atOnce sends requests at the same time and returns the answers in order.
func (s *Session) atOnce(ctx context.Context, client *wire.Client, title string, requests []wire.Request) []Evidence {
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
func (s *Session) newChatID() string {
	var b [16]byte
	s.random(b[:])
	return mockkindly.UUID(b)
}

// random fills b. Where the injected source fails, the system's never does.
func (s *Session) random(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.opts.Rand, b); err != nil {
		rand.Read(b)
	}
}

// checkToken judges a token as Kindly would.
func (s *Session) checkToken(raw token.Raw, chatID string) token.Result {
	return token.Check(raw, token.Expect{
		Keys: s.target.PublicKeys, ChatID: chatID, Now: s.opts.Now(), Published: s.target.Published,
	})
}

func itoa(n int) string { return strconv.Itoa(n) }

// canonical returns the first value of a header in any spelling of its name.
func canonical(h http.Header, name string) string {
	for k, v := range h {
		if len(v) > 0 && http.CanonicalHeaderKey(k) == http.CanonicalHeaderKey(name) {
			return v[0]
		}
	}
	return ""
}
