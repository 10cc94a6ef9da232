package main

import (
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/advice"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// What a report prints below a failure, its reader copies: it shows the code
// that the report has.
func TestEveryPrintedExplainCommandRuns(t *testing.T) {
	for _, c := range suites.Checks() {
		for _, s := range advice.Samples(c.Requirement) {
			failed := reports.Check{ID: c.ID(), Outcome: reports.Failed, Sample: &reports.Sample{Stack: s.Stack.Name}}
			command := failed.Explain()
			if !strings.HasSuffix(command, "--stack "+s.Stack.Name) {
				t.Errorf("%q leaves out the stack %s", command, s.Stack.Name)
			}
			got := runHere(t.Context(), nil, "", strings.Fields(command)[1:]...)
			if got.code != exitOK || !strings.Contains(got.stdout, "In code: "+s.Title+"  "+s.Stack.Title) {
				t.Errorf("%s: exit %d\n%s%s", command, got.code, got.stderr, got.stdout)
			}
		}
	}
}
