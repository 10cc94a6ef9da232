package suites

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// onEndpoint makes a probe of a function over the auth endpoint.
func onEndpoint(judge func(context.Context, *Session, *endpoint) Verdict) func(context.Context, *Session) Verdict {
	return func(ctx context.Context, s *Session) Verdict {
		e, err := s.endpoint()
		if err != nil {
			return CouldNotRun(err)
		}
		return judge(ctx, s, e)
	}
}

// onServing is onEndpoint where the valid request gets a token: where it does not,
// that another gets none either proves nothing.
func onServing(judge func(context.Context, *Session, *endpoint) Verdict) func(context.Context, *Session) Verdict {
	return onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		if ev, err := s.tokenAnswer(ctx); err != nil {
			return CouldNotRun(err).With(ev)
		}
		return judge(ctx, s, e)
	})
}

// onTokenAnswer makes a probe of a function over the answer to a valid request.
func onTokenAnswer(judge func(*endpoint, Evidence) Verdict) func(context.Context, *Session) Verdict {
	return onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		ev, err := s.tokenAnswer(ctx)
		if err != nil {
			return CouldNotRun(err).With(ev)
		}
		return judge(e, ev)
	})
}

// tokenAnswer is one answer of the endpoint that holds a token, asked for once.
func (s *Session) tokenAnswer(ctx context.Context) (Evidence, error) {
	return s.endpoints.answer.get(func() (Evidence, error) {
		_, ev, err := s.fetchToken(ctx, s.newChatID())
		return ev, err
	})
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-POST-TOKEN", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "A POST with the chat id answers 200 and a JSON object whose token is a string.",
		Fix:  `Answer a POST with {"token": "<the JWT>"} and status 200.`},
	Needs: NeedEndpoint,
	Probe: onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		const expected = `POST: 200 and {"token": "…"}`
		ev := s.do(ctx, "a token for a new chat", e.withChat(s.newChatID()))
		if ev.Exchange.Err != nil {
			err := fmt.Errorf("the endpoint %s could not be called: %v", e, ev.Exchange.Err)
			s.problem(err.Error(), wayToTrust(ev.Exchange.Err, "Is it running, and is the URL right?"))
			return CouldNotRun(err)
		}
		v := judgeTokenAnswer(expected, ev)
		if v.kind == violated && judgeTokenAnswer(expected, e.seen).kind == holds {
			v = Doubtful(expected, v.actual+"; the page's own request got a token, so it may carry something that works only once")
		}
		if v.kind == violated && refusesStranger(ev) && len(e.credentials()) == 0 {
			v = v.Fix("If it wants a session, give it one: --endpoint-header-file FILE, or endpoint.headers in kindlytest.yaml; with a page, page.login.")
		}
		return v.With(ev)
	}),
})

func refusesStranger(ev Evidence) bool {
	return ev.Exchange.Status() == http.StatusUnauthorized || ev.Exchange.Status() == http.StatusForbidden
}

func judgeTokenAnswer(expected string, ev Evidence) Verdict {
	var answer map[string]any
	switch {
	case ev.Exchange.Request.Method != http.MethodPost:
		return Violated(expected, "the page uses "+ev.Exchange.Request.Method)
	case ev.Exchange.Status() != 200:
		return Violated(expected, describe(ev.Exchange))
	case json.Unmarshal(ev.Exchange.Body(), &answer) != nil || answer == nil:
		return Violated(expected, "the body is no JSON object")
	}
	if raw, ok := answer["token"].(string); !ok || raw == "" {
		return Violated(expected, fmt.Sprintf("the object's token is %s", kindOf(answer["token"])))
	}
	return Holds("200 and a token")
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

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-CONTENT-TYPE", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "The answer is application/json.",
		Fix:  "Set Content-Type: application/json."},
	Needs: NeedEndpoint,
	Probe: onTokenAnswer(func(_ *endpoint, ev Evidence) Verdict {
		got := ev.Exchange.Response.Header.Get("Content-Type")
		mediaType, _, _ := strings.Cut(got, ";")
		if !strings.EqualFold(strings.TrimSpace(mediaType), "application/json") {
			return Violated("Content-Type: application/json", fmt.Sprintf("%q", got)).With(ev)
		}
		return Holds("%s", got)
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-NO-STORE", Level: rule.Should, Fidelity: rule.Assumed, Source: "https://www.rfc-editor.org/rfc/rfc9111",
		Text: "The answer forbids caching (Cache-Control: no-store), and has no validator that would allow a 304.",
		Fix:  "Set Cache-Control: no-store, and turn ETag and Last-Modified off for this route (Express sets an ETag by itself)."},
	Needs: NeedEndpoint,
	Probe: onTokenAnswer(func(_ *endpoint, ev Evidence) Verdict {
		h := ev.Exchange.Response.Header
		if !hasDirective(h.Values("Cache-Control"), "no-store") {
			return Violated("Cache-Control: no-store", fmt.Sprintf("Cache-Control: %q", h.Get("Cache-Control"))).With(ev)
		}
		for _, validator := range []string{"ETag", "Last-Modified"} {
			if h.Get(validator) != "" {
				return Violated("no validator", "the answer has "+validator).With(ev)
			}
		}
		return Holds("no-store, no validator")
	}),
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

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-HTTPS", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "The endpoint is HTTPS (loopback excepted).",
		Fix:  "Serve the endpoint over HTTPS: the session and the token go over it."},
	Needs: NeedEndpoint,
	Probe: onEndpoint(func(_ context.Context, _ *Session, e *endpoint) Verdict {
		if strings.HasPrefix(strings.ToLower(e.request.URL), "https:") || isLoopback(e.request.URL) {
			return Holds("%s", e)
		}
		return Violated("an https URL", e.String())
	}),
})

// gaveNone is the verdict on an answer that must not hold a token: a 4xx is
// expected, another refusal passes and is noted.
func gaveNone(what string, ev Evidence) Verdict {
	if holdsToken(ev.Exchange) {
		return Violated("no token", what+": it gave a token").With(ev)
	}
	if ev.Exchange.Err != nil {
		return Violated("an answer without a token", what+": "+describe(ev.Exchange)).With(ev)
	}
	return Holds("%s: %s", what, describe(ev.Exchange))
}

// strictly turns a refusal that is no 4xx into a violation at a level.
func (v Verdict) strictly(ev Evidence, level rule.Level) Verdict {
	if st := ev.Exchange.Status(); v.kind == holds && (st < 400 || st >= 500) {
		return Violated("no token, and a 4xx", v.actual).at(level).With(ev)
	}
	return v
}
