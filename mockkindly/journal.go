package mockkindly

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Bounds of the journal. A body of a delivery is kept up to maxJournalBody,
// whatever its size on the wire was.
const (
	defaultJournalSize  = 10_000
	defaultJournalBytes = 64 << 20
	maxJournalBody      = 64 << 10
)

// ErrClosed is returned by calls on a Kindly, or its Journal, after Close.
var ErrClosed = errors.New("the mock is closed")

// A Journal is what happened, in order. It keeps the newest events, up to a
// number and an amount of memory; Seq goes on counting, so that a reader sees
// when it missed some. It is safe for concurrent use.
//
// With a Store, an event is in it before anyone sees it, and the journal's own
// methods tell of what happened since the start.
//
// Events share memory with the journal: read them, don't change them.
type Journal struct {
	maxEvents int
	maxBytes  int
	disk      *disk // nil without a store

	mu        sync.Mutex
	events    []Event // Seq is contiguous: events[i].Seq == events[0].Seq + i
	bytes     int
	last      uint64        // Seq of the newest event, 0 before the first
	forgotten uint64        // Seq of the newest event that a reset forgot
	grown     chan struct{} // closed at the next append; nil while nobody waits
	closed    bool
}

func newJournal(maxEvents, maxBytes int) *Journal {
	return &Journal{maxEvents: maxEvents, maxBytes: maxBytes}
}

// Events returns the events that are kept and newer than the one numbered
// after; 0 gives all.
func (j *Journal) Events(after uint64) []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.since(after)
}

// Last is the Seq of the newest event ever written, 0 before the first.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// Wait returns the first event for which match is true: one that is kept
// already, or else the next to come. It fails when ctx ends, with ErrClosed
// when the mock is closed. match is called without a lock held.
func (j *Journal) Wait(ctx context.Context, match func(Event) bool) (Event, error) {
	return j.WaitAfter(ctx, 0, match)
}

// WaitAfter is Wait for events newer than the one numbered after.
func (j *Journal) WaitAfter(ctx context.Context, after uint64, match func(Event) bool) (Event, error) {
	for {
		events, grown, err := j.sinceOrGrown(after)
		for _, e := range events {
			if match(e) {
				return e, nil
			}
			after = e.Seq
		}
		if err != nil {
			return Event{}, err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return Event{}, fmt.Errorf("waiting for an event in the journal: %w", context.Cause(ctx))
		}
	}
}

// sinceOrGrown returns, in one look, the events after a number and a channel
// that is closed when there are more. The error comes beside the last events.
func (j *Journal) sinceOrGrown(after uint64) ([]Event, <-chan struct{}, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return j.since(after), nil, ErrClosed
	}
	return j.since(after), j.growth(), nil
}

// growth is a channel that is closed at the next change.
func (j *Journal) growth() <-chan struct{} {
	if j.grown == nil {
		j.grown = make(chan struct{})
	}
	return j.grown
}

func (j *Journal) since(after uint64) []Event { return slices.Clone(j.kept(after)) }

// kept is the part of the journal after a number, not copied.
func (j *Journal) kept(after uint64) []Event {
	if after >= j.last || len(j.events) == 0 {
		return nil
	}
	first := j.events[0].Seq
	if after < first {
		after = first - 1
	}
	return j.events[after-first+1:]
}

// A pending event is on its way into the journal. The zero value is of none.
type pending struct {
	entry *entry // nil if there is nothing to wait for
	event Event
	err   error
}

// wait returns the event as it is kept. The error is a *StoreError, and never
// comes without a store.
func (p pending) wait() (Event, error) {
	if p.entry == nil {
		return p.event, p.err
	}
	<-p.entry.done
	return p.entry.event, p.entry.err
}

// append numbers e, bounds it, and drops the oldest events that no longer fit.
// changed says that e's chat is another than before. What is appended later
// stands behind it, whether somebody waited for e or not. If after is not kept,
// e is not either.
func (j *Journal) append(e Event, changed bool, after pending) pending {
	e = e.bounded()
	if j.disk != nil {
		return j.disk.append(j, e, changed, after)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	e.Seq = j.last + 1
	j.publish(e)
	return pending{event: e}
}

// publish shows an event that has its number. The lock is held.
func (j *Journal) publish(e Event) {
	j.last = e.Seq
	if n := len(j.events); n == cap(j.events) { // seldom: all of them are copied
		j.events = append(make([]Event, 0, 2*n+16), j.events...)
	}
	j.events = append(j.events, e)
	j.bytes += e.size
	for len(j.events) > j.maxEvents || j.bytes > j.maxBytes && len(j.events) > 1 {
		j.bytes -= j.events[0].size
		j.events[0] = Event{} // let go of its bodies before the array is copied
		j.events = j.events[1:]
	}
	j.wake()
}

// reset forgets all events, and calls also at the same time. Seq goes on, so
// that a reader's position stays valid.
func (j *Journal) reset(also func()) error {
	if j.disk != nil {
		j.disk.commit.Lock() // nobody writes now
		defer j.disk.commit.Unlock()
		if err := j.disk.store.Reset(j.Last()); err != nil {
			return &StoreError{err}
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	also()
	j.events, j.bytes, j.forgotten = nil, 0, j.last
	j.wake()
	return nil
}

func (j *Journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	j.wake()
}

func (j *Journal) wake() {
	if j.grown != nil {
		close(j.grown)
		j.grown = nil
	}
}

// Changed returns a channel that is closed at the journal's next change.
func (j *Journal) Changed() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.growth()
}

// Forgotten is the Seq of the newest event that a Reset forgot.
func (j *Journal) Forgotten() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.forgotten
}
