package suites

import (
	"errors"
	"fmt"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/reports"
)

// A Verdict is what a probe found: what it expected, what it saw, and the
// exchanges that show it. Make one with [Holds], [Violated], [Doubtful],
// [Missing] or [CouldNotRun].
type Verdict struct {
	kind     kind
	level    rule.Level // of a violation, where it is not the requirement's own
	expected string
	actual   string
	reason   string
	fix      string
	weak     bool
	evidence []Evidence
}

type kind int

const (
	holds kind = iota
	violated
	missing
	couldNotRun
)

// Holds says that the requirement holds; actual is what was seen.
func Holds(actual string, args ...any) Verdict {
	return Verdict{kind: holds, actual: fmt.Sprintf(actual, args...)}
}

// Violated says that it does not.
func Violated(expected, actual string) Verdict {
	return Verdict{kind: violated, expected: expected, actual: actual}
}

// Doubtful says that it may not hold: a warning, whatever the level.
func Doubtful(expected, actual string) Verdict {
	return Violated(expected, actual).at(rule.Should)
}

// Missing says that something is not there that the check needs, and why; the
// check is skipped.
func Missing(reason string, args ...any) Verdict {
	return Verdict{kind: missing, reason: fmt.Sprintf(reason, args...)}
}

// CouldNotRun says that the check was prevented from finding out, which is not
// the customer's failure. An error that wraps [ErrMissing] skips it instead.
func CouldNotRun(err error) Verdict {
	if errors.Is(err, ErrMissing) {
		return Verdict{kind: missing, reason: err.Error()}
	}
	return Verdict{kind: couldNotRun, reason: err.Error()}
}

// ErrMissing marks an error that says which need a target does not meet.
var ErrMissing = errors.New("missing")

// missingError is an error text that counts as ErrMissing without saying so.
type missingError string

func (e missingError) Error() string        { return string(e) }
func (e missingError) Is(target error) bool { return target == ErrMissing }

// at sets the level at which a violation counts.
func (v Verdict) at(level rule.Level) Verdict { v.level = level; return v }

// With adds evidence.
func (v Verdict) With(evidence ...Evidence) Verdict {
	v.evidence = append(v.evidence[:len(v.evidence):len(v.evidence)], evidence...)
	return v
}

// Fix replaces the requirement's fix by one that knows this target better.
func (v Verdict) Fix(fix string) Verdict { v.fix = fix; return v }

// Weak marks a pass that proves less than it should, and says why.
func (v Verdict) Weak(why string) Verdict { v.weak, v.reason = true, why; return v }

// outcome is what the verdict means for a requirement of this level.
func (v Verdict) outcome(level rule.Level) reports.Outcome {
	switch v.kind {
	case holds:
		return reports.Passed
	case missing:
		return reports.Skipped
	case couldNotRun:
		return reports.Errored
	}
	if level == rule.Info {
		return reports.Informed
	}
	if v.level != "" {
		level = v.level
	}
	switch level {
	case rule.Must:
		return reports.Failed
	case rule.Should:
		return reports.Warned
	}
	return reports.Informed
}

// severity orders verdicts of one requirement, worst last.
func (v Verdict) severity(level rule.Level) int {
	switch v.outcome(level) {
	case reports.Skipped:
		return 0
	case reports.Passed:
		return 1
	case reports.Informed:
		return 2
	case reports.Errored:
		return 3
	case reports.Warned:
		return 4
	}
	return 5
}

// worst returns the verdict that decides where one requirement was judged
// several times, with the evidence of that one only.
func worst(level rule.Level, verdicts ...Verdict) Verdict {
	if len(verdicts) == 0 {
		return CouldNotRun(errors.New("nothing was tried"))
	}
	w := verdicts[0]
	for _, v := range verdicts[1:] {
		if v.severity(level) > w.severity(level) {
			w = v
		}
	}
	return w
}
