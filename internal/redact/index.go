package redact

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/jws"
)

// A pattern is one spelling of a value.
type pattern struct {
	text string
	// The characters before and after hold some bits of the value, too, as in
	// base64 that begins elsewhere.
	before, after bool
}

// An index finds patterns by their first MinSecret bytes. A bit for each hash
// says quickly that there is none, so that a text is read about as fast as it
// could be copied, however many are known.
type index struct {
	bits []uint64
	by   map[uint64][]pattern
	size int
}

const hashBits = 18

// maxAlike bounds the patterns that begin alike, as nobody's secrets do by
// chance: a text with many of them would be slow to read.
const maxAlike = 1000

// head is the first MinSecret bytes of what begins at i, as a number.
func head(text string, i int) uint64 {
	s := text[i : i+MinSecret]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40
}

func hash(head uint64) uint64 { return head * 0x9E3779B97F4A7C15 >> (64 - hashBits) }

func (x *index) add(patterns ...pattern) {
	if x.by == nil {
		x.by, x.bits = map[uint64][]pattern{}, make([]uint64, 1<<hashBits/64)
	}
	for _, p := range patterns {
		if len(p.text) < MinSecret || x.has(p.text) {
			continue
		}
		at := head(p.text, 0)
		h := hash(at)
		x.bits[h/64] |= 1 << (h % 64)
		list := x.by[at]
		// The longest first: one may hold another.
		i, _ := slices.BinarySearchFunc(list, p, func(a, b pattern) int { return len(b.text) - len(a.text) })
		if len(list) < maxAlike {
			x.by[at] = slices.Insert(list, i, p)
			x.size++
		}
	}
}

func (x *index) has(text string) bool {
	return x.size > 0 && slices.ContainsFunc(x.by[head(text, 0)], func(p pattern) bool { return p.text == text })
}

// ellipsis marks where a text was cut, by whomever.
const ellipsis = "…"

// match returns the longest pattern that text goes on with at i, and how much of
// it is there: less than all where the text was cut.
func (x *index) match(head uint64, text string, i int, cut bool) (p pattern, length int) {
	for _, p := range x.by[head] {
		rest := text[i:]
		n := common(rest, p.text)
		switch {
		case n == len(p.text), n == len(rest) && cut, strings.HasPrefix(rest[n:], ellipsis):
			return p, n
		}
	}
	return pattern{}, 0
}

// common is how long two texts are the same, MinSecret at least.
func common(a, b string) int {
	n := min(len(a), len(b))
	if a[:n] == b[:n] {
		return n
	}
	i := MinSecret
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// longestEncoded bounds the values that are looked for in base64 and hex: a
// picture in a page's storage is no credential.
const longestEncoded = 4 << 10

// patternsOf are the spellings of a value that no unescaping leads to.
func patternsOf(value string) []pattern {
	plain := []string{value}
	for range levels { // an escaped cookie stands for another value
		once, changed := unescape(escapes, nil, nil, nil, plain[len(plain)-1], false)
		if !changed {
			break
		}
		plain = append(plain, string(once))
	}
	if latin := latin1(value); latin != "" {
		plain = append(plain, latin)
	}
	var out []pattern
	for _, v := range plain {
		out = append(out, pattern{text: fold(strings.Clone(v))})
		if len(v) < MinSecret || len(v) > longestEncoded {
			continue
		}
		lower := hex.EncodeToString([]byte(v))
		out = append(out, pattern{text: lower}, pattern{text: strings.ToUpper(lower)})
		for shift := range 3 {
			out = append(out, inBase64(v, shift, base64.RawStdEncoding), inBase64(v, shift, base64.RawURLEncoding))
		}
	}
	return out
}

// inBase64 is what the base64 of a value looks like wherever shift bytes, or a
// multiple of three more, stand before it: the characters that depend on nothing
// else.
func inBase64(v string, shift int, enc *base64.Encoding) pattern {
	all := enc.EncodeToString(append(make([]byte, shift), v...))
	from := (shift*8 + 5) / 6
	to := (shift + len(v)) * 8 / 6
	return pattern{text: fold(all[from:to]), before: shift > 0, after: to < len(all)}
}

// latin1 is a value in ISO 8859-1, "" if that is the same or impossible.
func latin1(v string) string {
	out := make([]byte, 0, len(v))
	for _, r := range v {
		if r > 0xff {
			return ""
		}
		out = append(out, byte(r))
	}
	if len(out) == len(v) {
		return ""
	}
	return string(out)
}

// fold writes spaces for pluses, which mean the same in forms.
func fold(s string) string { return strings.ReplaceAll(s, "+", " ") }

// isBase64 tells whether c is a character of either alphabet, but for the plus.
func isBase64(c byte) bool { return jws.InSegment(c) || c == '/' }
