package subject

import (
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
)

func TestSessionsInWebStorageAreNotShown(t *testing.T) {
	const kept = "hX9vQ2mLr7TzK4pWc8Nd"
	for name, keep := range map[string]func(*Session){
		"within JSON":                   func(s *Session) { s.keepStorage(map[string]string{"oidc": `{"a":[{"access_token":"` + kept + `"}]}`}) },
		"left by the login's steps":     func(s *Session) { s.keepStorage(map[string]string{"session": kept}) },
		"in the page's session storage": func(s *Session) { s.keepSession(browser.State{SessionStorage: map[string]string{"session": kept}}) },
		"in the page's local storage":   func(s *Session) { s.keepSession(browser.State{LocalStorage: map[string]string{"session": kept}}) },
	} {
		t.Run(name, func(t *testing.T) {
			s := &Session{Redact: &redactor{}}
			keep(s)
			if got := s.Redact.Text("GET /me?session=" + kept); strings.Contains(got, kept) {
				t.Errorf("shown: %s", got)
			}
		})
	}
}
