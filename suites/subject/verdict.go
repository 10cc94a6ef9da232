package subject

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/reports"
)

// A Verdict is what a probe found: what it expected, what it saw, and the
// exchanges that show it. Make one with [Holds], [Violated], [Doubtful],
// [Missing] or [CouldNotRun].
type Verdict struct {
	Kind     kind
	Level    rule.Level // of a violation, where it is not the requirement's own
	Expected string
	Actual   string
	Reason   string
	Advice   string
	// Broken and Consequence are in the place of the requirement's own, where it does
	// not hold in another way than they speak of.
	Broken, Consequence string
	IsWeak              bool
	Cause               string // the ID of the cause that the probe itself has recognised
	Inferred            bool   // the cause, from what an answer says: nothing else has shown it
	Where               string // the webhook that it is about, where there are several
	// Elsewhere are the verdicts on other webhooks that don't hold either, the worst
	// first: each stands on its own evidence.
	Elsewhere []Verdict
	Sure      bool // once is enough: a belief, a leak, a death
	Repeats   *reports.Repeats
	Evidence  []Evidence
}

type kind int

const (
	Held kind = iota
	Broken
	Lacking
	Hindered
)

// Holds says that the requirement holds; actual is what was seen.
func Holds(actual string, args ...any) Verdict {
	return Verdict{Kind: Held, Actual: fmt.Sprintf(actual, args...)}
}

// Violated says that it does not.
func Violated(expected, actual string) Verdict {
	return Verdict{Kind: Broken, Expected: expected, Actual: actual}
}

// Doubtful says that it may not hold: a warning, whatever the level.
func Doubtful(expected, actual string) Verdict {
	return Violated(expected, actual).At(rule.Should)
}

// Missing says that something is not there that the check needs, and why; the
// check is skipped.
func Missing(reason string, args ...any) Verdict {
	return Verdict{Kind: Lacking, Reason: fmt.Sprintf(reason, args...)}
}

// CouldNotRun says that the check was prevented from finding out, which is not
// the customer's failure. An error that wraps [ErrMissing] skips it instead.
func CouldNotRun(err error) Verdict {
	if errors.Is(err, ErrMissing) {
		return Verdict{Kind: Lacking, Reason: err.Error()}
	}
	return Verdict{Kind: Hindered, Reason: err.Error()}
}

// ErrMissing marks an error that says which need a target does not meet.
var ErrMissing = errors.New("missing")

// MissingError is an error text that counts as ErrMissing without saying so.
type MissingError string

func (e MissingError) Error() string        { return string(e) }
func (e MissingError) Is(target error) bool { return target == ErrMissing }

// At sets the level at which a violation counts.
func (v Verdict) At(level rule.Level) Verdict { v.Level = level; return v }

// With adds evidence.
func (v Verdict) With(evidence ...Evidence) Verdict {
	v.Evidence = append(v.Evidence[:len(v.Evidence):len(v.Evidence)], evidence...)
	return v
}

// Fix replaces the requirement's fix by one that knows this target better.
func (v Verdict) Fix(fix string) Verdict { v.Advice = fix; return v }

// Says puts a finding and its consequence in the place of the requirement's own.
func (v Verdict) Says(broken, consequence string) Verdict {
	v.Broken, v.Consequence = broken, consequence
	return v
}

// Errs says of what should have been refused that it ended in an error: nobody has
// believed it.
func (v Verdict) Errs() Verdict {
	return v.Says("The webhook fails with an error on what it should refuse.",
		"It does not believe it, but strangers fill your logs with errors, and find the one that does more harm.")
}

// Unclear says of what should have been refused that nobody can tell whether it was.
func (v Verdict) Unclear() Verdict {
	return v.Says("The webhook answers what it should refuse neither like a member's request nor like a stranger's.",
		"Nobody can tell from that whether it believed it. A plain 401 would show that it did not.")
}

// Oddly says of an auth endpoint that gave no token, as it should, that it said so in another
// way than clients expect.
func (v Verdict) Oddly(status int) Verdict {
	switch {
	case status >= 500:
		return v.Says("The auth endpoint fails with an error on what it should refuse.",
			"It gives no token, but strangers fill your logs with errors, and find the one that does more harm.")
	case status >= 300:
		return v.Says("The auth endpoint sends elsewhere who should be refused.",
			"It gives no token, but a script follows the redirect, and takes the page that it finds for the answer.")
	}
	return v.Says("The auth endpoint gives no token, but answers as if nothing were wrong.",
		"Who reads the status alone takes it for a success, and looks for the mistake elsewhere.")
}

// Weak marks a pass that proves less than it should, and says why.
func (v Verdict) Weak(why string) Verdict { v.IsWeak, v.Reason = true, why; return v }

// Outcome is what the verdict means for a requirement of this level.
func (v Verdict) Outcome(level rule.Level) reports.Outcome {
	switch v.Kind {
	case Held:
		return reports.Passed
	case Lacking:
		return reports.Skipped
	case Hindered:
		return reports.Errored
	}
	if level == rule.Info {
		return reports.Informed
	}
	if v.Level != "" {
		level = v.Level
	}
	switch level {
	case rule.Must:
		return reports.Failed
	case rule.Should:
		return reports.Warned
	}
	return reports.Informed
}

// Accuses says whether the verdict says of a requirement of this level that
// something must change.
func (v Verdict) Accuses(level rule.Level) bool {
	o := v.Outcome(level)
	return o == reports.Failed || o == reports.Warned
}

// Parted are the verdicts that a joint one is made of: the worst, and those of
// other webhooks.
func (v Verdict) Parted() []Verdict {
	all := append([]Verdict{v}, v.Elsewhere...)
	all[0].Elsewhere = nil
	return all
}

// Joined is the worst of verdicts on different webhooks, with what else does not
// hold beside it.
func Joined(level rule.Level, verdicts []Verdict) Verdict {
	w := Worst(level, verdicts...)
	for _, v := range verdicts {
		if v.Kind == Broken && v.Where != w.Where {
			w.Elsewhere = append(w.Elsewhere, v)
		}
	}
	slices.SortStableFunc(w.Elsewhere, func(a, b Verdict) int {
		switch {
		case a.worse(level, b):
			return -1
		case b.worse(level, a):
			return 1
		}
		return 0
	})
	return w
}

// severity orders verdicts of one requirement, worst last.
func (v Verdict) severity(level rule.Level) int {
	switch v.Outcome(level) {
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

// worse says whether a verdict is to speak for a requirement rather than another: of
// two that are equally bad it is the one that is sure, for a belief in a forged token
// tells more than an error does.
func (v Verdict) worse(level rule.Level, w Verdict) bool {
	mine, other := v.severity(level), w.severity(level)
	return mine > other || mine == other && v.Kind == Broken && v.Sure && !w.Sure
}

// Worst returns the verdict that decides where one requirement was judged
// several times, with the evidence of that one only.
func Worst(level rule.Level, verdicts ...Verdict) Verdict {
	if len(verdicts) == 0 {
		return CouldNotRun(errors.New("nothing was tried"))
	}
	w := verdicts[0]
	for _, v := range verdicts[1:] {
		if v.worse(level, w) {
			w = v
		}
	}
	return w
}

// Guarded turns a panic of a probe into a verdict: one broken check must not
// take the others' results with it.
func Guarded(id string, probe func() Verdict) (v Verdict) {
	defer func() {
		if p := recover(); p != nil {
			v = CouldNotRun(fmt.Errorf("this is a bug in kindlytest: %s panicked: %v\n%s", id, p, debug.Stack()))
		}
	}()
	return probe()
}

// Because names the cause that a probe has recognised by itself.
func (v Verdict) Because(cause string) Verdict { v.Cause = cause; return v }

// Inferring says that the cause is concluded from the words or the status of an answer:
// no experiment has shown it.
func (v Verdict) Inferring(inferred bool) Verdict { v.Inferred = inferred; return v }

// Surely says that the violation needs no repetition: a belief in a forged
// token, a leak, a death.
func (v Verdict) Surely() Verdict { v.Sure = true; return v }
