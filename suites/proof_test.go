package suites_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/causes"
)

// A proven is one row of the table: what a fault did to the checks.
type proven struct {
	fault  fixtures.Fault
	caught reports.Outcome // of the check that it breaks
	also   []string        // the other checks that failed or warned
	found  []string        // what the report names
}

func TestProof(t *testing.T) {
	besideOthers(t)
	var mu sync.Mutex
	rows := keptRows(t) // -run may renew those of some faults
	var named tally
	t.Run("faults", func(t *testing.T) {
		each(t, sampled(t, fixtures.Faults(), 3), fixtures.Fault.String, func(t *testing.T, f fixtures.Fault) {
			row := prove(t, f)
			mu.Lock()
			defer mu.Unlock()
			rows[f.Name] = row
		})
	})
	if !*proof { // TestSoundCustomerPassesEveryCheck runs in each test
		return
	}
	for _, f := range fixtures.Faults() {
		found := rows[f.Name].found
		named.count(slices.Equal(found, []string{causeOf(f)}), fmt.Sprintf("`%s` is named by %s, not by %s alone", f.Name, strings.Join(found, ", "), causeOf(f)))
	}
	t.Run("named", func(t *testing.T) { named.reaches(t, 0.95) })
	t.Run("sound", func(t *testing.T) {
		for _, concurrency := range []int{1, 8} {
			name := func(m fixtures.Manner) string { return fmt.Sprintf("%s, %d at a time", m, concurrency) }
			each(t, fixtures.Manners(), name, func(t *testing.T, m fixtures.Manner) { proveSound(t, m, concurrency) })
		}
	})
	if len(rows) >= len(fixtures.Faults()) {
		writeProof(t, "Every fault is noticed, and named", tableOf(rows, &named))
	}
}

func TestWaitExpiry(t *testing.T) {
	if !*proof {
		t.Skip("it waits until tokens have expired: make proof")
	}
	for name, tt := range map[string]struct {
		faults []fixtures.Fault
		want   reports.Outcome
	}{
		"expired tokens are refused":  {nil, reports.Passed},
		"expired tokens are accepted": {[]fixtures.Fault{fixtures.IgnoresExpiry}, reports.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := start(t, fixtures.Options{Manner: fixtures.OneMinute, Faults: tt.faults})
			target.PrivateKey = nil
			target.Webhooks = target.Webhooks[:1] // each waits in its turn
			o := options(t, target)
			o.Only, o.WaitExpiry = []string{"HOOK-EXPIRED"}, true
			for _, c := range suites.RunQuietly(t.Context(), target, o).Checks {
				if c.ID == "HOOK-EXPIRED" && c.Outcome != tt.want {
					t.Errorf("HOOK-EXPIRED is %s, want %s", c.Outcome, tt.want)
					describe(t, c)
				}
			}
		})
	}
}

func prove(t *testing.T, f fixtures.Fault) proven {
	target := start(t, fixtures.Options{Faults: []fixtures.Fault{f}})
	run := suites.RunQuietly(t.Context(), target, options(t, target))
	row := proven{fault: f, found: findings(run)}
	const screen = 40
	if block := blockOf(t, run, 80); strings.Count(block, "\n") > screen {
		t.Errorf("what a terminal shows of %s takes %d lines, more than %d:\n%s", f.Name, strings.Count(block, "\n"), screen, block)
	}
	for _, c := range run.Checks {
		switch {
		case c.ID == f.Breaks:
			row.caught = c.Outcome
			if !noticed(c) {
				t.Errorf("%s is %s, though: %s", c.ID, c.Outcome, f.Text)
				describe(t, c)
			}
		case c.Outcome == reports.Failed || c.Outcome == reports.Warned:
			row.also = append(row.also, c.ID)
			if !slices.Contains(f.Also, c.ID) {
				t.Errorf("%s is %s, in no company that the fault declares", c.ID, c.Outcome)
				describe(t, c)
			}
		}
	}
	return row
}

// whyOf is what a check says of its outcome.
func whyOf(c reports.Check) string { return strings.TrimSpace(c.Reason + " " + c.Actual) }

// causeOf is what a report should name, and nothing else: the cause, or where the
// check says it itself, the check.
func causeOf(f fixtures.Fault) string {
	if f.Cause != "" {
		return f.Cause
	}
	return f.Breaks
}

func tableOf(rows map[string]proven, named *tally) string {
	var w strings.Builder
	fmt.Fprintf(&w, `Each fault is noticed by the check that it breaks; what else fails in its company is
listed, and nothing else does. The first thing that the report names, and the only one, is the right
one in %s: a cause, or where the check itself says it, the check.

%s
| fault | what the customer does wrong | noticed by | as | in company of | named |
|---|---|---|---|---|---|
`, named, named.list())
	for _, fault := range fixtures.Faults() {
		r := rows[fault.Name]
		fmt.Fprintf(&w, "| `%s` | %s | %s | %s | %s | %s |\n", fault.Name, strings.ReplaceAll(fault.Text, "|", `\|`),
			fault.Breaks, r.caught, strings.Join(r.also, ", "), strings.Join(r.found, ", "))
	}
	return w.String()
}

// rowsOf are the cells of the page's table of faults, by their names.
func rowsOf(t *testing.T) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile(proofFile)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for line := range strings.SplitSeq(string(raw), "\n") {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, "/"), "|")
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "| `"); ok && len(cells) == 8 {
			name, _, _ = strings.Cut(name, "`")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			out[name] = cells
		}
	}
	return out
}

// keptRows are those of the page as it is.
func keptRows(t *testing.T) map[string]proven {
	t.Helper()
	list := func(cell string) []string {
		return strings.FieldsFunc(cell, func(r rune) bool { return r == ',' || r == ' ' })
	}
	out := map[string]proven{}
	for name, cells := range rowsOf(t) {
		if f, ok := fixtures.FaultByName(name); ok {
			out[name] = proven{f, reports.Outcome(cells[4]), list(cells[5]), list(cells[6])}
		}
	}
	return out
}

func TestProofNamesEveryFaultAndEveryCheck(t *testing.T) {
	t.Parallel()
	breaks := map[string]string{} // fault → the check that noticed it
	proven := map[string]bool{}
	for name, cells := range rowsOf(t) {
		breaks[name] = cells[3]
		proven[cells[3]] = true
	}
	for _, f := range fixtures.Faults() {
		if breaks[f.Name] != f.Breaks {
			t.Errorf("docs/proof.md says that %s is noticed by %q, not by %s: run `make proof`", f.Name, breaks[f.Name], f.Breaks)
		}
	}
	for _, c := range suites.Checks() {
		if !proven[c.ID()] {
			t.Errorf("docs/proof.md has no fault that %s notices: run `make proof`", c.ID())
		}
	}
}

func TestEveryFaultIsNamedByWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures.Faults() {
		if _, known := causes.Find(f.Cause); f.Cause != "" && !known {
			t.Errorf("%s is to be named by %q, which is no cause", f.Name, f.Cause)
		}
	}
}
