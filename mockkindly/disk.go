package mockkindly

import (
	"bytes"
	"fmt"
	"sync"
)

// A disk puts events into the store before the journal shows them. Those that
// come at the same time share one transaction: whoever gets the commit lock
// first writes for all who wait behind.
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
	done    bool // under commit
	err     error
}

func (d *disk) append(j *Journal, e Event, changed bool) (Event, error) {
	text, err := e.MarshalJSON() // its number is a column of its own
	if err != nil {
		return e, &StoreError{fmt.Errorf("writing down an event: %w", err)}
	}
	mine := &entry{event: e, json: bytes.TrimSpace(text), changed: changed}
	d.mu.Lock()
	d.waiting = append(d.waiting, mine)
	d.mu.Unlock()

	d.commit.Lock()
	defer d.commit.Unlock()
	if !mine.done {
		d.mu.Lock()
		batch := d.waiting
		d.waiting = nil
		d.mu.Unlock()
		d.write(j, batch)
	}
	return mine.event, mine.err
}

// write stores a batch, and then publishes it.
func (d *disk) write(j *Journal, batch []*entry) {
	last := j.Last() // only writers change it
	events := make([]StoredEvent, len(batch))
	var chats []StoredChat
	seen := map[string]bool{}
	for i, en := range batch {
		en.done = true
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
