package suites_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/demo"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A trial is a sound customer that makes it hard to see that it is sound.
type trial struct {
	name, text  string
	concurrency int
	run         func(*testing.T, int) reports.Run
	// told are checks that may warn: of what they speak there is something to say.
	told map[string]bool
}

func (r trial) String() string { return fmt.Sprintf("%s, %d at a time", r.name, r.concurrency) }

func trials() []trial {
	var out []trial
	for _, n := range []int{1, 8} {
		for _, w := range soundWays {
			told := map[string]bool{"LIVE-PROCESS": true}
			out = append(out, trial{name: w.name, text: w.text, concurrency: n, told: told,
				run: func(t *testing.T, n int) reports.Run { return restarted(t, w, n) }})
		}
		for _, m := range fixtures.PatientManners() {
			if m.Name == fixtures.BehindGate.Name || *proof && n == 8 { // the others take minutes
				told := map[string]bool{}
				if m.Name == fixtures.RateLimited.Name {
					told = map[string]bool{"AUTH-CONCURRENT": true, "LIVE-AUTH-BURST": true, "LIVE-HOOK-BURST": true}
				}
				out = append(out, trial{name: m.Name, text: m.Text, concurrency: n, told: told,
					run: func(t *testing.T, n int) reports.Run {
						shop := start(t, fixtures.Options{Manner: m})
						o := options(t, shop)
						if len(shop.Gates) > 0 { // a Chrome of its own opens them
							requireBrowser(t)
							o.Browser = nil
						}
						o.Concurrency = n
						return suites.RunQuietly(t.Context(), shop, o)
					}})
			}
		}
	}
	return out
}

// Who is slow, limits, stands behind a gate, or is restarted by somebody else has
// done nothing wrong: that is said, and nobody is blamed.
func TestProofSound(t *testing.T) {
	besideOthers(t)
	rows := sampled(t, trials(), 1)
	var right tally
	var mu sync.Mutex
	lines := map[string]string{}
	eachOf(t, dyingAtOnce, rows, trial.String, func(t *testing.T, r trial) {
		run := r.run(t, r.concurrency)
		var wrong []string
		for _, c := range run.Checks {
			if c.Outcome == reports.Failed || c.Outcome == reports.Errored || c.Outcome == reports.Warned && !r.told[c.ID] {
				wrong = append(wrong, fmt.Sprintf("%s is %s: %s", c.ID, c.Outcome, whyOf(c)))
			}
		}
		if run.Problem != "" {
			wrong = append(wrong, "problem: "+run.Problem)
		}
		if len(run.Causes) > 0 {
			wrong = append(wrong, "a cause: "+run.Causes[0].ID)
		}
		right.count(len(wrong) == 0, r.String()+": "+strings.Join(wrong, "; "))
		if len(wrong) > 0 {
			t.Error(strings.Join(wrong, "\n"))
		}
		mu.Lock()
		defer mu.Unlock()
		lines[r.String()] = fmt.Sprintf("| %s | %s | %d | %d | %d | %d s |\n", r.name, r.text, r.concurrency, run.Summary.Passed, run.Summary.Warned, run.DurationMS/1000)
	})
	if !*proof || right.all < len(rows) {
		return
	}
	var table strings.Builder
	for _, r := range rows {
		table.WriteString(lines[r.String()])
	}
	writeProof(t, "Sound, and hard to judge", fmt.Sprintf(`Customers who do nothing wrong, and make it hard to see. Nobody is blamed in %s.

%s
| customer | how | probes at a time | passed | only told | took |
|---|---|---|---|---|---|
%s`, right.String(), right.list(), table.String()))
}

// restarted is a run in whose middle the customer's process is ended.
func restarted(t *testing.T, way wayToDie, concurrency int) reports.Run {
	t.Helper()
	customer, end := startDying(t, way)
	shop, err := demo.Target(customer)
	if err != nil {
		t.Fatal(err)
	}
	o := suites.Options{}
	if way.forgets {
		o = options(t, shop)
	} else {
		shop = withoutPage(t, shop, customer)
	}
	o.Concurrency = concurrency
	o.Observer = &interloper{after: 60, act: end}
	return suites.RunQuietly(t.Context(), shop, o)
}

// An interloper does something once a number of checks have ended.
type interloper struct {
	after int64
	act   func()
	done  atomic.Int64
}

func (*interloper) Planned(reports.Target, int) {}
func (*interloper) Started(string)              {}
func (i *interloper) Done(reports.Check) {
	if i.done.Add(1) == i.after {
		i.act()
	}
}
