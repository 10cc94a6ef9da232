package reports

import (
	"fmt"
	"html"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// pre is a block of foreign text. An empty line would end the HTML and begin
// Markdown, so it gets a space that is not one to Markdown.
func pre(s string) string {
	var b strings.Builder
	b.WriteString("<pre>")
	for i, line := range strings.Split(strings.TrimSpace(printable(clip.Runes(s, maxMarkdownText))), "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		if strings.TrimSpace(line) == "" {
			line = "&#32;"
		} else {
			line = markup(line)
		}
		b.WriteString(line)
	}
	b.WriteString("</pre>\n")
	return b.String()
}

// code is foreign text as code within a line or a cell.
func code(s string, most int) string {
	return "<code>" + inline(s, most) + "</code>"
}

// markup escapes printable text for HTML.
func markup(s string) string { return html.EscapeString(s) }

// inline is foreign text within a line of Markdown or a cell of a table, not at
// its start. Every sign that means something there becomes a character
// reference, which is never read as markup.
func inline(s string, most int) string {
	return markdownSigns.Replace(clip.Runes(oneLine(s), most))
}

var markdownSigns = func() *strings.Replacer {
	var pairs []string
	for _, r := range "\\`*_~[]()!|#<>&\"$@^" {
		pairs = append(pairs, string(r), fmt.Sprintf("&#%d;", r))
	}
	pairs = append(pairs, "://", "&#58;//", "www.", "www&#46;") // no links of its own
	return strings.NewReplacer(pairs...)
}()

func markdownSymbol(o Outcome) string {
	switch o {
	case Passed:
		return "✅"
	case Failed:
		return "❌"
	case Errored:
		return "❔"
	case Warned, Expected:
		return "⚠️"
	case Informed:
		return "ℹ️"
	}
	return "➖"
}
