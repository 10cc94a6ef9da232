package reports

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func namedRuns(names ...string) []Run {
	var runs []Run
	for i, name := range names {
		r := runAt(sampleTime, row("A", []Outcome{Passed, Warned, Failed}[i%3]))
		r.Target.Name = name
		runs = append(runs, r)
	}
	return runs
}

// shardsOf splits a whole as machines do that know the list only.
func shardsOf(runs []Run, of int) []Set {
	var names []string
	for _, r := range runs {
		names = append(names, r.Target.Name)
	}
	var sets []Set
	for number := 1; number <= of; number++ {
		shard := &Shard{Number: number, Of: of, Targets: names}
		var own []Run
		for i, r := range runs {
			if shard.Has(i) {
				own = append(own, r)
			}
		}
		set := NewShard(own, shard)
		set.Started = sampleTime
		sets = append(sets, set)
	}
	return sets
}

func TestShardsShareAllTargetsEvenly(t *testing.T) {
	for of := 1; of <= 7; of++ {
		for targets := 0; targets <= 20; targets++ {
			owners, least, most := make([]int, targets), targets, 0
			for number := 1; number <= of; number++ {
				own := 0
				for i := range owners {
					if (Shard{Number: number, Of: of}).Has(i) {
						owners[i]++
						own++
					}
				}
				least, most = min(least, own), max(most, own)
			}
			for i, n := range owners {
				if n != 1 {
					t.Errorf("%d targets in %d shards: target %d is in %d of them", targets, of, i, n)
				}
			}
			if most-least > 1 {
				t.Errorf("%d targets in %d shards: one has %d, another %d", targets, of, least, most)
			}
		}
	}
}

func TestMergedShardsAreTheWhole(t *testing.T) {
	runs := namedRuns("e", "a", "d", "b", "c")
	for of := 1; of <= 7; of++ {
		var sets []Set
		var names []string
		for i, set := range shardsOf(runs, of) {
			var b bytes.Buffer // as they come: written and read
			if err := Write(&b, set, JSON); err != nil {
				t.Fatal(err)
			}
			read, several, err := ReadSet(&b)
			if err != nil || !several {
				t.Fatal(several, err)
			}
			if idle := set.Shard.Number > len(runs); idle && (read.ExitCode != 0 || !strings.Contains(read.verdict().Detail, "has no targets")) {
				t.Errorf("a shard without targets ends with %d: %+v", read.ExitCode, read.verdict())
			}
			sets, names = append([]Set{read}, sets...), append([]string{fmt.Sprint(i)}, names...) // in another order
		}
		got, missing, err := Merge(names, sets)
		if err != nil || len(missing) > 0 {
			t.Fatal(missing, err)
		}
		if diff := cmp.Diff(NewSet(runs), got); diff != "" {
			t.Errorf("%d shards: %s", of, diff)
		}
	}
}

func TestMergeNamesWhatIsMissing(t *testing.T) {
	sets := shardsOf(namedRuns("a", "b", "c", "d"), 3)
	got, missing, err := Merge([]string{"x", "z"}, []Set{sets[0], sets[2]})
	if err != nil || fmt.Sprint(missing) != "[2/3]" {
		t.Fatal(missing, err)
	}
	b := got.Runs[1]
	if b.Target.Name != "b" || b.ExitCode != 2 || !strings.Contains(b.Problem, "shard 2/3 is missing") || b.Hint == "" {
		t.Errorf("%+v", b)
	}
	if got.ExitCode != 1 { // c has failed
		t.Errorf("exit code %d", got.ExitCode)
	}
	if got, _, _ := Merge([]string{"x"}, sets[:1]); got.ExitCode != 2 {
		t.Errorf("what is not known is green: exit code %d", got.ExitCode)
	}
	part := sets[1]
	part.Runs = nil
	got, missing, err = Merge([]string{"x", "y", "z"}, []Set{sets[0], part, sets[2]})
	if err != nil || len(missing) > 0 || !strings.Contains(got.Runs[1].Problem, "y, of shard 2/3, does not tell") {
		t.Error(got.Runs[1].Problem, missing, err)
	}
}

func TestMergeRefusesWhatIsNoSplitOfOneWhole(t *testing.T) {
	three, two := shardsOf(namedRuns("a", "b", "c"), 3), shardsOf(namedRuns("a", "b", "c"), 2)
	other := shardsOf(namedRuns("a", "b", "d"), 3)
	for _, row := range []struct {
		name string
		sets []Set
		says string
	}{
		{"nothing", nil, "no report"},
		{"one twice", []Set{three[0], three[1], three[1]}, "shard 2/3 is there twice: r1 and r2"},
		{"a whole", []Set{three[0], NewSet(namedRuns("a"))}, "r1 is not the report of a shard"},
		{"another split", []Set{three[0], two[1]}, "r0 (shard 1/3) and r1 (shard 2/2) are no parts"},
		{"other targets", []Set{three[0], other[1]}, "r0 (shard 1/3) and r1 (shard 2/3) are no parts"},
	} {
		_, _, err := Merge([]string{"r0", "r1", "r2"}, row.sets)
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.name, err, row.says)
		}
	}
	for _, foreign := range []string{`{"number": 3, "of": 2}`, `{"number": 0, "of": 2}`, `{"number": 1, "of": 0}`, `{"number": 1, "of": 1, "targets": ["a", "a"]}`, `{"number": 1, "of": 1, "targets": [""]}`} {
		if _, _, err := ReadSet(strings.NewReader(`{"schema": 2, "runs": [], "shard": ` + foreign + `}`)); err == nil {
			t.Errorf("%s is taken", foreign)
		}
	}
}

// A report of another shard in the same folder is not mixed into this one's.
func TestUpdateSetMixesNoShards(t *testing.T) {
	sets := shardsOf(namedRuns("a", "b", "c"), 2)
	if got := UpdateSet(sets[0], sets[1]); len(got.Runs) != 1 || !got.Shard.same(sets[1].Shard) {
		t.Errorf("%+v", got)
	}
	again := NewShard(sets[0].Runs[:1], sets[0].Shard)
	if got := UpdateSet(sets[0], again); len(got.Runs) != 2 || !got.Shard.same(sets[0].Shard) {
		t.Errorf("%+v", got)
	}
}
