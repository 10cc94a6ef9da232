package reports

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func row(id string, o Outcome) Check {
	return Check{ID: id, Area: "AUTH", Level: "MUST", Fidelity: "documented", Requirement: id, Source: "https://docs.kindly.ai/", Outcome: o}
}

func left(id string) Check {
	c := row(id, Skipped)
	c.Reason, c.Deselected = "not asked for", true
	return c
}

func runAt(at time.Time, checks ...Check) Run {
	return finished(Run{Tool: Tool{Name: "kindlytest"}, Target: Target{Page: "https://staging.example.com/"}, Started: at, Checks: checks})
}

func outcomes(r Run) string {
	var out []string
	for _, c := range r.Checks {
		out = append(out, string(c.Outcome))
	}
	return strings.Join(out, " ")
}

func TestUpdateKeepsTheRowsThatNobodyAskedFor(t *testing.T) {
	monday, tuesday := sampleTime, sampleTime.Add(24*time.Hour)
	full := runAt(monday, row("A", Failed), row("B", Failed), row("C", Passed))
	full.Causes = []Cause{{ID: "both", Explains: []string{"A", "B"}}, {ID: "gone", Explains: []string{"A"}}}
	got := Update(full, runAt(tuesday, row("A", Passed), left("B"), left("C")))
	if outcomes(got) != "passed failed passed" || got.ExitCode != 1 || got.Summary.Failed != 1 {
		t.Errorf("%s, exit code %d, %+v", outcomes(got), got.ExitCode, got.Summary)
	}
	if !got.Checks[0].AsOf.IsZero() || !got.Checks[1].AsOf.Equal(monday) || !got.Checks[2].AsOf.Equal(monday) {
		t.Errorf("as of %v", got.Checks)
	}
	if len(got.Causes) != 1 || got.Causes[0].ID != "both" || !slices.Equal(got.Causes[0].Explains, []string{"B"}) {
		t.Errorf("causes %+v", got.Causes)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0].Text, "2 of 3 rows are from 2025-11-03 09:30:00 UTC") {
		t.Errorf("notes %+v", got.Notes)
	}
	// Once more: a row's time is that of the run that found it out, not of the last.
	again := Update(got, runAt(tuesday.Add(time.Hour), left("A"), row("B", Passed), left("C")))
	if outcomes(again) != "passed passed passed" || again.ExitCode != 0 || len(again.Causes)+len(again.Notes) != 1 {
		t.Errorf("%s, exit code %d, %+v, %+v", outcomes(again), again.ExitCode, again.Causes, again.Notes)
	}
	if !again.Checks[0].AsOf.Equal(tuesday) || !again.Checks[2].AsOf.Equal(monday) {
		t.Errorf("as of %v", again.Checks)
	}
	if outcomes(full) != "failed failed passed" || len(full.Causes[0].Explains) != 2 {
		t.Error("the earlier run was changed")
	}
	// A whole run is all that counts.
	whole := Update(again, runAt(tuesday, row("A", Passed), row("B", Passed), row("C", Failed)))
	if outcomes(whole) != "passed passed failed" || len(whole.Notes) != 0 {
		t.Errorf("%s, %+v", outcomes(whole), whole.Notes)
	}
}

func TestUpdateMixesNoTargets(t *testing.T) {
	other := runAt(sampleTime, row("A", Failed), row("B", Failed))
	other.Target.Page = "https://other.example.com/"
	if got := Update(other, runAt(sampleTime, row("A", Passed), left("B"))); outcomes(got) != "passed skipped" {
		t.Error(outcomes(got))
	}
	found, given := Target{Endpoint: "POST https://a.example/token"}, Target{Endpoint: "https://a.example/token"}
	if !found.Same(given) || found.Same(Target{Endpoint: "https://b.example/token"}) {
		t.Error("endpoints are told apart by their addresses")
	}
}

// What kept an earlier run from all is over when what it kept from has run.
func TestUpdateForgetsAProblemThatIsOver(t *testing.T) {
	down := runAt(sampleTime, row("A", Errored), row("B", Skipped))
	down.Problem = "the page could not be opened"
	if got := Update(down, runAt(sampleTime, row("A", Passed), left("B"))); got.Problem != "" || got.ExitCode != 0 {
		t.Errorf("%q, exit code %d", got.Problem, got.ExitCode)
	}
	if got := Update(down, runAt(sampleTime, left("A"), row("B", Passed))); got.Problem == "" || got.ExitCode != 2 {
		t.Errorf("%q, exit code %d", got.Problem, got.ExitCode)
	}
	little := runAt(sampleTime, row("A", Failed), row("B", Skipped))
	little.Problem = "not all that the target offers could be judged"
	if got := Update(little, runAt(sampleTime, row("A", Passed), left("B"))); got.ExitCode != 2 {
		t.Errorf("%q, exit code %d", got.Problem, got.ExitCode)
	}
}

func TestUpdateSetKeepsTheTargetsThatWereLeftOut(t *testing.T) {
	named := func(name string, r Run) Run { r.Target.Name = name; return r }
	older := NewSet([]Run{named("a", runAt(sampleTime, row("A", Failed), row("B", Failed))), named("b", runAt(sampleTime, row("A", Failed)))})
	got := UpdateSet(older, NewSet([]Run{named("a", runAt(sampleTime, row("A", Passed), left("B"))), named("c", runAt(sampleTime, row("A", Passed)))}))
	var told []string
	for _, r := range got.Runs {
		told = append(told, r.Target.Name+" "+outcomes(r))
	}
	if want := []string{"a passed failed", "b failed", "c passed"}; !slices.Equal(told, want) || got.ExitCode != 1 {
		t.Errorf("%q, exit code %d", told, got.ExitCode)
	}
}

func TestUnmendedIsWhatFailsARun(t *testing.T) {
	run := runAt(sampleTime, row("A", Failed), row("B", Warned), row("C", Errored), row("D", Passed), row("E", Skipped), row("F", Expected))
	if got := run.Unmended(); !slices.Equal(got, []string{"A", "C"}) {
		t.Error(got)
	}
	run.Strict = true
	if got := run.Unmended(); !slices.Equal(got, []string{"A", "B", "C"}) {
		t.Error(got)
	}
}

func TestAgainIsWhatFailedAndWhatWaitsForIt(t *testing.T) {
	because := func(id string, o Outcome, reason string, change func(*Check)) Check {
		c := row(id, o)
		c.Reason = reason
		if change != nil {
			change(&c)
		}
		return c
	}
	run := runAt(sampleTime,
		row("T-FORM", Failed),
		because("T-SUB", Skipped, "the token can't be read (see T-JSON, T-FORM)", nil),
		because("T-KEY", Skipped, "no public key", nil),
		because("T-EXP", Skipped, "there is none (see T-SUB)", nil), // T-SUB did not fail
		because("T-ALG", Skipped, "not asked for (see T-FORM)", func(c *Check) { c.Deselected = true }),
		because("T-OLD", Passed, "answers are alike (see T-FORM), so this pass proves less", func(c *Check) { c.Weak = true }),
		because("T-NEW", Passed, "as it should (see T-FORM)", nil),
		row("T-BAD", Errored))
	if got := run.Again(); !slices.Equal(got, []string{"T-FORM", "T-SUB", "T-OLD", "T-BAD"}) {
		t.Error(got)
	}
}

// A report of yesterday beside one of today would be read as today's.
func TestRenewFilesLeavesNoReportOfAnEarlierRun(t *testing.T) {
	dir := t.TempDir()
	if _, err := WriteFiles(dir, emptyRun(), Formats()...); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "report.md")
	if err := os.WriteFile(foreign, []byte("# Our quarterly report\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := RenewFiles(dir, sampleRun(), JSON); err != nil {
		t.Fatal(err)
	}
	for _, f := range Formats() {
		var want strings.Builder
		if err := Write(&want, sampleRun(), f); err != nil {
			t.Fatal(err)
		}
		if f == Markdown {
			want.Reset()
			want.WriteString("# Our quarterly report\n")
		}
		if got, err := os.ReadFile(filepath.Join(dir, f.File())); err != nil || string(got) != want.String() {
			t.Errorf("%s is not what it should be: %v", f, err)
		}
	}
	empty := t.TempDir()
	if _, err := RenewFiles(empty, sampleRun(), JSON); err != nil {
		t.Fatal(err)
	}
	if got := held(empty); !slices.Equal(got, []Format{JSON}) {
		t.Errorf("%v were written, though one was asked for", got)
	}
	// A set has no SARIF of all: that of an earlier run is removed.
	named := sampleRun()
	named.Target.Name = "a"
	if _, err := RenewFiles(dir, NewSet([]Run{named}), JSON); err != nil {
		t.Fatal(err)
	}
	if got := held(dir); slices.Contains(got, SARIF) || !slices.Contains(got, HTML) {
		t.Errorf("%v are left", got)
	}
}

func TestTryFilesSaysWhatWouldFailLater(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := TryFiles(dir, JSON); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	if err := os.Mkdir(filepath.Join(dir, "report.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := TryFiles(dir, JUnit, JSON); err == nil || !strings.Contains(err.Error(), "report.json is a folder") {
		t.Error(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := TryFiles(file, JSON); err == nil {
		t.Error("a file is no folder")
	}
}
