package suites_test

import (
	"crypto/sha256"
	"os"
	"slices"
	"testing"
)

// A long table is run by halves, one each day, so that `make test` takes minutes: a run of
// everything against a page costs seconds. KINDLYTEST_WHOLE is set where all of it is
// wanted: by `make test-whole`, which CI runs as well, and by `make race`.
var whole = os.Getenv("KINDLYTEST_WHOLE") != ""

// longTable is how many rows are always run.
const longTable = 20

// due are the rows whose turn it is today.
func due[T any](t *testing.T, all []T, name func(T) string) []T {
	t.Helper()
	if whole || *proof || len(all) < longTable {
		return all
	}
	t.Logf("a half of %d; all: KINDLYTEST_WHOLE=1", len(all))
	return halved(all, name, seed())
}

func halved[T any](all []T, name func(T) string, day uint64) []T {
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool {
		return (uint64(sha256.Sum256([]byte(name(one)))[0])+day)%2 != 0
	})
}

// What is left out one day is run on the next.
func TestTwoDaysRunAllRows(t *testing.T) {
	var all []string
	for _, f := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"} {
		all = append(all, "the mistake "+f)
	}
	itself := func(row string) string { return row }
	first, second := halved(all, itself, 7), halved(all, itself, 8)
	if both := slices.Sorted(slices.Values(slices.Concat(first, second))); !slices.Equal(both, all) {
		t.Errorf("two days run %q", both)
	}
	if len(first) == 0 || len(second) == 0 {
		t.Errorf("one day runs %q, the other %q", first, second)
	}
}
