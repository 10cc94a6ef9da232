package subject

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// What requests have in common that meet the same code of a service: a process that
// ends of one token whose signature is wrong ends of the next one too, and each time
// costs the run seconds.

// kind names what is out of order about a request, rather than what stands in it.
func (s *Session) kind(r wire.Request) string {
	address, query := r.URL, ""
	if u, err := url.Parse(r.URL); err == nil {
		query = strings.Join(slices.Sorted(maps.Keys(u.Query())), "&")
		u.RawQuery = ""
		address = u.String()
	}
	parts := []string{r.Method, address, query, bodyKind(r.Body)}
	secret := s.secretOf(r)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			switch canonical := http.CanonicalHeaderKey(name); {
			case canonical == "Authorization":
				v = s.credentialsKind(v, r.Body)
			case canonical == http.CanonicalHeaderKey(webhook.HeaderHMAC):
				v = signatureKind(secret, v, r.Body)
			case len(v) > 1<<10:
				v = fmt.Sprintf("%d KB", len(v)>>10)
			}
			parts = append(parts, name+"="+v)
		}
	}
	return strings.Join(parts, "\n")
}

// secretOf is the secret that requests to a webhook are signed with; "" for what is
// no webhook.
func (s *Session) secretOf(r wire.Request) string {
	for _, h := range s.Webhooks {
		if h.Config.URL == r.URL {
			return h.Config.Secret
		}
	}
	return ""
}

// credentialsKind is what is wrong with the token in an Authorization header. Whoever
// verifies RS256 does the same with all signatures that don't verify; with other
// algorithms it depends on what was signed with, so that each token is of its own kind.
func (s *Session) credentialsKind(value string, body []byte) string {
	scheme, raw, _ := strings.Cut(value, " ")
	var message struct {
		ChatID string `json:"chat_id"`
	}
	_ = json.Unmarshal(body, &message) // whose chat is none has another kind of body
	result := s.checkToken(token.Raw(raw), message.ChatID)
	kind := []string{scheme, fmt.Sprint(strings.Count(raw, ".")), fmt.Sprint(strings.HasSuffix(raw, "."))}
	for _, m := range result.Token.Header.Members() {
		if kind = append(kind, m.Name); m.Name == "alg" || m.Name == "kid" || m.Name == "typ" {
			kind = append(kind, m.Value.JSON())
		}
	}
	if alg := result.Token.Algorithm(); alg != "RS256" && result.Token.Header.Exists() {
		kind = append(kind, raw)
	}
	for _, v := range result.Refused() {
		kind = append(kind, v.Rule.ID)
	}
	return strings.Join(kind, " ")
}

// signatureKind says how Kindly-HMAC is written where it is not right.
func signatureKind(secret, value string, body []byte) string {
	if secret != "" && webhook.Verify(secret, body, value) {
		return "right"
	}
	return fmt.Sprintf("%d %t", len(value), utf8.ValidString(value) && strings.IndexFunc(value, func(c rune) bool { return c > 126 }) < 0)
}

// bodyKind is the shape of a body: JSON by its members and their types.
func bodyKind(body []byte) string {
	members, err := webhook.Members(body)
	switch {
	case err == nil:
		return fmt.Sprint(members) // in the order of their names
	case json.Valid(body):
		return "JSON " + string(bytes.TrimSpace(body)[:1])
	}
	return fmt.Sprintf("no JSON %t", len(body) == 0)
}
