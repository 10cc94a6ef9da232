package service

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// HeaderCheck names the check on each request of the harness, so that a team
// finds in its logs who sent it and why.
const HeaderCheck = "Kindlytest-Check"

type checkRunKey struct{}

// Running is one check in progress, and what got into its way.
type Running struct {
	Rule  rule.Rule
	Alone bool // nothing else goes on meanwhile at what it calls
	Reads bool // it judges what answers say: that one kills the process is told elsewhere
	// hindered is set once a request of it was not answered for a reason that
	// says nothing about the requirement; see Do.
	hindered atomic.Pointer[error]
	killed   atomic.Pointer[Death] // the first death that a request of it caused

	mu    sync.Mutex
	until time.Time // until when the tokens count that it began with; zero: it has none
	late  bool      // a request of it went out after that
}

// Lives notes until when a token counts of which the check makes its requests.
func (r *Running) Lives(until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until.IsZero() || until.Before(r.until) {
		r.until = until
	}
}

// sent notes when a request went out.
func (r *Running) sent(ev Evidence) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.late = r.late || !r.until.IsZero() && ev.Exchange.Response != nil && ev.Exchange.At.After(r.until)
}

// Late says whether a request of the check waited for its service until the token had
// expired of which it was made: it may have been refused for that.
func (r *Running) Late() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.late
}

func (r *Running) kills(d Death) { r.killed.CompareAndSwap(nil, &d) }

// Killed is the death that a request of the check has caused; nil if none did.
func (r *Running) Killed() *Death { return r.killed.Load() }

// Part is the same check at one of several webhooks: what gets into its way there
// says nothing of the others.
func (r *Running) Part() *Running { return &Running{Rule: r.Rule, Alone: r.Alone, Reads: r.Reads} }

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

// Hindrance is why a request of the check was not answered; nil if none is known.
func (r *Running) Hindrance() error {
	if err := r.hindered.Load(); err != nil {
		return *err
	}
	return nil
}
