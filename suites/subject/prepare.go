package subject

import (
	"context"
	"sync"

	"github.com/kindlytest/kindlytest/target"
)

// The plain facts that all else is compared with are found out before anything hostile
// is sent to whoever they are about: how the page, the endpoint and the webhooks answer
// while nobody hurts them. What can't be found out is said by whoever needs it.

// PrepareEndpoint visits the page as the first user, and finds out what it calls.
func (s *Session) PrepareEndpoint(ctx context.Context, needs target.Need) {
	if ctx.Err() != nil {
		return
	}
	given := s.Target.Endpoint
	s.pages.ahead.wanted = needs&target.NeedSecond != 0 && needs&target.NeedEndpoint != 0 && (given == nil || given.SecondHeader == nil)
	if needs&(target.NeedPage|target.NeedEndpoint|target.NeedToken|target.NeedLogin|target.NeedCross) != 0 && s.Target.PageURL != "" {
		s.VisitFirst()
	}
	if needs&(target.NeedEndpoint|target.NeedToken) != 0 && s.Target.PageURL != "" {
		s.VisitMended()
	}
	if needs&target.NeedEndpoint != 0 {
		s.Endpoint()
	}
}

// PrepareUsers finds out how it is for another user and for nobody, after
// [Session.PrepareEndpoint].
func (s *Session) PrepareUsers(ctx context.Context, needs target.Need) {
	if ctx.Err() != nil {
		return
	}
	var facts []func()
	if needs&target.NeedSecond != 0 && needs&target.NeedEndpoint != 0 {
		facts = append(facts, func() { s.SecondEndpoint() })
	}
	if needs&target.NeedPage != 0 && needs&target.NeedLogin != 0 {
		facts = append(facts, func() { s.VisitLoggedOut() })
	}
	s.allOf(facts)
}

// PrepareWebhooks finds out how webhooks answer, after [Session.PrepareEndpoint].
func (s *Session) PrepareWebhooks(ctx context.Context, needs target.Need) {
	if ctx.Err() != nil || needs&target.NeedWebhook == 0 {
		return
	}
	var facts []func()
	for _, h := range s.Webhooks {
		facts = append(facts, func() { h.Standing() })
	}
	s.allOf(facts)
}

// allOf finds facts out, side by side where nothing has to be in order.
func (s *Session) allOf(facts []func()) {
	if s.InOrder() {
		for _, find := range facts {
			find()
		}
		return
	}
	var group sync.WaitGroup
	for _, find := range facts {
		group.Go(find)
	}
	group.Wait()
}
