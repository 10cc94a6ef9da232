package suites

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/wire"
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

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-NO-SESSION", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Without credentials it gives no token. (401 or 403; another refusal passes with a note.)",
		Fix:  "Require the session before anything else, and answer 401 without one."},
	Needs: NeedEndpoint,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		ev := s.do(ctx, "without credentials", withoutSession(e.withChat(s.newChatID())))
		return gaveNone("without credentials", ev)
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-BAD-SESSION", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "With a broken or invented session it gives no token.",
		Fix:  "Look the session up, and answer 401 where it is not found or does not verify."},
	Needs: NeedEndpoint | NeedLogin, Hostile: true,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		var verdicts []Verdict
		for _, bad := range badSessions {
			r := e.withChat(s.newChatID())
			if !breakSession(r.Header, bad.change) {
				return Missing("the page's request carries no session that could be broken")
			}
			verdicts = append(verdicts, gaveNone(bad.name, s.do(ctx, bad.name, r)))
		}
		return worst(rule.Must, verdicts...)
	}),
})

var badSessions = []struct {
	name   string
	change func(string) string
}{
	{"its first character changed", func(v string) string { return flip(v, 0) }},
	{"a character in its middle changed", func(v string) string { return flip(v, len(v)/2) }},
	{"cut in half", func(v string) string { return v[:len(v)/2] }},
	{"an invented one", func(v string) string { return strings.Repeat("a", max(len(v), 8)) }},
}

// flip changes the character of v at i to another of the same kind.
func flip(v string, i int) string {
	if v == "" {
		return "x"
	}
	c := byte('A')
	if v[i] == 'A' {
		c = 'B'
	}
	return v[:i] + string(c) + v[i+1:]
}

// breakSession changes the value of every cookie and credential header but those
// that protect from CSRF: broken, they would be what the request is refused for.
func breakSession(h http.Header, change func(string) string) bool {
	found := false
	for name, values := range h {
		if browserHeaders.MatchString(name) || isCSRFName(name) {
			continue
		}
		for i, v := range values {
			values[i] = breakValue(name, v, change)
			found = found || values[i] != v
		}
	}
	return found
}

func breakValue(name, v string, change func(string) string) string {
	switch name {
	case "Cookie":
		pairs := strings.Split(v, ";")
		for i, p := range pairs {
			if key, value, ok := strings.Cut(p, "="); ok && !isCSRFName(key) {
				pairs[i] = key + "=" + change(value)
			}
		}
		return strings.Join(pairs, ";")
	case "Authorization":
		if scheme, credential, ok := strings.Cut(v, " "); ok {
			return scheme + " " + change(credential)
		}
	}
	return change(v)
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-BIND-CHAT", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Two chat ids give two tokens, each with its own chat.id.",
		Fix:  "Read the chat id from each request; don't keep it in the session."},
	Needs: NeedEndpoint,
	Probe: onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		for range 2 {
			chatID := s.newChatID()
			raw, ev, err := s.fetchToken(ctx, chatID)
			if err != nil {
				return CouldNotRun(err).With(ev)
			}
			t, err := token.Decode(raw)
			if err != nil {
				return Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
			}
			if t.ChatID() != chatID {
				return Violated("chat.id "+chatID, fmt.Sprintf("chat.id %q", t.ChatID())).With(ev)
			}
		}
		return Holds("two chats, two tokens")
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-BIND-SESSION", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Two users' sessions give two subs, also when they ask at the same time.",
		Fix:  "Take the user from each request's own session; keep nothing about users in variables that requests share."},
	Needs: NeedEndpoint | NeedSecond,
	Probe: onEndpoint(func(ctx context.Context, s *Session, first *endpoint) Verdict {
		second, err := s.secondEndpoint()
		if err != nil {
			return CouldNotRun(err)
		}
		const rounds = 4
		requests := make([]wire.Request, 0, 2*rounds)
		for range rounds {
			requests = append(requests, first.withChat(s.newChatID()), second.withChat(s.newChatID()))
		}
		return judgeSessions(s.atOnce(ctx, s.client, "two users at the same time", requests))
	}),
})

// judgeSessions looks at answers that belong to two users in turn.
func judgeSessions(answers []Evidence) Verdict {
	var subs [2]map[string]bool
	subs[0], subs[1] = map[string]bool{}, map[string]bool{}
	for i, ev := range answers {
		raw, _ := tokenIn(ev.Exchange.Body())
		t, err := token.Decode(raw)
		if err != nil {
			return Missing("one of two users asking at the same time got no token: %s", describe(ev.Exchange)).With(ev)
		}
		subs[i%2][t.Subject()] = true // TOK-SUB-STABLE wants only one
		if subs[1-i%2][t.Subject()] {
			return Violated("each user's own sub", "one user's session gave the sub of the other").With(ev)
		}
	}
	return Holds("two subs, also at the same time")
}

// atOnce sends requests at the same time and returns the answers in order.
func (s *Session) atOnce(ctx context.Context, client *wire.Client, title string, requests []wire.Request) []Evidence {
	answers := make([]Evidence, len(requests))
	done := make(chan struct{})
	for i, r := range requests {
		go func() {
			answers[i] = s.send(ctx, client, title, r)
			done <- struct{}{}
		}()
	}
	for range requests {
		<-done
	}
	return answers
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-CONCURRENT", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "32 requests at once for 32 chats give 32 tokens, each for its own chat.",
		Fix:  "Keep nothing of a request in variables that requests share."},
	Needs: NeedEndpoint, Turn: Alone, Hostile: true,
	Probe: onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		return s.tokensAtOnce(ctx, e, 32)
	}),
})

// tokensAtOnce asks for n tokens at the same time.
func (s *Session) tokensAtOnce(ctx context.Context, e *endpoint, n int) Verdict {
	if _, ev, err := s.fetchToken(ctx, s.newChatID()); err != nil {
		return CouldNotRun(err).With(ev)
	}
	chats := make([]string, n)
	requests := make([]wire.Request, n)
	for i := range chats {
		chats[i] = s.newChatID()
		requests[i] = e.withChat(chats[i])
	}
	var turnedAway []Evidence
	for i, ev := range s.atOnce(ctx, s.crowd, "one of many at once", requests) {
		if limited(ev) {
			turnedAway = append(turnedAway, ev)
			continue
		}
		raw, ok := tokenIn(ev.Exchange.Body())
		if !ok {
			return Violated("a token for each", "one of them got none: "+describe(ev.Exchange)).With(ev)
		}
		t, err := token.Decode(raw)
		if err != nil {
			return Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
		}
		if t.ChatID() != chats[i] {
			return Violated("each token for its own chat", "one of them is for another chat").With(ev)
		}
	}
	if len(turnedAway) > 0 {
		return tooMany(len(turnedAway), n, turnedAway[0])
	}
	return Holds("%d tokens", n)
}

// tooMany is the verdict on a rate limit: one is wise, but this one may turn
// away people who did nothing wrong.
func tooMany(limited, of int, ev Evidence) Verdict {
	return Doubtful("an answer for each", fmt.Sprintf("a rate limit turned %d of %d away (status 429)", limited, of)).With(ev)
}

// leastLife is what a token must have left when it is given out.
const leastLife = 30 * time.Second

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-FRESH", Level: rule.Must, Fidelity: rule.Observed, Source: rule.ChatAuthentication,
		Text: "Asked again for the same chat, it gives a token with at least 30 s to live. The very same token again is a warning: a cache must renew well before exp (--wait-expiry finds out).",
		Fix:  "Sign a new token for each request; it costs a millisecond."},
	Needs: NeedEndpoint,
	Probe: onEndpoint(func(ctx context.Context, s *Session, _ *endpoint) Verdict {
		chatID := s.newChatID()
		first, ev, err := s.fetchToken(ctx, chatID)
		if err != nil {
			return CouldNotRun(err).With(ev)
		}
		// iat and exp count whole seconds: within one, even a new token is the same.
		pause := 1100 * time.Millisecond
		if s.opts.WaitExpiry {
			pause = untilRenewal(first, s.opts.Now())
		}
		if err := sleep(ctx, pause); err != nil {
			return CouldNotRun(err)
		}
		second, ev, err := s.fetchToken(ctx, chatID)
		if err != nil {
			return CouldNotRun(err).With(ev)
		}
		return judgeFresh(first, second, s.opts.Now()).With(ev)
	}),
})

// untilRenewal is the time until Kindly's client would ask again.
func untilRenewal(raw token.Raw, now time.Time) time.Duration {
	t, err := token.Decode(raw)
	if err != nil {
		return 0
	}
	return max(1100*time.Millisecond, t.Expires().Add(-leastLife).Sub(now))
}

func judgeFresh(first, second token.Raw, now time.Time) Verdict {
	t, err := token.Decode(second)
	if err != nil || t.Expires().IsZero() {
		return Missing("the token has no readable exp (see TOK-EXP)")
	}
	// exp counts whole seconds, and the answer took a moment.
	life := t.Expires().Sub(now) + time.Second
	switch {
	case life < leastLife:
		return Violated("at least 30 s to live", fmt.Sprintf("it expires in %s", life.Round(time.Second)))
	case first == second:
		return Doubtful("a new token", "the very same token again")
	}
	return Holds("a new token with %s to live", life.Round(time.Second))
}
