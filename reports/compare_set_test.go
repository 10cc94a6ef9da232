package reports

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func target(name string, pairs ...string) Run {
	run := runOf(pairs...)
	run.Target.Name = name
	return run
}

func TestCompareSetsTargetByTarget(t *testing.T) {
	older := NewSet([]Run{target("a", "X", "passed", "Y", "failed"), target("b", "X", "failed"), target("gone", "X", "passed")})
	for _, row := range []struct {
		name    string
		newer   []Run
		verdict Trend
		says    string
	}{
		{"all as before", older.Runs, StayedAs, "3 targets: 0 got worse · 0 better · 3 unchanged"},
		{"one better", []Run{older.Runs[0], target("b", "X", "passed"), older.Runs[2]}, GotBetter, "3 targets: 0 got worse · 1 better · 2 unchanged"},
		{"one better, one worse", []Run{target("a", "X", "failed", "Y", "failed"), target("b", "X", "passed"), older.Runs[2]}, GotWorse, "3 targets: 1 got worse · 1 better · 1 unchanged"},
		{"one gone", older.Runs[:2], GotWorse, "3 targets: 1 got worse · 0 better · 2 unchanged"},
		{"a new one that holds", append([]Run{target("new", "X", "passed")}, older.Runs...), StayedAs, "4 targets: 0 got worse · 0 better · 4 unchanged"},
		{"a new one that fails", append([]Run{target("new", "X", "failed")}, older.Runs...), GotWorse, "4 targets: 1 got worse · 0 better · 3 unchanged"},
	} {
		c := CompareSets(older, NewSet(row.newer))
		if c.Verdict != row.verdict || c.counts() != row.says {
			t.Errorf("%s: %s, %s", row.name, c.Verdict, c.counts())
		}
		var text, md, data bytes.Buffer
		if err := (&Terminal{W: &text}).CompareSet(c); err != nil || !strings.HasSuffix(text.String(), "  "+row.says+"\n") {
			t.Errorf("%s: %v\n%s", row.name, err, text.String())
		}
		if err := WriteSetComparison(&md, c, Markdown); err != nil || strings.Count(md.String(), "## ")-strings.Count(md.String(), "### ") != 1+changed(c) {
			t.Errorf("%s: %v\n%s", row.name, err, md.String())
		}
		var back SetComparison
		if err := WriteSetComparison(&data, c, JSON); err != nil || json.Unmarshal(data.Bytes(), &back) != nil || len(back.Targets) != len(c.Targets) {
			t.Errorf("%s: %v\n%s", row.name, err, data.String())
		}
	}
}

func changed(c SetComparison) int {
	n := 0
	for _, one := range c.Targets {
		if one.Verdict != StayedAs {
			n++
		}
	}
	return n
}

// Beside the changes of a pull request, what was wrong before it is no error.
func TestAnnotationsSinceAnEarlierRun(t *testing.T) {
	older := target("a", "OLD-CAUSE", "failed", "OLD-ALONE", "failed", "NEW-CAUSE", "passed", "NEW-ALONE", "passed")
	newer := target("a", "OLD-CAUSE", "failed", "OLD-ALONE", "failed", "NEW-CAUSE", "failed", "NEW-ALONE", "failed")
	newer.Causes = []Cause{
		{ID: "old", Title: "An old cause", Severity: High, Explains: []string{"OLD-CAUSE"}},
		{ID: "new", Title: "A new cause", Severity: High, Explains: []string{"NEW-CAUSE"}},
	}
	for i, id := range []string{"old", "", "new", ""} {
		newer.Checks[i].Cause = id
	}
	newer.Finish()
	var b bytes.Buffer
	if err := WriteAnnotationsSince(&b, NewSet([]Run{older}), NewSet([]Run{newer})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"::notice title=An old cause::", "::error title=A new cause::", "::notice title=OLD-ALONE::", "::error title=NEW-ALONE::"} {
		if strings.Count(b.String(), want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := WriteAnnotations(&b, NewSet([]Run{newer})); err != nil || strings.Contains(b.String(), "::notice") || strings.Count(b.String(), "::error ") != 4 {
		t.Errorf("%v\n%s", err, b.String())
	}
}
