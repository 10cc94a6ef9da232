// Package clip shortens foreign text that a message quotes or that is kept.
package clip

import (
	"strings"
	"unicode/utf8"
)

// Text shortens s to n bytes, at a rune, and marks it by an ellipsis. What is no
// UTF-8 is replaced.
func Text(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// Runes shortens s to n runes, the last of which is an ellipsis if
// anything was cut.
func Runes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	count := 0
	cut := 0 // where the ellipsis would go
	for i := range s {
		if count == n-1 {
			cut = i
		}
		if count == n {
			return s[:cut] + "…"
		}
		count++
	}
	return s
}
