package reports

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"
)

// What is printed in a CI is read by its runner, which takes lines that begin with
// "::" (also after white space), and "##[" and "##vso[" anywhere, for commands: to set
// variables, to mask, to stop. What a target says must be none.

var (
	commandLine = regexp.MustCompile(`(?m)^([^\S\n]*|[\pZ\x{85}\x{feff}]*)::`)
	commandMark = regexp.MustCompile(`##(\w*\[)`)
)

// WithoutCommands takes from text what a CI's runner would obey: "::" that begins a
// line becomes ": :", and "##[" becomes "# #[".
func WithoutCommands(text string) string {
	text = commandMark.ReplaceAllString(text, "# #$1")
	return commandLine.ReplaceAllString(text, "$1: :")
}

// CalmJSON returns a writer for whole JSON texts. It escapes what is foreign in
// their strings and has an effect when it is shown: control characters beyond ASCII,
// those that turn text around, and what a CI's runner takes for a command. The
// values stay what they are.
func CalmJSON(w io.Writer) io.Writer { return calmJSON{w} }

type calmJSON struct{ w io.Writer }

func (c calmJSON) Write(text []byte) (int, error) {
	if _, err := c.w.Write(calm(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// calm copies only what it must change: a report has megabytes.
func calm(text []byte) []byte {
	var out []byte
	kept := 0
	for i := 0; i < len(text); {
		if text[i] < 0x7f && text[i] != '#' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == '#' && commandMark.Match(text[i:min(len(text), i+40)]) && bytes.HasPrefix(text[i:], []byte("##")) || hasEffect(r) {
			out = append(out, text[kept:i]...)
			out = fmt.Appendf(out, `\u%04x`, r)
			kept = i + size
		}
		i += size
	}
	if out == nil {
		return text
	}
	return append(out, text[kept:]...)
}

// hasEffect says whether a rune acts on what is shown instead of being shown. Each
// is of the basic plane, so that one \u spells it.
func hasEffect(r rune) bool {
	switch {
	case 0x7f <= r && r <= 0x9f: // DEL and the C1 controls
		return true
	case r == 0x061c, r == 0x200e, r == 0x200f, 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069: // bidi
		return true
	}
	return r == 0x2028 || r == 0x2029
}
