package reports

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The words of a verdict.
const (
	passedWord     = "PASSED"
	failedWord     = "FAILED"
	incompleteWord = "INCOMPLETE"          // none failed, but not all could be checked
	nothingWord    = "NOTHING WAS CHECKED" // never to be mistaken for success
)

// A verdict is the run in one line, the same in every format.
type verdict struct {
	Word   string
	Detail string  // "2 of 71 checks · 3 warnings · 12 skipped · 4.2 s"
	Level  Outcome // Passed, Failed or Errored: for colours and symbols
}

func verdictOf(run Run) verdict {
	s := run.Summary
	judged := s.judged()
	tail := countsOf(s)
	tail = append(tail, duration(run.DurationMS))
	switch {
	case s.Failed > 0:
		return verdict{failedWord, join(fmt.Sprintf("%d of %s", s.Failed, plural(judged, "check")), tail), Failed}
	case run.Strict && s.Warned > 0:
		return verdict{failedWord, join("strict: a warning fails the run", tail), Failed}
	case judged == 0:
		return verdict{nothingWord, join(nothingChecked(run), tail), Errored}
	case run.Problem != "" || s.Errored > 0:
		return verdict{incompleteWord, join(plural(judged, "check")+" ran, none failed", tail), Errored}
	}
	return verdict{passedWord, join(plural(judged, "check"), tail), Passed}
}

func countsOf(s Summary) []string {
	var out []string
	if s.Warned > 0 {
		out = append(out, plural(s.Warned, "warning"))
	}
	if s.Errored > 0 {
		out = append(out, fmt.Sprintf("%d could not run", s.Errored))
	}
	if s.Expected > 0 {
		out = append(out, plural(s.Expected, "known failure"))
	}
	if s.Skipped > 0 {
		out = append(out, fmt.Sprintf("%d skipped", s.Skipped))
	}
	return out
}

// nothingChecked says why, also if nobody set Problem.
func nothingChecked(run Run) string {
	switch {
	case run.Problem != "":
		return run.Problem
	case len(run.Checks) == 0:
		return "no check was selected"
	case run.Summary.Errored > 0:
		return "no check could run"
	}
	return "no check gave a verdict"
}

// duration is for people: "840 ms", "4.2 s", "2 min 5 s".
func duration(ms int64) string {
	switch d := time.Duration(ms) * time.Millisecond; {
	case ms < 1000:
		return fmt.Sprintf("%d ms", max(ms, 0))
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return fmt.Sprintf("%d min %d s", int64(d.Minutes()), int64(d.Seconds())%60)
	}
}

// Err is what a Go test fails with: the verdict, and the checks that did not hold, a line
// each. It is nil where ExitCode is 0.
func (r Run) Err() error {
	if r.ExitCode == 0 {
		return nil
	}
	_, sentence := r.Verdict()
	lines := []string{sentence}
	for _, c := range r.Checks {
		if c.Outcome == Errored || badness(c.Outcome) >= doubtful {
			lines = append(lines, c.String())
		}
	}
	return errors.New(strings.Join(lines, "\n"))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func join(first string, rest []string) string {
	return strings.Join(append([]string{first}, rest...), " · ")
}

// Verdict is a finished run in a word ("FAILED") and in a sentence, as every format
// says it.
func (r Run) Verdict() (word, sentence string) {
	s := outlineOf(r)
	return s.Verdict.Word, s.Sentence
}
