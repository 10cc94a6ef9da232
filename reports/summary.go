package reports

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// Bounds that keep a failure on one screen of 24 lines, with the command that
// repeats it. The files hold everything.
var fieldLines = map[string]int{"then": 3, "reason": 2, "seen": 8, "expected": 2, "actual": 4, "fix": 4}

const (
	maxSentenceLines = 2
	maxCauses        = 20 // shown of a run; the JSON has all
	maxInFull        = 5  // failures that are shown in full, beside causes
	maxItems         = 4  // warnings, and the like
	maxToFix         = 5  // in the list of what to fix first
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
	piped          bool // the last line is for programs: it is not broken
}

func (s *summaryPrinter) print(run Run, paths []string) {
	t := outlineOf(run)
	s.head(t)
	s.causes(t)
	s.failed(t)
	s.unjudged(t)
	if !s.quiet {
		s.warned(t.Warned, "Warnings")
		s.warned(t.Expected, "Known failures")
		s.warned(t.Informed, "To know")
		s.areas(t)
	}
	s.toFix(t)
	s.line("")
	if !s.quiet {
		s.notes(run)
	}
	s.verdict(t, paths)
}

// head is the verdict as a sentence, and how much it rests on.
func (s *summaryPrinter) head(t outline) {
	s.line("")
	if t.Verdict.Word == nothingWord { // the last line says why
		t.Sentence = "Nothing was checked, so nothing is known."
	}
	for i, l := range s.wrapped(symbol(t.Mark())+" "+t.Sentence, s.width-2, maxFieldLines) {
		if i > 0 {
			l = "  " + l
		}
		s.line(s.of(t.Mark())(l))
	}
	if about := joined([]string{t.Judged, t.Run.Target.origin()}); about != "" {
		s.line("  " + s.dim(cutToWidth(about, s.width-2)))
	}
	if t.Deaths != "" {
		s.line(s.bad("✝ " + t.Deaths))
	}
}

// toFix ends a long report with what to begin with: the causes have scrolled away.
func (s *summaryPrinter) toFix(t outline) {
	total := len(t.Causes) + len(t.Failed)
	if total < 3 { // they can still be seen
		return
	}
	s.title("Fix first")
	shown := 0
	add := func(name, text string) {
		if shown++; shown > maxToFix {
			return
		}
		head := symbol(Failed) + " " + name
		text = oneLine(clip.Runes(text, maxFieldRunes))
		s.line(s.of(Failed)(head) + "  " + cutToWidth(text, max(s.width-textWidth(head)-2, 10)))
	}
	failed := t.Failed
	addFailed := func(graverThan int) {
		for len(failed) > 0 && failed[0].severity().rank() < graverThan {
			add(shortID(failed[0]), cmp.Or(failed[0].Fix, inShort(failed[0])))
			failed = failed[1:]
		}
	}
	for _, c := range t.Causes {
		addFailed(c.Severity.rank())
		add(clip.Runes(oneLine(c.ID), maxID), cmp.Or(c.Fix, c.Title))
	}
	addFailed(math.MaxInt)
	if total > maxToFix {
		s.line(s.dim(fmt.Sprintf("… and %d more, above", total-maxToFix)))
	}
}

// areas says how much of each area was judged. Those in which nothing was share a
// line; where something is wrong, so do those in which all is well.
func (s *summaryPrinter) areas(t outline) {
	var rows, well, empty []areaGroup
	for _, g := range t.chosen() {
		switch {
		case s.verbose:
			rows = append(rows, g)
		case g.Mark() == Skipped && g.Summary.judged() == 0:
			empty = append(empty, g)
		case t.Mark() != Passed && g.Mark() == Passed && g.Summary.judged() == g.Summary.Passed:
			well = append(well, g)
		default:
			rows = append(rows, g)
		}
	}
	if len(rows)+len(well)+len(empty) == 0 {
		return
	}
	s.title("What was judged")
	column := 0
	for _, g := range rows {
		column = max(column, textWidth(areaHead(g)))
	}
	for _, g := range rows {
		head := areaHead(g)
		head += strings.Repeat(" ", column-textWidth(head))
		text := g.Judged()
		if counts := g.Counts(); counts != "" {
			text += ": " + counts
		}
		s.signed(g.Mark(), head, text, 2)
		if s.verbose {
			if tried := g.Tried(); tried != "" {
				s.line(s.dim("    " + cutToWidth("tried: "+tried, s.width-4)))
			}
			s.passed(g)
		}
	}
	s.together(Passed, well)
	s.together(Skipped, empty)
}

// together shows areas that came out alike in one line.
func (s *summaryPrinter) together(mark Outcome, areas []areaGroup) {
	if len(areas) == 0 {
		return
	}
	var names []string
	passed, of := 0, 0
	for _, g := range areas {
		names = append(names, areaHead(g))
		passed, of = passed+g.Summary.Passed, of+applicable(g.Checks)
	}
	text := fmt.Sprintf("%d of %d passed", passed, of)
	if mark == Skipped {
		text = "nothing judged"
	}
	s.signed(mark, strings.Join(names, ", "), text, 4)
}

// areaHead is an area's name, and its code, by which it is selected.
func areaHead(g areaGroup) string {
	name, code := cutToWidth(g.Title(), 30), cutToWidth(oneLine(g.Name), 20)
	if name == code {
		return name
	}
	return code + " " + name
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

// warned shows checks shorter than failures: what is wrong, and the fix where
// they are few.
func (s *summaryPrinter) warned(checks []Check, title string) {
	if len(checks) == 0 {
		return
	}
	s.title(title)
	for i, c := range checks {
		if i == maxItems && !s.verbose {
			s.more(len(checks) - i)
			return
		}
		s.item(c, inShort(c))
		if c.Fix != "" && c.Outcome == Warned && (s.verbose || len(checks) <= 2) {
			s.field(field{"fix", c.Fix})
		}
		if len(c.Observed) > 0 && c.Outcome == Warned && (s.verbose || len(checks) <= 2) {
			s.field(field{"kindly", c.KnownFrom() + ": " + c.observed()})
		}
		if c.Reason != "" && c.Outcome == Expected {
			s.field(field{"known", c.Reason})
		}
		if s.verbose {
			s.sample(c.Sample)
			s.evidence(c.Evidence)
		}
	}
}

// unjudged says what nobody knows, and why.
func (s *summaryPrinter) unjudged(t outline) {
	groups := t.Unjudged
	if s.quiet {
		groups = byReason(t.Run.Checks, Errored)
	}
	if len(groups) == 0 {
		return
	}
	s.title("Not judged")
	said := t.Verdict.Word != failedWord // by the first sentence, or the last
	for i, g := range groups {
		if i == maxItems && !s.verbose {
			s.more(len(groups) - i)
			return
		}
		if g.Outcome == Errored && t.told(g.Reason) {
			switch {
			case t.Verdict.Word == nothingWord:
				g.Reason = "as said below"
			case said:
				g.Reason = "as said above"
			}
			said = true
		}
		s.unjudgedGroup(g)
	}
}

func (s *summaryPrinter) unjudgedGroup(g reasonGroup) {
	what := plural(len(g.Checks), "check")
	if g.Outcome == Errored {
		what += " could not run"
	}
	what += fmt.Sprintf(" (%s)", idsInShort(g.IDs(), 2))
	s.signed(g.Outcome, what, g.Reason, 3)
	if !s.verbose {
		return
	}
	if len(g.Checks) > 2 {
		s.indented("    ", strings.Join(g.IDs(), " "), maxFieldLines)
	}
	for _, c := range g.Checks {
		s.evidence(c.Evidence)
	}
}

// idsInShort names the first of many checks.
func idsInShort(ids []string, most int) string {
	var names []string
	for _, id := range ids[:min(len(ids), most)] {
		names = append(names, clip.Runes(oneLine(id), maxID))
	}
	text := strings.Join(names, ", ")
	if more := len(ids) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (s *summaryPrinter) notes(run Run) {
	for i, n := range run.Notes {
		if i == maxItems && !s.verbose {
			s.more(len(run.Notes) - i)
			return
		}
		s.hanging(symbol(n.Level) + " " + oneLine(n.Text))
	}
}

// verdict is the end: where the reports are, and the result in one line.
func (s *summaryPrinter) verdict(t outline, paths []string) {
	run, v := t.Run, t.Verdict
	if problem := t.problem(); problem != "" {
		s.hanging("problem: " + oneLine(problem))
	}
	s.paths(paths)
	if v.Word == nothingWord {
		v.Detail = strings.TrimSpace(strings.TrimRight(nothingChecked(run), ". ") + ". " + run.Hint)
		s.last(v, ": ")
		return
	}
	if run.Hint != "" {
		s.hanging("hint: " + oneLine(run.Hint))
	}
	s.last(v, "  ")
}

// last is the line that ends a report. Where programs read it, it stays whole.
func (s *summaryPrinter) last(v verdict, between string) {
	text := between + oneLine(clip.Runes(v.Detail, maxFieldRunes))
	if s.piped {
		s.line(s.of(v.Level)(v.Word) + text)
		return
	}
	for i, l := range wrap(v.Word+text, s.width-2) {
		if i == 0 {
			s.line(s.of(v.Level)(v.Word) + strings.TrimPrefix(l, v.Word))
			continue
		}
		s.line("  " + l)
	}
}
