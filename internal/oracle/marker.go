package oracle

import (
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A Marker is a claim of the page's token that may show in an answer.
type Marker struct {
	Claim string // "name"
	Value string // "Ada Lovelace"; shorter than 3 characters proves nothing
}

const shortestMarker = 3

func (m Marker) usable() bool { return utf8.RuneCountInString(m.Value) >= shortestMarker }

// Telling says whether the value can hardly turn up by chance. Digits can: an
// order has a number of as many as a user.
func (m Marker) Telling() bool {
	if strings.Trim(m.Value, "0123456789") == "" {
		return len(m.Value) >= 10
	}
	return len(m.Value) >= 6
}

// maxBody bounds how much of an answer is looked at.
const maxBody = 256 << 10

func body(ex wire.Exchange) []byte {
	b := ex.Body()
	return b[:min(len(b), maxBody)]
}

// Shows says whether s stands in the answer, as it is or escaped for JSON,
// HTML or URLs, in the body or in Location. Case matters.
func Shows(ex wire.Exchange, s string) bool { return s != "" && look(ex).show(s) }

// ShowsWord is Shows for something that is not unique: it must not be a part of
// a longer word or number.
func ShowsWord(ex wire.Exchange, s string) bool { return s != "" && look(ex).showWord(s) }

// Verbatim says whether s stands in the answer as a reader of the decoded
// text gets it: JSON is decoded, HTML and URLs are not. Markup that is
// Verbatim is markup for whoever shows the text.
func Verbatim(ex wire.Exchange, s string) bool {
	b := body(ex)
	if !json.Valid(b) {
		return s != "" && (strings.Contains(string(b), s) || strings.Contains(unescapeJSON(string(b)), s))
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return false
	}
	return s != "" && inStrings(v, s)
}

func inStrings(v any, s string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, s)
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return inStrings(e, s) })
	case map[string]any:
		for name, value := range v {
			if strings.Contains(name, s) || inStrings(value, s) {
				return true
			}
		}
	}
	return false
}

// views are the readings of one answer.
type views []string

func look(ex wire.Exchange) views {
	if ex.Response == nil {
		return nil
	}
	raw := string(body(ex)) + "\n" + ex.Response.Header.Get("Location")
	v := views{raw}
	v = v.and(unescapeJSON(raw))
	for _, s := range v {
		v = v.and(html.UnescapeString(s))
	}
	for _, s := range v {
		v = v.and(unescapeURL(s))
	}
	return v
}

// and adds s unless it is there.
func (v views) and(s string) views {
	if slices.Contains(v, s) {
		return v
	}
	return append(v, s)
}

func (v views) show(s string) bool {
	return slices.ContainsFunc(v, func(view string) bool { return strings.Contains(view, s) })
}

// showWord is show for something that is not unique: "Ada" is not in "Canada".
func (v views) showWord(s string) bool {
	return slices.ContainsFunc(v, func(view string) bool {
		for at := 0; ; {
			i := strings.Index(view[at:], s)
			if i < 0 {
				return false
			}
			before, _ := utf8.DecodeLastRuneInString(view[:at+i])
			after, _ := utf8.DecodeRuneInString(view[at+i+len(s):])
			if !isWord(before) && !isWord(after) {
				return true
			}
			at += i + len(s)
		}
	})
}

func isWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// unescapeJSON undoes the escapes of JSON strings wherever they stand, so that
// it works on bodies that are cut off or no JSON.
func unescapeJSON(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		j := strings.IndexByte(s[i:], '\\')
		if j < 0 {
			b.WriteString(s[i:])
			break
		}
		b.WriteString(s[i : i+j])
		i += j
		end := escapeEnd(s, i)
		var decoded string
		if json.Unmarshal([]byte(`"`+s[i:end]+`"`), &decoded) != nil {
			decoded = s[i:end]
		}
		b.WriteString(decoded)
		i = end
	}
	return b.String()
}

// escapeEnd returns where the escape at s[i] ends; both halves of a surrogate
// pair are one escape.
func escapeEnd(s string, i int) int {
	if i+1 < len(s) && s[i+1] != 'u' {
		return i + 2
	}
	end := min(i+6, len(s))
	if strings.HasPrefix(s[end:], `\u`) && i+3 < len(s) && (s[i+2] == 'd' || s[i+2] == 'D') {
		end = min(end+6, len(s))
	}
	return end
}

// unescapeURL undoes percent-encoding where it is whole.
func unescapeURL(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b.WriteByte(' ')
		case s[i] == '%' && i+2 < len(s):
			decoded, err := url.PathUnescape(s[i : i+3])
			if err != nil {
				b.WriteByte('%')
				continue
			}
			b.WriteString(decoded)
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
