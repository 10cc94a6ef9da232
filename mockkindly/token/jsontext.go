package token

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deep JSON may be nested; tokens have three levels.
const maxDepth = 64

// parseJSON reads one JSON text (RFC 8259), strictly. Its result shares the
// memory of s.
func parseJSON(s string) (Value, error) {
	if !utf8.ValidString(s) {
		return Value{}, fmt.Errorf("is not valid UTF-8 (byte %d)", invalidUTF8(s))
	}
	if strings.HasPrefix(s, "\ufeff") {
		return Value{}, fmt.Errorf("starts with a byte order mark")
	}
	p := parser{s: s}
	v := p.value(0)
	p.space()
	if p.err == nil && p.i < len(s) {
		p.fail("something follows the JSON value")
	}
	if p.err != nil {
		return Value{}, p.err
	}
	return v, nil
}

func invalidUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			return i
		}
	}
	return len(s)
}

// parser stops at its first error: it then stands at the end of s, so that
// all loops end.
type parser struct {
	s   string
	i   int
	err error
}

func (p *parser) fail(what string) {
	if p.err == nil {
		p.err = fmt.Errorf("is not JSON: %s (byte %d)", what, p.i)
	}
	p.i = len(p.s)
}

func (p *parser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return
		}
	}
}

// next skips white space and returns the byte there, 0 at the end.
func (p *parser) next() byte {
	p.space()
	if p.i == len(p.s) {
		return 0
	}
	return p.s[p.i]
}

// accept skips white space, and the byte c (not 0) if it is there.
func (p *parser) accept(c byte) bool {
	if p.next() != c {
		return false
	}
	p.i++
	return true
}

func (p *parser) value(depth int) Value {
	if depth > maxDepth {
		p.fail(fmt.Sprintf("more than %d levels deep", maxDepth))
		return Value{}
	}
	c := p.next()
	start := p.i
	var v Value
	switch {
	case p.i == len(p.s):
		p.fail("it ends too early")
	case c == '{':
		v = Value{kind: Object, members: p.object(depth)}
	case c == '[':
		v = Value{kind: List, members: p.list(depth)}
	case c == '"':
		v = Value{kind: String, text: p.string()}
	case c == '-' || isDigit(c):
		v = Value{kind: Number}
		p.number()
	default:
		v = Value{kind: p.literal()}
	}
	if p.err == nil {
		v.json = p.s[start:p.i]
	}
	return v
}

func (p *parser) object(depth int) []Member {
	p.i++ // {
	if p.accept('}') {
		return nil
	}
	var members []Member
	if depth == 0 {
		members = make([]Member, 0, 16) // the claims of an ordinary token
	}
	for p.err == nil {
		if p.next() != '"' {
			p.fail("a member's name in quotes is missing")
			break
		}
		name := p.string()
		if !p.accept(':') {
			p.fail("a colon is missing")
			break
		}
		members = append(members, Member{name, p.value(depth + 1)})
		if p.accept('}') {
			break
		}
		if !p.accept(',') {
			p.fail("a comma or } is missing")
		}
	}
	return members
}

func (p *parser) list(depth int) []Member {
	p.i++ // [
	if p.accept(']') {
		return nil
	}
	var items []Member
	for p.err == nil {
		items = append(items, Member{Value: p.value(depth + 1)})
		if p.accept(']') {
			break
		}
		if !p.accept(',') {
			p.fail("a comma or ] is missing")
		}
	}
	return items
}

func (p *parser) literal() Kind {
	rest := p.s[p.i:]
	switch {
	case strings.HasPrefix(rest, "true"):
		p.i += len("true")
		return Bool
	case strings.HasPrefix(rest, "false"):
		p.i += len("false")
		return Bool
	case strings.HasPrefix(rest, "null"):
		p.i += len("null")
		return Null
	}
	p.fail("a value is missing")
	return Missing
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (p *parser) digits() {
	if p.i == len(p.s) || !isDigit(p.s[p.i]) {
		p.fail("a digit is missing")
	}
	for p.i < len(p.s) && isDigit(p.s[p.i]) {
		p.i++
	}
}

// at says whether the next byte is one of set.
func (p *parser) at(set string) bool {
	return p.i < len(p.s) && strings.IndexByte(set, p.s[p.i]) >= 0
}

func (p *parser) number() {
	if p.at("-") {
		p.i++
	}
	if p.at("0") {
		p.i++
	} else {
		p.digits()
	}
	if p.at(".") {
		p.i++
		p.digits()
	}
	if p.at("eE") {
		p.i++
		if p.at("+-") {
			p.i++
		}
		p.digits()
	}
	if p.at("0123456789") {
		p.fail("a number starts with 0")
	}
}

// string reads a string in quotes. Most have no escapes, and share memory.
func (p *parser) string() string {
	p.i++ // "
	start := p.i
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return p.s[start : p.i-1]
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			p.fail("a control character in a string")
			return ""
		}
		p.i++
	}
	p.fail("a string does not end")
	return ""
}

// escaped reads on, from start, a string that has escapes.
func (p *parser) escaped(start int) string {
	out := append(make([]byte, 0, p.i-start+32), p.s[start:p.i]...)
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return string(out)
		case c == '\\':
			out = utf8.AppendRune(out, p.escape())
		case c < 0x20:
			p.fail("a control character in a string")
		default:
			out = append(out, c)
			p.i++
		}
	}
	p.fail("a string does not end")
	return ""
}

func (p *parser) escape() rune {
	p.i++ // \
	if p.at("u") {
		return p.unicode()
	}
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if p.i < len(p.s) {
		if n := strings.IndexByte(from, p.s[p.i]); n >= 0 {
			p.i++
			return rune(to[n])
		}
	}
	p.fail("an unknown escape in a string")
	return 0
}

func (p *parser) unicode() rune {
	r := p.hex4()
	if utf16.IsSurrogate(r) && strings.HasPrefix(p.s[p.i:], `\u`) {
		back := p.i
		p.i++
		if pair := utf16.DecodeRune(r, p.hex4()); pair != utf8.RuneError || p.err != nil {
			return pair
		}
		p.i = back
	}
	return r // a lone surrogate becomes U+FFFD when it is appended
}

// hex4 reads the four hex digits of a \u escape, and the u before them.
func (p *parser) hex4() rune {
	if len(p.s)-p.i < 5 {
		p.fail("an unknown escape in a string")
		return 0
	}
	var r rune
	for _, c := range []byte(p.s[p.i+1 : p.i+5]) {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			p.fail("an unknown escape in a string")
			return 0
		}
	}
	p.i += 5
	return r
}
