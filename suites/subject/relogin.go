package subject

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A process that keeps sessions in memory has lost them when it comes back. The
// user is logged in again, and requests that were built with the old session go
// out with the new one.

// nobodyThere is what Chrome says where it came to no server at all, or where the page
// did not wait for an answer.
var nobodyThere = regexp.MustCompile(`ERR_(?:CONNECTION_REFUSED|UNSAFE_PORT|NAME_NOT_RESOLVED|ADDRESS_UNREACHABLE|ADDRESS_INVALID|INTERNET_DISCONNECTED|ABORTED)`)

// neverMet says whether nobody was there at first, or nobody answered: who was never
// seen to live can't die.
func neverMet(first wire.Exchange) bool {
	if first.Response != nil {
		return false
	}
	return first.Err == nil || first.Kind() == wire.KindTimeout || first.Kind() == wire.KindUnreachable || nobodyThere.MatchString(first.Err.Error())
}

// watch lets the endpoint's service show by a plain request that it lives, and
// logs in again where a process that came back has forgotten the session.
func (s *Session) watch(e *Endpoint, first Evidence) {
	if neverMet(first.Exchange) {
		return
	}
	s.Watch(first, func() (wire.Request, error) { return e.WithChat(s.NewChatID()), nil })
	if !s.logsIn() {
		s.watchSession(e)
		return
	}
	s.OnComeback(e.Request, func(_ context.Context, send func(string, wire.Request) Evidence) {
		if _, served := s.TokenIn(send("is the session still there?", e.WithChat(s.NewChatID())).Exchange); served {
			return
		}
		// Nothing else goes to the service meanwhile: whoever is about to find out what
		// a visit shows may be waiting for that to end.
		like, known, err := s.pages.mended.Known()
		if !known || err != nil {
			like = &Visit{}
		}
		visit, err := s.visitAnew(s.Target.Login, like)
		if err != nil {
			return // the next check that needs the session says so
		}
		if again, err := discover(visit); err == nil {
			s.replace(e.Request, s.likeBefore(again, e, visit).Request)
			if visit.Token != "" { // the page that was open has the session that is lost
				s.pages.mended.Replace(visit)
				if !visit.Mended {
					s.pages.first.Replace(visit)
				}
			}
		}
	})
}

// replace lets the credentials of one request go out instead of those of
// another that no longer count.
func (s *Session) replace(old, now wire.Request) {
	for _, name := range slices.Sorted(maps.Keys(now.Header)) {
		if BrowserHeaders.MatchString(name) || len(old.Header[name]) != len(now.Header[name]) {
			continue
		}
		for i, v := range old.Header[name] {
			if next := now.Header[name][i]; v != next {
				s.Traffic.Replace(v, next)
			}
		}
	}
}
