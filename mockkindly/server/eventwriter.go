package server

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
)

// An eventWriter writes server-sent events.
type eventWriter struct {
	w   http.ResponseWriter
	out *http.ResponseController
}

func newEventWriter(w http.ResponseWriter) *eventWriter {
	return &eventWriter{w, http.NewResponseController(w)}
}

// follow catches up whenever something has changed, until the client is gone or too slow,
// or the mock is closed. Its errors are the client's, who sees them by itself.
func (s *eventWriter) follow(r *http.Request, closed <-chan struct{}, changed func() <-chan struct{}, catchUp func() error) {
	heartbeat := time.NewTicker(streamSilent)
	defer heartbeat.Stop()
	if s.comment("kindlytest") != nil {
		return
	}
	for {
		next := changed() // before reading: what comes later wakes us
		if catchUp() != nil {
			return
		}
		select {
		case <-next:
		case <-heartbeat.C:
			if s.comment("heartbeat") != nil {
				return
			}
		case <-closed:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// sendJSON is send for a value.
func (s *eventWriter) sendJSON(name string, v any) error {
	text, err := redact.JSON(v)
	if err != nil {
		return err
	}
	return s.send(name, 0, text)
}

// send writes one event, whose data is JSON in one line.
func (s *eventWriter) send(name string, id uint64, data []byte) error {
	s.deadline()
	var text []byte
	if name != "" {
		text = fmt.Appendf(text, "event: %s\n", name)
	}
	if id > 0 {
		text = fmt.Appendf(text, "id: %d\n", id)
	}
	text = append(text, "data: "...)
	text = append(text, data...)
	_, err := s.w.Write(append(text, "\n\n"...))
	return err
}

func (s *eventWriter) comment(text string) error {
	s.deadline()
	if _, err := fmt.Fprintf(s.w, ": %s\n\n", text); err != nil {
		return err
	}
	return s.flush()
}

// deadline bounds the next write, where the server can.
func (s *eventWriter) deadline() { _ = s.out.SetWriteDeadline(time.Now().Add(streamWrite)) }

func (s *eventWriter) flush() error {
	if err := s.out.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
