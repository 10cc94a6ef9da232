package catalogue

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// Which cookie is the session, and how it is protected.

var authCookieFlags = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	session, err := sessionCookies(ctx, s, e)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	var verdicts []subject.Verdict
	for _, c := range session {
		verdicts = append(verdicts, judgeCookie(c, wire.IsLoopback(e.Request.URL)))
	}
	return subject.Worst(rule.Should, verdicts...)
})

// sessionCookies are those without which the endpoint gives no token, or somebody
// else's: other cookies (a theme, analytics) may be read by scripts. Where whoever
// asks gets the same token, it is their names that tell.
func sessionCookies(ctx context.Context, s *subject.Session, e *subject.Endpoint) ([]browser.StoredCookie, error) {
	v, err := s.VisitMended()
	if err != nil {
		return nil, err
	}
	sent := map[string]bool{}
	for pair := range strings.SplitSeq(e.Request.Header.Get("Cookie"), ";") {
		name, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
		sent[name] = true
	}
	plain, verdict := whoAmI(ctx, s, e)
	if plain == nil {
		return nil, subject.MissingError(verdict.Reason)
	}
	var out, usual []browser.StoredCookie
	for _, c := range v.State.Cookies {
		if !sent[c.Name] || isCSRFCookie(c, e.Request) || e.ChatCookie(c.Name) {
			continue
		}
		r := e.WithChat(s.NewChatID())
		r.Header.Set("Cookie", subject.WithoutCookie(r.Header.Get("Cookie"), c.Name))
		ev, raw := s.Ask(ctx, "without the cookie "+c.Name, r)
		// What leads to the machine that has the session is none: another time, it is there.
		for try := 0; try < enoughElsewhere && raw == "" && refusedBy(ev.Exchange) && !subject.IsSessionName(c.Name); try++ {
			again := r.Clone()
			again.Form.Anew = true
			if other, given := s.Ask(ctx, "without the cookie "+c.Name, again); given != "" {
				ev, raw = other, given
			}
		}
		switch other, gave := personOf(raw); {
		case gave && other.claims["sub"] != plain.claims["sub"], raw == "" && (refusedBy(ev.Exchange) || failsEachTime(ctx, s, e, ev)):
			out = append(out, c)
		case gave && subject.IsSessionName(c.Name):
			usual = append(usual, c)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	if _, raw := s.Ask(ctx, "without credentials", e.WithoutSession(e.WithChat(s.NewChatID()))); raw == "" {
		return nil, subject.MissingError("the session is no cookie")
	}
	if len(usual) == 0 {
		return nil, subject.MissingError("nobody can tell which cookie is the session: the endpoint gives a token without any (see AUTH-NO-SESSION)")
	}
	return usual, nil
}

// enoughElsewhere is how often a request is sent again, of which each may go to another of a
// few machines.
const enoughElsewhere = 4

// refusedBy says whether an answer turns somebody away, or sends them to log in;
// an error or a rate limit does not.
func refusedBy(ex wire.Exchange) bool {
	return ex.Response != nil && (ex.Status() < 500 || subject.SaysError(ex)) && ex.Status() != http.StatusTooManyRequests
}

// failsEachTime says whether a request ends in an error as often as it is sent, and the
// page's own does not: code that takes the session for granted throws without it.
func failsEachTime(ctx context.Context, s *subject.Session, e *subject.Endpoint, ev subject.Evidence) bool {
	if ev.Exchange.Status() < 500 {
		return false
	}
	again, raw := s.Ask(ctx, ev.Title, ev.Exchange.Request)
	if raw != "" || again.Exchange.Status() < 500 {
		return false
	}
	plain, _ := whoAmI(ctx, s, e)
	return plain != nil
}

// isCSRFCookie says whether a cookie is one that the page's script must read, to
// send it a second time (Django, Angular, Spring, Laravel).
func isCSRFCookie(c browser.StoredCookie, r wire.Request) bool {
	if subject.IsCSRFName(c.Name) {
		return true
	}
	if len(c.Value) < redact.MinSecret {
		return false
	}
	for name, values := range r.Header {
		if name != "Cookie" && name != "Authorization" && strings.Contains(strings.Join(values, "\n"), c.Value) {
			return true
		}
	}
	return bytes.Contains(r.Body, []byte(c.Value))
}

func judgeCookie(c browser.StoredCookie, loopback bool) subject.Verdict {
	var lacking []string
	if !c.HTTPOnly {
		lacking = append(lacking, "HttpOnly")
	}
	if !c.Secure && !loopback {
		lacking = append(lacking, "Secure")
	}
	if c.SameSite == "" || strings.EqualFold(c.SameSite, "None") && !c.Secure {
		lacking = append(lacking, "SameSite")
	}
	if len(lacking) > 0 {
		return subject.Violated("HttpOnly, SameSite, and Secure outside loopback", fmt.Sprintf("the cookie %q lacks %s", c.Name, strings.Join(lacking, ", ")))
	}
	return subject.Holds("the cookie %q has them", c.Name)
}
