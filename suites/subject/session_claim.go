package subject

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// SessionIn names the claim of a token that is the session by which the user gets it; ""
// for none. A session that is the user's id or address is another mistake, which
// AUTH-BAD-SESSION tells.
func (s *Session) SessionIn(ctx context.Context, raw token.Raw) string {
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
		text, ok := l.Value.(string)
		for _, held := range sessions {
			if ok && name == "" && held.is(text) && !NamesSomebody(l.Name()) && s.opens(ctx, held, t.Subject()) {
				name = strings.Join(l.Steps, ".")
			}
		}
		return param.Keep
	})
	return name
}

// A held is a value that may be a session, and where it stands.
type held struct {
	value  string
	header string // "" for what is shown to be one
	cookie string // in the header Cookie
}

// is says whether a text is the value, as it is or unescaped.
func (h held) is(text string) bool {
	if len(text) < redact.MinSecret {
		return false
	}
	plain, err := url.QueryUnescape(h.value)
	return text == h.value || err == nil && text == plain
}

// sessions are the values by which the first user may be known: what the page's scripts
// can't read of its cookies, and what the endpoint is sent besides cookies.
func (s *Session) sessions() []held {
	var out []held
	if s.Target.PageURL != "" {
		if v, err := s.visitWithToken(); err == nil {
			for _, c := range v.State.Cookies {
				if c.HTTPOnly {
					out = append(out, held{c.Value, "Cookie", c.Name})
				}
			}
		}
	}
	if e, err := s.Endpoint(); err == nil {
		for name, values := range e.Request.Header {
			switch {
			case !mayBeSession(name) || IsCSRFName(name) || e.sendsChat(name):
			case name != "Cookie":
				for _, secret := range redact.HeaderSecrets(name, strings.Join(values, "; ")) {
					out = append(out, held{value: secret, header: name})
				}
			case s.Target.PageURL == "":
				for _, c := range (&http.Request{Header: http.Header{name: values}}).Cookies() {
					out = append(out, held{c.Value, name, c.Name})
				}
			}
		}
		for _, l := range e.Bearers() {
			out = append(out, held{value: l.Text()})
		}
	}
	return out
}

// opens says whether a value is a session, and no tenant or market that all users send: that
// is known by its name, or is taken to be so unless the same user gets a token without it, or
// nobody does with it alone.
func (s *Session) opens(ctx context.Context, h held, user string) bool {
	if h.header == "" || h.header == "Authorization" || IsSessionName(h.cookie) || redact.IsSecretName(h.header) || redact.IsSecretName(h.cookie) {
		return true
	}
	e, err := s.Endpoint()
	if err != nil || len(e.Request.Header[h.header]) == 0 {
		return true
	}
	what := h.header
	if h.cookie != "" {
		what = h.cookie
	}
	without := e.WithChat(s.NewChatID())
	if without.Header.Del(h.header); h.cookie != "" {
		without.Header.Set(h.header, WithoutCookie(e.Request.Header.Get(h.header), h.cookie))
	}
	if _, raw := s.Ask(ctx, "without "+what, without); raw != "" {
		if t, err := token.Decode(raw); err == nil && t.Subject() == user {
			return false
		}
	}
	if e.way != nil { // what it is made of has a session of its own
		return true
	}
	alone := e.WithoutSession(e.WithChat(s.NewChatID()))
	if h.cookie == "" {
		alone.Header[h.header] = e.Request.Header[h.header]
	} else {
		alone.Header.Set(h.header, strings.TrimPrefix(alone.Header.Get(h.header)+"; "+h.cookie+"="+h.value, "; "))
	}
	ev, _ := s.Ask(ctx, "with nothing but "+what+" of the session", alone)
	return !refusesSomebody(ev)
}

// IsSessionName says whether a cookie's name is one that frameworks and people give to that of
// a session.
func IsSessionName(name string) bool { return sessionName.MatchString(name) }

var sessionName = regexp.MustCompile(`(?i)^(?:__(?:host|secure)-)?(?:.*sess(?:ion)?(?:[-_.]?id)?|sid|.*[-_.]sid|jsessionid|auth|.*[-_.]auth)$`)

// WithoutCookie is the value of a Cookie header without one of them.
func WithoutCookie(header, name string) string {
	var kept []string
	for pair := range strings.SplitSeq(header, ";") {
		if n, _, _ := strings.Cut(strings.TrimSpace(pair), "="); n != name {
			kept = append(kept, strings.TrimSpace(pair))
		}
	}
	return strings.Join(kept, "; ")
}
