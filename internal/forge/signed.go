package forge

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Spelling is one way to write something: a JSON body or a signature.
type Spelling struct {
	Name  string
	Bytes []byte
	Why   string
	// Lenient marks what lenient decoders of base64 read as the very same bytes:
	// nobody can make it without the secret.
	Lenient bool
	// Odd marks what code may not expect: an error in answer to it is a slip.
	Odd bool
}

// RawJSON returns spellings of one JSON object that mean the same, for
// SIG-RAW-BODY: signed over its own bytes, each is valid, and a webhook that
// parses and writes the body again before it verifies refuses some. Spellings
// that would be like payload are left out; give it a message with a letter
// beyond ASCII to get them all.
func RawJSON(payload []byte) ([]Spelling, error) {
	o, err := parseObject(payload)
	if err != nil {
		return nil, fmt.Errorf("spelling a body in other ways: %w", err)
	}
	var wide, compact bytes.Buffer
	if err := json.Indent(&wide, payload, "", "    "); err != nil {
		return nil, fmt.Errorf("indenting a body: %w", err)
	}
	if err := json.Compact(&compact, payload); err != nil {
		return nil, fmt.Errorf("compacting a body: %w", err)
	}
	turned := slices.Clone(o)
	slices.Reverse(turned)
	const why = "Only the bytes that came are signed; what a parser makes of them has other bytes."
	all := []Spelling{
		{Name: "indented", Bytes: wide.Bytes(), Why: why},
		{Name: "CRLF line ends", Bytes: bytes.ReplaceAll(wide.Bytes(), []byte("\n"), []byte("\r\n")), Why: why},
		{Name: "without white space", Bytes: compact.Bytes(), Why: why},
		{Name: "spaces after commas and colons", Bytes: inStrings(compact.Bytes(), spaced, asIs), Why: why},
		{Name: "members in another order", Bytes: []byte(turned.String()), Why: why},
		{Name: `non-ASCII as \u escapes`, Bytes: inStrings(payload, same, escapeWide), Why: why},
		{Name: "non-ASCII as it is", Bytes: inStrings(payload, same, unescapeWide), Why: why},
		{Name: `slashes as \/`, Bytes: inStrings(payload, same, escapeSlash), Why: why},
		{Name: "letters as \\u escapes", Bytes: inStrings(payload, same, escapeFirst), Why: why},
		{Name: "a trailing newline", Bytes: append(bytes.Clone(payload), '\n'), Why: why},
		{Name: "white space around", Bytes: []byte(" \t" + string(payload) + "\r\n "), Why: why},
	}
	return slices.DeleteFunc(all, func(s Spelling) bool { return bytes.Equal(s.Bytes, payload) }), nil
}

// inStrings rewrites valid JSON: outside is applied to each byte between
// strings, inside to what stands between each string's quotes.
func inStrings(data []byte, outside func(byte) string, inside func(string) string) []byte {
	var out bytes.Buffer
	for i := 0; i < len(data); i++ {
		if data[i] != '"' {
			out.WriteString(outside(data[i]))
			continue
		}
		end := i + 1
		for end < len(data) && data[end] != '"' {
			if data[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end, len(data))
		out.WriteString(`"` + inside(string(data[i+1:end])) + `"`)
		i = end
	}
	return out.Bytes()
}

func same(b byte) string   { return string([]byte{b}) }
func asIs(s string) string { return s }

func spaced(b byte) string {
	if b == ',' || b == ':' {
		return string([]byte{b, ' '})
	}
	return same(b)
}

// escapeWide writes every character beyond ASCII as UTF-16 escapes.
func escapeWide(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// unescapeWide writes the string without needless escapes.
func unescapeWide(s string) string {
	var decoded string
	if err := json.Unmarshal([]byte(`"`+s+`"`), &decoded); err != nil || strings.ContainsRune(decoded, utf8.RuneError) {
		return s // a lone surrogate has no other spelling
	}
	quoted := quote(decoded)
	return quoted[1 : len(quoted)-1]
}

func escapeSlash(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, `\/`, `/`), `/`, `\/`)
}

// escapeFirst escapes the first letter, so that every payload has a spelling
// that no encoder would choose.
func escapeFirst(s string) string {
	if s == "" || s[0] == '\\' || s[0] >= utf8.RuneSelf {
		return s
	}
	return fmt.Sprintf(`\u%04x`, s[0]) + s[1:]
}

// Signatures returns wrong spellings of a correct Kindly-HMAC value, for
// SIG-ENCODING. base64url is among them only where it differs: choose a body
// whose signature holds a + or a /.
func Signatures(correct string) ([]Spelling, error) {
	sum, err := base64.StdEncoding.DecodeString(correct)
	if err != nil || len(sum) < 2 {
		return nil, fmt.Errorf("spelling a signature in other ways: it is no base64 of a digest")
	}
	const (
		other  = "The header holds standard base64 and nothing else."
		prefix = "Comparing only as many bytes as were sent makes guessing easy."
	)
	std := base64.StdEncoding.EncodeToString
	all := []Spelling{
		{Name: "hex", Bytes: []byte(hex.EncodeToString(sum)), Why: other},
		{Name: "hex in capitals", Bytes: []byte(strings.ToUpper(hex.EncodeToString(sum))), Why: other},
		{Name: "base64url", Bytes: []byte(base64.URLEncoding.EncodeToString(sum)), Why: other, Lenient: true},
		{Name: "base64 of hex", Bytes: []byte(std([]byte(hex.EncodeToString(sum)))), Why: other},
		{Name: "last byte cut off", Bytes: []byte(std(sum[:len(sum)-1])), Why: prefix},
		{Name: "cut in half", Bytes: []byte(std(sum[:len(sum)/2])), Why: prefix},
		{Name: "first byte only", Bytes: []byte(std(sum[:1])), Why: prefix},
		{Name: "the first half of its text", Bytes: []byte(correct[:len(correct)/2]), Why: prefix},
		{Name: "the first letter of its text", Bytes: []byte(correct[:1]), Why: prefix},
		{Name: "letters beyond ASCII", Bytes: []byte("sign\u00e6ture"), Why: "Comparing in constant time throws on what it does not expect.", Odd: true},
		{Name: "capitals and small letters changed over", Bytes: []byte(otherCase(correct)), Why: other, Lenient: true},
		{Name: "prefixed with sha256=", Bytes: []byte("sha256=" + correct), Why: other},
		{Name: "prefixed with HMAC-SHA-256", Bytes: []byte("HMAC-SHA-256 " + correct), Why: other},
		{Name: "a zero byte behind", Bytes: []byte(std(append(bytes.Clone(sum), 0))), Why: prefix},
		{Name: "text behind", Bytes: []byte(correct + "AAAA"), Why: other, Lenient: true},
		{Name: "twice in one line", Bytes: []byte(correct + "," + correct), Why: other, Lenient: true},
		{Name: "zero bytes", Bytes: []byte(std(make([]byte, len(sum)))), Why: "A digest that was never computed is zero."},
		{Name: "empty", Bytes: nil, Why: "Nothing must not be like nothing."},
	}
	return slices.DeleteFunc(all, func(s Spelling) bool { return string(s.Bytes) == correct }), nil
}

// otherCase turns capitals into small letters, and small letters into capitals.
func otherCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}
