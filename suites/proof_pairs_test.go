package suites_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A pair is two mistakes of one customer.
type pair [2]fixtures.Fault

func (p pair) String() string { return p[0].Name + " and " + p[1].Name }

// compatible says whether one customer can make both mistakes.
func (p pair) compatible() bool {
	a, b := p[0].Manner.Name, p[1].Manner.Name
	return a == "" || b == "" || a == b
}

// pairs draws n different pairs.
func pairs(seed uint64, n int) []pair {
	all := fixtures.Faults()
	r := rand.New(rand.NewPCG(seed, 2))
	seen := map[string]bool{}
	var out []pair
	for len(out) < n && len(seen) < len(all)*(len(all)-1)/2 {
		i, j := r.IntN(len(all)), r.IntN(len(all))
		if p := (pair{all[min(i, j)], all[max(i, j)]}); i != j && !seen[p.String()] {
			if seen[p.String()] = true; p.compatible() {
				out = append(out, p)
			}
		}
	}
	return out
}

// hidesEndpoint says whether one mistake may keep the page from ever asking the
// endpoint, which the other one is about. Its developers name it then, as the
// report asks them to.
func (p pair) hidesEndpoint() bool {
	page := func(f fixtures.Fault) bool { // what keeps the chat client out is mended for the rest
		return strings.HasPrefix(f.Breaks, "PAGE-") && f.Breaks != "PAGE-WIDGET" && f.Breaks != "PAGE-CSP"
	}
	return page(p[0]) != page(p[1])
}

// endpointFor is the customer's endpoint with a session.
func endpointFor(t *testing.T, c *fixtures.Customer) *target.EndpointConfig {
	t.Helper()
	return &target.EndpointConfig{URL: c.EndpointURL, Header: http.Header{"Cookie": {sessionOf(t, c, c.Users[0])}}}
}

// namedPairs is of how many pairs the causes are looked at.
const namedPairs = 200

// Two mistakes at once are both seen: neither hides the other.
func TestProofPairs(t *testing.T) {
	besideOthers(t)
	n := *proofMost
	if !*proof {
		n = 3
	}
	all := pairs(seed(), n)
	t.Logf("%d pairs, seed %d", len(all), seed())
	var caught, named, contradicting tally
	index := map[string]int{}
	for i, p := range all {
		index[p.String()] = i
	}
	each(t, all, pair.String, func(t *testing.T, p pair) {
		target, customer := startReference(t, fixtures.Options{Faults: p[:]})
		if p.hidesEndpoint() {
			target.Endpoint = endpointFor(t, customer)
		}
		run := suites.RunQuietly(t.Context(), target, options(t, target))
		for i, f := range p {
			row := find(t, run, f.Breaks)
			why := fmt.Sprintf("`%s` beside `%s`: %s is %s: %s", f.Name, p[1-i].Name, f.Breaks, row.Outcome, whyOf(row))
			if contradicts(run, row) {
				contradicting.count(false, why)
				continue
			}
			caught.count(noticed(row), why)
			if !noticed(row) {
				t.Log(why)
			}
		}
		if index[p.String()] < namedPairs {
			right, what := namesBoth(run, p)
			named.count(right, what)
			if !right {
				t.Log(what)
			}
		}
	})
	caught.reaches(t, 0.99)
	if !*proof || caught.all+contradicting.all < 2*len(all) { // of a few, one that can't be told from another would be too many
		return
	}
	named.reaches(t, 0.9)
	writeProof(t, "Two mistakes at once", fmt.Sprintf(`%d pairs of the faults above, drawn with the seed %d, each at one customer that makes both
mistakes; where one of them is the page's, and not that it keeps the chat client out, endpoint and a session are given, too. %s of their faults are caught by their own check; %d more can't be judged beside the other one,
which fails and which the report names as the reason. Of the first %d pairs both causes are named, and no
third, in %s.

Not caught:

%s
Not to be judged beside the other:

%s
Not named by both causes alone:

%s`, len(all), seed(), caught.String(), contradicting.all, min(namedPairs, len(all)), named.String(), cmp.Or(caught.list(), "None.\n"), cmp.Or(contradicting.list(), "None.\n"), cmp.Or(named.list(), "None.\n")))
}

var seeCheck = regexp.MustCompile(`\(see ([A-Z][A-Z-]+)`)

// contradicts says whether a check is not judged for another one's sake, or passes
// as one that proves little: the report names the check that fails, and nothing can
// be told before that is mended.
func contradicts(run reports.Run, row reports.Check) bool {
	if row.Outcome != reports.Skipped && !(row.Outcome == reports.Passed && row.Weak) {
		return false
	}
	for _, m := range seeCheck.FindAllStringSubmatch(row.Reason, -1) {
		if slices.ContainsFunc(run.Checks, func(c reports.Check) bool { return c.ID == m[1] && accuses(c) }) {
			return true
		}
	}
	return false
}

// namesBoth says whether the report names the two mistakes, and nothing else.
// What is only worth a word need not be: the check shows it.
func namesBoth(run reports.Run, p pair) (bool, string) {
	found := findings(run)
	var want, lacking []string
	for _, f := range p {
		want = append(want, causeOf(f))
	}
	for i, w := range want {
		row := run.Checks[slices.IndexFunc(run.Checks, func(c reports.Check) bool { return c.ID == p[i].Breaks })]
		if !slices.Contains(found, w) && !(row.Outcome == reports.Informed && w == row.ID) {
			lacking = append(lacking, w)
		}
	}
	others := slices.DeleteFunc(slices.Clone(found), func(id string) bool { return slices.Contains(want, id) })
	what := fmt.Sprintf("`%s`, `%s`:", p[0].Name, p[1].Name)
	if len(lacking) > 0 {
		what += " not named: " + strings.Join(lacking, ", ") + ";"
	}
	if len(others) > 0 {
		what += " named too: " + strings.Join(others, ", ")
	}
	return len(lacking)+len(others) == 0, what
}
