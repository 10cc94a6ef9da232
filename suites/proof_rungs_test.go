package suites_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A rungOnly is a target of which no more is known than one way to a token.
type rungOnly struct {
	name string
	of   func(*testing.T, target.Target, *fixtures.Customer) target.Target
}

var rungsOnly = []rungOnly{
	{"key", func(_ *testing.T, shop target.Target, _ *fixtures.Customer) target.Target {
		shop.PageURL, shop.Login, shop.Second = "", nil, nil
		return shop
	}},
	{"token", func(t *testing.T, shop target.Target, c *fixtures.Customer) target.Target {
		shop = withoutPage(t, shop, c)
		shop.PrivateKey = nil
		return shop
	}},
	{"page", func(_ *testing.T, shop target.Target, _ *fixtures.Customer) target.Target {
		shop.PrivateKey = nil
		return shop
	}},
}

// Attackers don't ask Kindly: whatever a webhook does wrong is caught by any way
// to a token, as long as the attack itself can be made without the key.
func TestProofRungs(t *testing.T) {
	besideOthers(t)
	type row struct {
		fault fixtures.Fault
		rung  rungOnly
	}
	var rows []row
	faults := drawn(quickHookFaults(), *proofRungs)
	for _, f := range faults {
		for _, r := range rungsOnly {
			rows = append(rows, row{f, r})
		}
	}
	rows = sampled(t, rows, 3)
	var mu sync.Mutex
	results, right, just := map[string]string{}, map[string]*tally{}, tally{}
	for _, r := range rungsOnly {
		right[r.name] = &tally{}
	}
	each(t, rows, func(r row) string { return r.fault.Name + ", " + r.rung.name + " only" }, func(t *testing.T, r row) {
		shop, customer := startReference(t, fixtures.Options{Faults: []fixtures.Fault{r.fault}, Manner: fixtures.AnyIssuer})
		shop = r.rung.of(t, shop, customer)
		run := suites.RunQuietly(t.Context(), shop, options(t, shop))
		c := find(t, run, r.fault.Breaks)
		check, _ := suites.Find(r.fault.Breaks)
		result, judged := string(c.Outcome), check.Needs&^check.Weakly&^shop.Offers() == 0
		switch {
		case noticed(c):
		case !judged && c.Outcome == reports.Skipped:
			result = "needs the key"
		default:
			t.Logf("%s is %s: %s", c.ID, c.Outcome, whyOf(c))
			result += ": " + whyOf(c)
		}
		if judged {
			right[r.rung.name].count(noticed(c), fmt.Sprintf("`%s` with the %s only: %s is %s", r.fault.Name, r.rung.name, c.ID, result))
		}
		var falsely []string
		for _, c := range run.Checks {
			if accuses(c) && c.ID != r.fault.Breaks && !slices.Contains(r.fault.Also, c.ID) {
				t.Errorf("%s is %s: falsely", c.ID, c.Outcome)
				describe(t, c)
				falsely = append(falsely, fmt.Sprintf("%s is %s: %s", c.ID, c.Outcome, c.Actual))
			}
		}
		just.count(len(falsely) == 0, fmt.Sprintf("`%s` with the %s only: %s", r.fault.Name, r.rung.name, strings.Join(falsely, "; ")))
		mu.Lock()
		defer mu.Unlock()
		results[r.fault.Name+" "+r.rung.name] = result
	})
	var whole tally // a sample is too small to be judged by its rungs
	for _, r := range rungsOnly {
		if *proof {
			right[r.name].reaches(t, 0.95)
		}
		whole.add(right[r.name])
	}
	whole.reaches(t, 0.95)
	if !*proof || just.all < len(rows) { // -run has left some out
		return
	}
	var body strings.Builder
	fmt.Fprintf(&body, "%d of the %d faults of webhooks, drawn with the seed %d, and of the customer nothing is known but the private key, the endpoint and a\nsession, or the page and a login. (Its webhooks ask for no issuer, which a key does not tell.) Caught, where the attack can be made without what is lacking: with\nthe key %s, with a token %s, with a page %s. Nobody is\naccused of another mistake in %s.\n\n%s\n| fault | key | token | page |\n|---|---|---|---|\n",
		len(faults), len(fixtures.HookFaults()), seed(), right["key"], right["token"], right["page"], just.String(), just.list())
	for _, f := range faults {
		fmt.Fprintf(&body, "| `%s` | %s | %s | %s |\n", f.Name, cell(results[f.Name+" key"]), cell(results[f.Name+" token"]), cell(results[f.Name+" page"]))
	}
	writeProof(t, "With a key only, a token only, a page only", body.String())
}
