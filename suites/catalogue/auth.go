package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
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

// onServing is onEndpoint where the valid request gets a token: where it does not,
// that another gets none either proves nothing.
func onServing(judge func(context.Context, *subject.Session, *subject.Endpoint) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return onEndpoint(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
		if ev, err := tokenAnswer(ctx, s); err != nil {
			return subject.CouldNotRun(err).With(ev)
		}
		return judge(ctx, s, e)
	})
}

// onTokenAnswer makes a probe of a function over the answer to a valid request.
func onTokenAnswer(judge func(*subject.Endpoint, subject.Evidence) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return onEndpoint(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
		ev, err := tokenAnswer(ctx, s)
		if err != nil {
			return subject.CouldNotRun(err).With(ev)
		}
		return judge(e, ev)
	})
}

// tokenAnswer is one answer of the endpoint that holds a token, asked for once.
func tokenAnswer(ctx context.Context, s *subject.Session) (subject.Evidence, error) {
	return s.Endpoints.Answer.Get(func() (subject.Evidence, error) {
		_, ev, err := s.FetchToken(s.Base, s.NewChatID())
		return ev, err
	})
}

var authPostToken = onEndpoint(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	const expected = `POST: 200 and {"token": "…"}`
	ev := s.Do(ctx, "a token for a new chat", e.WithChat(s.NewChatID()))
	if ev.Exchange.Err != nil {
		err := fmt.Errorf("the endpoint %s could not be called: %v", e, ev.Exchange.Err)
		s.Problem(err.Error(), target.WayToTrust(ev.Exchange.Err, "Is it running, and is the URL right?"))
		return subject.CouldNotRun(err)
	}
	v := judgeTokenAnswer(expected, ev)
	if v.Kind == subject.Broken && judgeTokenAnswer(expected, e.Seen).Kind == subject.Held {
		v = subject.Doubtful(expected, v.Actual+"; the page's own request got a token, so it may carry something that works only once")
	}
	if v.Kind == subject.Broken && refusesStranger(ev) && len(e.Credentials()) == 0 {
		v = v.Fix("If it wants a session, give it one: --endpoint-header-file FILE, or endpoint.headers in kindlytest.yaml; with a page, page.login.")
	}
	return v.With(ev)
})

func refusesStranger(ev subject.Evidence) bool {
	return ev.Exchange.Status() == http.StatusUnauthorized || ev.Exchange.Status() == http.StatusForbidden
}

func judgeTokenAnswer(expected string, ev subject.Evidence) subject.Verdict {
	var answer map[string]any
	switch {
	case ev.Exchange.Request.Method != http.MethodPost:
		return subject.Violated(expected, "the page uses "+ev.Exchange.Request.Method)
	case ev.Exchange.Status() != 200:
		return subject.Violated(expected, subject.Describe(ev.Exchange))
	case json.Unmarshal(ev.Exchange.Body(), &answer) != nil || answer == nil:
		return subject.Violated(expected, "the body is no JSON object")
	}
	if raw, ok := answer["token"].(string); !ok || raw == "" {
		return subject.Violated(expected, fmt.Sprintf("the object's token is %s", kindOf(answer["token"])))
	}
	return subject.Holds("200 and a token")
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "missing or null"
	case string:
		return "an empty string"
	default:
		return fmt.Sprintf("of type %T", v)
	}
}

var authContentType = onTokenAnswer(func(_ *subject.Endpoint, ev subject.Evidence) subject.Verdict {
	got := ev.Exchange.Response.Header.Get("Content-Type")
	mediaType, _, _ := strings.Cut(got, ";")
	if !strings.EqualFold(strings.TrimSpace(mediaType), "application/json") {
		return subject.Violated("Content-Type: application/json", fmt.Sprintf("%q", got)).With(ev)
	}
	return subject.Holds("%s", got)
})

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
	for _, part := range strings.Split(strings.Join(values, ","), ",") {
		if name, _, _ := strings.Cut(strings.TrimSpace(part), "="); strings.EqualFold(name, directive) {
			return true
		}
	}
	return false
}

var authHttps = onEndpoint(func(_ context.Context, _ *subject.Session, e *subject.Endpoint) subject.Verdict {
	if strings.HasPrefix(strings.ToLower(e.Request.URL), "https:") || target.IsLoopback(e.Request.URL) {
		return subject.Holds("%s", e)
	}
	return subject.Violated("an https URL", e.String())
})

// gaveNone is the verdict on an answer that must not hold a token: a 4xx is
// expected, another refusal passes and is noted.
func gaveNone(what string, ev subject.Evidence) subject.Verdict {
	if subject.HoldsToken(ev.Exchange) {
		return subject.Violated("no token", what+": it gave a token").With(ev)
	}
	if ev.Exchange.Err != nil {
		return subject.Violated("an answer without a token", what+": "+subject.Describe(ev.Exchange)).With(ev)
	}
	return subject.Holds("%s: %s", what, subject.Describe(ev.Exchange))
}

// strictly turns a refusal that is no 4xx into a violation at a level.
func strictly(v subject.Verdict, ev subject.Evidence, level rule.Level) subject.Verdict {
	if st := ev.Exchange.Status(); v.Kind == subject.Held && (st < 400 || st >= 500) {
		return subject.Violated("no token, and a 4xx", v.Actual).At(level).With(ev)
	}
	return v
}
