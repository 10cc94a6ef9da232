package mockkindly

import (
	"encoding/json"
	"fmt"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// A Store keeps events and chats beyond the life of the process: see package
// sqlite. It is called by one goroutine at a time where it writes, and must be
// safe for concurrent reads.
//
// What it is given holds no credential: tokens come without their signatures.
type Store interface {
	// Append keeps events and the new state of chats, all or nothing. When it
	// returns, a kill of the process loses none of them.
	Append(events []StoredEvent, chats []StoredChat) error
	// Events returns what matches, in the order of their numbers.
	Events(q Query) ([]StoredEvent, error)
	// Span returns the numbers of the oldest and the newest event that is kept,
	// and of the newest ever. All are 0 for an empty store.
	Span() (first, last, ever uint64, err error)
	// Chats returns all chats, the oldest first.
	Chats() ([]StoredChat, error)
	// Reset forgets events and chats. Numbers go on after last.
	Reset(last uint64) error
}

// A StoredEvent is an event and the parts of it that are searched.
type StoredEvent struct {
	Seq  uint64
	Kind Kind
	Chat string
	JSON []byte // as Event.MarshalJSON writes it
}

// A StoredChat is a chat's state.
type StoredChat struct {
	ID   string
	JSON []byte
}

// A Query says which events are wanted: those newer than After and, unless it
// is 0, older than Before; the oldest Limit of them, or the newest.
type Query struct {
	After, Before uint64
	Chat          string // of this chat; empty means all
	Kinds         []Kind // of one of these kinds; none means all
	Limit         int
	MaxBytes      int // of JSON, roughly; one event comes in any case
	Newest        bool
}

// A StoreError says that the store failed: what was asked for is not in the
// journal. See Say for what a webhook may have got.
type StoreError struct{ Err error }

func (e *StoreError) Error() string { return "the journal could not be kept: " + e.Err.Error() }
func (e *StoreError) Unwrap() error { return e.Err }

// storedChat is the present state of a chat for the store.
func (k *Kindly) storedChat(id string) (StoredChat, bool, error) {
	chat, ok := k.Chat(id)
	if !ok {
		return StoredChat{}, false, nil
	}
	text, err := json.Marshal(chat)
	if err != nil {
		return StoredChat{}, false, fmt.Errorf("writing down chat %s: %w", id, err)
	}
	return StoredChat{ID: id, JSON: text}, true, nil
}

// restore takes over the chats of the store.
func (k *Kindly) restore() error {
	if k.opts.Store == nil {
		return nil
	}
	stored, err := k.opts.Store.Chats()
	if err != nil {
		return &StoreError{err}
	}
	for _, s := range stored {
		chat := &Chat{Context: map[string]any{}}
		if err := json.Unmarshal(s.JSON, chat); err != nil {
			return &StoreError{fmt.Errorf("chat %s is not readable: %w", clip.Text(s.ID, 64), err)}
		}
		k.putChat(chat)
	}
	return nil
}

// openStore takes over what an earlier process left.
func (k *Kindly) openStore() error {
	if k.opts.Store == nil {
		return nil
	}
	_, _, ever, err := k.opts.Store.Span()
	if err != nil {
		return &StoreError{err}
	}
	k.journal.last = ever
	k.journal.disk = &disk{store: k.opts.Store, chat: k.storedChat}
	return k.restore()
}
