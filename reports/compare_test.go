package reports

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// runOf has a check for each pair of ID and outcome.
func runOf(pairs ...string) Run {
	run := Run{Tool: Tool{Name: "kindlytest", Version: "1.0.0"}, Target: Target{Page: "https://staging.example.com/"}, Started: sampleTime}
	for i := 0; i < len(pairs); i += 2 {
		run.Checks = append(run.Checks, sample(pairs[i], Outcome(pairs[i+1]), Check{
			Requirement: "Requirement of " + pairs[i] + ".", Actual: "actual", Reason: "reason", Fix: "Fix " + pairs[i] + ".",
		}))
	}
	return finished(run)
}

func idsOf(changes []Change) string {
	var ids []string
	for _, c := range changes {
		ids = append(ids, c.ID)
	}
	return strings.Join(ids, " ")
}

func TestCompareOneCheck(t *testing.T) {
	for name, row := range map[string]struct {
		old, new string
		where    string
		verdict  Trend
	}{
		"broke":                          {"passed", "failed", "worse", GotWorse},
		"a warning became a failure":     {"warned", "failed", "worse", GotWorse},
		"broke beyond a known failure":   {"expected", "failed", "worse", GotWorse},
		"was not judged, and fails":      {"skipped", "failed", "worse", GotWorse},
		"could not run, and warns":       {"errored", "warned", "worse", GotWorse},
		"a new check that fails":         {"", "failed", "worse", GotWorse},
		"is not judged any more":         {"passed", "skipped", "lost", GotWorse},
		"a failure that is not judged":   {"failed", "errored", "lost", GotWorse},
		"is gone":                        {"passed", "", "lost", GotWorse},
		"was repaired":                   {"failed", "passed", "better", GotBetter},
		"was repaired by half":           {"failed", "warned", "better", GotBetter},
		"a known failure was repaired":   {"expected", "passed", "better", GotBetter},
		"is judged now":                  {"skipped", "passed", "gained", StayedAs},
		"a new check that holds":         {"", "info", "gained", StayedAs},
		"was accepted, and not repaired": {"failed", "expected", "accepted", StayedAs},
		"broke, and was accepted":        {"passed", "expected", "worse", GotWorse},
		"is judged now, and is known":    {"skipped", "expected", "accepted", StayedAs},
		"fails as before":                {"failed", "failed", "remaining", StayedAs},
		"a known failure as before":      {"expected", "expected", "remaining", StayedAs},
		"holds as before":                {"passed", "passed", "", StayedAs},
		"an INFO is no verdict":          {"passed", "info", "", StayedAs},
		"not judged for another reason":  {"skipped", "errored", "", StayedAs},
		"could not run, and is gone":     {"errored", "", "", StayedAs},
	} {
		t.Run(name, func(t *testing.T) {
			pick := func(o string) Run {
				if o == "" {
					return runOf("B-OTHER", "passed")
				}
				return runOf("A-ONE", o, "B-OTHER", "passed")
			}
			c := Compare(pick(row.old), pick(row.new))
			for where, list := range map[string][]Change{"worse": c.Worse, "lost": c.Lost, "better": c.Better,
				"gained": c.Gained, "accepted": c.Accepted, "remaining": c.Remaining} {
				want := ""
				if where == row.where {
					want = "A-ONE"
				}
				if got := idsOf(list); got != want {
					t.Errorf("%s holds %q, want %q", where, got, want)
				}
			}
			if c.Verdict != row.verdict {
				t.Errorf("verdict %s, want %s", c.Verdict, row.verdict)
			}
		})
	}
}

// compared is the comparison of the golden files.
func compared() Comparison {
	older := sampleRun()
	older.Started = sampleTime.AddDate(0, 0, -1)
	older.Tool.Version = "0.9.0"
	for i := range older.Checks {
		switch c := &older.Checks[i]; c.ID {
		case "AUTH-BIND-CHAT", "LIVE-HOOK-BURST":
			c.Outcome, c.Actual, c.Reason = Passed, "", ""
		case "AUTH-POST-TOKEN":
			c.Outcome, c.Actual = Failed, "status 500"
		case "AUTH-CSRF":
			c.Outcome, c.Reason = Warned, ""
		case "TOK-ALG":
			c.Outcome, c.Reason = Skipped, "no token"
		}
	}
	return Compare(finished(older), sampleRun())
}

func TestCompareGolden(t *testing.T) {
	var text, md, data bytes.Buffer
	if err := (&Terminal{W: &text}).Compare(compared()); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.txt", text.Bytes())
	if err := WriteComparison(&md, compared(), Markdown); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.md", md.Bytes())
	var page bytes.Buffer
	if err := goldmark.New(goldmark.WithExtensions(extension.GFM)).Convert(md.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(page.String(), "<table>"); n != 6 {
		t.Errorf("a reader of the Markdown sees %d tables, want 6", n)
	}
	if err := WriteComparison(&data, compared(), JSON); err != nil {
		t.Fatal(err)
	}
	var back Comparison
	if err := json.Unmarshal(data.Bytes(), &back); err != nil || back.Verdict != GotWorse || idsOf(back.Worse) != "AUTH-BIND-CHAT" {
		t.Errorf("it reads back as %+v, %v", back, err)
	}
	if err := WriteComparison(&data, compared(), HTML); err == nil {
		t.Error("a comparison is written as HTML")
	}
}

func TestCompareOfEveryRun(t *testing.T) {
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			newer := run()
			older := sampleRun()
			for _, pair := range [][2]Run{{older, newer}, {newer, older}, {newer, newer}} {
				c := Compare(pair[0], pair[1])
				var text, md bytes.Buffer
				if err := (&Terminal{W: &text}).Compare(c); err != nil {
					t.Fatal(err)
				}
				if err := WriteComparison(&md, c, Markdown); err != nil {
					t.Fatal(err)
				}
				for _, r := range text.String() + md.String() {
					if r < ' ' && r != '\n' || r >= 0x7f && r <= 0x9f || r == 0x202e {
						t.Fatalf("%U is printed", r)
					}
				}
				if md.Len() > MaxMarkdown {
					t.Errorf("%d bytes of Markdown", md.Len())
				}
			}
		})
	}
	same := Compare(sampleRun(), sampleRun())
	if same.Verdict != StayedAs || len(same.Remarks) != 0 || !slices.Equal([]int{len(same.Remaining), same.Unchanged}, []int{3, 9}) {
		t.Errorf("a run compared with itself: %+v", same)
	}
}
