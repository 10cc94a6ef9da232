package reports

import (
	"fmt"
	"strings"
)

// causes shows each cause in full, with its symptoms folded into one line.
func (s *summaryPrinter) causes(t outline) {
	for i, c := range t.Causes {
		if i == maxCauses {
			s.line("")
			s.more(len(t.Causes) - i)
			return
		}
		if i == 0 && strings.Contains(t.Sentence, oneLine(c.Consequence)) {
			c.Consequence = "" // it was just read
		}
		s.cause(c)
	}
}

func (s *summaryPrinter) cause(c causeOutline) {
	s.line("")
	outcome := Failed
	if c.Severity.rank() >= Medium.rank() {
		outcome = Warned
	}
	for i, l := range s.wrapped(symbol(Failed)+" "+oneLine(c.Heading()), s.width-2, maxSentenceLines) {
		if i > 0 {
			l = "  " + l
		}
		s.line(s.of(outcome)(l))
	}
	about := joined([]string{oneLine(string(c.Severity)), oneLine(c.Owner), c.Count()})
	for most := 2; most > 0; most-- { // as many names as fit
		if ids := c.IDs(); len(ids) > 0 {
			if named := about + ": " + idsInShort(ids, most); textWidth(named) <= s.width-2 {
				about = named
				break
			}
		}
	}
	s.line("  " + s.dim(cutToWidth(about, s.width-2)))
	s.indented("  ", c.Consequence, maxSentenceLines)
	for _, f := range c.fields() {
		s.field(f)
	}
	if s.verbose {
		s.sample(c.Sample)
		s.evidence(c.Evidence)
	}
	s.symptoms(c)
}

// symptoms shows the checks that a cause explains; without verbose they are
// folded into a line of it.
func (s *summaryPrinter) symptoms(c causeOutline) {
	if !s.verbose {
		return
	}
	for _, check := range c.Symptoms {
		s.item(check, inShort(check))
		if a := answered(check.Evidence); a != "" {
			s.field(field{"answered", a})
		}
		s.evidence(check.Evidence)
	}
}

// failed shows what fails and has no cause: the worst in full, the rest in short.
func (s *summaryPrinter) failed(t outline) {
	full := len(t.Failed)
	if !s.verbose {
		full = min(full, maxInFull)
	}
	for i, c := range t.Failed[:full] {
		if i == 0 && len(t.Causes) == 0 && strings.Contains(t.Sentence, oneLine(c.Consequence)) {
			c.Consequence = "" // it was just read
		}
		s.block(c)
	}
	rest := t.Failed[full:]
	if len(rest) == 0 {
		return
	}
	s.title("Also failed")
	for i, c := range rest {
		if i == 4*maxItems {
			s.more(len(rest) - i)
			return
		}
		s.item(c, inShort(c))
	}
}

// block shows one check in full: head, sentence, fields.
func (s *summaryPrinter) block(c Check) {
	s.line("")
	head := s.of(c.Outcome)(symbol(c.Outcome) + " " + shortID(c))
	s.line(head + "  " + s.dim(joined([]string{oneLine(c.Level), oneLine(c.KnownFrom())})))
	s.indented("  ", c.headline(), maxSentenceLines)
	for _, f := range fieldsOf(c) {
		s.field(f)
	}
	if s.verbose {
		s.sample(c.Sample)
		s.evidence(c.Evidence)
	}
}

// joined joins what is not empty.
func joined(parts []string) string {
	var there []string
	for _, p := range parts {
		if p != "" {
			there = append(there, p)
		}
	}
	return strings.Join(there, " · ")
}

func (s *summaryPrinter) more(n int) {
	where := "in the report files"
	if s.noFiles {
		where = "with --verbose"
	}
	s.line(s.dim(fmt.Sprintf("… and %d more, %s", n, where)))
}
