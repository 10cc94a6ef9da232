package catalogue

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
)

var noBearer = regexp.MustCompile(`(?i)^(?:(?:bearer|token|jwt)\s*)?(null|undefined|none|nan|\[object \w+\]|\{\}|)$`)

// bearerMissing tells a request whose Authorization holds what a language makes of
// a value that is missing.
func bearerMissing(c *call) (string, []subject.Evidence) {
	text, _ := c.whereStatus(400, 403)
	if text == "" {
		return "", nil
	}
	for _, value := range c.asked.Header.Values("Authorization") {
		if m := noBearer.FindStringSubmatch(strings.TrimSpace(value)); m != nil {
			return fmt.Sprintf("%s; in the page's Authorization stands “%s” instead of a token", text, cmp.Or(m[1], "nothing")), nil
		}
	}
	return "", nil
}

// garbled are ways in which pages spoil a session's token on its way into
// Authorization, and how it is mended.
var garbled = []struct {
	what   string
	spoilt *regexp.Regexp
	mended string
}{
	{"Bearer stands there twice", regexp.MustCompile(`(?i)^bearer\s+(bearer\s)`), "$1"},
	{"the session's token stands in quotes there, as JSON.stringify writes it", regexp.MustCompile(`(?i)^(bearer\s+)?"(.+)"$`), "$1$2"},
	{"the session's token stands there without Bearer", regexp.MustCompile(`^(\S+)$`), "Bearer $1"},
	{"a colon stands behind Bearer", regexp.MustCompile(`(?i)^(bearer)\s*:`), "$1"},
}

// bearerGarbled tells a spoilt Authorization by sending the request once more with
// a sound one.
func bearerGarbled(c *call) (string, []subject.Evidence) {
	text, _ := c.whereStatus(400, 403)
	if text == "" || c.token {
		return "", nil
	}
	value := strings.TrimSpace(wire.HeaderValue(c.asked.Header, "Authorization"))
	for _, g := range garbled {
		if !g.spoilt.MatchString(value) {
			continue
		}
		again := subject.Resend(*c.asked)
		again.Header.Set("Authorization", g.spoilt.ReplaceAllString(value, g.mended))
		if ev, token := c.send("the same request with Authorization put right", again); token {
			return text + "; in the page's Authorization, " + g.what + ", and without that the same request brings a token", []subject.Evidence{ev}
		}
	}
	return "", nil
}

var (
	ofAudience = regexp.MustCompile(`(?i)\b(?:audience|aud|issuer|iss)\b`)
	authStatus = regexp.MustCompile(`(?i)^(.*auth.*-)status$`)
	noSession  = regexp.MustCompile(`(?i)signed.?out|unauthenticated|anonymous|none|expired|invalid|failed`)
)

// ofBearer is what can be told of a JWT that the page sends to be known by.
func (c *call) ofBearer() string {
	_, raw, _ := strings.Cut(wire.HeaderValue(c.asked.Header, "Authorization"), " ")
	t, err := token.Decode(token.Raw(strings.TrimSpace(raw)))
	if err != nil {
		return ""
	}
	now := c.asked.Started
	switch ends := t.Expires(); {
	case !ends.IsZero() && ends.Before(now):
		return fmt.Sprintf("the token in the page's Authorization expired %s before that", now.Sub(ends).Round(time.Second))
	case ofAudience.MatchString(subject.RefusedFor(c.last().ResponseHeader)) || ofAudience.Match(c.last().ResponseBody):
		return fmt.Sprintf("the token in the page's Authorization has iss %s and aud %s", claim(t, "iss"), claim(t, "aud"))
	}
	return ""
}

// claim is a claim's value as JSON, one that says of nobody who they are.
func claim(t *token.Token, name string) string {
	return subject.Bound(cmp.Or(t.Claims.Get(name).JSON(), "(none)"), 100)
}
