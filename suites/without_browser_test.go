package suites_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/demo"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// TestWithoutChrome selects checks on a machine whose Chrome does not start.
func TestWithoutChrome(t *testing.T) {
	t.Parallel()
	shop, err := fixtures.Start(t.Context(), fixtures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Close()
	sound, err := demo.Target(shop)
	if err != nil {
		t.Fatal(err)
	}
	membersOnly := hookAt(serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	membersOnly.PageURL = sound.PageURL
	for _, tt := range []struct {
		name   string
		target target.Target
		only   string
		exit   int
		row    string
		want   reports.Outcome
	}{
		{"signatures need no page", sound, "SIG", 0, "SIG-VALID", reports.Passed},
		{"tokens come from the page", sound, "TOK-ALG", 2, "TOK-ALG", reports.Errored},
		{"one of the checks needs the page", sound, "SIG-VALID,TOK-ALG", 2, "SIG-VALID", reports.Passed},
		{"only a user could be served", membersOnly, "SIG-VALID", 2, "SIG-VALID", reports.Errored},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := suites.Run(t.Context(), tt.target, suites.Options{Only: strings.Split(tt.only, ","), BrowserPath: "/no/such/chrome"})
			if run.ExitCode != tt.exit || (run.Problem != "") != (tt.exit != 0) {
				t.Errorf("exit code %d with the problem %q, want %d", run.ExitCode, run.Problem, tt.exit)
			}
			if got := rowOf(run, tt.row); got.Outcome != tt.want {
				t.Errorf("%s %s: %s%s, want %s", tt.row, got.Outcome, got.Reason, got.Actual, tt.want)
			}
		})
	}
}

func rowOf(run reports.Run, id string) reports.Check {
	for _, c := range run.Checks {
		if c.ID == id {
			return c
		}
	}
	return reports.Check{}
}
