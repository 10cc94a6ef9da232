package mockkindly

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Bounds of one page of the journal.
const (
	maxPageBytes = 8 << 20
	// Of stored JSON, which takes up to thirty times as much when it is decoded.
	maxStoredPage = 2 << 20
)

// A Page is a part of the journal.
type Page struct {
	Events  []Event `json:"events"`
	Next    uint64  `json:"next"`    // where the next page begins: after=next
	More    bool    `json:"more"`    // there is one now
	Last    uint64  `json:"last"`    // the newest event of all
	Dropped uint64  `json:"dropped"` // events after after that are no longer kept
}

// span is the oldest and the newest event that is kept; 0 if there is none.
func (j *Journal) span() (first, last uint64, err error) {
	if j.disk != nil {
		first, _, _, err = j.disk.store.Span()
		if err != nil {
			return 0, 0, &StoreError{err}
		}
		return first, j.Last(), nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.events) > 0 {
		first = j.events[0].Seq
	}
	return first, j.last, nil
}

// Page returns the events of a query, as many as fit; q.MaxBytes is not read. Others write meanwhile: what was there
// at first is looked at in any case, what came later may be in the page, and
// what was dropped is counted at the end.
func (j *Journal) Page(q Query) (Page, error) {
	p := Page{Events: []Event{}, Next: q.After, Last: j.Last()}
	q.Limit, q.MaxBytes = q.Limit+1, maxPageBytes // one more, to know whether there is
	events, all, err := j.find(q)
	if err != nil {
		return p, err
	}
	if len(events) == q.Limit {
		all = false
		if q.Newest {
			events = events[1:]
		} else {
			events = events[:len(events)-1]
		}
	}
	p.Events, p.More = append(p.Events, events...), !all
	if all && !q.Newest {
		p.Next = max(p.Next, p.Last)
	}
	if n := len(events); n > 0 {
		p.Next = max(p.Next, events[n-1].Seq)
		p.Last = max(p.Last, events[n-1].Seq)
	}
	return p, j.countDropped(q, &p)
}

// countDropped tells of events that were never in a page that begins at q.After.
func (j *Journal) countDropped(q Query, p *Page) error {
	first, last, err := j.span()
	if err != nil || q.Newest {
		return err
	}
	if first == 0 { // all are gone, by a reset
		first = last + 1
	}
	if len(p.Events) > 0 {
		first = min(first, p.Events[0].Seq)
	}
	if first > q.After+1 {
		p.Dropped = first - 1 - q.After
		p.Next, p.Last = max(p.Next, first-1), max(p.Last, first-1)
	}
	return nil
}

// find returns the events of a query, and whether MaxBytes cut none off.
func (j *Journal) find(q Query) (events []Event, all bool, err error) {
	if events, all, ok := j.remembered(q); ok {
		return events, all, nil
	}
	q.MaxBytes = min(q.MaxBytes, maxStoredPage)
	stored, err := j.disk.store.Events(q)
	if err != nil {
		return nil, false, &StoreError{err}
	}
	events, err = decodeEvents(stored)
	return events, len(stored) < q.Limit && sizeOf(stored) < q.MaxBytes, err
}

// remembered is find in memory, where that holds all that is asked for, or there is no store:
// both in one look, as it may forget some at any time.
func (j *Journal) remembered(q Query) (events []Event, all, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	reaches := q.After >= j.last || len(j.events) > 0 && q.After+1 >= j.events[0].Seq
	if j.disk != nil && (q.Newest || !reaches) {
		return nil, false, false
	}
	events, all = q.of(j.kept(q.After))
	return events, all, true
}

// of picks what matches, in the order of the events.
func (q Query) of(events []Event) (found []Event, all bool) {
	all, size := true, 0
	for i := range events {
		e := events[i]
		if q.Newest {
			e = events[len(events)-1-i]
		}
		if !q.Matches(e) {
			continue
		}
		size += e.size
		if len(found) == q.Limit || len(found) > 0 && size > q.MaxBytes {
			all = false
			break
		}
		found = append(found, e)
	}
	if q.Newest {
		slices.Reverse(found)
	}
	return found, all
}

// Matches tells whether the query asks for the event, its bounds aside.
func (q Query) Matches(e Event) bool {
	return e.Seq > q.After && (q.Before == 0 || e.Seq < q.Before) &&
		(q.Chat == "" || e.Chat == q.Chat) && (len(q.Kinds) == 0 || slices.Contains(q.Kinds, e.Kind))
}

// event returns one by its number.
func (j *Journal) event(seq uint64) (Event, bool, error) {
	if seq == 0 {
		return Event{}, false, nil
	}
	events, _, err := j.find(Query{After: seq - 1, Before: seq + 1, Limit: 1, MaxBytes: maxPageBytes})
	if err != nil || len(events) == 0 {
		return Event{}, false, err
	}
	return events[0], true, nil
}

func sizeOf(stored []StoredEvent) int {
	n := 0
	for _, s := range stored {
		n += len(s.JSON)
	}
	return n
}

func decodeEvents(stored []StoredEvent) ([]Event, error) {
	events := make([]Event, len(stored))
	for i, s := range stored {
		if err := json.Unmarshal(s.JSON, &events[i]); err != nil {
			return nil, &StoreError{fmt.Errorf("event %d is not readable: %w", s.Seq, err)}
		}
		events[i].Seq, events[i].size = s.Seq, len(s.JSON)
	}
	return events, nil
}
