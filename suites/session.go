package suites

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"golang.org/x/time/rate"

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

	mu       sync.Mutex
	problems []problem
	notes    []reports.Note
	closers  []io.Closer
}

// A problem keeps a run from checking what it should: the thing, and the way
// out.
type problem struct{ text, hint string }

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
	common := wire.Options{Timeout: o.Timeout, UserAgent: o.userAgent(), Resolve: t.Resolve, Now: o.Now}
	polite := common
	polite.Wait = limiter.Wait
	s.client, s.crowd = wire.NewClient(polite), wire.NewClient(common)
	for i := range t.Webhooks {
		s.hooks = append(s.hooks, newHook(s, t.Webhooks[i]))
		s.redact.add(t.Webhooks[i].Secret)
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
func (s *Session) problem(text, hint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, problem{s.redact.text(text), hint})
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

type checkIDKey struct{}

// withCheck marks ctx as belonging to a check.
func withCheck(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, checkIDKey{}, id)
}

func checkID(ctx context.Context) string {
	id, _ := ctx.Value(checkIDKey{}).(string)
	return id
}

// do sends r politely and returns it as evidence.
func (s *Session) do(ctx context.Context, title string, r wire.Request) Evidence {
	return s.send(ctx, s.client, title, r)
}

func (s *Session) send(ctx context.Context, client *wire.Client, title string, r wire.Request) Evidence {
	r = r.Clone()
	if id := checkID(ctx); id != "" {
		r.Header[HeaderCheck] = []string{id}
	}
	return Evidence{Title: title, Exchange: client.Do(ctx, r)}
}

// newChatID makes a UUID, as Kindly's chat ids are.
func (s *Session) newChatID() string {
	var b [16]byte
	s.random(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
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
