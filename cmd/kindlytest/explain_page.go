package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"
)

// A page lays text out for people.
type page struct {
	b           strings.Builder
	width       int
	bold, faint func(...any) string
}

// Bounds of a page's width, in columns. Longer lines are hard to read.
const (
	narrowest   = 40
	widest      = 90
	usualWidth  = 80
	labelColumn = 12
)

func (a *app) pageFor(f *explainFlags) *page {
	w := width(a.stdout)
	if w == 0 {
		w = usualWidth
	}
	style := func(attribute color.Attribute) func(...any) string {
		c := color.New(attribute)
		if a.isTerminal(a.stdout) && !f.noColor && a.env("NO_COLOR") == "" {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c.Sprint
	}
	return &page{width: min(max(w, narrowest), widest), bold: style(color.Bold), faint: style(color.Faint)}
}

// explain prints one explanation. Without a stack, one sample is enough.
func (p *page) explain(w io.Writer, e explanation, stack string) error {
	about := e.Level + " · " + e.Fidelity
	if len(e.Observed) > 0 {
		about = e.Level + " · " + e.Observed[0].By
	}
	if e.Hostile {
		about += " · hostile: left out by --safe"
	}
	p.line(p.bold(e.ID) + "  " + p.faint(about))
	p.text("", e.Requirement)
	p.section("Why it matters", e.Why)
	p.section("What Kindly does", e.Kindly)
	p.section("How to fix it", e.Fix)
	p.samples(e.Samples, stack)
	p.line("")
	p.row("Needs", strings.Join(e.Needs, ", "))
	p.row("Source", e.Source)
	p.row("Check it", e.Check)
	for i, f := range e.Proofs {
		label := "See it fail"
		if i > 0 {
			label = ""
		}
		p.row(label, "kindlytest demo --fault "+f.Fault)
	}
	if _, err := io.WriteString(w, p.b.String()); err != nil {
		return fmt.Errorf("print the explanation: %w", err)
	}
	return nil
}

func (p *page) samples(all []explainedSample, stack string) {
	for i, s := range all {
		if i > 0 && stack == "" {
			p.others(all[i:])
			return
		}
		p.line("")
		p.line(p.bold("In code: "+s.Title) + "  " + p.faint(s.Language))
		if !s.Tested {
			p.text("  ", p.faint("Written for this library, but not run by kindlytest's tests: try it before you trust it."))
		}
		for line := range strings.Lines(s.Code) { // code is never wrapped
			p.line(strings.TrimRight("  "+strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "  "), " "))
		}
	}
}

func (p *page) others(rest []explainedSample) {
	var names []string
	for _, s := range rest {
		names = append(names, s.Stack)
	}
	p.line("")
	p.text("", "The same for other stacks: --stack "+strings.Join(names, ", ")+", or all.")
}

func (p *page) section(title, text string) {
	p.line("")
	p.line(p.bold(title))
	p.text("  ", text)
}

// row is a label and what is to be copied, which is never broken.
func (p *page) row(label, text string) {
	p.line(p.faint(fmt.Sprintf("%-*s", labelColumn, label)) + text)
}

func (p *page) line(s string) { p.b.WriteString(strings.TrimRight(s, " ") + "\n") }

// text prints words in as many lines as they need.
func (p *page) text(indent, text string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len([]rune(indent+line+" "+word)) > p.width {
			p.line(indent + line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	p.line(indent + line)
}
