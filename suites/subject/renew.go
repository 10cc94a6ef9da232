package subject

import (
	"maps"
	"slices"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A renewal of the session: a process that keeps sessions in memory has lost
// them when it comes back. The user is logged in again, and requests that were
// built with the old session go out with the new one.

// renewed returns a copy of r with credentials that still count.
func (s *Session) renewed(r wire.Request) wire.Request {
	r = r.Clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.replaced) == 0 {
		return r
	}
	for _, values := range r.Header {
		for i, v := range values {
			for range len(s.replaced) { // a session may have been lost more than once
				next, ok := s.replaced[v]
				if !ok {
					break
				}
				v = next
			}
			values[i] = v
		}
	}
	return r
}

// replace lets the credentials of one request go out instead of those of
// another that no longer count.
func (s *Session) replace(old, now wire.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.replaced == nil {
		s.replaced = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(now.Header)) {
		if BrowserHeaders.MatchString(name) || len(old.Header[name]) != len(now.Header[name]) {
			continue
		}
		for i, v := range old.Header[name] {
			if next := now.Header[name][i]; v != next {
				s.replaced[v] = next
			}
		}
	}
}
