// Package shell quotes words for a POSIX shell, so that a user can paste them.
package shell

import (
	"regexp"
	"strings"
	"unicode"
)

// Word makes one word of any text. What is not printable is
// left out: it could play tricks with a terminal.
func Word(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	return quoted(s)
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// CommandLine quotes those of the words that need it, and leaves nothing out.
func CommandLine(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; !plainWord.MatchString(w) {
			out[i] = quoted(w)
		}
	}
	return strings.Join(out, " ")
}
