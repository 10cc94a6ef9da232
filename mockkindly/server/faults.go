package server

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// renewEarly is after what time the fault of that name lets the client ask anew.
const renewEarly = 2 * time.Second

// beSlow waits as long as the fault wants, or until the caller is gone. The body is read
// before: it has no time to wait.
func (s *server) beSlow(w http.ResponseWriter, r *http.Request) error {
	ms := s.kindly.Faults().SlowMS
	if ms == 0 {
		return nil
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-s.kindly.Done():
	}
	return nil
}

// renewIn is when the chat client has to ask for the next token, in
// milliseconds. It is 0 where the client finds out by its own clock.
func (s *server) renewIn(expires time.Time) int64 {
	switch f := s.kindly.Faults(); {
	case f.RenewEarly:
		return renewEarly.Milliseconds()
	case f.ClockForwardMinutes > 0:
		const margin = 30 * time.Second
		return max(expires.Add(-margin).Sub(s.kindly.Now()), time.Second).Milliseconds()
	}
	return 0
}

func (s *server) getFaults(w http.ResponseWriter, _ *http.Request) error {
	return s.answerFaults(w, func(*mockkindly.Faults) error { return nil })
}

// putFaults changes the faults that are named, and leaves the others.
func (s *server) putFaults(w http.ResponseWriter, r *http.Request) error {
	body, err := readJSON(w, r, "application/json")
	if err != nil {
		return err
	}
	return s.answerFaults(w, func(f *mockkindly.Faults) error { return unmarshalStrict(body, f) })
}

func (s *server) answerFaults(w http.ResponseWriter, change func(*mockkindly.Faults) error) error {
	f, state, err := s.kindly.UpdateFaults(change)
	if err != nil {
		return err
	}
	w.Header().Set(stateHeader, state.String())
	return writeJSON(w, http.StatusOK, f)
}
