package reports

import (
	"fmt"
	"io"
	"strings"
)

// A SetComparison is what changed from one run against several targets to another,
// target by target, in the order of the newer run and then those that it has no more.
type SetComparison struct {
	Schema  int          `json:"schema"`
	Verdict Trend        `json:"verdict"` // one that got worse outweighs all that got better
	Targets []Comparison `json:"targets"`
}

// CompareSets compares runs of the same targets, which are told by their names, unless
// there is one in each. All that is wrong with a target which is new is worse; a target that is gone is no
// longer judged.
func CompareSets(older, newer Set) SetComparison {
	c := SetComparison{Schema: comparisonVersion, Verdict: StayedAs, Targets: []Comparison{}}
	before := map[string]Run{}
	for _, run := range older.Runs {
		before[run.Target.Name] = run
	}
	if len(older.Runs) == 1 && len(newer.Runs) == 1 {
		c.add(Compare(older.Runs[0], newer.Runs[0]))
		return c
	}
	for _, run := range newer.Runs {
		old, ok := before[run.Target.Name]
		if !ok {
			old = Run{Target: run.Target, Tool: older.Tool, Started: older.Started}
		}
		delete(before, run.Target.Name)
		c.add(Compare(old, run))
	}
	for _, run := range older.Runs {
		if _, gone := before[run.Target.Name]; gone {
			c.add(Compare(run, Run{Target: run.Target, Tool: newer.Tool, Started: newer.Started, Problem: "the newer run has no such target"}))
		}
	}
	return c
}

func (c *SetComparison) add(one Comparison) {
	c.Targets = append(c.Targets, one)
	if one.Verdict == GotWorse || c.Verdict == StayedAs {
		c.Verdict = one.Verdict
	}
}

// counts is the comparison in one line: "1 of 12 targets got worse · 2 better".
func (c SetComparison) counts() string {
	n := map[Trend]int{}
	for _, one := range c.Targets {
		n[one.Verdict]++
	}
	return fmt.Sprintf("%s: %d got worse · %d better · %d unchanged", plural(len(c.Targets), "target"), n[GotWorse], n[GotBetter], n[StayedAs])
}

// WriteSetComparison is WriteComparison for several targets. In Markdown those that
// did not change are told by their number.
func WriteSetComparison(w io.Writer, c SetComparison, format Format) error {
	if format == JSON {
		return writeJSON(w, c)
	}
	v := trendWords[c.Verdict]
	head := fmt.Sprintf("## %s kindlytest: %s\n\n**Result:** %s\n\n", markdownSymbol(v.Level), strings.ToLower(v.Word), inline(c.counts(), maxMarkdownText))
	if _, err := io.WriteString(w, head); err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	for _, one := range c.Targets {
		if one.Verdict == StayedAs {
			continue
		}
		if err := WriteComparison(w, one, format); err != nil {
			return err
		}
	}
	return nil
}

// CompareSet prints a comparison of several targets. Its last line is the trend.
func (t *Terminal) CompareSet(c SetComparison) error {
	for _, one := range c.Targets {
		if err := t.Compare(one); err != nil {
			return err
		}
		t.write("\n")
	}
	v := trendWords[c.Verdict]
	t.write(t.palette().of(v.Level)(v.Word) + "  " + c.counts() + "\n")
	return t.err
}
