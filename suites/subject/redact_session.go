package subject

import (
	"encoding/json"
	"regexp"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// opaque is what a session in web storage looks like: no words, no address.
var opaque = regexp.MustCompile(`^[A-Za-z0-9_.+/=-]{20,}$`)

// keepSession makes the session that the browser holds unprintable: cookies,
// and what may be one in web storage.
func (s *Session) keepSession(state browser.State) {
	for _, c := range state.Cookies {
		s.Redact.Learn(c.Value)
	}
	s.keepStorage(state.LocalStorage, state.SessionStorage)
}

func (s *Session) keepStorage(storages ...map[string]string) {
	for _, storage := range storages {
		for _, value := range storage {
			s.keepOpaque(value)
			var held any
			if json.Unmarshal([]byte(value), &held) == nil {
				s.keepOpaque(held)
			}
		}
	}
}

// keepOpaque looks through what libraries keep as JSON.
func (s *Session) keepOpaque(value any) {
	switch v := value.(type) {
	case string:
		if opaque.MatchString(v) {
			s.Redact.Learn(v)
		}
	case []any:
		for _, item := range v {
			s.keepOpaque(item)
		}
	case map[string]any:
		for _, item := range v {
			s.keepOpaque(item)
		}
	}
}
