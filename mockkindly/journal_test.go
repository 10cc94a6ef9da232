package mockkindly

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

func message(text string) Event { return Event{Kind: MessageReceived, Message: &Message{Text: text}} }

func TestJournalIsBounded(t *testing.T) {
	big := strings.Repeat("x", 1000)
	for _, tt := range []struct {
		name              string
		events, bytes     int
		add, kept         int
		text              string
		wantFirst, wantTo uint64
	}{
		{"by number", 3, 1 << 20, 10, 3, "x", 8, 10},
		{"by memory", 100, 4 * message(big).bounded().size, 10, 4, big, 7, 10},
		{"but keeps the newest event, whatever its size", 100, 1, 10, 1, big, 10, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newJournal(tt.events, tt.bytes)
			for range tt.add {
				j.append(message(tt.text), false, pending{})
			}
			got := j.Events(0)
			if len(got) != tt.kept || got[0].Seq != tt.wantFirst || got[len(got)-1].Seq != tt.wantTo {
				t.Errorf("kept %d events from %d to %d, want %d from %d to %d",
					len(got), got[0].Seq, got[len(got)-1].Seq, tt.kept, tt.wantFirst, tt.wantTo)
			}
		})
	}
}

func TestJournalEventsAfter(t *testing.T) {
	j := newJournal(3, 1<<20)
	for range 5 { // 3, 4, 5 are kept
		j.append(message("x"), false, pending{})
	}
	for after, want := range map[uint64]int{0: 3, 1: 3, 2: 3, 3: 2, 4: 1, 5: 0, 99: 0} {
		if got := j.Events(after); len(got) != want {
			t.Errorf("Events(%d) gives %d events, want %d", after, len(got), want)
		}
	}
	_ = j.reset(func() {})
	j.append(message("x"), false, pending{})
	if got := j.Events(0); len(got) != 1 || got[0].Seq != 6 {
		t.Errorf("after a reset the numbers start again: %+v", got)
	}
}

func TestJournalBoundsBodiesInCopies(t *testing.T) {
	body := []byte(strings.Repeat("b", 2*maxJournalBody))
	d := Delivery{Exchange: wire.Exchange{
		Request: wire.Request{Body: body}, Response: &wire.Response{Status: 200, Body: body},
	}}
	j := newJournal(10, 1<<20)
	j.append(Event{Kind: WebhookDelivered, Delivery: &d}, false, pending{})
	j.append(message(strings.Repeat("m", 2*maxJournalBody)), false, pending{})
	events := j.Events(0)
	kept := events[0].Delivery
	if !kept.Truncated || len(kept.Exchange.Request.Body) != maxJournalBody || len(kept.Exchange.Body()) != maxJournalBody || !kept.Exchange.Response.Truncated {
		t.Error("the journal's bodies are not cut and marked")
	}
	if m := events[1].Message; !m.Truncated || len(m.Text) > maxJournalBody+len("…") {
		t.Error("the journal's message is not cut and marked")
	}
	if d.Truncated || d.Exchange.Response.Truncated || len(d.Exchange.Body()) != len(body) {
		t.Error("the caller's delivery is cut too")
	}
}

func TestJournalWait(t *testing.T) {
	isText := func(text string) func(Event) bool {
		return func(e Event) bool { return e.Message != nil && e.Message.Text == text }
	}
	t.Run("finds what happened before", func(t *testing.T) {
		j := newJournal(10, 1<<20)
		j.append(message("past"), false, pending{})
		if e, err := j.Wait(t.Context(), isText("past")); err != nil || e.Seq != 1 {
			t.Errorf("got %d, %v", e.Seq, err)
		}
	})
	t.Run("wakes every waiter for what comes", func(t *testing.T) {
		j := newJournal(10, 1<<20)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := j.Wait(t.Context(), isText("coming")); err != nil {
					t.Error(err)
				}
			})
		}
		j.append(message("other"), false, pending{})
		j.append(message("coming"), false, pending{})
		all.Wait()
	})
	t.Run("ends with its context", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := newJournal(10, 1<<20).Wait(ctx, isText("never")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ends at Close, after a last look", func(t *testing.T) {
		j := newJournal(10, 1<<20)
		j.append(message("past"), false, pending{})
		j.close()
		if _, err := j.Wait(t.Context(), isText("never")); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
		if _, err := j.Wait(t.Context(), isText("past")); err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestQueueDropsTheOldest(t *testing.T) {
	s := newQueue[int](2)
	s.put("a", 1)
	s.put("b", 2)
	if !s.put("a", 3) {
		t.Error("a replaced value is not reported")
	}
	s.put("c", 4)
	if _, ok := s.get("a"); ok || s.len() != 2 || len(s.values) != 2 {
		t.Error("the oldest is still there")
	}
	if got := s.newest(0); len(got) != 2 || got[0] != 4 || got[1] != 2 {
		t.Errorf("newest first: %v", got)
	}
}

// A reader that is nearly at the end meets the writers.
func TestPagesAtTheEndRepeatNothing(t *testing.T) {
	for _, size := range []int{100_000, 10} {
		j := newJournal(size, 64<<20)
		const writers, each = 4, 20_000
		for range writers {
			go func() {
				for range each {
					_, _ = j.append(Event{Kind: ChatCreated}, false, pending{}).wait()
				}
			}()
		}
		for seen := uint64(0); seen < writers*each; {
			p, err := j.Page(Query{After: seen, Limit: 1000})
			if err != nil {
				t.Fatal(err)
			}
			after := seen
			seen += p.Dropped
			for _, e := range p.Events {
				if seen++; e.Seq != seen {
					t.Fatalf("of %d: after %d, with %d dropped, event %d comes as %d", size, after, p.Dropped, e.Seq, seen)
				}
			}
			if p.Next != seen {
				t.Fatalf("of %d: after %d the next page begins at %d, not %d", size, after, p.Next, seen)
			}
		}
	}
}
