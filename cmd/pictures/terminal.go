package main

import (
	"fmt"
	"html"
	"math"
	"regexp"
	"strings"
)

// The terminal of the picture, in columns and pixels.
const (
	columns    = 92
	charWidth  = 8.4
	lineHeight = 19
	margin     = 16
)

// colours are those of a dark terminal, by the codes of reports.Terminal.
var colours = map[string]string{
	"1": `font-weight="bold"`, "2": `fill="#8b949e"`, "31": `fill="#ff7b72"`, "32": `fill="#56d364"`, "33": `fill="#e3b341"`,
}

var escape = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// terminal draws a command and what it printed, as an SVG.
func terminal(command, printed string) string {
	lines := strings.Split(strings.Trim(printed, "\n"), "\n")
	lines = append([]string{"\x1b[2m$\x1b[0m " + command, ""}, lines...)
	height := 2*margin + len(lines)*lineHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-label="%[3]s">`+"\n",
		2*margin+int(math.Ceil(columns*charWidth)), height, html.EscapeString("What "+command+" prints"))
	b.WriteString(`<rect width="100%" height="100%" rx="8" fill="#0d1117"/>` + "\n")
	b.WriteString(`<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#e6edf3" xml:space="preserve">` + "\n")
	style := ""
	for i, line := range lines {
		fmt.Fprintf(&b, `<text x="%d" y="%d">`, margin, margin+(i+1)*lineHeight-5)
		style = drawLine(&b, line, style)
		b.WriteString("</text>\n")
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// drawLine writes one line; style is that which the line before ended in.
func drawLine(b *strings.Builder, line, style string) string {
	write := func(text string) {
		switch {
		case text == "":
		case style == "":
			b.WriteString(html.EscapeString(text))
		default:
			fmt.Fprintf(b, `<tspan %s>%s</tspan>`, style, html.EscapeString(text))
		}
	}
	at := 0
	for _, m := range escape.FindAllStringSubmatchIndex(line, -1) {
		write(line[at:m[0]])
		at = m[1]
		style = styleOf(line[m[2]:m[3]])
	}
	write(line[at:])
	return style
}

// styleOf are the attributes of a sequence of codes; what ends one colour ends all.
func styleOf(codes string) string {
	var attributes []string
	for code := range strings.SplitSeq(codes, ";") {
		if a := colours[code]; a != "" {
			attributes = append(attributes, a)
		}
	}
	return strings.Join(attributes, " ")
}
