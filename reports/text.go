package reports

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// printable makes foreign text safe to show: line feeds stay, tabs become
// spaces, and everything else that has no glyph is spelled out (\x1b, \u202e),
// so that no text can move the cursor, set a colour, reverse the line, or hide.
func printable(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\n', unicode.IsPrint(r) && (r != utf8.RuneError || size > 1), r == zeroWidthJoiner:
			b.WriteString(s[i : i+size])
		case r == '\t':
			b.WriteString("  ")
		case unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// oneLine is printable text with every white space made one space.
func oneLine(s string) string {
	return strings.Join(strings.Fields(printable(s)), " ")
}

const (
	zeroWidthJoiner   = '\u200d'
	variationSelector = '\ufe0f' // makes the rune before it a (wide) emoji
)

// runeWidth is the number of terminal cells that r takes. Where terminals
// differ it is the larger number: a line too short is better than one broken.
func runeWidth(r rune) int {
	switch {
	case r == variationSelector:
		return 1
	case r == zeroWidthJoiner, unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

func textWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// cutToWidth shortens one line to at most n cells, with an ellipsis.
func cutToWidth(s string, n int) string {
	if textWidth(s) <= n {
		return s
	}
	used := 0
	for i, r := range s {
		if used+runeWidth(r) > n-1 {
			return s[:i] + "…"
		}
		used += runeWidth(r)
	}
	return s
}

// wrap breaks printable text into lines of at most n cells, at spaces where
// there are any, and keeps the line breaks and the indentation that it has.
func wrap(s string, n int) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n "), "\n") {
		lines = append(lines, wrapLine(line, max(n, 2))...)
	}
	return lines
}

func wrapLine(line string, n int) []string {
	var lines []string
	for {
		at, long := breakPoint(line, n)
		if !long {
			return append(lines, line)
		}
		lines = append(lines, strings.TrimRight(line[:at], " "))
		line = strings.TrimLeft(line[at:], " ")
	}
}

// breakPoint is where a line of more than n cells is to be broken: at the last
// space that fits, or else in mid-word.
func breakPoint(line string, n int) (at int, long bool) {
	used, space, text := 0, 0, false
	for i, r := range line {
		used += runeWidth(r)
		switch {
		case r == ' ' && text:
			space = i
		case r != ' ':
			text = true
		}
		switch {
		case used <= n:
		case space > 0:
			return space, true
		case i > 0:
			return i, true
		default: // not even that fits
			return utf8.RuneLen(r), true
		}
	}
	return 0, false
}

// maxID is more runes than any ID has.
const maxID = 36

func shortID(c Check) string { return clip.Runes(oneLine(c.ID), maxID) }
