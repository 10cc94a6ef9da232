package subject

import (
	"slices"
	"sync"
)

// incomplete are the reasons why something that the target offers could not be
// judged.
type incomplete struct {
	mu      sync.Mutex
	reasons []string
}

// Incomplete notes that a part of the target could not be judged, and why: the
// run must not look as if it had been.
func (s *Session) Incomplete(reason string) {
	reason = s.Redact.Text(reason)
	s.unjudged.mu.Lock()
	defer s.unjudged.mu.Unlock()
	if !slices.Contains(s.unjudged.reasons, reason) {
		s.unjudged.reasons = append(s.unjudged.reasons, reason)
	}
}

// Unjudged are the reasons given to [Session.Incomplete].
func (s *Session) Unjudged() []string {
	s.unjudged.mu.Lock()
	defer s.unjudged.mu.Unlock()
	return slices.Clone(s.unjudged.reasons)
}
