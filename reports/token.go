package reports

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"github.com/kindlytest/kindlytest/internal/jws"
)

// A decodedToken is what a token in an exchange says, for people.
type decodedToken struct{ Header, Claims string }

// Bounds of what is decoded of one exchange: hostile tokens are large, deep, or many.
const (
	maxTokens    = 2
	maxTokenText = 8 << 10
)

// decodedTokens are the tokens in an exchange's headers and bodies, each once,
// as indented JSON. What can't be read stays as it stands in the exchange.
func decodedTokens(e Evidence) []decodedToken {
	var out []decodedToken
	seen := map[string]bool{}
	for _, text := range textsOf(e) {
		for _, t := range jws.Find(text) {
			header, claims := indented(t.Header), indented(t.Payload)
			if said := t.Header + t.Payload; seen[said] || header == "" || claims == "" {
				continue
			} else {
				seen[said] = true
			}
			if len(out) == maxTokens {
				return out
			}
			out = append(out, decodedToken{header, claims})
		}
	}
	return out
}

// textsOf are the places of an exchange that may hold a token.
func textsOf(e Evidence) []string {
	var out []string
	add := func(headers []Header, body string) {
		for _, h := range headers {
			out = append(out, h.Value)
		}
		out = append(out, body)
	}
	if e.Request != nil {
		out = append(out, e.Request.URL)
		add(e.Request.Headers, e.Request.Body)
	}
	if e.Response != nil {
		add(e.Response.Headers, e.Response.Body)
	}
	return out
}

// indented is a part of a token as JSON for people; "" if it is none.
func indented(part string) string {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil || len(raw) > maxTokenText || bytes.IndexByte(raw, '{') < 0 {
		return ""
	}
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(raw), "", "  "); err != nil || b.Len() > 4*maxTokenText {
		return ""
	}
	return b.String()
}
