package reports

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
)

func (s *summaryPrinter) title(text string) { s.line(""); s.line(s.bold(text)) }

func (s *summaryPrinter) line(l string) { s.b.WriteString(l); s.b.WriteByte('\n') }

// field is a labelled text, wrapped and cut. Commands are to be copied, so they
// are never broken.
func (s *summaryPrinter) field(f field) {
	indent := strings.Repeat(" ", labelWidth)
	text := f.Text
	if f.Label == "repeat" || f.Label == "explain" {
		s.line("  " + s.dim(fmt.Sprintf("%-*s", labelWidth, f.Label)) + oneLine(clip.Runes(text, maxFieldRunes)))
		return
	}
	if f.Label == "answered" { // one line: enough to tell who it was
		s.line("  " + s.dim(fmt.Sprintf("%-*s", labelWidth, f.Label)) + cutToWidth(oneLine(text), s.width-2-labelWidth))
		return
	}
	for i, l := range s.wrapped(text, s.width-2-labelWidth, cmp.Or(fieldLines[f.Label], maxFieldLines)) {
		label := indent
		if i == 0 {
			label = s.dim(fmt.Sprintf("%-*s", labelWidth, f.Label))
		}
		s.line("  " + label + l)
	}
}

// item is a check and a text on as few lines as hold them.
func (s *summaryPrinter) item(c Check, text string) { s.signed(c.Outcome, shortID(c), text, 4) }

// signed is a text with a coloured head.
func (s *summaryPrinter) signed(o Outcome, name, text string, most int) {
	head := symbol(o) + " " + name
	for i, l := range s.wrapped(head+"  "+oneLine(clip.Runes(text, maxFieldRunes)), s.width-2, most) {
		tail, whole := strings.CutPrefix(l, head)
		switch {
		case i > 0:
			s.line("  " + l)
		case whole:
			s.line(s.of(o)(head) + tail)
		default: // the head alone is too long for a line
			s.line(s.of(o)(l))
		}
	}
}

func (s *summaryPrinter) indented(indent, text string, most int) {
	if strings.TrimSpace(text) == "" {
		return
	}
	for _, l := range s.wrapped(text, s.width-len(indent), most) {
		s.line(indent + l)
	}
}

// hanging wraps one remark, with its further lines indented.
func (s *summaryPrinter) hanging(text string) {
	for i, l := range s.wrapped(text, s.width-2, maxFieldLines) {
		if i > 0 {
			l = "  " + l
		}
		s.line(l)
	}
}

// paths says where the reports are. Each is a word that is not broken.
func (s *summaryPrinter) paths(paths []string) {
	if len(paths) > 0 {
		s.line(s.dim("reports: ") + oneLine(strings.Join(paths, ", ")))
	}
}

// wrapped is foreign text made safe, wrapped, and cut after so many lines.
func (s *summaryPrinter) wrapped(text string, width, most int) []string {
	short := clip.Runes(text, maxFieldRunes)
	lines := wrap(printable(short), width)
	if len(lines) > most {
		rest := "… (more in the report files)"
		if s.noFiles {
			rest = "…"
		}
		lines = append(lines[:most-1:most-1], rest)
	}
	return lines
}
