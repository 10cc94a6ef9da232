package mockkindly

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// removed stands for what was left out, as in the printed form of a token.
const removed = "<signature removed>"

// removeSignatures takes the signature off everything that looks like a token:
// the base64url of something that starts as a JSON object does ({" or { and
// white space), twice, and a signature. That cannot be outside of a JSON string.
// All that leaves the mock passes here, some of it twice, so that it must be
// quick; it takes linear time.
func removeSignatures(text []byte) []byte {
	var out []byte
	done := 0 // what comes before is in out
	for i := 0; i < len(text); {
		next := bytes.IndexByte(text[i:], 'e')
		if next < 0 {
			break
		}
		i += next
		if !startsObject(text[i:]) {
			i++
			continue
		}
		header := segmentEnd(text, i)
		payload := segmentEnd(text, header+1)
		signature := segmentEnd(text, payload+1)
		if header-i < 16 || payload-header-1 < 8 || signature-payload-1 < 8 || text[header] != '.' || text[payload] != '.' {
			i = header // what starts later in this segment is no token either
			continue
		}
		out = append(append(out, text[done:payload+1]...), removed...)
		done, i = signature, signature
	}
	if done == 0 {
		return text
	}
	return append(out, text[done:]...)
}

// startsObject tells whether text begins as the base64url of a JSON object does.
func startsObject(text []byte) bool {
	if len(text) < 3 || text[0] != 'e' {
		return false
	}
	switch c := text[2]; text[1] {
	case 'y':
		return inBase64URL[c] && c != '-' && c != '_'
	case 'w':
		return '0' <= c && c <= '9' || c == 'k' || c == 'o'
	}
	return false
}

// segmentEnd is where the base64url that starts at i ends; at most len(text).
func segmentEnd(text []byte, i int) int {
	for i < len(text) && inBase64URL[text[i]] {
		i++
	}
	return min(i, len(text))
}

// inBase64URL marks the characters of base64url.
var inBase64URL = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		t[c] = true
	}
	return t
}()

// marshal is the only way in which the package writes JSON: whatever a page or
// a webhook put into it, no token leaves with its signature.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // never embedded in HTML; "<signature removed>" stays readable
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return removeSignatures(buf.Bytes()), nil
}

// minSecret is the shortest secret that is looked for in texts: a shorter one
// is found by chance everywhere.
const minSecret = 6

// credentials are what one delivery sent, and an answer may repeat.
type credentials struct {
	token  token.Raw
	secret string
	others []string // of other webhooks, which this one may have learnt
}

// secrets are those that are long enough to be looked for, the longest first:
// one may hold another.
func (c credentials) secrets() []string {
	var found []string
	for _, secret := range append([]string{c.secret}, c.others...) {
		for _, s := range spellings(secret) {
			if len(secret) >= minSecret && !slices.Contains(found, s) {
				found = append(found, s)
			}
		}
	}
	slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) })
	return found
}

// spellings are how a text stands in JSON that is shown as a text itself: the
// body of an answer. Some stacks escape the slash, which base64 has.
func spellings(s string) []string {
	out := []string{s}
	if !neverEscaped(s) {
		literal, _ := json.Marshal(s) // of a string: cannot fail
		out = append(out, string(literal[1:len(literal)-1]))
	}
	if strings.Contains(s, "/") {
		out = append(out, strings.ReplaceAll(out[len(out)-1], "/", `\/`))
	}
	return out
}

// hide returns text without the credentials.
func (c credentials) hide(text string) string {
	if s := c.signature(); s != "" {
		text = strings.ReplaceAll(text, s, removed)
	}
	for _, s := range c.secrets() {
		text = strings.ReplaceAll(text, s, "<secret removed>")
	}
	return text
}

// hideIn is hide for every string in a JSON value, names of members included.
func (c credentials) hideIn(v any) any {
	switch v := v.(type) {
	case string:
		return c.hide(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = c.hideIn(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[c.hide(name)] = c.hideIn(value)
		}
		return out
	}
	return v
}

// signature is the token's last segment, which alone must not be shown.
func (c credentials) signature() string {
	raw := c.token.Secret()
	if s := raw[strings.LastIndexByte(raw, '.')+1:]; len(s) >= minSecret {
		return s
	}
	return ""
}

var stringLiteral = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// marshal is marshal, with the credentials hidden in every string.
func (c credentials) marshal(v any) ([]byte, error) {
	text, err := marshal(v)
	if err != nil {
		return nil, err
	}
	return c.hideInJSON(text), nil
}

// hideInBody is the body of a request without the credentials, and without the
// signature of whatever looks like a token.
func (c credentials) hideInBody(body []byte) []byte {
	body = removeSignatures(body)
	if !json.Valid(body) {
		return []byte(c.hide(string(body)))
	}
	return c.hideInJSON(body)
}

// hideInJSON is hide for every string in a JSON text. It does not look at the
// text as a whole, where a find could begin within an escape.
func (c credentials) hideInJSON(text []byte) []byte {
	if !c.mayBeIn(text) {
		return text
	}
	return stringLiteral.ReplaceAllFunc(text, func(literal []byte) []byte {
		var s string
		if json.Unmarshal(literal, &s) != nil {
			return literal
		}
		hidden := c.hide(s)
		if hidden == s {
			return literal
		}
		out, err := marshal(hidden)
		if err != nil { // a string: cannot happen
			return []byte(`""`)
		}
		return bytes.TrimRight(out, "\n")
	})
}

// mayBeIn is false if the credentials are surely not in a JSON text, which is
// nearly always so, and much faster to find out.
func (c credentials) mayBeIn(text []byte) bool {
	found := func(credential string) bool {
		if len(credential) < minSecret {
			return false
		}
		return !neverEscaped(credential) || bytes.Contains(text, []byte(credential)) ||
			strings.Contains(credential, "/") && bytes.Contains(text, []byte(strings.ReplaceAll(credential, "/", `\\/`)))
	}
	return found(c.signature()) || found(c.secret) || slices.ContainsFunc(c.others, found)
}

// neverEscaped tells whether JSON holds a text as it is.
func neverEscaped(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
