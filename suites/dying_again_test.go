package suites_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/demo"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

var dyingRuns = flag.Int("dying", 0, "runs against each customer that dies; make attack has them made")

// A verdict about a customer that dies is the same in each run: 50 times, where
// TestProofDeaths makes fewer, under more circumstances.
func TestDyingAgainAndAgain(t *testing.T) {
	t.Parallel()
	if *dyingRuns == 0 {
		t.Skip("SKIPPED, NOT CHECKED: it takes long; make attack")
	}
	for _, w := range waysToDie {
		t.Run(w.name, func(t *testing.T) {
			d := death{way: w, concurrency: 8}
			var first map[string]reports.Outcome
			same := 0
			for n := range *dyingRuns {
				run := dieOnce(t, d)
				wrong, _ := judgeDeaths(run, w)
				if first == nil {
					first = outcomes(run)
				}
				wrong = append(wrong, changed(first, outcomes(run))...)
				if len(wrong) == 0 {
					same++
					continue
				}
				t.Errorf("run %d: %s", n+1, strings.Join(wrong, "; "))
			}
			t.Logf("%d of %d runs", same, *dyingRuns)
		})
	}
}

// Each forged token that is sent to this webhook ends its process. Most of them are
// wrong in the same way, and a few show it: each check says so, and each other is judged.
func TestAKindOfRequestKillsAFewTimes(t *testing.T) {
	t.Parallel()
	shop := dyingShop(t, unverified)
	forgedChecks := []string{"HOOK-TAMPERED", "HOOK-SIGNATURE", "HOOK-WRONG-KEY"}
	validChecks := []string{"HOOK-VALID", "HOOK-EXPIRED", "HOOK-OTHER-CHAT", "HOOK-SUB-TYPE", "RESP-ADDITIVE", "SIG-WRONG"}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: slices.Concat(forgedChecks, validChecks, []string{"LIVE-PROCESS"})})
	const most = 30 // 20 on a quiet machine; a busy one has more under way when it dies
	if n := run.Summary.Deaths; n < 5 || n > most {
		t.Errorf("it died %d times, want at most %d", n, most)
	}
	for _, c := range run.Checks {
		forged, valid := slices.Contains(forgedChecks, c.ID), slices.Contains(validChecks, c.ID)
		switch {
		case c.Outcome == reports.Errored:
			t.Errorf("%s could not run: %s", c.ID, c.Reason)
		case forged && (c.Outcome != reports.Failed || c.Cause != "process-dies"):
			t.Errorf("%s is %s, of %q: %s", c.ID, c.Outcome, c.Cause, c.Actual)
		case valid && c.Outcome != reports.Passed && c.Outcome != reports.Skipped:
			t.Errorf("%s is %s: %s", c.ID, c.Outcome, c.Actual)
		}
	}
	t.Log(run.Summary)
}

// One forged token of a dozen is believed, and each other ends the process: the belief
// is found, and named beside the death.
func TestDeathsDoNotHideABelief(t *testing.T) {
	t.Parallel()
	fault, ok := fixtures.FaultByName("alg-none-accepted")
	if !ok {
		t.Fatal("there is no such fault")
	}
	shop := dyingShop(t, unverifiedButNone, fault)
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-ALG-NONE", "LIVE-PROCESS"}})
	c := find(t, run, "HOOK-ALG-NONE")
	if c.Outcome != reports.Failed || c.Cause != "webhook-lets-token-choose" || !strings.Contains(c.Actual, "which was made up for the forged token") {
		t.Errorf("HOOK-ALG-NONE is %s, of %q", c.Outcome, c.Cause)
		describe(t, c)
	}
	if p := find(t, run, "LIVE-PROCESS"); p.Outcome != reports.Failed {
		describe(t, p)
		t.Error("and the process dies")
	}
}

// What kills it without being hostile is no reason to give the process up: the rest of
// it is judged.
func TestAPlainRequestThatKillsHidesNothing(t *testing.T) {
	t.Parallel()
	shop := dyingShop(t, strangers)
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-NO-SESSION", "AUTH-METHOD", "AUTH-POST-TOKEN", "RESP-STATUS", "HOOK-WRONG-KEY", "LIVE-PROCESS"}})
	for _, w := range []want{
		{"AUTH-NO-SESSION", reports.Passed, ""}, {"AUTH-METHOD", reports.Passed, ""}, {"AUTH-POST-TOKEN", reports.Passed, ""},
		{"RESP-STATUS", reports.Failed, "no answer"}, {"HOOK-WRONG-KEY", reports.Skipped, "a valid request kills it, 3 of 3 times"}, // no refusal can be told
		{"LIVE-PROCESS", reports.Failed, `/hooks/orders: "without a token" kills it, 3 of 3 times`},
	} {
		if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual+c.Reason, w.says) {
			t.Errorf("%s is %s, want %s and %q", w.id, c.Outcome, w.outcome, w.says)
			describe(t, c)
		}
	}
	if run.Summary.Errored > 0 || len(run.Causes) == 0 || run.Causes[0].ID != "process-dies" {
		t.Errorf("the run says %q, and names %+v first", run.Problem, run.Causes)
	}
}

// dyingShop is a shop without a page, whose process dies.
func dyingShop(t *testing.T, way wayToDie, faults ...fixtures.Fault) target.Target {
	t.Helper()
	customer, _ := startDying(t, way, faults...)
	shop, err := demo.Target(customer)
	if err != nil {
		t.Fatal(err)
	}
	return withoutPage(t, shop, customer)
}

// outcomes are those of a run's checks, by ID.
func outcomes(run reports.Run) map[string]reports.Outcome {
	all := map[string]reports.Outcome{}
	for _, c := range run.Checks {
		all[c.ID] = c.Outcome
	}
	return all
}

// changed says which outcomes are others than in an earlier run.
func changed(before, now map[string]reports.Outcome) (wrong []string) {
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if now[id] != before[id] {
			wrong = append(wrong, fmt.Sprintf("%s is %s, and was %s", id, now[id], before[id]))
		}
	}
	return wrong
}
