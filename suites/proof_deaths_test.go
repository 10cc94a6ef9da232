package suites_test

import (
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/internal/demo"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A death of the proof: how it dies, and under what circumstances.
type death struct {
	way         wayToDie
	concurrency int
	loaded      bool
}

func (d death) String() string {
	s := fmt.Sprintf("%s, %d at a time", d.way.name, d.concurrency)
	if d.loaded {
		s += ", on a loaded machine"
	}
	return s
}

// dyingAtOnce is how many processes that die are looked at at a time: most of it is
// waiting until they are back.
const dyingAtOnce = 4

// A process that dies of one request: that request is found, three of three
// times, and all others are judged as if it lived.
func TestProofDeaths(t *testing.T) {
	besideOthers(t)
	var all []death
	for _, loaded := range []bool{false, true} {
		for _, w := range waysToDie {
			for _, n := range []int{1, 8} {
				if *proof && *proofLoaded || !loaded {
					all = append(all, death{w, n, loaded})
				}
			}
		}
	}
	all = sampled(t, all, 1)
	times := 1
	if *proof {
		times = *proofTimes
	}
	var quiet, busy []death // each as often as it is run
	for range times {
		for _, d := range all {
			if d.loaded {
				busy = append(busy, d)
			} else {
				quiet = append(quiet, d)
			}
		}
	}
	var mu sync.Mutex
	var right tally
	blamed, first := map[string][]string{}, map[string]map[string]reports.Outcome{}
	dies := func(t *testing.T, d death) {
		run := dieOnce(t, d)
		wrong, culprits := judgeDeaths(run, d.way)
		outcomes := map[string]reports.Outcome{}
		for _, c := range run.Checks {
			outcomes[c.ID] = c.Outcome
		}
		mu.Lock()
		defer mu.Unlock()
		blamed[d.way.name] = append(blamed[d.way.name], culprits...)
		if first[d.String()] == nil {
			first[d.String()] = outcomes
		}
		for _, id := range slices.Sorted(maps.Keys(outcomes)) {
			if was := first[d.String()][id]; outcomes[id] != was {
				c := rowOf(run, id)
				wrong = append(wrong, fmt.Sprintf("%s is %s, and was %s: %s %s", id, outcomes[id], was, c.Reason, c.Actual))
			}
		}
		right.count(len(wrong) == 0, fmt.Sprintf("%s: %s", d, strings.Join(wrong, "; ")))
		if len(wrong) > 0 {
			t.Error(strings.Join(wrong, "\n"))
		}
	}
	t.Run("quiet", func(t *testing.T) { eachOf(t, dyingAtOnce, quiet, death.String, dies) })
	if len(busy) > 0 {
		t.Run("loaded", func(t *testing.T) {
			load(t)
			eachOf(t, dyingAtOnce, busy, death.String, dies)
		})
	}
	if !*proof || right.all < len(all)*times { // -run has left some out
		return
	}
	var body strings.Builder
	machines := ""
	if *proofLoaded {
		machines = ", on this machine as it is\nand with all its cores busy"
	}
	fmt.Fprintf(&body, "A real process stands before a sound customer, dies in one of %d ways, and is started again 0.3 to\n0.5 s later. Each with 1 and with 8 probes at a time%s, %d times: %d runs, four side by side. The right request is blamed, \"3 of 3\", nobody else is, and the verdicts of the\nruns are the same, in %s.\n\n%s\n| dies | how | who is blamed |\n|---|---|---|\n",
		len(waysToDie), machines, times, right.all, right.String(), right.list())
	for _, w := range waysToDie {
		slices.Sort(blamed[w.name])
		fmt.Fprintf(&body, "| %s | %s | %s |\n", w.name, w.text, strings.Join(slices.Compact(blamed[w.name]), ", "))
	}
	writeProof(t, "Processes that die", body.String())
}

// dieOnce runs all checks once against a customer that dies.
func dieOnce(t *testing.T, d death) reports.Run {
	t.Helper()
	customer, _ := startDying(t, d.way)
	shop, err := demo.Target(customer)
	if err != nil {
		t.Fatal(err)
	}
	var o suites.Options
	if d.way.forgets { // it takes a login to get another session
		shop.Login.Steps = slices.Clone(shop.Login.Steps)
		o = options(t, shop)
	} else {
		shop = withoutPage(t, shop, customer)
	}
	o.Concurrency = d.concurrency
	if !*proof { // the culprits, and some who are not
		o.Only = append([]string{"LIVE-PROCESS", "AUTH-POST-TOKEN", "AUTH-METHOD", "AUTH-CONCURRENT", "HOOK-WRONG-KEY", "RESP-JSON"}, d.way.because...)
	}
	return suites.RunQuietly(t.Context(), shop, o)
}

var blames = regexp.MustCompile(`\(([A-Z-]+)\) (?:kills it(?: after it has answered)?, (\d) of (\d) times|killed it)`)

// judgeDeaths says what is wrong about a report on a process that died, and who
// is blamed.
func judgeDeaths(run reports.Run, way wayToDie) (wrong, culprits []string) {
	at := slices.IndexFunc(run.Checks, func(c reports.Check) bool { return c.ID == "LIVE-PROCESS" })
	if at < 0 {
		return []string{fmt.Sprintf("it was not run: %s", run.Problem)}, nil
	}
	process := run.Checks[at]
	if process.Outcome != reports.Failed {
		wrong = append(wrong, fmt.Sprintf("LIVE-PROCESS is %s: %s", process.Outcome, whyOf(process)))
	}
	if run.Summary.Deaths == 0 {
		wrong = append(wrong, "no death is counted")
	}
	all := false
	for _, m := range blames.FindAllStringSubmatch(process.Actual, -1) {
		culprits = append(culprits, m[1])
		all = all || m[2] == "3" && m[3] == "3"
	}
	if !all {
		wrong = append(wrong, `nothing kills it "3 of 3": `+process.Actual)
	}
	if strings.Contains(process.Actual, "nothing that was sent did it again") {
		wrong = append(wrong, "a death has no culprit: "+process.Actual)
	}
	for _, c := range run.Checks {
		switch {
		case c.ID == "LIVE-PROCESS":
		case c.Outcome == reports.Errored:
			wrong = append(wrong, fmt.Sprintf("%s could not run: %s", c.ID, c.Reason))
		case noticed(c) && !slices.Contains(way.because, c.ID):
			wrong = append(wrong, fmt.Sprintf("%s is blamed: %s", c.ID, c.Actual))
		}
	}
	return wrong, culprits
}

// load keeps all cores busy until the test ends.
func load(t *testing.T) {
	t.Helper()
	var stop atomic.Bool
	var busy sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		busy.Go(func() {
			for !stop.Load() {
			}
		})
	}
	t.Cleanup(func() { stop.Store(true); busy.Wait() })
}
