package reports

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"strings"
)

// MaxMarkdown bounds what WriteMarkdown writes, in bytes: GitHub drops a step
// summary of more than 1 MiB as a whole.
const MaxMarkdown = 900_000

const (
	maxMarkdownCell = 500  // runes of a cell
	maxMarkdownText = 4000 // runes of a text in a block
	maxMarkdownRows = 200  // rows of a table
)

// WriteMarkdown writes a finished run for GitHub's step summary, a pull-request
// comment, or any other reader of GitHub Flavored Markdown: the verdict, what to
// fix first, the rest in tables, and the details folded away. Foreign text cannot
// make markup. What would make it larger than MaxMarkdown is left out, and it
// says so.
func WriteMarkdown(w io.Writer, run Run) error {
	var m markdown
	m.sections(run)
	m.end()
	if _, err := io.WriteString(w, m.b.String()); err != nil {
		return fmt.Errorf("write the Markdown report: %w", err)
	}
	return nil
}

// sections are all that is said of a run.
func (m *markdown) sections(run Run) {
	m.head(run)
	m.failures(run)
	m.reasons(run, Errored, "Could not run")
	m.table(run, Warned, "Warnings", "Fix", func(c Check) string { return c.Fix })
	m.table(run, Expected, "Known failures", "Why", func(c Check) string { return c.Reason })
	m.reasons(run, Skipped, "Not checked")
	m.areas(run)
	m.notes(run)
	m.details(run)
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

func (m *markdown) head(run Run) {
	v := verdictOf(run)
	var b strings.Builder
	fmt.Fprintf(&b, "## %s kindlytest: %s\n\n**Result:** %s\n", markdownSymbol(v.Level), v.Word, inline(v.Detail, maxMarkdownText))
	if run.Problem != "" && v.Word != nothingWord {
		fmt.Fprintf(&b, "\n**Problem:** %s\n", inline(run.Problem, maxMarkdownText))
	}
	if run.Hint != "" {
		fmt.Fprintf(&b, "\n**Hint:** %s\n", inline(run.Hint, maxMarkdownText))
	}
	if target := cmp.Or(run.Target.Page, run.Target.Endpoint, run.Target.Name); target != "" {
		fmt.Fprintf(&b, "\nTarget: %s\n", code(target, maxMarkdownCell))
	}
	m.add(b.String(), false)
}

func (m *markdown) failures(run Run) {
	checks := withOutcome(run.Checks, Failed)
	if len(checks) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("\n### Fix first\n\n| Check | What happened | Fix |\n| --- | --- | --- |\n")
	rows(&b, checks, func(c Check) string {
		return fmt.Sprintf("| %s<br>%s | %s | %s |\n", code(c.ID, maxID), inline(c.Requirement, maxMarkdownCell),
			inline(c.Actual, maxMarkdownCell), inline(c.Fix, maxMarkdownCell))
	})
	m.add(b.String(), false)
}

func (m *markdown) table(run Run, o Outcome, title, last string, text func(Check) string) {
	checks := withOutcome(run.Checks, o)
	if len(checks) == 0 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n| Check | What happened | %s |\n| --- | --- | --- |\n", title, last)
	rows(&b, checks, func(c Check) string {
		return fmt.Sprintf("| %s | %s | %s |\n", code(c.ID, maxID),
			inline(cmp.Or(c.Actual, c.Requirement), maxMarkdownCell), inline(text(c), maxMarkdownCell))
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

// reasons lists why checks were not judged; what hinders one often hinders a
// hundred.
func (m *markdown) reasons(run Run, o Outcome, title string) {
	groups := byReason(run.Checks, o)
	if len(groups) == 0 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n", title)
	for i, g := range groups {
		if i == maxMarkdownRows {
			break
		}
		fmt.Fprintf(&b, "- %s: %s (%s)\n", plural(len(g.IDs), "check"), inline(g.Reason, maxMarkdownCell), someIDs(g.IDs))
	}
	m.add(b.String(), false)
}

// someIDs names the first checks of a group, and how many more there are.
func someIDs(ids []string) string {
	const most = 3
	var names []string
	for _, id := range ids[:min(len(ids), most)] {
		names = append(names, code(id, maxID))
	}
	if more := len(ids) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

func (m *markdown) areas(run Run) {
	groups := byArea(run.Checks)
	if len(groups) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("\n### Areas\n\n| Area | Result |\n| --- | --- |\n")
	for _, g := range groups {
		fmt.Fprintf(&b, "| %s %s | %s |\n", markdownSymbol(worstOf(g.Summary)), inline(g.Name, maxID),
			strings.Join(areaCounts(g), " · "))
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

func (m *markdown) details(run Run) {
	for _, o := range []Outcome{Failed, Errored, Warned, Expected} {
		for _, c := range withOutcome(run.Checks, o) {
			m.add(detail(c), false)
		}
	}
}

// detail is one check, folded. It is HTML, in which Markdown has no say up to the
// first empty line.
func detail(c Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>%s <code>%s</code> %s</summary>\n", markdownSymbol(c.Outcome),
		markup(shortID(c)), markup(clip(oneLine(c.Requirement), maxMarkdownCell)))
	for _, f := range fieldsOf(c) {
		fmt.Fprintf(&b, "<p><b>%s</b></p>\n%s", f.Label, pre(f.Text))
	}
	if c.Sample != nil {
		fmt.Fprintf(&b, "<p><b>sample</b> %s</p>\n%s", markup(clip(oneLine(c.Sample.Title), maxMarkdownCell)), pre(c.Sample.Code))
	}
	for i, e := range c.Evidence {
		if i == maxExchanges {
			break
		}
		fmt.Fprintf(&b, "<p>%s</p>\n%s", markup(clip(oneLine(e.Title), maxMarkdownCell)), pre(exchangeText(e)))
	}
	if c.Source != "" {
		fmt.Fprintf(&b, "<p>Source: <code>%s</code></p>\n", markup(clip(oneLine(c.Source), maxMarkdownCell)))
	}
	b.WriteString("</details>\n")
	return b.String()
}

// pre is a block of foreign text. An empty line would end the HTML and begin
// Markdown, so it gets a space that is not one to Markdown.
func pre(s string) string {
	var b strings.Builder
	b.WriteString("<pre>")
	for i, line := range strings.Split(strings.TrimSpace(printable(clip(s, maxMarkdownText))), "\n") {
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
	return markdownSigns.Replace(clip(oneLine(s), most))
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
