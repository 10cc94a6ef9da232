package reports

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// MaxMarkdown bounds what writeMarkdown writes, in bytes: GitHub drops a step
// summary of more than 1 MiB as a whole.
const MaxMarkdown = 900_000

const (
	maxMarkdownCell = 500  // runes of a cell
	maxMarkdownText = 4000 // runes of a text in a block
	maxMarkdownRows = 200  // rows of a table

	maxMarkdownCauses = 50
)

// writeMarkdown writes a finished run for GitHub's step summary, a pull-request
// comment, or any other reader of GitHub Flavored Markdown: the verdict,
// the causes, the rest in tables, and the details folded away. Foreign text cannot
// make markup. What would make it larger than MaxMarkdown is left out, and it
// says so.
func writeMarkdown(w io.Writer, run Run) error {
	var m markdown
	m.sections(run)
	m.end()
	if _, err := io.WriteString(w, m.b.String()); err != nil {
		return fmt.Errorf("write the Markdown report: %w", err)
	}
	return nil
}

// sections are all that is said of a run, in the order of the outline.
func (m *markdown) sections(run Run) {
	t := outlineOf(run)
	m.head(t)
	m.causes(t)
	m.failures(t)
	m.unjudged(t)
	m.table(t.Warned, "Warnings", "Fix", func(c Check) string { return c.Fix })
	m.table(t.Expected, "Known failures", "Why", func(c Check) string { return c.Reason })
	m.areas(t)
	m.notes(run)
	m.details(t)
}

// end says what was left out.
func (m *markdown) end() {
	if m.left > 0 {
		m.add(fmt.Sprintf("\n%s left out here; report.json has all.\n", plural(m.left, "section")), true)
	}
}

// markdown gathers sections as long as there is room for them.
type markdown struct {
	b    strings.Builder
	left int // sections that found no room
}

// add appends a whole section or nothing, so that no tag stays open. A little
// room is kept for what must be said at the end.
func (m *markdown) add(section string, last bool) {
	limit := MaxMarkdown - 1000
	if last {
		limit = MaxMarkdown
	}
	if m.b.Len()+len(section) > limit {
		m.left++
		return
	}
	m.b.WriteString(section)
}

func (m *markdown) head(t outline) {
	v, run := t.Verdict, t.Run
	var b strings.Builder
	fmt.Fprintf(&b, "## %s kindlytest: %s\n\n**%s**\n\n%s. **Result:** %s\n", markdownSymbol(t.Mark()), inline(joinHeading(v.Word, t.first()), maxMarkdownCell),
		inline(t.Sentence, maxMarkdownText), inline(t.Judged, maxMarkdownText), inline(v.Detail, maxMarkdownText))
	if t.Deaths != "" {
		fmt.Fprintf(&b, "\n**%s**\n", inline(t.Deaths, maxMarkdownText))
	}
	if problem := t.problem(); problem != "" {
		fmt.Fprintf(&b, "\n**Problem:** %s\n", inline(problem, maxMarkdownText))
	}
	if run.Hint != "" {
		fmt.Fprintf(&b, "\n**Hint:** %s\n", inline(run.Hint, maxMarkdownText))
	}
	if target := cmp.Or(run.Target.Page, run.Target.Endpoint, run.Target.Name); target != "" {
		fmt.Fprintf(&b, "\nTarget: %s\n", code(target, maxMarkdownCell))
	}
	if origin := run.Target.origin(); origin != "" {
		fmt.Fprintf(&b, "\nOf %s\n", inline(origin, maxMarkdownCell))
	}
	m.add(b.String(), false)
}

// causes are a section each: of what is folded away nobody reads the fix.
func (m *markdown) causes(t outline) {
	for i, c := range t.Causes {
		if i == maxMarkdownCauses {
			m.add(fmt.Sprintf("\n%d more causes are in report.json.\n", len(t.Causes)-i), false)
			return
		}
		if i == 0 {
			m.add("\n### What is wrong\n", false)
		}
		m.add(markdownCause(c), false)
	}
}

func markdownCause(c causeOutline) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n#### ❌ %s\n\n", inline(c.Heading(), maxMarkdownCell))
	about := joined([]string{strings.ToUpper(oneLine(string(c.Severity))), oneLine(c.Owner), c.Count(), c.Basis()})
	fmt.Fprintf(&b, "**%s**\n\n", inline(about, maxMarkdownCell))
	if c.Consequence != "" {
		fmt.Fprintf(&b, "Then: %s\n\n", inline(c.Consequence, maxMarkdownText))
	}
	for _, f := range c.fields() {
		text := inline(f.Text, maxMarkdownText)
		if f.Label == "repeat" || f.Label == "explain" {
			text = code(f.Text, maxMarkdownText)
		}
		fmt.Fprintf(&b, "- **%s:** %s\n", f.Label, text)
	}
	if len(c.Symptoms) > 0 {
		fmt.Fprintf(&b, "- **explains:** %s\n", someIDs(c.IDs(), 12))
	}
	if c.Sample != nil {
		fmt.Fprintf(&b, "\n<details><summary>Sample: %s</summary>\n%s</details>\n", markup(clip.Runes(oneLine(c.Sample.Title), maxMarkdownCell)), pre(c.Sample.Code))
	}
	return b.String()
}

func (m *markdown) failures(t outline) {
	if len(t.Failed) == 0 {
		return
	}
	title := "What fails"
	if len(t.Causes) > 0 {
		title = "What else fails"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n| Check | What happened | Fix |\n| --- | --- | --- |\n", title)
	rows(&b, t.Failed, func(c Check) string {
		what := inline(c.Actual, maxMarkdownCell)
		if a := answered(c.Evidence); a != "" {
			what = strings.TrimPrefix(what+"<br>Answered: "+inline(a, maxMarkdownCell), "<br>")
		}
		sentence := inline(c.headline(), maxMarkdownCell)
		if c.Consequence != "" {
			sentence += "<br>" + inline(c.Consequence, maxMarkdownCell)
		}
		return fmt.Sprintf("| %s<br>%s | %s | %s |\n", code(c.ID, maxID), sentence, what, inline(c.Fix, maxMarkdownCell))
	})
	m.add(b.String(), false)
}

func (m *markdown) table(checks []Check, title, last string, text func(Check) string) {
	if len(checks) == 0 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n| Check | What happened | %s |\n| --- | --- | --- |\n", title, last)
	rows(&b, checks, func(c Check) string {
		return fmt.Sprintf("| %s | %s | %s |\n", code(c.ID, maxID), inline(inShort(c), maxMarkdownCell), inline(text(c), maxMarkdownCell))
	})
	m.add(b.String(), false)
}

func rows(b *strings.Builder, checks []Check, row func(Check) string) {
	for i, c := range checks {
		if i == maxMarkdownRows {
			fmt.Fprintf(b, "\n%d more are in report.json.\n", len(checks)-i)
			return
		}
		b.WriteString(row(c))
	}
}

// unjudged lists why checks were not judged; what hinders one often hinders a
// hundred.
func (m *markdown) unjudged(t outline) {
	if len(t.Unjudged) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("\n### Not judged\n\n")
	for i, g := range t.Unjudged {
		if i == maxMarkdownRows {
			break
		}
		what := plural(len(g.Checks), "check")
		if g.Outcome == Errored {
			what += " could not run"
		}
		fmt.Fprintf(&b, "- %s %s: %s (%s)\n", markdownSymbol(g.Outcome), what, inline(g.Reason, maxMarkdownCell), someIDs(g.IDs(), 3))
	}
	m.add(b.String(), false)
}

// someIDs names the first checks of a group, and how many more there are.
func someIDs(ids []string, most int) string {
	var names []string
	for _, id := range ids[:min(len(ids), most)] {
		names = append(names, code(id, maxID))
	}
	if more := len(ids) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

func (m *markdown) areas(t outline) {
	chosen := t.chosen()
	if len(chosen) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("\n### What was judged\n\n| Area | Judged | Result |\n| --- | --- | --- |\n")
	for i, g := range chosen {
		if i == maxMarkdownRows {
			break
		}
		fmt.Fprintf(&b, "| %s %s | %s | %s |\n", markdownSymbol(g.Mark()), inline(g.Title(), maxID), g.Judged(), g.Counts())
	}
	m.add(b.String(), false)
}

func (m *markdown) notes(run Run) {
	for i, n := range run.Notes {
		if i == 0 {
			m.add("\n### Notes\n\n", false)
		}
		m.add(fmt.Sprintf("- %s %s\n", markdownSymbol(n.Level), inline(n.Text, maxMarkdownText)), false)
	}
}

// details are the checks, folded: first what has no cause, then what has one.
func (m *markdown) details(t outline) {
	for _, checks := range [][]Check{t.Failed, withOutcome(t.Run.Checks, Errored), t.symptoms(), t.Warned, t.Expected} {
		for _, c := range checks {
			m.add(detail(c), false)
		}
	}
}

// symptoms are the checks that have a cause, each once.
func (t outline) symptoms() []Check {
	var out []Check
	seen := map[string]bool{}
	for _, cause := range t.Causes {
		for _, c := range cause.Symptoms {
			if !seen[c.ID] {
				seen[c.ID] = true
				out = append(out, c)
			}
		}
	}
	return out
}

// detail is one check, folded. It is HTML, in which Markdown has no say up to the
// first empty line.
func detail(c Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>%s <code>%s</code> %s</summary>\n", markdownSymbol(c.Outcome),
		markup(shortID(c)), markup(clip.Runes(oneLine(c.headline()), maxMarkdownCell)))
	for _, f := range fieldsOf(c) {
		fmt.Fprintf(&b, "<p><b>%s</b></p>\n%s", f.Label, pre(f.Text))
	}
	if c.Sample != nil {
		fmt.Fprintf(&b, "<p><b>sample</b> %s</p>\n%s", markup(clip.Runes(oneLine(c.Sample.Title), maxMarkdownCell)), pre(c.Sample.Code))
	}
	for i, e := range c.Evidence {
		if i == maxExchanges {
			break
		}
		fmt.Fprintf(&b, "<p>%s</p>\n%s", markup(clip.Runes(oneLine(e.Title), maxMarkdownCell)), pre(exchangeText(e)))
	}
	if c.Source != "" {
		fmt.Fprintf(&b, "<p>Source: <code>%s</code></p>\n", markup(clip.Runes(oneLine(c.Source), maxMarkdownCell)))
	}
	b.WriteString("</details>\n")
	return b.String()
}
