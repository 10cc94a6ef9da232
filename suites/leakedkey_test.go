package suites_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A report goes further than the page that gave the key away.
func TestReportDoesNotHoldTheKeyThatWasFound(t *testing.T) {
	t.Parallel()
	for _, fault := range []fixtures.Fault{fixtures.PrivateKeyInScript, fixtures.PrivateKeyEscapedTwice, fixtures.PrivateKeyServed} {
		t.Run(fault.Name, func(t *testing.T) {
			target, customer := startReference(t, fixtures.Options{Faults: []fixtures.Fault{fault}})
			target = withSession(t, target, customer)
			o := options(t, target)
			o.Only = []string{"PAGE"}
			run := suites.RunQuietly(t.Context(), target, o)
			if c := find(t, run, "PAGE-PRIVATE-KEY"); c.Outcome != reports.Failed {
				t.Fatalf("the key was not found: %s", c.Actual)
			}
			report, err := json.Marshal(run)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(string(customer.PrivatePEM)), "\n")
			for _, line := range lines[1 : len(lines)-1] {
				if len(line) > 40 && strings.Contains(string(report), line[:40]) {
					t.Fatal("a line of the key is in the report")
				}
			}
		})
	}
}
