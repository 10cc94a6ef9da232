package suites_test

import (
	"crypto/sha256"
	"maps"
	"os"
	"slices"
	"testing"
)

// A long table is run by parts, one each day, so that `make test` takes minutes: a run of
// everything against a page costs seconds. KINDLYTEST_WHOLE is set where all of it is
// wanted: by `make test-whole`, which CI runs as well, and by `make race`.
var whole = os.Getenv("KINDLYTEST_WHOLE") != ""

const (
	longTable = 9 // shorter tables are run whole
	parts     = 6 // of the others
)

// due are the rows whose turn it is today.
func due[T any](t *testing.T, all []T, name func(T) string) []T {
	t.Helper()
	if whole || *proof || len(all) < longTable {
		return all
	}
	t.Logf("a sixth of %d; all: KINDLYTEST_WHOLE=1", len(all))
	return dueOn(seed(), all, name)
}

// dueOf is due of rows by their names.
func dueOf[T any](t *testing.T, all map[string]T) map[string]T {
	t.Helper()
	today := due(t, slices.Sorted(maps.Keys(all)), func(name string) string { return name })
	maps.DeleteFunc(all, func(name string, _ T) bool { return !slices.Contains(today, name) })
	return all
}

func dueOn[T any](day uint64, all []T, name func(T) string) []T {
	today := slices.DeleteFunc(slices.Clone(all), func(one T) bool {
		return (uint64(sha256.Sum256([]byte(name(one)))[0])+day)%parts != 0
	})
	if n := uint64(len(all)); len(today) == 0 && n > 0 {
		return all[day%n : day%n+1]
	}
	return today
}

// There is something to run each day, also of a table whose names are all of another.
func TestNoDayRunsNothing(t *testing.T) {
	for day := range uint64(2 * parts) {
		if today := dueOn(day, []string{"one", "one", "one"}, func(row string) string { return row }); len(today) == 0 {
			t.Errorf("day %d runs nothing", day)
		}
	}
}

// What is left out one day is run on one of the next.
func TestAFewDaysRunAllRows(t *testing.T) {
	var all, run []string
	for letter := 'a'; letter <= 'z'; letter++ {
		all = append(all, "the mistake "+string(letter))
	}
	for day := range uint64(parts) {
		today := dueOn(7+day, all, func(row string) string { return row })
		if len(today) > len(all)/2 {
			t.Errorf("day %d runs %q", day, today)
		}
		run = append(run, today...)
	}
	if slices.Sort(run); !slices.Equal(run, all) {
		t.Errorf("%d days run %q", parts, run)
	}
}
