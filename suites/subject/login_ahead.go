package subject

import (
	"sync"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// A loginAhead is the second user's login where it begins before their visit: while the first
// one's page, which has its token by then, comes to rest.
type loginAhead struct {
	wanted   bool // there will be such a visit
	underway sync.WaitGroup

	mu   sync.Mutex
	user func() (*browser.User, error) // waits for the login; nil where none has begun
}

// logInAhead begins it, unless one thing is done after another, or a session was kept.
func (s *Session) logInAhead() {
	ahead, second := &s.pages.ahead, s.Target.Second
	if !ahead.wanted || second == nil || s.InOrder() {
		return
	}
	if who, ok := s.who(second); ok {
		if _, kept := s.Options.Logins.of(who); kept {
			return
		}
	}
	ahead.mu.Lock()
	defer ahead.mu.Unlock()
	if ahead.user == nil {
		ahead.user = sync.OnceValues(func() (*browser.User, error) { return s.logIn(s.steps(second)) })
		user := ahead.user
		ahead.underway.Go(func() { user() })
	}
}

// loggedIn is who has logged in so: ahead, if they have, and else now.
func (s *Session) loggedIn(login *browser.Login, so browser.Login) (*browser.User, error) {
	if login == nil || login != s.Target.Second {
		return s.logIn(so)
	}
	ahead := &s.pages.ahead
	ahead.mu.Lock()
	user := ahead.user
	ahead.user = nil
	ahead.mu.Unlock()
	if user == nil {
		return s.logIn(so)
	}
	return user()
}
