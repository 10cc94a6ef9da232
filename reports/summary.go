package reports

import (
	"cmp"
	"fmt"
	"strings"
)

// Bounds that keep a failure on one screen of 24 lines, with the command that
// repeats it. The files hold everything.
var fieldLines = map[string]int{"reason": 2, "expected": 3, "actual": 6, "fix": 4}

const (
	maxSentenceLines = 2
	maxToFix         = 5 // failures in the list of what to fix first
	maxFieldLines    = 8
	maxFieldRunes    = 4000
	maxExchanges     = 3
	maxExchangeLines = 24
	labelWidth       = 10
)

// A summaryPrinter lays out the final report for a terminal.
type summaryPrinter struct {
	palette
	b              strings.Builder
	width          int
	quiet, verbose bool
	noFiles        bool // nothing else holds what is cut
}

func (s *summaryPrinter) print(run Run, paths []string) {
	if !s.quiet {
		s.areas(run)
	}
	for _, c := range withOutcome(run.Checks, Failed) {
		s.block(c, c.Requirement, fieldsOf(c))
	}
	s.errored(run)
	if !s.quiet || run.Strict { // under strict they fail the run
		s.warned(run, Warned, "Warnings")
	}
	if !s.quiet {
		s.warned(run, Expected, "Known failures")
		s.warned(run, Informed, "To know")
		s.skipped(run)
		s.notes(run)
	}
	s.toFix(run)
	s.verdict(run, paths)
}

// toFix ends a long report with what to begin with: the failures have scrolled
// away. They are in the order in which a token travels, and what breaks early
// often breaks what follows.
func (s *summaryPrinter) toFix(run Run) {
	failed := withOutcome(run.Checks, Failed)
	if len(failed) < 3 { // they can still be seen
		return
	}
	s.title("Fix first")
	for i, c := range failed {
		if i == maxToFix {
			s.line(s.dim(fmt.Sprintf("… and %d more, above", len(failed)-i)))
			return
		}
		head := symbol(Failed) + " " + shortID(c)
		text := oneLine(clip(cmp.Or(c.Fix, inShort(c)), maxFieldRunes))
		s.line(s.of(Failed)(head) + "  " + cutToWidth(text, max(s.width-textWidth(head)-2, 10)))
	}
}

func (s *summaryPrinter) areas(run Run) {
	groups := byArea(run.Checks)
	if len(groups) == 0 {
		return
	}
	s.line("")
	column := 0
	for _, g := range groups {
		column = max(column, textWidth(oneLine(g.Name)))
	}
	for _, g := range groups {
		name := cutToWidth(oneLine(g.Name), 20)
		pad := strings.Repeat(" ", max(min(column, 20)-textWidth(name), 0))
		worst := worstOf(g.Summary)
		s.line(s.of(worst)(symbol(worst)+" "+name) + pad + "  " + strings.Join(areaCounts(g), " · "))
		if s.verbose {
			s.passed(g)
		}
	}
}

// passed lists the passed checks of an area, with their exchanges.
func (s *summaryPrinter) passed(g areaGroup) {
	for _, c := range withOutcome(g.Checks, Passed) {
		text := oneLine(c.Requirement)
		if c.Weak {
			text = "(weak) " + cmp.Or(oneLine(c.Reason), oneLine(c.Actual), text)
		}
		s.line("    " + s.good(symbol(Passed)) + " " + cutToWidth(shortID(c)+"  "+text, s.width-6))
		s.evidence(c.Evidence)
	}
}

func areaCounts(g areaGroup) []string {
	var out []string
	add := func(n int, what string) {
		if n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, what))
		}
	}
	weak := 0
	for _, c := range withOutcome(g.Checks, Passed) {
		if c.Weak {
			weak++
		}
	}
	passed := "passed"
	if weak > 0 {
		passed += fmt.Sprintf(" (%d weakly)", weak)
	}
	add(g.Summary.Failed, "failed")
	add(g.Summary.Errored, "could not run")
	add(g.Summary.Warned, "warned")
	add(g.Summary.Expected, "known to fail")
	add(g.Summary.Info, "noted")
	add(g.Summary.Passed, passed)
	add(g.Summary.Skipped, "skipped")
	return out
}

// block shows one check in full: head, sentence, fields.
func (s *summaryPrinter) block(c Check, sentence string, fields []field) {
	s.line("")
	head := s.of(c.Outcome)(symbol(c.Outcome) + " " + shortID(c))
	about := strings.Trim(oneLine(c.Level)+" · "+oneLine(c.Fidelity), " ·")
	s.line(head + "  " + s.dim(about))
	s.indented("  ", sentence, maxSentenceLines)
	for _, f := range fields {
		s.field(f)
	}
	if s.verbose {
		s.sample(c)
		s.evidence(c.Evidence)
	}
}

func (s *summaryPrinter) field(f field) {
	indent := strings.Repeat(" ", labelWidth)
	text := f.Text
	if f.Label == "repeat" || f.Label == "explain" { // to be copied, so never broken
		s.line("  " + s.dim(fmt.Sprintf("%-*s", labelWidth, f.Label)) + oneLine(clip(text, maxFieldRunes)))
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

func (s *summaryPrinter) errored(run Run) {
	checks := withOutcome(run.Checks, Errored)
	if len(checks) == 0 {
		return
	}
	s.title("Could not run")
	if s.verbose {
		for _, c := range checks {
			s.item(c, cmp.Or(c.Reason, c.Actual, "no reason given"))
			s.evidence(c.Evidence)
		}
		return
	}
	for _, g := range byReason(checks, Errored) {
		who := g.IDs[0]
		if more := len(g.IDs) - 1; more > 0 {
			who += fmt.Sprintf(" and %d more", more)
		}
		s.item(Check{ID: who, Outcome: Errored}, g.Reason)
	}
}

// warned shows checks shorter than failures: what happened, and the fix.
func (s *summaryPrinter) warned(run Run, o Outcome, title string) {
	checks := withOutcome(run.Checks, o)
	if len(checks) == 0 {
		return
	}
	s.title(title)
	for _, c := range checks {
		s.item(c, inShort(c))
		if c.Fix != "" && o == Warned {
			s.field(field{"fix", c.Fix})
		}
		if c.Reason != "" && o == Expected {
			s.field(field{"known", c.Reason})
		}
		if s.verbose {
			s.sample(c)
			s.evidence(c.Evidence)
		}
	}
}

// item is a check and a text on as few lines as hold them.
func (s *summaryPrinter) item(c Check, text string) {
	head := symbol(c.Outcome) + " " + shortID(c)
	for i, l := range s.wrapped(head+"  "+oneLine(clip(text, maxFieldRunes)), s.width-2, 4) {
		if tail, ok := strings.CutPrefix(l, head); ok && i == 0 {
			s.line(s.of(c.Outcome)(head) + tail)
			continue
		}
		s.line("  " + l)
	}
}

func (s *summaryPrinter) skipped(run Run) {
	groups := byReason(run.Checks, Skipped)
	if len(groups) == 0 {
		return
	}
	s.line("")
	for _, g := range groups {
		s.hanging(fmt.Sprintf("%d skipped: %s", len(g.IDs), oneLine(g.Reason)))
		if s.verbose {
			s.indented("    ", strings.Join(g.IDs, " "), maxFieldLines)
		}
	}
}

func (s *summaryPrinter) notes(run Run) {
	if len(run.Notes) > 0 {
		s.line("")
	}
	for _, n := range run.Notes {
		s.hanging(symbol(n.Level) + " " + oneLine(n.Text))
	}
}

func (s *summaryPrinter) verdict(run Run, paths []string) {
	v := verdictOf(run)
	s.line("")
	if run.Problem != "" && v.Word != nothingWord { // there it is the detail
		s.hanging("problem: " + oneLine(run.Problem))
	}
	if len(paths) > 0 {
		s.line(s.dim("reports: ") + oneLine(strings.Join(paths, ", ")))
	}
	word := s.of(v.Level)(v.Word)
	if v.Word == nothingWord {
		v.Detail = strings.TrimSpace(strings.TrimRight(nothingChecked(run), ". ") + ". " + run.Hint)
		s.line(word + ": " + oneLine(clip(v.Detail, maxFieldRunes)))
		return
	}
	if run.Hint != "" {
		s.hanging("hint: " + oneLine(run.Hint))
	}
	s.line(word + "  " + v.Detail)
}

func (s *summaryPrinter) title(text string) { s.line(""); s.line(s.bold(text)) }

func (s *summaryPrinter) line(l string) { s.b.WriteString(l); s.b.WriteByte('\n') }

func (s *summaryPrinter) indented(indent, text string, most int) {
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

// wrapped is foreign text made safe, wrapped, and cut after so many lines.
func (s *summaryPrinter) wrapped(text string, width, most int) []string {
	short := clip(text, maxFieldRunes)
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
