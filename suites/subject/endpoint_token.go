package subject

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Tokens in answers of the endpoint.

// compactJWS matches what looks like a token, anywhere in an answer.
var compactJWS = regexp.MustCompile(`ey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*`)

// tokensIn returns what looks like a token in an answer.
func tokensIn(body []byte) []token.Raw {
	var out []token.Raw
	for _, m := range compactJWS.FindAll(body, 8) {
		out = append(out, token.Raw(m))
	}
	return out
}

// holdsToken says whether an answer gives a token away. Login pages and error
// pages hold other JWTs: a state, a publishable key, what the request brought.
func HoldsToken(ex wire.Exchange) bool {
	page := strings.HasPrefix(strings.TrimSpace(string(ex.Body())), "<")
	for _, raw := range tokensIn(ex.Body()) {
		t, err := token.Decode(raw)
		if page && (err != nil || t.Claims.Get("chat").Kind() == token.Missing) || brought(ex.Request, raw) {
			continue
		}
		return true
	}
	return false
}

// brought says whether a request itself holds a token.
func brought(r wire.Request, raw token.Raw) bool {
	for _, values := range r.Header {
		if strings.Contains(strings.Join(values, "\n"), raw.Secret()) {
			return true
		}
	}
	return strings.Contains(r.URL, raw.Secret()) || bytes.Contains(r.Body, []byte(raw.Secret()))
}

// tokenIn returns the token of an answer: the member "token", or else whatever
// looks like one.
func TokenIn(body []byte) (token.Raw, bool) {
	var answer struct {
		Token string `json:"token"`
	}
	if json.Unmarshal(body, &answer) == nil && answer.Token != "" {
		return token.Raw(answer.Token), true
	}
	if all := tokensIn(body); len(all) > 0 {
		return all[0], true
	}
	return "", false
}
