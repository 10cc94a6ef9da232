package suites

import (
	"context"
	"net/http"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

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
