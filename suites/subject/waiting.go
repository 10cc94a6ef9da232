package subject

import (
	"context"
	"time"
)

// withPatience is context.WithTimeout with an error that says how long it was.
func withPatience(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, slowError(d))
}

// A slowError is context.DeadlineExceeded in plain words.
type slowError time.Duration

func (e slowError) Error() string        { return "not done within " + time.Duration(e).String() }
func (e slowError) Is(target error) bool { return target == context.DeadlineExceeded }

func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pastExpiry is longer than a usual leeway of a minute.
const PastExpiry = 90 * time.Second
