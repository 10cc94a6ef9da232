package suites_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
)

// toldOf is the result as a terminal shows it, on one line.
func toldOf(t *testing.T, run reports.Run) string {
	t.Helper()
	return strings.Join(strings.Fields(blockOf(t, run, 120)), " ")
}

// blockOf is the result as a terminal of that width shows it.
func blockOf(t *testing.T, run reports.Run, width int) string {
	t.Helper()
	var b bytes.Buffer
	term := reports.Terminal{W: &b, Width: width}
	term.Start("", len(run.Checks))
	if err := term.Finish(run, "kindlytest-reports/report.json", "kindlytest-reports/junit.xml"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// namesAlone ends the test unless the run has that one finding, and says whether each
// text stands in what is told, which it returns.
func namesAlone(t *testing.T, run reports.Run, cause string, says ...string) (told string) {
	t.Helper()
	if found := findings(run); !slices.Equal(found, []string{cause}) {
		for _, c := range run.Checks {
			describe(t, c)
		}
		t.Fatalf("it names %q, want %s alone: %+v", found, cause, run.Causes)
	}
	told = toldOf(t, run)
	for _, want := range says {
		if !strings.Contains(told, want) {
			t.Errorf("%q is not said:\n%s", want, told)
		}
	}
	return told
}
