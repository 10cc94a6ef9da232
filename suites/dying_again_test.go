package suites_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
)

var dyingRuns = flag.Int("dying", 0, "runs against each customer that dies; make attack has them made")

// A verdict about a customer that dies is the same in each run: 50 times, where
// TestProofDeaths makes fewer, under more circumstances.
func TestDyingAgainAndAgain(t *testing.T) {
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
