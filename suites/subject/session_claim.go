package subject

import (
	"net/url"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// SessionIn names the claim of a token that is the session by which the user gets it; ""
// for none. A session that is the user's id or address is another mistake, which
// AUTH-BAD-SESSION tells.
func (s *Session) SessionIn(raw token.Raw) string {
	t, err := token.Decode(raw)
	if err != nil {
		return ""
	}
	root, ok := param.DecodeJSON(t.Claims.JSON())
	if !ok {
		return ""
	}
	sessions := s.sessions()
	name := ""
	param.WalkJSON(root, param.Leaf{}, func(l param.Leaf) any {
		if text, ok := l.Value.(string); ok && slices.Contains(sessions, text) && !NamesSomebody(l.Name()) {
			name = strings.Join(l.Steps, ".")
		}
		return param.Keep
	})
	return name
}

// sessions are the values by which the first user is known: what the page's scripts
// can't read of its cookies, and what the endpoint is sent besides cookies.
func (s *Session) sessions() []string {
	var out []string
	if s.Target.PageURL != "" {
		if v, err := s.visitWithToken(); err == nil {
			for _, c := range v.State.Cookies {
				if c.HTTPOnly {
					out = append(out, c.Value)
				}
			}
		}
	}
	if e, err := s.Endpoint(); err == nil {
		for name, values := range e.Request.Header {
			if mayBeSession(name) && !IsCSRFName(name) && !e.sendsChat(name) && (name != "Cookie" || s.Target.PageURL == "") {
				out = append(out, redact.HeaderSecrets(name, strings.Join(values, "; "))...)
			}
		}
		for _, l := range e.Bearers() {
			out = append(out, l.Text())
		}
	}
	for _, value := range slices.Clone(out) {
		if plain, err := url.QueryUnescape(value); err == nil {
			out = append(out, plain)
		}
	}
	return slices.DeleteFunc(out, func(value string) bool { return len(value) < redact.MinSecret })
}
