package reports

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// A Comparison is what changed from one run of a target to another. What was not
// judged in either of the runs cannot be compared, and says so.
type Comparison struct {
	Schema  int     `json:"schema"`
	Verdict Trend   `json:"verdict"`
	Old     RunHead `json:"old"`
	New     RunHead `json:"new"`
	// Remarks say why the two may be hard to compare.
	Remarks []string `json:"remarks,omitempty"`

	Worse     []Change `json:"worse"`     // fails or warns now, and did less or was not judged
	Lost      []Change `json:"lost"`      // was judged, and is no longer
	Better    []Change `json:"better"`    // failed or warned, and does less
	Gained    []Change `json:"gained"`    // was not judged, and holds
	Accepted  []Change `json:"accepted"`  // failed or warned, and is a known failure now
	Remaining []Change `json:"remaining"` // fails or warns as before
	Unchanged int      `json:"unchanged"` // the rest
}

// comparisonVersion is the version of a comparison's JSON form. Schema 2 of the
// report changed nothing in it.
const comparisonVersion = 1

// A Trend is a comparison in one word.
type Trend string

// The trends. What is worse outweighs what is better.
const (
	GotWorse  Trend = "worse" // something is worse, or is no longer judged
	GotBetter Trend = "better"
	StayedAs  Trend = "unchanged"
)

// RunHead identifies a run.
type RunHead struct {
	Tool     Tool      `json:"tool"`
	Target   string    `json:"target"` // its name, or a URL
	Started  time.Time `json:"started"`
	ExitCode int       `json:"exit_code"`
	Summary  Summary   `json:"summary"`
}

// A Change is a check in both runs; an outcome is empty where it is not there.
type Change struct {
	ID          string  `json:"id"`
	Requirement string  `json:"requirement"`
	Old         Outcome `json:"old,omitempty"`
	New         Outcome `json:"new,omitempty"`
	Actual      string  `json:"actual,omitempty"` // what the newer run saw
	Reason      string  `json:"reason,omitempty"` // why it was not judged, or is accepted
	Fix         string  `json:"fix,omitempty"`
	Repeat      string  `json:"repeat,omitempty"`
}

// Compare compares two finished runs, check by check.
func Compare(older, newer Run) Comparison {
	c := Comparison{
		Schema: comparisonVersion, Old: headOf(older), New: headOf(newer), Remarks: compareRemarks(older, newer),
		Worse: []Change{}, Lost: []Change{}, Better: []Change{}, Gained: []Change{}, Accepted: []Change{}, Remaining: []Change{},
	}
	before := byID(older.Checks)
	for _, check := range newer.Checks {
		old, ok := before[check.ID]
		if !ok {
			old = Check{} // it was not there
		}
		delete(before, check.ID)
		c.add(old, check)
	}
	for _, old := range older.Checks { // in their order
		if _, gone := before[old.ID]; gone {
			delete(before, old.ID)
			c.add(old, Check{ID: old.ID, Requirement: old.Requirement, Reason: "the newer run has no such check"})
		}
	}
	switch {
	case len(c.Worse)+len(c.Lost) > 0:
		c.Verdict = GotWorse
	case len(c.Better) > 0:
		c.Verdict = GotBetter
	default:
		c.Verdict = StayedAs
	}
	return c
}

// add puts a check where it belongs.
func (c *Comparison) add(old, check Check) {
	change := Change{
		ID: check.ID, Requirement: check.Requirement, Old: old.Outcome, New: check.Outcome,
		Actual: check.Actual, Reason: check.Reason, Fix: check.Fix, Repeat: check.Repeat,
	}
	was, is := badness(old.Outcome), badness(check.Outcome)
	switch {
	case is == unjudged && was == unjudged, is == sound && was == sound:
		c.Unchanged++
	case is == unjudged:
		c.Lost = append(c.Lost, change)
	case is == sound && was == unjudged:
		c.Gained = append(c.Gained, change)
	case is == accepted && was != accepted && was != sound: // what held is worse, listed or not
		c.Accepted = append(c.Accepted, change)
	case is > was:
		c.Worse = append(c.Worse, change)
	case is < was:
		c.Better = append(c.Better, change)
	default:
		c.Remaining = append(c.Remaining, change)
	}
}

// The scale on which outcomes are compared.
const (
	unjudged = iota // skipped, could not run, or not there
	sound
	accepted
	doubtful
	failing
)

func badness(o Outcome) int {
	switch o {
	case Passed, Informed: // an INFO is no verdict
		return sound
	case Expected:
		return accepted
	case Warned:
		return doubtful
	case Failed:
		return failing
	}
	return unjudged
}

func headOf(run Run) RunHead {
	return RunHead{Tool: run.Tool, Target: subjectOf(run.Target), Started: run.Started, ExitCode: run.ExitCode, Summary: run.Summary}
}

func byID(checks []Check) map[string]Check {
	m := map[string]Check{}
	for _, c := range checks {
		m[c.ID] = c
	}
	return m
}

func compareRemarks(older, newer Run) []string {
	var out []string
	if subjectOf(older.Target) != subjectOf(newer.Target) {
		out = append(out, fmt.Sprintf("The targets differ: %s then, %s now.", subjectOf(older.Target), subjectOf(newer.Target)))
	}
	if older.Tool.Version != newer.Tool.Version {
		out = append(out, fmt.Sprintf("kindlytest differs: %s then, %s now; a newer one may check more.", older.Tool.Version, newer.Tool.Version))
	}
	if older.Started.After(newer.Started) {
		out = append(out, "The run that is compared with is the later one.")
	}
	if newer.Problem != "" {
		out = append(out, "Not all could be checked now: "+newer.Problem)
	}
	return out
}

// WriteComparison writes a comparison in a format: JSON or Markdown.
func WriteComparison(w io.Writer, c Comparison, format Format) error {
	switch format {
	case JSON:
		return writeJSON(w, c)
	case Markdown:
		return writeMarkdownComparison(w, c)
	}
	return fmt.Errorf("a comparison can be written as %s or %s, not as %q", JSON, Markdown, string(format))
}

// A changeGroup is one of a comparison's lists, with its title.
type changeGroup struct {
	title   string
	sign    Outcome
	changes []Change
	full    bool // what to do about each is worth saying
}

// groups are the lists that are not empty, what matters most first.
func (c Comparison) groups() []changeGroup {
	all := []changeGroup{
		{"Worse", Failed, c.Worse, true},
		{"No longer checked", Errored, c.Lost, false},
		{"Better", Passed, c.Better, false},
		{"Checked now, and holds", Passed, c.Gained, false},
		{"A known failure now", Expected, c.Accepted, false},
		{"As before", Warned, c.Remaining, false},
	}
	return slices.DeleteFunc(all, func(g changeGroup) bool { return len(g.changes) == 0 })
}

// counts is the comparison in one line: "2 worse · 1 better · 130 unchanged".
func (c Comparison) counts() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{len(c.Worse), "worse"}, {len(c.Lost), "no longer checked"}, {len(c.Better), "better"}, {len(c.Gained), "checked now"},
		{len(c.Accepted), "newly accepted"}, {len(c.Remaining), "still failing or warning"}, {c.Unchanged, "unchanged"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		return "no checks"
	}
	return join(parts[0], parts[1:])
}

// fromTo is a change in words: "passed → failed".
func (ch Change) fromTo() string {
	word := func(o Outcome) string {
		if o == "" {
			return "not there"
		}
		return outcomeWord(o)
	}
	if ch.Old == ch.New {
		return word(ch.New)
	}
	return word(ch.Old) + " → " + word(ch.New)
}

// about says what the newer run saw of it.
func (ch Change) about() string {
	switch ch.New {
	case Skipped, Errored, Expected, "":
		return ch.Reason
	case Failed, Warned:
		return ch.Actual
	}
	return ch.Requirement
}
