package forge

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Spelling is one way to write something: a JSON body or a signature.
type Spelling struct {
	Name  string
	Bytes []byte
	Why   string
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
		{"indented", wide.Bytes(), why},
		{"CRLF line ends", bytes.ReplaceAll(wide.Bytes(), []byte("\n"), []byte("\r\n")), why},
		{"without white space", compact.Bytes(), why},
		{"spaces after commas and colons", inStrings(compact.Bytes(), spaced, asIs), why},
		{"members in another order", []byte(turned.String()), why},
		{`non-ASCII as \u escapes`, inStrings(payload, same, escapeWide), why},
		{"non-ASCII as it is", inStrings(payload, same, unescapeWide), why},
		{`slashes as \/`, inStrings(payload, same, escapeSlash), why},
		{"letters as \\u escapes", inStrings(payload, same, escapeFirst), why},
		{"a trailing newline", append(bytes.Clone(payload), '\n'), why},
		{"white space around", []byte(" \t" + string(payload) + "\r\n "), why},
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
		{"hex", []byte(hex.EncodeToString(sum)), other},
		{"hex in capitals", []byte(strings.ToUpper(hex.EncodeToString(sum))), other},
		{"base64url", []byte(base64.URLEncoding.EncodeToString(sum)), other},
		{"base64 of hex", []byte(std([]byte(hex.EncodeToString(sum)))), other},
		{"last byte cut off", []byte(std(sum[:len(sum)-1])), prefix},
		{"cut in half", []byte(std(sum[:len(sum)/2])), prefix},
		{"first byte only", []byte(std(sum[:1])), prefix},
		{"prefixed with sha256=", []byte("sha256=" + correct), other},
		{"prefixed with HMAC-SHA-256", []byte("HMAC-SHA-256 " + correct), other},
		{"a zero byte behind", []byte(std(append(bytes.Clone(sum), 0))), prefix},
		{"text behind", []byte(correct + "AAAA"), other},
		{"twice in one line", []byte(correct + "," + correct), other},
		{"zero bytes", []byte(std(make([]byte, len(sum)))), "A digest that was never computed is zero."},
		{"empty", nil, "Nothing must not be like nothing."},
	}
	return slices.DeleteFunc(all, func(s Spelling) bool { return string(s.Bytes) == correct }), nil
}
