package reports

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// trendWords are the words and colours of a comparison's end.
var trendWords = map[Trend]verdict{
	GotWorse:  {Word: "WORSE", Level: Failed},
	GotBetter: {Word: "BETTER", Level: Passed},
	StayedAs:  {Word: "UNCHANGED", Level: Passed},
}

func (c Comparison) heading() string {
	return fmt.Sprintf("%s, run of %s, compared with that of %s", c.New.Target, stamp(c.New), stamp(c.Old))
}

func stamp(h RunHead) string { return stampOf(h.Started) }

func stampOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Compare prints a comparison. Its last line is the trend.
func (t *Terminal) Compare(c Comparison) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &summaryPrinter{palette: t.palette(), width: t.width()}
	s.hanging(c.heading())
	for _, r := range c.Remarks {
		s.hanging(symbol(Warned) + " " + oneLine(r))
	}
	for _, g := range c.groups() {
		s.title(g.title)
		for _, ch := range g.changes {
			s.item(Check{ID: ch.ID, Outcome: signOf(ch, g)}, strings.Trim(ch.fromTo()+": "+oneLine(ch.about()), ": "))
			if g.full && ch.Fix != "" {
				s.field(field{"fix", ch.Fix})
			}
			if g.full && ch.Repeat != "" {
				s.field(field{"repeat", ch.Repeat})
			}
		}
	}
	v := trendWords[c.Verdict]
	s.line("")
	s.line(s.of(v.Level)(v.Word) + "  " + c.counts())
	t.write(s.b.String())
	return t.err
}

// signOf is the sign of a change: what it is now, or its group's if it is nothing.
func signOf(ch Change, g changeGroup) Outcome {
	if ch.New == "" {
		return g.sign
	}
	return ch.New
}

func writeMarkdownComparison(w io.Writer, c Comparison) error {
	var m markdown
	v := trendWords[c.Verdict]
	m.add(fmt.Sprintf("## %s kindlytest: %s\n\n**Result:** %s\n\n%s\n", markdownSymbol(v.Level), strings.ToLower(v.Word),
		inline(c.counts(), maxMarkdownText), inline(c.heading(), maxMarkdownText)), false)
	for i, r := range c.Remarks {
		if i == 0 {
			m.add("\n", false)
		}
		m.add(fmt.Sprintf("- %s %s\n", markdownSymbol(Warned), inline(r, maxMarkdownText)), false)
	}
	for _, g := range c.groups() {
		var b strings.Builder
		fmt.Fprintf(&b, "\n### %s\n\n| Check | Change | What it is now |\n| --- | --- | --- |\n", g.title)
		for i, ch := range g.changes {
			if i == maxMarkdownRows {
				fmt.Fprintf(&b, "\n%d more.\n", len(g.changes)-i)
				break
			}
			text := inline(ch.about(), maxMarkdownCell)
			if g.full && ch.Fix != "" {
				text += "<br>Fix: " + inline(ch.Fix, maxMarkdownCell)
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", code(ch.ID, maxID), inline(ch.fromTo(), maxID), text)
		}
		m.add(b.String(), false)
	}
	if m.left > 0 {
		m.add(fmt.Sprintf("\n%s left out here; the JSON has all.\n", plural(m.left, "section")), true)
	}
	if _, err := io.WriteString(w, WithoutCommands(m.b.String())); err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	return nil
}
