package catalogue

import (
	"context"

	"github.com/kindlytest/kindlytest/suites/subject"
	"golang.org/x/sync/errgroup"
)

// hooksAtOnce is how many webhooks one check judges at the same time.
const hooksAtOnce = 4

// eachHook makes a probe that judges every webhook and reports the worst. At
// its last turn a check judges one after another: they may be one service, and
// what kills it must be known.
func eachHook(judge func(context.Context, *subject.Session, *subject.Webhook) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return func(ctx context.Context, s *subject.Session) subject.Verdict {
		var group errgroup.Group
		group.SetLimit(hooksAtOnce)
		running := subject.RunningOf(ctx)
		if running.Alone {
			group.SetLimit(1)
		}
		verdicts := make([]subject.Verdict, len(s.Webhooks))
		for i, h := range s.Webhooks {
			group.Go(func() error {
				verdicts[i] = subject.Guarded(running.Rule.ID, func() subject.Verdict { return judge(ctx, s, h) })
				return nil
			})
		}
		group.Wait() // the functions return no errors
		for i, h := range s.Webhooks {
			if len(s.Webhooks) > 1 && verdicts[i].Actual != "" {
				verdicts[i].Actual = h.Name() + ": " + verdicts[i].Actual
			}
		}
		return subject.Worst(running.Rule.Level, verdicts...)
	}
}

// onServed makes a probe of a function over the control as a call that it may
// change, and how it was answered, of each webhook that does not turn it away.
func onServed(judge func(context.Context, *subject.Webhook, subject.Call, subject.Evidence) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return eachHook(func(ctx context.Context, _ *subject.Session, h *subject.Webhook) subject.Verdict {
		if v, unserved := h.Unserved(ctx, "HOOK-VALID"); unserved {
			return v
		}
		c, before, err := h.ControlCall(ctx)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		return judge(ctx, h, c, before)
	})
}
