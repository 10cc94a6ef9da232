package browser

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// passedOver is how long a step is waited for that a visitor may be spared.
const passedOver = time.Second

// Do performs steps on the page. Steps whose element is not there are passed
// over if they are lenient: who has consented is not asked again. A step that
// fails gives a *StepError; secret says what its picture must not show.
func (p *Page) Do(ctx context.Context, steps []Step, lenient bool, secret func(string) bool) error {
	for i, step := range steps {
		trying, cancel := ctx, context.CancelFunc(func() {})
		if lenient {
			trying, cancel = context.WithTimeout(ctx, passedOver+step.Idle)
		}
		action, selector, err := p.perform(trying, step)
		cancel()
		if err != nil && !(lenient && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded)) {
			return p.stepError(&StepError{Of: "page", Number: i + 1, Action: action, Selector: selector, Err: err}, secret)
		}
	}
	return nil
}

// scroll goes to the top, the bottom or an element, as somebody reads: pages load
// what comes into view.
func (p *Page) scroll(ctx context.Context, to string) error {
	switch to {
	case "top", "bottom":
		_, err := evaluate[bool](ctx, p, `(top) => {
			const at = document.scrollingElement ?? document.documentElement;
			scrollTo({top: top ? 0 : at.scrollHeight, behavior: "instant"});
			dispatchEvent(new Event("scroll")); // on a page that is too short to scroll, too
			return true;
		}`, to == "top")
		return err
	}
	_, err := p.findElement(ctx, to, `(e) => { e.scrollIntoView({block: "center", behavior: "instant"}); return {}; }`)
	return err
}

func (p *Page) idle(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("there is no time for that: %w", context.Cause(ctx))
	case <-p.life.Done():
		return context.Cause(p.life)
	}
}
