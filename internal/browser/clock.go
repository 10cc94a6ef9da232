package browser

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
)

// A clock moves a page's time with Chrome's virtual time. Once a page is on
// virtual time there is no way back, so from then on the clock hands out real
// time in small portions: measured on Chromium and headless shell, timers then
// run late by a portion at most, and other pages do not notice.
type clock struct {
	mu      sync.Mutex // one grant at a time
	virtual bool
	last    time.Time     // until when real time was handed out
	expired chan struct{} // a grant was used up
}

const (
	portion = 20 * time.Millisecond
	// advancePatience is how long a request of the page may hold up its clock
	// while it is moved.
	advancePatience = 3 * time.Second
)

// Advance moves the page's clock forward: Date.now and performance.now are later
// by d when it returns, and all timers that came due have fired, in order. While
// requests that the page makes on the way are unanswered, its clock stands still
// (for 3 s at most). Frames of other sites and workers keep their own time.
func (p *Page) Advance(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("moving the page's clock by %v: time goes forward only", d)
	}
	if err := p.advance(ctx, d); err != nil {
		return fmt.Errorf("moving the page's clock by %v: %w", d, err)
	}
	return nil
}

func (p *Page) advance(ctx context.Context, d time.Duration) error {
	p.clock.mu.Lock()
	defer p.clock.mu.Unlock()
	defer func() { p.clock.last = time.Now() }() // what this took is not handed out again
	began, err := p.now(ctx)
	if err != nil {
		return err
	}
	p.keepTime()
	patient, cancel := context.WithTimeout(ctx, advancePatience)
	defer cancel()
	err = p.grant(patient, emulation.VirtualTimePolicyPauseIfNetworkFetchesPending, d)
	if err == nil || !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return err
	}
	reached, err := p.now(ctx)
	if err != nil {
		return err
	}
	return p.grant(ctx, emulation.VirtualTimePolicyAdvance, max(d-reached.Sub(began), time.Millisecond))
}

// now is the page's time.
func (p *Page) now(ctx context.Context) (time.Time, error) {
	ms, err := evaluate[float64](ctx, p, `() => Date.now()`)
	return unixTime(ms / 1000), err
}

// grant lets d pass in the page and waits until it has.
func (p *Page) grant(ctx context.Context, policy emulation.VirtualTimePolicy, d time.Duration) error {
	select {
	case <-p.clock.expired: // of a grant that nobody waited for
	default:
	}
	_, err := call(ctx, p.session, emulation.SetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{
		Policy: policy, Budget: new(float64(d) / float64(time.Millisecond)),
	})
	if err != nil {
		return err
	}
	select {
	case <-p.clock.expired:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.session.gone:
		return ErrClosed
	}
}

// keepTime starts to hand out real time. The caller holds the lock.
func (p *Page) keepTime() {
	if p.clock.virtual {
		return
	}
	p.clock.virtual = true
	go func() {
		tick := time.NewTicker(portion)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-p.life.Done():
				return
			}
			p.clock.mu.Lock()
			now := time.Now()
			err := p.grant(p.life, emulation.VirtualTimePolicyAdvance, max(now.Sub(p.clock.last), time.Millisecond))
			p.clock.last = now
			p.clock.mu.Unlock()
			if errors.Is(err, ErrClosed) {
				return
			}
		}
	}()
}

// onExpired notes that a grant was used up.
func (c *clock) onExpired() {
	select {
	case c.expired <- struct{}{}:
	default:
	}
}
