package subject

import (
	"cmp"
	"slices"
	"sync"
)

// incomplete are the reasons why something that the target offers could not be
// judged.
type incomplete struct {
	mu      sync.Mutex
	reasons []string
	hint    string // the way out of the first one that has any
}

// Incomplete notes that a part of the target could not be judged, why, and the way
// out, if the reason does not say it: the run must not look as if it had been.
func (s *Session) Incomplete(reason, hint string) {
	reason = s.Redact.Text(reason)
	s.unjudged.mu.Lock()
	defer s.unjudged.mu.Unlock()
	s.unjudged.hint = cmp.Or(s.unjudged.hint, hint)
	if !slices.Contains(s.unjudged.reasons, reason) {
		s.unjudged.reasons = append(s.unjudged.reasons, reason)
	}
}

// Unjudged are the reasons given to [Session.Incomplete], and the way out.
func (s *Session) Unjudged() (reasons []string, hint string) {
	s.unjudged.mu.Lock()
	defer s.unjudged.mu.Unlock()
	return slices.Clone(s.unjudged.reasons), s.unjudged.hint
}

// inPart notes that the endpoint could be judged in part only.
func (s *Session) inPart(reason, hint string) {
	s.Incomplete("The auth endpoint could be judged in part only: "+reason+".", hint)
}

// askAgain is the way out where only the page can ask.
const askAgain = "For the rest, give a request for a test user that can be made again: endpoint in kindlytest.yaml (docs/staging.md, \"What only the page can ask\")."
