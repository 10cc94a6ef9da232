package suites_test

import (
	"os"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/browser"
)

// requireBrowser skips a test where no Chrome can be had, unless that is an
// error (as it is in CI).
func requireBrowser(t *testing.T) {
	t.Helper()
	if _, err := browser.Find(); err != nil {
		if os.Getenv("KINDLYTEST_REQUIRE_BROWSER") == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, NOT CHECKED: ", err)
	}
}

var keys = sync.OnceValues(fixtures.GenerateKeys)

// start serves a reference customer and returns it as a target.
func start(t *testing.T, o fixtures.Options) suites.Target {
	t.Helper()
	var err error
	if o.Keys, err = keys(); err != nil {
		t.Fatal(err)
	}
	customer, err := fixtures.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { customer.Close() })
	target, err := suites.ReferenceTarget(customer)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// describe prints what a reader of a failed test needs of a check.
func describe(t *testing.T, c reports.Check) {
	t.Helper()
	t.Logf("%s %s\n  expected %s\n  actual   %s\n  reason   %s", c.ID, c.Outcome, c.Expected, c.Actual, c.Reason)
}

func TestSoundCustomerPassesEveryCheck(t *testing.T) {
	requireBrowser(t)
	for _, m := range fixtures.Manners() {
		t.Run(m.Name, func(t *testing.T) {
			run := suites.Run(t.Context(), start(t, fixtures.Options{Manner: m}), suites.Options{})
			if run.Problem != "" {
				t.Errorf("problem: %s", run.Problem)
			}
			for _, c := range run.Checks {
				switch c.Outcome {
				case reports.Failed, reports.Warned, reports.Errored:
					t.Errorf("%s is %s", c.ID, c.Outcome)
					describe(t, c)
				}
			}
			t.Logf("%+v in %d ms", run.Summary, run.DurationMS)
		})
	}
}

func TestEachFaultFailsItsCheck(t *testing.T) {
	requireBrowser(t)
	for _, f := range fixtures.Faults() {
		t.Run(f.Name, func(t *testing.T) {
			target := start(t, fixtures.Options{Faults: []fixtures.Fault{f}})
			run := suites.Run(t.Context(), target, suites.Options{Only: []string{f.Breaks}})
			for _, c := range run.Checks {
				if c.ID != f.Breaks {
					continue
				}
				if c.Outcome != reports.Failed && c.Outcome != reports.Warned && c.Outcome != reports.Informed {
					t.Errorf("%s is %s, though %s", c.ID, c.Outcome, f.Text)
					describe(t, c)
				}
			}
		})
	}
}
