package suites_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/suites"
)

// hooksOfTheShop are the names of the reference customer's webhooks.
var hooksOfTheShop = []string{"orders", "account"}

// One of two webhooks makes a mistake: the report says which, and of the other
// nothing.
func TestProofCompany(t *testing.T) {
	besideOthers(t)
	type row struct {
		fault fixtures.Fault
		at    string
	}
	var rows []row
	for i, f := range quickHookFaults() {
		rows = append(rows, row{f, hooksOfTheShop[i%2]})
	}
	rows = sampled(t, rows, 3)
	var right tally
	each(t, rows, func(r row) string { return r.fault.Name + " at " + r.at }, func(t *testing.T, r row) {
		shop, customer := startReference(t, fixtures.Options{Faults: []fixtures.Fault{r.fault}, At: r.at})
		run := suites.RunQuietly(t.Context(), withoutPage(t, shop, customer), suites.Options{})
		sound := hooksOfTheShop[1-slices.Index(hooksOfTheShop, r.at)]
		var wrong []string
		if c := find(t, run, r.fault.Breaks); !noticed(c) {
			wrong = append(wrong, fmt.Sprintf("%s is %s: %s", c.ID, c.Outcome, whyOf(c)))
		}
		for _, c := range run.Checks {
			switch {
			case !noticed(c):
			case strings.HasPrefix(c.Actual, sound+":"):
				wrong = append(wrong, fmt.Sprintf("%s accuses the sound one: %s", c.ID, c.Actual))
			case accuses(c) && c.ID != r.fault.Breaks && !slices.Contains(r.fault.Also, c.ID):
				wrong = append(wrong, fmt.Sprintf("%s is %s: %s", c.ID, c.Outcome, c.Actual))
			}
		}
		for _, c := range run.Causes {
			if strings.Contains(c.Where, sound) {
				wrong = append(wrong, fmt.Sprintf("the cause %s is said to be at the sound one", c.ID))
			}
		}
		what := fmt.Sprintf("`%s` at %s: %s", r.fault.Name, r.at, strings.Join(wrong, "; "))
		right.count(len(wrong) == 0, what)
		if len(wrong) > 0 {
			t.Error(what)
		}
	})
	if !*proof || right.all < len(rows) { // -run has left some out
		return
	}
	writeProof(t, "A mistake at one webhook of two", fmt.Sprintf(`Each of the %d faults of webhooks, at one of two webhooks of the same process; the other one is
sound. %s: the check notices it, names the webhook that makes it, and nobody sound is accused.

%s`, len(rows), right.String(), right.list()))
}
