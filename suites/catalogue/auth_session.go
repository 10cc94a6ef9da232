package catalogue

import (
	"context"
	"net/http"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites/subject"
)

var authNoSession = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	ev := s.Do(ctx, "without credentials", subject.WithoutSession(e.WithChat(s.NewChatID())))
	return gaveNone("without credentials", ev)
})

var authBadSession = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	var verdicts []subject.Verdict
	for _, bad := range badSessions {
		r := e.WithChat(s.NewChatID())
		if !breakSession(r.Header, bad.change) {
			return subject.Missing("the page's request carries no session that could be broken")
		}
		verdicts = append(verdicts, gaveNone(bad.name, s.Do(ctx, bad.name, r)))
	}
	return subject.Worst(rule.Must, verdicts...)
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
		if subject.BrowserHeaders.MatchString(name) || subject.IsCSRFName(name) {
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
			if key, value, ok := strings.Cut(p, "="); ok && !subject.IsCSRFName(key) {
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
