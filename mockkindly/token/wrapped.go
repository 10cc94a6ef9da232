package token

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxWraps bounds how many wrappings are taken off.
const maxWraps = 4

// wrapping is what people leave around a token by mistake. take returns what is
// within, and what to say of it; ok is false if text is not wrapped so.
type wrapping struct {
	Diagnosis
	take func(text string) (within, problem string, ok bool)
}

// wrappings in the order in which they are tried.
var wrappings = []wrapping{
	{InJSON, fromJSON},
	{PythonBytes, fromPython},
	{InQuotes, fromQuotes},
	{WithBearer, fromBearer},
	{PercentEncoded, fromURL},
	{WithSpace, fromSpace},
}

// unwrap takes off what is wrapped around a token. The problem and the mistake
// are those of the outermost wrapping.
func unwrap(raw string) (text, problem string, mistake Diagnosis) {
	text = raw
	for range maxWraps {
		if strayByte(text) < 0 || isForeign(text) {
			break
		}
		within, found, by, ok := unwrapOnce(text)
		if !ok {
			break
		}
		if within == "" && by == InJSON {
			by = TextForToken // an answer without a token: an error, as a rule
		}
		if problem == "" {
			problem, mistake = found, by
		}
		text = within
	}
	if within, ok := fromBase64(text); ok {
		if problem == "" {
			problem, mistake = "it is base64 of a token", Base64Twice
		}
		text = within
	}
	if problem == "" {
		problem, mistake = notWrapped(text)
	}
	return text, problem, mistake
}

// Unwrap returns the token within what people wrap around one, and by which
// mistake it was; the zero Diagnosis if it is written as a token must be. What is
// no token at all comes back as it is, with what stands in its place.
func Unwrap(raw Raw) (Raw, Diagnosis) {
	if len(raw) > maxBytes {
		return raw, Diagnosis{}
	}
	c := takeApart(string(raw))
	return Raw(c.text), c.mistake
}

func unwrapOnce(text string) (within, problem string, by Diagnosis, ok bool) {
	for _, w := range wrappings {
		if within, problem, ok = w.take(text); ok {
			return within, problem, w.Diagnosis, true
		}
	}
	return text, "", Diagnosis{}, false
}

// notWrapped names what stands in place of a token.
func notWrapped(text string) (problem string, mistake Diagnosis) {
	switch trimmed := strings.TrimSpace(text); {
	case strings.HasPrefix(trimmed, "<"):
		return "it is HTML or XML, not a token", HTMLForToken
	case strings.HasPrefix(trimmed, "[object "):
		return "it is " + quote(trimmed) + ", not a token", NotAwaited
	case leftovers[trimmed]:
		return "it is the text " + quote(trimmed) + ", not a token", MissingMadeText
	}
	at := strayByte(text)
	switch {
	case at < 0:
		return "", Diagnosis{}
	case strings.ContainsAny(text, " \t\r\n") && !strings.HasPrefix(text, "ey"):
		return "it is some text, not a token", TextForToken
	}
	return describeStray(text, at), Diagnosis{}
}

// isForeign says whether text is a page, or what JavaScript makes of an object:
// nothing is wrapped in it.
func isForeign(text string) bool {
	trimmed := strings.TrimSpace(text)
	return strings.HasPrefix(trimmed, "<") || strings.HasPrefix(trimmed, "[object ")
}

// fromJSON takes the token out of an answer, whatever its member is called.
func fromJSON(text string) (within, problem string, ok bool) {
	trimmed := strings.TrimSpace(text)
	if !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		return text, "", false
	}
	const problemOf = "it is JSON, not a token"
	v, err := parseJSON(trimmed)
	if err != nil {
		return "", problemOf, true
	}
	path, found := findToken(v, "")
	if found == "" {
		return "", problemOf + ", and holds none", true
	}
	return found, problemOf + ": the token is its member " + quote(path), true
}

// findToken returns the first string in v that looks like a JWT.
func findToken(v Value, path string) (at, found string) {
	for _, m := range v.Members() {
		name := join(path, m.Name)
		if text, ok := m.Value.Text(); ok && looksLikeJWT(text) {
			return name, text
		}
		if at, found = findToken(m.Value, name); found != "" {
			return at, found
		}
	}
	return "", ""
}

// looksLikeJWT: a header in base64url, and two dots.
func looksLikeJWT(text string) bool {
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2
}

func fromPython(text string) (within, problem string, ok bool) {
	for _, q := range []string{`'`, `"`} {
		if inner, starts := strings.CutPrefix(text, "b"+q); starts && strings.HasSuffix(inner, q) {
			return strings.TrimSuffix(inner, q), "it is written as a Python bytes literal: b" + q + "…" + q, true
		}
	}
	return text, "", false
}

func fromQuotes(text string) (within, problem string, ok bool) {
	within = strings.Trim(strings.TrimSpace(text), "\"'\\`")
	if within == text || !strings.ContainsAny(text[:1]+text[len(text)-1:], "\"'\\`") {
		return text, "", false
	}
	return within, "it is wrapped in quotes", true
}

func fromBearer(text string) (within, problem string, ok bool) {
	const bearer = "Bearer "
	if len(text) <= len(bearer) || !strings.EqualFold(text[:len(bearer)], bearer) {
		return text, "", false
	}
	return text[len(bearer):], `it starts with "Bearer ": that belongs to the Authorization header`, true
}

func fromURL(text string) (within, problem string, ok bool) {
	if !strings.Contains(text, "%") {
		return text, "", false
	}
	within, err := url.PathUnescape(text)
	if err != nil || within == text || !utf8.ValidString(within) {
		return text, "", false
	}
	return within, "it is URL-encoded (with %)", true
}

func fromSpace(text string) (within, problem string, ok bool) {
	at := strings.IndexAny(text, " \t\r\n")
	within = strings.Join(strings.Fields(text), "")
	if at < 0 || !strings.HasPrefix(within, "ey") && strings.Count(within, ".") != 2 {
		return text, "", false
	}
	return within, describeStray(text, at), true
}

func fromBase64(text string) (within string, ok bool) {
	if strings.Contains(text, ".") || len(text) < 32 {
		return text, false
	}
	bare := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	b, err := base64.RawURLEncoding.DecodeString(bare)
	if err != nil || !looksLikeJWT(strings.TrimSpace(string(b))) {
		return text, false
	}
	return strings.TrimSpace(string(b)), true
}

func strayByte(s string) int {
	for i := range len(s) {
		if !alphabet[s[i]] {
			return i
		}
	}
	return -1
}

func describeStray(raw string, at int) string {
	switch c := raw[at]; {
	case c == '\r' || c == '\n':
		return fmt.Sprintf("it has a line end at byte %d of %d", at, len(raw))
	case c == ' ' || c == '\t':
		return fmt.Sprintf("it has white space at byte %d of %d", at, len(raw))
	case c < 0x20 || c >= 0x7f:
		return fmt.Sprintf("it has the byte 0x%02x at %d, which base64url has not", c, at)
	default:
		return fmt.Sprintf("it has the character %q at byte %d, which base64url has not", c, at)
	}
}
