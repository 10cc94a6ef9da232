package mockkindly

import (
	"bytes"
	"fmt"
	"sync"
)

// A disk puts events into the store before the journal shows them. Those that
// come while it writes share the next transaction: the first of them sees to it.
type disk struct {
	store Store
	chat  func(id string) (StoredChat, bool, error) // its present state

	commit sync.Mutex // held by the one who writes

	mu      sync.Mutex
	waiting []*entry
}

// An entry is an event on its way into the store.
type entry struct {
	event   Event
	json    []byte
	changed bool
	after   *entry // nil, or what it follows from
	err     error
	done    chan struct{} // closed when it is written, or err is set
}

// append begins to write an event.
func (d *disk) append(j *Journal, e Event, changed bool, after pending) pending {
	text, err := e.MarshalJSON() // its number is a column of its own
	if err != nil {
		return pending{event: e, err: &StoreError{fmt.Errorf("writing down an event: %w", err)}}
	}
	mine := &entry{event: e, json: bytes.TrimSpace(text), changed: changed, after: after.entry, done: make(chan struct{})}
	d.mu.Lock()
	d.waiting = append(d.waiting, mine)
	first := len(d.waiting) == 1
	d.mu.Unlock()
	if first {
		go d.writeAll(j)
	}
	return pending{entry: mine}
}

// writeAll writes all who wait when its turn has come.
func (d *disk) writeAll(j *Journal) {
	d.commit.Lock()
	defer d.commit.Unlock()
	d.mu.Lock()
	batch := d.waiting
	d.waiting = nil
	d.mu.Unlock()
	if left := possible(batch); len(left) > 0 {
		d.write(j, left)
	}
	for _, en := range batch {
		close(en.done)
	}
}

// possible leaves out what follows from events that could not be written.
func possible(batch []*entry) []*entry {
	var found []*entry
	for _, en := range batch {
		if en.after != nil && en.after.err != nil {
			en.err = en.after.err
			continue
		}
		found = append(found, en)
	}
	return found
}

// write stores a batch, and then publishes it.
func (d *disk) write(j *Journal, batch []*entry) {
	last := j.Last() // only writers change it
	events := make([]StoredEvent, len(batch))
	var chats []StoredChat
	seen := map[string]bool{}
	for i, en := range batch {
		en.event.Seq = last + uint64(i) + 1
		events[i] = StoredEvent{Seq: en.event.Seq, Kind: en.event.Kind, Chat: en.event.Chat, JSON: en.json}
		if id := en.event.Chat; en.changed && !seen[id] {
			seen[id] = true
			// Read now, so that an older state never replaces a newer one.
			if c, ok, err := d.chat(id); err != nil {
				en.err = &StoreError{err}
			} else if ok {
				chats = append(chats, c)
			}
		}
	}
	if err := d.store.Append(events, chats); err != nil {
		for _, en := range batch {
			en.err = &StoreError{err}
		}
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, en := range batch {
		j.publish(en.event)
	}
}
