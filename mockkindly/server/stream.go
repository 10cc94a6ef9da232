package server

import (
	"fmt"
	"net/http"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly"
)

// Bounds of the live stream.
const (
	maxStreams   = 64
	streamPage   = 200              // events that are read at a time
	streamWrite  = 10 * time.Second // in which a client has to take them
	streamSilent = 15 * time.Second // after which a comment shows that both are alive
)

// getStream sends events as they happen (server-sent events). A client has no
// queue of its own, only a place in the journal: one that is too slow for the
// journal is told how many events it missed, and one that takes nothing for
// 10 s is cut off. It comes back with Last-Event-ID, or after.
func (s *server) getStream(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		v.Set("after", id)
	}
	q, err := queryOf(v)
	if err != nil {
		return err
	}
	if q.Newest {
		return inputErrorf("before", "a stream goes forward only")
	}
	done, err := s.admitStream(w)
	if err != nil {
		return err
	}
	defer done()
	q.Limit = streamPage
	out := &stream{eventWriter: newEventWriter(w), kindly: s.kindly, query: q, chats: v.Get("chats") == "true"}
	out.resets = s.kindly.State().Resets
	out.query.After = max(q.After, s.kindly.Journal().Forgotten()) // no gap: it was meant
	out.follow(r, s.kindly.Done(), s.kindly.Journal().Changed, out.catchUp)
	return nil
}

// admitStream begins a stream's answer, unless there are too many; done is to be
// called at its end.
func (s *server) admitStream(w http.ResponseWriter) (done func(), err error) {
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		return nil, newProblem(http.StatusServiceUnavailable, "too-many-streams", "Too many streams",
			"There are %d already. Close some, or ask for the journal from time to time.", maxStreams)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // it takes as long as it takes; a test's recorder has none
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return func() { s.streams.Add(-1) }, nil
}

type stream struct {
	*eventWriter
	kindly *mockkindly.Kindly
	query  mockkindly.Query
	chats  bool // send a chat's state beside what happened in it
	resets int
}

// catchUp sends all that is there.
func (s *stream) catchUp() error {
	for {
		state := s.kindly.State()
		p, err := s.kindly.Journal().Page(s.query)
		if err != nil {
			return err
		}
		if s.kindly.State().Resets != state.Resets {
			continue // it may hold what is forgotten now
		}
		if state.Resets != s.resets {
			s.resets = state.Resets
			s.query.After = max(s.query.After, s.kindly.Journal().Forgotten())
			if err := s.send("reset", 0, fmt.Appendf(nil, `{"state":%q}`, state.String())); err != nil {
				return err
			}
			continue
		}
		if err := s.sendChats(p.Events); err != nil {
			return err
		}
		if p.Dropped > 0 {
			if err := s.send("gap", 0, fmt.Appendf(nil, `{"dropped":%d}`, p.Dropped)); err != nil {
				return err
			}
		}
		for _, e := range p.Events {
			text, err := e.MarshalJSON()
			if err != nil {
				return err
			}
			if err := s.send("", e.Seq, text); err != nil {
				return err
			}
		}
		s.query.After = p.Next
		if !p.More {
			return s.flush()
		}
	}
}

// sendChats sends the present state of the chats in which something happened. It
// comes before the events, and is at least as new as they are.
func (s *stream) sendChats(events []mockkindly.Event) error {
	if !s.chats {
		return nil
	}
	sent := map[string]bool{"": true}
	for _, e := range events {
		if sent[e.Chat] {
			continue
		}
		sent[e.Chat] = true
		c, ok := s.kindly.Chat(e.Chat)
		if !ok {
			continue
		}
		text, err := redact.JSON(rowOf(c, s.kindly.Now()))
		if err != nil {
			return err
		}
		if err := s.send("chat", 0, text); err != nil {
			return err
		}
	}
	return nil
}
