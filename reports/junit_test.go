package reports

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/joshdk/go-junit"
)

func parseJUnit(t *testing.T, run Run) (data []byte, suites map[string]junit.Suite) {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, run, JUnit); err != nil {
		t.Fatal(err)
	}
	parsed, err := junit.Ingest(b.Bytes())
	if err != nil {
		t.Fatalf("a parser refuses it: %v", err)
	}
	suites = map[string]junit.Suite{}
	for _, s := range parsed {
		suites[s.Name] = s
	}
	return b.Bytes(), suites
}

func TestJUnitGolden(t *testing.T) {
	data, _ := parseJUnit(t, sampleRun())
	golden(t, "junit.xml", data)
}

func TestJUnitStatuses(t *testing.T) {
	_, suites := parseJUnit(t, sampleRun())
	got := map[string]junit.Test{}
	for _, s := range suites {
		for _, c := range s.Tests {
			got[c.Name] = c
		}
	}
	for id, status := range map[string]junit.Status{
		"AUTH-BIND-CHAT":  junit.StatusFailed,
		"AUTH-NO-STORE":   junit.StatusPassed, // a SHOULD
		"AUTH-NOSNIFF":    junit.StatusPassed,
		"AUTH-CSRF":       junit.StatusPassed, // a known failure
		"AUTH-POST-TOKEN": junit.StatusPassed,
		"HOOK-EXPIRED":    junit.StatusSkipped,
		"LIVE-HOOK-BURST": junit.StatusError,
		"RUN-COMPLETE":    "", // it failed, which says it all
	} {
		if got[id].Status != status {
			t.Errorf("%s is %q, want %q", id, got[id].Status, status)
		}
	}
	if c := got["AUTH-NO-STORE"]; !strings.Contains(c.SystemOut, "no Cache-Control header") {
		t.Errorf("system-out of a warning: %q", c.SystemOut)
	}
	if c := got["HOOK-TAMPERED"]; !strings.Contains(c.SystemOut, "proves less") {
		t.Errorf("system-out of a weak check: %q", c.SystemOut)
	}
	if c := got["AUTH-BIND-CHAT"]; c.Classname != "kindlytest.staging.AUTH" || !strings.Contains(c.Error.Error(), "Read the chat id") {
		t.Errorf("class %q, error %v", c.Classname, c.Error)
	}
	if n := suites["AUTH"].Totals.Tests; n != 5 {
		t.Errorf("%d checks in AUTH", n)
	}
}

func TestJUnitIsNeverGreenOnNothing(t *testing.T) {
	incomplete := sampleRun()
	incomplete.Checks = withOutcome(incomplete.Checks, Passed)
	incomplete.Problem = "the browser went away"
	for name, run := range map[string]Run{"empty": emptyRun(), "no checks and no problem": finished(Run{}), "incomplete": finished(incomplete)} {
		t.Run(name, func(t *testing.T) {
			_, suites := parseJUnit(t, run)
			if n := suites["RUN"].Totals.Error; n != 1 {
				t.Errorf("%d errors, want 1", n)
			}
		})
	}
	if _, suites := parseJUnit(t, passedRun()); len(suites["RUN"].Tests) != 0 {
		t.Error("a whole run has an error")
	}
}

func TestJUnitStrictFailsOnWarnings(t *testing.T) {
	run := sampleRun()
	run.Strict = true
	_, suites := parseJUnit(t, finished(run))
	if n := suites["AUTH"].Totals.Failed; n != 2 {
		t.Errorf("%d failures, want the MUST and the SHOULD", n)
	}
}

func TestJUnitIsValidXMLWhateverTheTargetSays(t *testing.T) {
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			data, _ := parseJUnit(t, run())
			if !utf8.Valid(data) {
				t.Error("not UTF-8")
			}
			for _, r := range string(data) {
				if r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
					t.Fatalf("%U is in it", r)
				}
			}
		})
	}
}
