package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// maxConsequence bounds what a sentence quotes, in runes.
const maxConsequence = 240

// sentence is the verdict as somebody understands it who decides, and does not
// program: whether to go live, what can happen, and how many mistakes it takes.
func (s outline) sentence() string {
	switch s.Verdict.Word {
	case failedWord:
		return joinSentences(s.readiness(), s.worst(), s.mistakes())
	case incompleteWord:
		return joinSentences("Not to be judged yet, for not all could be checked: " + cmp.Or(oneLine(s.Run.Problem), "what could be judged holds"))
	case nothingWord:
		return joinSentences("Nothing was checked, so nothing is known: " + nothingChecked(s.Run))
	}
	judged, of := s.Run.Summary.judged(), applicable(s.Run.Checks)
	switch {
	case s.little():
		return fmt.Sprintf("What was judged holds, but that is little: %d of %s.", judged, plural(of, "check"))
	case s.gravest() == Critical || s.gravest() == High: // nothing that fails the run, and yet it does not work as meant
		return joinSentences("No requirement fails, but this should not go live", s.worst())
	case s.Run.Summary.Expected > 0:
		return fmt.Sprintf("Ready to go live, but for %s that you listed.", plural(s.Run.Summary.Expected, "known failure"))
	case s.Run.Summary.Warned > 0:
		return fmt.Sprintf("Ready to go live, with %s to look at.", plural(s.Run.Summary.Warned, "warning"))
	}
	return "Ready to go live: what was judged holds."
}

// readiness is as grave as the gravest of what is wrong.
func (s outline) readiness() string {
	if s.gravest() == Critical {
		return "Not safe to go live"
	}
	return "Not ready to go live"
}

func (s outline) gravest() Severity {
	gravest := Severity("")
	for _, c := range s.Causes {
		if c.Severity.rank() < gravest.rank() {
			gravest = c.Severity
		}
	}
	for _, c := range s.Failed {
		if v := c.severity(); v.rank() < gravest.rank() {
			gravest = v
		}
	}
	return gravest
}

// worst is what can happen now.
func (s outline) worst() string {
	switch {
	case s.failsWorse():
		return firstSentences(cmp.Or(s.Failed[0].Consequence, s.Failed[0].Broken))
	case len(s.Causes) > 0:
		return firstSentences(cmp.Or(s.Causes[0].Consequence, s.Causes[0].Title))
	}
	return ""
}

// failsWorse says whether a check without a cause is graver than all causes.
func (s outline) failsWorse() bool {
	return len(s.Failed) > 0 && (len(s.Causes) == 0 || s.Failed[0].severity().rank() < s.Causes[0].Severity.rank())
}

// firstSentences are as many whole sentences as fit.
func firstSentences(text string) string {
	short := clip.Runes(oneLine(text), maxConsequence)
	if !strings.HasSuffix(short, "…") {
		return short
	}
	if end := strings.LastIndex(short, ". "); end > 0 {
		return short[:end+1]
	}
	return short
}

// mistakes counts what is to be mended.
func (s outline) mistakes() string {
	explained, failed := 0, s.Run.Summary.Failed
	if s.Run.Strict {
		failed += s.Run.Summary.Warned
	}
	explained = failed - len(s.Failed)
	n := 0
	for _, c := range s.Causes {
		if slices.ContainsFunc(c.Symptoms, func(c Check) bool { return c.Outcome == Failed || c.Outcome == Warned && s.Run.Strict }) {
			n++
		}
	}
	switch {
	case explained == 0: // the causes are those of warnings, if there are any
		return plural(failed, "requirement") + " " + verb(failed, "does", "do") + " not hold"
	case explained == failed:
		return fmt.Sprintf("%s %s %s", number(n), verb(n, "explains", "explain"), allFailed(failed))
	default:
		return fmt.Sprintf("%s %s %d of %s", number(n), verb(n, "explains", "explain"), explained, plural(failed, "failed check"))
	}
}

func number(mistakes int) string {
	if mistakes == 1 {
		return "One mistake"
	}
	return plural(mistakes, "mistake")
}

func allFailed(failed int) string {
	if failed == 1 {
		return "the failed check"
	}
	return fmt.Sprintf("all %d failed checks", failed)
}

func verb(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

// joinSentences makes sentences of texts that may have a full stop or not.
func joinSentences(texts ...string) string {
	var b strings.Builder
	for _, t := range texts {
		if t = strings.TrimSpace(oneLine(t)); t == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t)
		if last, _ := utf8.DecodeLastRuneInString(t); !strings.ContainsRune(".!?…", last) {
			b.WriteByte('.')
		}
	}
	return b.String()
}
