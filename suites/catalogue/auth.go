package catalogue

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// onEndpoint makes a probe of a function over the auth endpoint.
func onEndpoint(judge func(context.Context, *subject.Session, *subject.Endpoint) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return func(ctx context.Context, s *subject.Session) subject.Verdict {
		e, err := s.Endpoint()
		if err != nil {
			return subject.CouldNotRun(err)
		}
		return judge(ctx, s, e)
	}
}

// onLasting is onEndpoint while the session lasts.
func onLasting(judge func(context.Context, *subject.Session, *subject.Endpoint) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return onEndpoint(func(ctx context.Context, s *subject.Session, _ *subject.Endpoint) subject.Verdict {
		return s.Lasting(ctx, func(e *subject.Endpoint) subject.Verdict { return judge(ctx, s, e) })
	})
}

// onServing is onLasting where the valid request gets a token: where it does not,
// or no longer, that another gets none either proves nothing.
func onServing(judge func(context.Context, *subject.Session, *subject.Endpoint) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	lasting := onLasting(judge)
	return onEndpoint(func(ctx context.Context, s *subject.Session, _ *subject.Endpoint) subject.Verdict {
		if ev, err := tokenAnswer(ctx, s); err != nil {
			return subject.CouldNotRun(err).With(ev)
		}
		return lasting(ctx, s)
	})
}

// onTokenAnswer makes a probe of a function over the answer to a valid request.
func onTokenAnswer(judge func(*subject.Endpoint, subject.Evidence) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return onEndpoint(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
		ev, err := tokenAnswer(ctx, s)
		switch {
		case err == nil:
			return judge(e, ev)
		case e.Gave && !e.Socket && s.OnlyInPage() != "": // what the page got is an answer too
			return judge(e, e.Seen)
		}
		return subject.CouldNotRun(err).With(ev)
	})
}

// tokenAnswer is one answer of the endpoint to the harness that holds a token,
// asked for once.
func tokenAnswer(_ context.Context, s *subject.Session) (subject.Evidence, error) {
	return s.Endpoints.Answer.Get(func() (subject.Evidence, error) { return s.PlainAnswer(s.Base) })
}

var authNoStore = onTokenAnswer(func(_ *subject.Endpoint, ev subject.Evidence) subject.Verdict {
	h := ev.Exchange.Response.Header
	if !hasDirective(h.Values("Cache-Control"), "no-store") {
		return subject.Violated("Cache-Control: no-store", fmt.Sprintf("Cache-Control: %q", h.Get("Cache-Control"))).With(ev)
	}
	for _, validator := range []string{"ETag", "Last-Modified"} {
		if h.Get(validator) != "" {
			return subject.Violated("no validator", "the answer has "+validator).With(ev)
		}
	}
	return subject.Holds("no-store, no validator")
})

// hasDirective looks for one in a list header.
func hasDirective(values []string, directive string) bool {
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if name, _, _ := strings.Cut(strings.TrimSpace(part), "="); strings.EqualFold(name, directive) {
			return true
		}
	}
	return false
}

var authHttps = onEndpoint(func(_ context.Context, _ *subject.Session, e *subject.Endpoint) subject.Verdict {
	if strings.HasPrefix(strings.ToLower(e.Request.URL), "https:") || wire.IsLoopback(e.Request.URL) {
		return subject.Holds("%s", e)
	}
	return subject.Violated("an https URL", e.String())
})

// gaveNone is the verdict on an answer that must not hold a token. That there is
// none at all says nothing, nor what a gateway says in its place.
func gaveNone(s *subject.Session, what string, ev subject.Evidence) subject.Verdict {
	if s.GivesToken(ev.Exchange) {
		return subject.Violated("no token", what+": it gave a token").Surely().With(ev)
	}
	return refused(what, ev)
}

// refused is the verdict on an answer that holds nothing of what must be refused: where
// it is the service's own, it was. Of what a gateway says, whose service gave it no
// answer, nobody knows what that would have been.
func refused(what string, ev subject.Evidence) subject.Verdict {
	switch {
	case ev.Exchange.Err != nil:
		return noAnswer(what, ev)
	case service.Gateway(ev.Exchange.Status()):
		return subject.Missing("%s: %s, as a gateway says that gets no answer, which is no refusal: what the service itself makes of it is not known", what, subject.Describe(ev.Exchange)).With(ev)
	}
	return subject.Holds("%s: %s", what, subject.Describe(ev.Exchange))
}

// noAnswer is the verdict where nothing came back: neither a refusal nor a token. Where
// others are answered meanwhile, it is the endpoint that never ends.
func noAnswer(what string, ev subject.Evidence) subject.Verdict {
	if ev.Hung {
		v := subject.Violated("a refusal (401, or 400)", fmt.Sprintf("%s: %s, while the endpoint answers others", what, subject.Describe(ev.Exchange))).At(rule.Should).With(ev).
			Fix("Look for what is never answered there, such as an error in asynchronous code that nobody catches, and answer 401 or 400.")
		v.Broken = "The auth endpoint never answers what it should refuse."
		v.Consequence = "It gives no token away, but whoever is not logged in waits in vain, and strangers hold your connections."
		return v
	}
	return subject.CouldNotRun(fmt.Errorf("%s: %s, which tells nothing", what, subject.Describe(ev.Exchange))).With(ev)
}

// strictly turns a refusal that is no 4xx into a violation: a warning, or a note
// where the protocol says its errors with status 200, as GraphQL does.
func strictly(v subject.Verdict, ev subject.Evidence) subject.Verdict {
	if v.Kind == subject.Broken || ev.Exchange.Err != nil || ev.Exchange.Status()/100 == 4 {
		return v
	}
	level := rule.Should
	if subject.SaysError(ev.Exchange) {
		level = rule.Info
	}
	return subject.Violated("no token, and a 4xx", cmp.Or(v.Actual, v.Reason)).At(level).Oddly(ev.Exchange.Status()).With(ev)
}
