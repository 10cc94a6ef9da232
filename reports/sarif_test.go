package reports

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// sarifSchema is the schema that OASIS publishes with the standard, unchanged.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	return jsonschema.NewCompiler().Compile("testdata/sarif-schema-2.1.0.json")
})

func parseSARIF(t *testing.T, run Run) (data []byte, report sarifLog) {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, run, SARIF); err != nil {
		t.Fatal(err)
	}
	schema, err := sarifSchema()
	if err != nil {
		t.Fatal(err)
	}
	if err := validJSON(t, schema, b.Bytes()); err != nil {
		t.Error(err)
	}
	if err := json.Unmarshal(b.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), report
}

func TestSARIFGolden(t *testing.T) {
	data, _ := parseSARIF(t, sampleRun())
	golden(t, "report.sarif", data)
}

func TestSARIFIsValid(t *testing.T) {
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			data, _ := parseSARIF(t, run())
			if bytes.ContainsAny(data, "\x1b\x00") || strings.Contains(string(data), `\u001b`) {
				t.Error("a control character is in it")
			}
		})
	}
}

func TestSARIFLevels(t *testing.T) {
	levels := func(run Run) map[string]string {
		_, report := parseSARIF(t, run)
		got := map[string]string{}
		for _, r := range report.Runs[0].Results {
			got[r.RuleID] = r.Level
			if len(r.Suppressions) > 0 {
				got[r.RuleID] += ", suppressed"
			}
			if rule := report.Runs[0].Tool.Driver.Rules[r.RuleIndex]; rule.ID != r.RuleID {
				t.Errorf("%s points at the rule %s", r.RuleID, rule.ID)
			}
		}
		return got
	}
	want := map[string]string{
		"AUTH-BIND-CHAT": "error",
		"AUTH-NO-STORE":  "warning",
		"AUTH-NOSNIFF":   "note",
		"AUTH-CSRF":      "warning, suppressed",
	}
	got := levels(sampleRun())
	for id, level := range want {
		if got[id] != level {
			t.Errorf("%s is %q, want %q", id, got[id], level)
		}
	}
	if len(got) != len(want) {
		t.Errorf("results for %v", got)
	}
	strict := sampleRun()
	strict.Strict = true
	if got := levels(finished(strict)); got["AUTH-NO-STORE"] != "error" {
		t.Errorf("under strict a warning is %q", got["AUTH-NO-STORE"])
	}
}

// A rule explains itself in every run, whatever came out.
func TestSARIFRulesCarryHelp(t *testing.T) {
	rules := func(run Run) map[string]sarifRule {
		_, report := parseSARIF(t, run)
		got := map[string]sarifRule{}
		for _, r := range report.Runs[0].Tool.Driver.Rules {
			got[r.ID] = r
		}
		return got
	}
	run := sampleRun()
	got := rules(run)
	for _, c := range run.Checks {
		if help := got[c.ID].Help; c.Help == "" || !strings.Contains(help.Text, c.Help) || help.Markdown == "" {
			t.Errorf("the help of %s, which %s, is %q", c.ID, c.Outcome, help.Text)
		}
	}
	for i := range run.Checks { // advice that knows this target is in the result
		run.Checks[i].Fix = "Change line 7."
	}
	for id, r := range rules(run) {
		if r.Help != got[id].Help {
			t.Errorf("the rule %s is another one for another target: %q", id, r.Help.Text)
		}
	}
}

func TestSARIFFingerprintsStay(t *testing.T) {
	prints := func(run Run) map[string]string {
		_, report := parseSARIF(t, run)
		got := map[string]string{}
		for _, r := range report.Runs[0].Results {
			got[r.Fingerprints["kindlytest/v1"]] = r.RuleID
		}
		return got
	}
	later := sampleRun()
	later.DurationMS, later.Started = 1, sampleTime.AddDate(0, 0, 1)
	for i := range later.Checks {
		later.Checks[i].Actual += " again"
	}
	first, second := prints(sampleRun()), prints(later)
	if len(first) != 4 {
		t.Errorf("%d fingerprints for 4 results", len(first))
	}
	for print, id := range first {
		if second[print] != id {
			t.Errorf("%s has another fingerprint in the next run", id)
		}
	}
	elsewhere := sampleRun()
	elsewhere.Target.Name = "production"
	for print := range prints(elsewhere) {
		if first[print] != "" {
			t.Errorf("two targets share the fingerprint of %s", first[print])
		}
	}
}

func TestSARIFSaysThatNothingWasChecked(t *testing.T) {
	_, report := parseSARIF(t, emptyRun())
	call := report.Runs[0].Invocations[0]
	if call.ExecutionSuccessful {
		t.Error("it claims success")
	}
	if n := call.Notifications; len(n) != 2 || !strings.Contains(n[0].Message.Text, "nothing is known") || !strings.Contains(n[1].Message.Text, "connection refused") {
		t.Errorf("notifications %v", n)
	}
}
