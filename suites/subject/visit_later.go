package subject

import (
	"context"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/suites/service"
)

// A Look is whether the callback was there at a time after the chat client had
// found it.
type Look struct {
	browser.Presence
	When string // "after …," as the beginning of a sentence
}

// Later looks for the callback again: on the first user's page, which has been
// open for a while, and on the page where it was called again, after its router
// was told to go elsewhere. It returns what it saw until something failed.
func (s *Session) Later(ctx context.Context) ([]Look, error) {
	v, err := s.VisitMended()
	if err != nil {
		return nil, err
	}
	var looks []Look
	see := func(p *browser.Page, when string) error {
		ctx, cancel := service.WithTimeout(ctx, s.Patience.Visit)
		defer cancel()
		here, err := p.Presence(ctx)
		if err == nil {
			looks = append(looks, Look{here, when})
		}
		return err
	}
	if err := see(v.page, "later"); err != nil {
		return looks, err
	}
	r, err := s.Renew()
	if err != nil || r.page == nil { // no token, so that nobody called it again
		if err := service.Sleep(ctx, time.Second); err != nil {
			return looks, err
		}
		return looks, see(v.page, "a second later")
	}
	if err := see(r.page, "some seconds later"); err != nil {
		return looks, err
	}
	wandering, cancel := service.WithTimeout(ctx, s.Patience.Visit) // a page may be too busy to go anywhere
	defer cancel()
	routes, err := r.page.Wander(wandering)
	for _, here := range routes {
		looks = append(looks, Look{here, "after another route was gone to"})
	}
	return looks, err
}

// Look says what is there of the callback now.
func (v *Visit) Look(ctx context.Context) browser.Presence {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	here, err := v.page.Presence(ctx)
	if err != nil {
		return browser.Presence{}
	}
	return here
}

// Await looks until the callback is there, but not for long.
func (v *Visit) Await(ctx context.Context) (here browser.Presence, there bool) {
	there = until(ctx, func(ctx context.Context) bool {
		here = v.Look(ctx)
		return here.Callback == "function"
	})
	return here, there
}

// enoughLooks is how often a page is looked at before it is given up, however long
// one look takes: on a busy machine few fit into any time.
const enoughLooks = 20

// until looks again and again, but not for long: there is no event to wait for.
func until(ctx context.Context, there func(context.Context) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
	defer cancel()
	long := time.After(patience)
	for looks := 1; !there(ctx); looks++ {
		if looks >= enoughLooks {
			select {
			case <-long:
				return false
			default:
			}
		}
		if service.Sleep(ctx, 50*time.Millisecond) != nil {
			return false
		}
	}
	return true
}
