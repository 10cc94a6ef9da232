package suites_test

import (
	"bytes"
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
