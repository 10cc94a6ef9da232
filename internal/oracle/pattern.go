package oracle

import (
	"slices"
	"strings"
	"unicode"
)

// A pattern is what several texts have in common: their equal tokens, and
// gaps. The gap token is anyone: where a user's name stood, anything may.
type pattern []string

// maxCells bounds the work of aligning two texts; longer ones keep only what
// they share at both ends.
const maxCells = 250_000

// tokens splits a text into words, runs of white space, and single other
// characters.
func tokens(s string) []string {
	var out []string
	start, last := 0, other
	for i, r := range s {
		kind := kindOf(r)
		if i > 0 && (kind != last || kind == other) {
			out = append(out, token(s[start:i], last))
			start = i
		}
		last = kind
	}
	if start < len(s) {
		out = append(out, token(s[start:], last))
	}
	return out
}

type runeKind uint8

const (
	other runeKind = iota
	word
	space
)

func kindOf(r rune) runeKind {
	switch {
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
		return word
	case unicode.IsSpace(r):
		return space
	}
	return other
}

func token(s string, kind runeKind) string {
	if kind == space {
		return " " // how much of it says nothing
	}
	return s
}

func isWordToken(t string) bool {
	for _, r := range t {
		return kindOf(r) == word
	}
	return false
}

func words(ts []string) int {
	n := 0
	for _, t := range ts {
		if isWordToken(t) {
			n++
		}
	}
	return n
}

// merge returns the pattern of p and one more text.
func (p pattern) merge(ts []string) pattern {
	start := 0
	for start < len(p) && start < len(ts) && p[start] == ts[start] {
		start++
	}
	endP, endT := len(p), len(ts)
	for endP > start && endT > start && p[endP-1] == ts[endT-1] {
		endP, endT = endP-1, endT-1
	}
	out := append(pattern{}, p[:start]...)
	out = append(out, align(p[start:endP], ts[start:endT])...)
	return tidy(append(out, p[endP:]...))
}

// align returns the longest common subsequence of a and b, with gaps.
func align(a, b []string) pattern {
	if len(a) == 0 && len(b) == 0 {
		return nil
	}
	if len(a)*len(b) > maxCells {
		return pattern{anyone}
	}
	width := len(b) + 1
	cells := make([]int32, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				cells[i*width+j] = cells[(i+1)*width+j+1] + 1
			} else {
				cells[i*width+j] = max(cells[(i+1)*width+j], cells[i*width+j+1])
			}
		}
	}
	var out pattern
	for i, j := 0, 0; ; {
		switch {
		case i == len(a) && j == len(b):
			return out
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, a[i])
			i, j = i+1, j+1
			continue
		case j == len(b) || i < len(a) && cells[(i+1)*width+j] >= cells[i*width+j+1]:
			i++
		default:
			j++
		}
		out = append(out, anyone)
	}
}

// tidy joins gaps that have no word between them: two texts share spaces and
// full stops whatever they say.
func tidy(p pattern) pattern {
	var out pattern
	gap := -1 // where the last gap is, if no word has come since
	for _, t := range p {
		switch {
		case t == anyone && gap >= 0:
			out = out[:gap+1]
			continue
		case t == anyone:
			gap = len(out)
		case isWordToken(t):
			gap = -1
		}
		out = append(out, t)
	}
	return out
}

// matches says whether a text has the pattern's tokens in order, and something
// or nothing in the gaps.
func (p pattern) matches(s string) bool {
	text := strings.Join(tokens(s), "")
	pieces := strings.Split(strings.Join(p, ""), anyone)
	if len(pieces) == 1 {
		return text == pieces[0]
	}
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		_, after, ok := strings.Cut(text, piece)
		if !ok {
			return false
		}
		text = after
	}
	return true
}

// gaps says whether anything in the pattern is open.
func (p pattern) gaps() bool {
	return slices.Contains(p, anyone)
}
