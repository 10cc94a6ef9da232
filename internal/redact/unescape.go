package redact

import (
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/jws"
)

// A family is the characters that escapes of some languages begin with.
type family string

const (
	backslash family = `\`   // of JSON, JavaScript and Python
	escapes   family = `\%&` // also of URLs, and of HTML
)

// layers are the families of which the outermost layer of a text's escapes may
// be: of all, or of one where others are only characters, as in 100%\u0061bc.
func layers(text string) []family {
	var single []family
	for i := range len(escapes) {
		if strings.IndexByte(text, escapes[i]) >= 0 {
			single = append(single, escapes[i:i+1])
		}
	}
	if len(single) < 2 {
		return single
	}
	return append(single, escapes)
}

// unescape appends to dst what the escapes of a family in a text stand for, one
// layer of them. Where places is not nil, it gets where each
// byte stood (by at, where the text itself is the outcome of unescaping). An
// escape that is cut off at the end of a cut text is left out.
func unescape(f family, dst []byte, places *[]int, at []int, text string, cut bool) (out []byte, changed bool) {
	mark := func(from, bytes, step int) { // step: each byte stands for itself
		if places == nil {
			return
		}
		for k := range bytes {
			place := from + k*step
			if at != nil {
				place = at[place]
			}
			*places = append(*places, place)
		}
	}
	for i := 0; i < len(text); {
		if run := f.next(text[i:]); run > 0 {
			dst = append(dst, text[i:i+run]...)
			mark(i, run, 1)
			i += run
			continue
		}
		before := len(dst)
		after, length := unescapeOne(dst, text[i:])
		switch {
		case length > 0:
			dst, changed = after, true
		case cut && len(text)-i < longestEscape && unfinished(text[i:]):
			mark(len(text), 1, 0)
			return dst, changed
		default:
			dst, length = append(dst, text[i]), 1
		}
		mark(i, len(dst)-before, 0)
		i += length
	}
	mark(len(text), 1, 0)
	return dst, changed
}

// next is where the next escape may begin.
func (f family) next(text string) int {
	if len(f) == 1 {
		if i := strings.IndexByte(text, f[0]); i >= 0 {
			return i
		}
		return len(text)
	}
	for i := range len(text) {
		if c := text[i]; c == '\\' || c == '%' || c == '&' {
			return i
		}
	}
	return len(text)
}

// unescapeAt is unescape that tells where things are.
func unescapeAt(f family, text string, at []int, cut bool) (string, []int, bool) {
	if at == nil {
		at = make([]int, len(text)+1)
		for i := range at {
			at[i] = i
		}
	}
	places := make([]int, 0, len(text)+1)
	out, changed := unescape(f, make([]byte, 0, len(text)), &places, at, text, cut)
	return string(out), places, changed
}

const longestEscape = 12

// unfinished tells whether a text looks like the beginning of an escape only.
func unfinished(text string) bool {
	return text == `\` || !strings.ContainsFunc(text[1:], func(r rune) bool {
		return !isHex(byte(r)) && r != 'u' && r != 'x' && r != '#' && r != '\\'
	})
}

// unescapeOne appends what the escape at the beginning of text stands for, and
// returns its length; 0 if it is none.
func unescapeOne(dst []byte, text string) ([]byte, int) {
	switch text[0] {
	case '%':
		if b, ok := hexBytes(text, 1, 2); ok {
			return append(dst, byte(b)), 3
		}
		if r, ok := hexBytes(text, 2, 4); ok && text[1] == 'u' { // of JavaScript's escape()
			return utf8.AppendRune(dst, r), 6
		}
	case '&':
		return unescapeHTML(dst, text)
	case '\\':
		return unescapeBackslash(dst, text)
	}
	return dst, 0
}

// plainEscapes are those of one character.
var plainEscapes = [256]byte{
	'"': '"', '\'': '\'', '\\': '\\', '/': '/', '`': '`', '$': '$', '&': '&', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
}

func unescapeBackslash(dst []byte, text string) ([]byte, int) {
	if len(text) < 2 {
		return dst, 0
	}
	switch text[1] {
	case 'x':
		if b, ok := hexBytes(text, 2, 2); ok {
			return append(dst, byte(b)), 4
		}
	case 'U':
		if r, ok := hexBytes(text, 2, 8); ok {
			return utf8.AppendRune(dst, r), 10
		}
	case 'u':
		return unescapeUnicode(dst, text)
	default:
		if c := plainEscapes[text[1]]; c != 0 {
			return append(dst, c), 2
		}
	}
	return dst, 0
}

// unescapeUnicode takes \u002b, a pair of surrogates, and \u{2b}.
func unescapeUnicode(dst []byte, text string) ([]byte, int) {
	if len(text) > 2 && text[2] == '{' {
		end := strings.IndexByte(text[:min(len(text), longestEscape)], '}')
		if r, ok := hexBytes(text, 3, end-3); end > 3 && ok {
			return utf8.AppendRune(dst, r), end + 1
		}
		return dst, 0
	}
	r, ok := hexBytes(text, 2, 4)
	if !ok {
		return dst, 0
	}
	if low, ok := hexBytes(text, 8, 4); ok && text[6] == '\\' && text[7] == 'u' {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return utf8.AppendRune(dst, pair), 12
		}
	}
	return utf8.AppendRune(dst, r), 6
}

// unescapeHTML takes numbers, also without their semicolon, and names.
func unescapeHTML(dst []byte, text string) ([]byte, int) {
	end, number := 1, len(text) > 2 && text[1] == '#'
	switch {
	case number && text[2]|0x20 == 'x':
		end = 3
		for end < min(len(text), longestEscape) && isHex(text[end]) {
			end++
		}
	case number:
		end = 2
		for end < min(len(text), longestEscape) && '0' <= text[end] && text[end] <= '9' {
			end++
		}
	default:
		for end < min(len(text), 32) && isWord(text[end]) {
			end++
		}
	}
	if end < len(text) && text[end] == ';' {
		end++
	} else if !number {
		return dst, 0
	}
	plain := html.UnescapeString(text[:end])
	if plain == text[:end] {
		return dst, 0
	}
	return append(dst, plain...), end
}

// hexBytes reads n hexadecimal digits from i.
func hexBytes(text string, i, n int) (v rune, ok bool) {
	if n <= 0 || n > 8 || len(text) < i+n {
		return 0, false
	}
	for _, c := range []byte(text[i : i+n]) {
		if !isHex(c) {
			return 0, false
		}
		v <<= 4
		switch {
		case c <= '9':
			v |= rune(c - '0')
		default:
			v |= rune(c|0x20-'a') + 10
		}
	}
	return v, true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func isWord(c byte) bool { return jws.InSegment(c) && c != '-' && c != '_' }
