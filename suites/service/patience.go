package service

import (
	"context"
	"time"
)

// Patience is how long a run waits for what: all of it in one place, scaled by
// --timeout.
type Patience struct {
	Request  time.Duration // for the answer to one request; slow services are given more
	Longest  time.Duration // for one request to a service, however slow it has been
	Login    time.Duration // for all steps of a login, however short a request may be
	Visit    time.Duration // for one visit of the page, from the login until it has settled
	Comeback time.Duration // for a service that has died
	Limit    time.Duration // for a service that limits requests to take the next one
	Queue    time.Duration // for a service to work off what it was sent at once
	// Aftermath is how long after an answer a death still counts as its doing:
	// uncaught errors end a process a moment after it has answered.
	Aftermath time.Duration
	// Latest is how long it may be at most, where nothing else explains the death.
	Latest time.Duration
	// Search is for who is to blame for a death, where services answer at once: all else
	// waits meanwhile.
	Search time.Duration
	// Photo is for a picture of the page: a Chrome with windows draws none for a tab
	// in the background.
	Photo time.Duration
}

// PatienceFor scales by the time-out of one request.
func PatienceFor(timeout time.Duration) Patience {
	return Patience{
		Request:   timeout,
		Longest:   max(6*timeout, 30*time.Second),
		Login:     max(2*timeout, 8*time.Second),
		Visit:     4 * timeout,
		Comeback:  max(3*timeout/2, 5*time.Second),
		Limit:     max(6*timeout, 60*time.Second),
		Queue:     max(18*timeout, 3*time.Minute),
		Aftermath: 250 * time.Millisecond,
		Latest:    5 * time.Second,
		Search:    max(3*timeout, 30*time.Second),
		Photo:     3 * time.Second,
	}
}

// WithTimeout is context.WithTimeout with an error that says how long it was.
func WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, slowError(d))
}

// A slowError is context.DeadlineExceeded in plain words.
type slowError time.Duration

func (e slowError) Error() string        { return "not done within " + time.Duration(e).String() }
func (e slowError) Is(target error) bool { return target == context.DeadlineExceeded }

// Sleep waits, or returns why ctx ended.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// PastExpiry is longer than a usual leeway of a minute.
const PastExpiry = 90 * time.Second
