package subject

import (
	"sync"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// Logins keeps what logins by steps have left, from run to run: who watches an app
// while it is written does not want to log in at each save. A session that is kept
// is only ever shown to work: where the page gives no token with it, the steps are
// done anew before anything is said.
type Logins struct {
	mu   sync.Mutex
	kept [users]browser.Login
	has  [users]bool
	lost [users]int // how often one that was kept was none any more
}

// mostLost is how often a kept session may turn out to be lost before none is kept:
// an app that forgets all sessions at each restart will go on doing so.
const mostLost = 2

// users are those who log in: the first and the second of the target.
const users = 2

// who a login is for; not ok if nothing of it is to be kept.
func (s *Session) who(login *browser.Login) (who int, ok bool) {
	if s.Options.Logins == nil || login == nil || len(login.Steps) == 0 || login.Stored != "" {
		return 0, false
	}
	if login == s.Target.Second {
		who = 1
	}
	return who, true
}

// visitKept is visitAnew with the session that an earlier login has left. It is not
// ok if there is none, or the page gives no token with it.
func (s *Session) visitKept(login *browser.Login, before *Visit) (v *Visit, ok bool) {
	who, ok := s.who(login)
	if !ok {
		return nil, false
	}
	left, ok := s.Options.Logins.of(who)
	if !ok {
		return nil, false
	}
	v, err := s.visitAs(login, left, before)
	return v, err == nil && v.Token != ""
}

// keepLogin keeps what a login has left, if the page gave a token with it. Where an
// earlier one was kept, that one was lost.
func (s *Session) keepLogin(v *Visit) {
	who, ok := s.who(v.login)
	if !ok || v.Token == "" {
		return
	}
	if left, ok := v.user.Left(); ok {
		s.Options.Logins.keep(who, left)
	}
}

func (l *Logins) of(who int) (browser.Login, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept[who], l.has[who]
}

func (l *Logins) keep(who int, left browser.Login) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.has[who] {
		l.lost[who]++
	}
	if l.has[who] = l.lost[who] < mostLost; l.has[who] {
		l.kept[who] = left
	}
}
