package subject

import (
	"context"
	"sync"

	"github.com/kindlytest/kindlytest/target"
)

// Prepare finds out the plain facts that all else is compared with, before
// anything hostile is sent: how the page, the endpoint and the webhooks answer
// while nobody hurts them. What can't be found out is said by whoever needs it.
func (s *Session) Prepare(ctx context.Context, needs target.Need) {
	if ctx.Err() != nil {
		return
	}
	if needs&(target.NeedPage|target.NeedEndpoint|target.NeedToken|target.NeedLogin|target.NeedCross) != 0 && s.Target.PageURL != "" {
		s.VisitFirst()
	}
	if needs&(target.NeedEndpoint|target.NeedToken) != 0 && s.Target.PageURL != "" {
		s.VisitMended()
	}
	if needs&target.NeedEndpoint != 0 {
		s.Endpoint()
	}
	var facts []func()
	if needs&target.NeedSecond != 0 && needs&target.NeedEndpoint != 0 {
		facts = append(facts, func() { s.SecondEndpoint() })
	}
	if needs&target.NeedPage != 0 && needs&target.NeedLogin != 0 {
		facts = append(facts, func() { s.VisitLoggedOut() })
	}
	if needs&target.NeedWebhook != 0 {
		for _, h := range s.Webhooks {
			facts = append(facts, func() { h.Standing() })
		}
	}
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
