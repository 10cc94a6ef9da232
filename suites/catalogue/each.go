package catalogue

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// A hookProbe judges one webhook by how it stands.
type hookProbe func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict

// eachHook makes a probe that judges every webhook and reports the worst. Where
// one thing is done after another, so are they, in their order.
func eachHook(judge hookProbe) func(context.Context, *subject.Session) subject.Verdict {
	return func(ctx context.Context, s *subject.Session) subject.Verdict {
		var group errgroup.Group
		running := service.RunningOf(ctx)
		group.SetLimit(len(s.Webhooks))
		if running.Alone || s.InOrder() {
			group.SetLimit(1)
		}
		verdicts := make([]subject.Verdict, len(s.Webhooks))
		for i, h := range s.Webhooks {
			group.Go(func() error {
				for range inTimeTries {
					part := running.Part()
					v := subject.Conclude(part, subject.Guarded(running.Rule.ID, func() subject.Verdict {
						st, err := h.Standing()
						if err != nil {
							return subject.CouldNotRun(err)
						}
						return judge(service.WithRunning(ctx, part), h, st)
					}))
					if !part.Late() || v.Sure || v.Kind == subject.Hindered { // what was believed was not refused for its age
						verdicts[i] = v
						break
					}
					verdicts[i] = subject.CouldNotRun(errLate)
				}
				return nil
			})
		}
		group.Wait() // the functions return no errors
		return together(running, s.Webhooks, verdicts)
	}
}

// inTimeTries is how often a check of a webhook is begun anew whose requests waited until
// their token had expired: what is refused then, or fails, tells nothing.
const inTimeTries = 3

var errLate = errors.New("its requests waited, as for a limit, until the token had expired of which they were made")

// together is the verdict on all webhooks: the worst one, under its name. That
// one of them could not be judged weakens what the others pass.
func together(running *service.Running, hooks []*subject.Webhook, verdicts []subject.Verdict) subject.Verdict {
	if len(hooks) == 1 {
		return verdicts[0]
	}
	unjudged := ""
	for i, h := range hooks {
		verdicts[i].Where = h.Name()
		if verdicts[i].Actual != "" {
			verdicts[i].Actual = h.Name() + ": " + verdicts[i].Actual
		}
		if verdicts[i].Kind == subject.Lacking {
			unjudged = h.Name() + ": " + verdicts[i].Reason
			verdicts[i].Reason = unjudged
		}
	}
	v := subject.Joined(running.Rule.Level, verdicts)
	if v.Kind == subject.Held && unjudged != "" {
		v = v.Weak("not judged of " + unjudged)
	}
	return v
}

// onAnswering is eachHook where something is sent: not to a webhook that answers
// nobody.
func onAnswering(judge hookProbe) func(context.Context, *subject.Session) subject.Verdict {
	return eachHook(answering(judge))
}

func answering(judge hookProbe) hookProbe {
	return func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
		if st.Silent {
			v, _ := h.Unserved(st)
			return v
		}
		return judge(ctx, h, st)
	}
}

// onServed is onWelcome where passing rests on a refusal: where the valid request
// is refused as well, nothing can be told.
func onServed(judge hookProbe) func(context.Context, *subject.Session) subject.Verdict {
	return onWelcome(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
		return h.Told(st, judge(ctx, h, st))
	})
}

// onWelcome is onAnswering where passing rests on what bad requests are answered by the
// webhook, and not by what bans who sends them. Where the token is refused from the first,
// strangers tell.
func onWelcome(judge hookProbe) func(context.Context, *subject.Session) subject.Verdict {
	return onAnswering(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
		return h.StillWelcome(ctx, h.WithoutToken(st), judge(ctx, h, st))
	})
}

// onPlain is onServed for what has nothing to do with tokens.
func onPlain(judge hookProbe) func(context.Context, *subject.Session) subject.Verdict {
	served := answering(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
		return h.Told(st, judge(ctx, h, st))
	})
	return eachHook(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
		return served(ctx, h, h.WithoutToken(st))
	})
}

// onCall is onPlain over the valid request as a call that a probe may change.
func onCall(judge func(context.Context, *subject.Webhook, subject.Standing, subject.Call) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return onPlain(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
		c, err := h.ControlCall(ctx, st)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		return judge(ctx, h, st, c)
	})
}
