package subject

import (
	"context"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// watch lets the endpoint's service show by a plain request that it lives, and
// logs in again where a process that came back has forgotten the session.
func (s *Session) watch(e *Endpoint, first Evidence) {
	v := s.serviceOf(e.Request)
	v.lives(first.Exchange, func() (wire.Request, error) { return e.WithChat(s.NewChatID()), nil })
	if s.Target.PageURL == "" || s.Target.Login == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.revive = append(v.revive, func(ctx context.Context) {
		if _, served := s.TokenIn(v.send(ctx, s.Client, "is the session still there?", e.WithChat(s.NewChatID())).Exchange); served {
			return
		}
		visit, err := s.visit(s.Target.Login, 0)
		if err != nil {
			return // the next check that needs the session says so
		}
		if again, err := discover(visit); err == nil {
			s.Redact.Learn(again.Credentials()...)
			s.replace(e.Request, again.Request)
			if visit.Token != "" { // the page that was open has the session that is lost
				s.pages.first.Replace(visit)
			}
		}
	})
}
