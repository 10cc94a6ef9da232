package reports

import (
	"errors"
	"fmt"
	"slices"
)

// A Shard is one part of a run against several targets, of which other machines
// check the others. It is made of the list alone, so that no machine has to know of
// another, and the parts differ by one target at most.
type Shard struct {
	Number  int      `json:"number"` // from 1 to Of
	Of      int      `json:"of"`
	Targets []string `json:"targets"` // the names of all parts' targets, in the order of the configuration
}

// Has says whether the target at this index of Targets belongs to the shard. Neighbours
// in a list are often alike, so each goes to another one.
func (s Shard) Has(index int) bool { return index%s.Of == s.Number-1 }

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Number, s.Of) }

// same says whether two reports are of the same part, or both of no part.
func (s *Shard) same(o *Shard) bool {
	if s == nil || o == nil {
		return s == o
	}
	return s.Number == o.Number && s.sameSplit(*o)
}

// sameSplit says whether two shards are parts of one whole.
func (s Shard) sameSplit(o Shard) bool { return s.Of == o.Of && slices.Equal(s.Targets, o.Targets) }

// NewShard is NewSet for one part of a whole. A part for which no target is left is
// no failure: there are more machines than targets.
func NewShard(runs []Run, shard *Shard) Set {
	s := NewSet(runs)
	s.Shard = shard
	if s.idle() {
		s.ExitCode = 0
	}
	return s
}

// idle says whether it is the report of a shard for which no target is left.
func (s Set) idle() bool {
	return len(s.Runs) == 0 && s.Shard != nil && s.Shard.Number > len(s.Shard.Targets)
}

func (s Shard) validate() error {
	if s.Of < 1 || s.Number < 1 || s.Number > s.Of {
		return fmt.Errorf("there is no shard %s", s)
	}
	known := map[string]bool{"": true}
	for _, name := range s.Targets {
		if known[name] {
			return fmt.Errorf("shard %s lists %q twice, or a target without a name", s, name)
		}
		known[name] = true
	}
	return nil
}

// Merge makes of the reports of all shards the report that one run of all targets
// would have given, in the order of the configuration. names are those of the
// reports, for errors.
//
// Targets of a shard that is missing are in it as what could not be checked: the rest is
// worth reading, and must not be green; missing names those shards. Two reports of one
// shard, or reports of different splits, are an error: nobody can say which of them counts.
func Merge(names []string, shards []Set) (merged Set, missing []Shard, err error) {
	if len(shards) == 0 {
		return Set{}, nil, errors.New("there is no report to merge")
	}
	first := shards[0].Shard
	from := map[int]string{} // by the shard's number: its report
	found := map[string]Run{}
	started := shards[0].Started
	for i, set := range shards {
		switch shard := set.Shard; {
		case shard == nil:
			return Set{}, nil, fmt.Errorf("%s is not the report of a shard", names[i])
		case !shard.sameSplit(*first):
			return Set{}, nil, fmt.Errorf("%s (shard %s) and %s (shard %s) are no parts of one run", names[0], first, names[i], shard)
		case from[shard.Number] != "":
			return Set{}, nil, fmt.Errorf("shard %s is there twice: %s and %s", shard, from[shard.Number], names[i])
		}
		from[set.Shard.Number] = names[i]
		if set.Started.Before(started) {
			started = set.Started
		}
		for _, run := range set.Runs {
			found[run.Target.Name] = run
		}
	}
	runs := make([]Run, 0, len(first.Targets))
	for i, name := range first.Targets {
		run, ok := found[name]
		if !ok {
			run = unchecked(name, Shard{Number: i%first.Of + 1, Of: first.Of}, from)
			run.Tool, run.Started = shards[0].Tool, started
			run.Finish()
		}
		runs = append(runs, run)
	}
	for shard := (Shard{Number: 1, Of: first.Of}); shard.Number <= min(first.Of, len(first.Targets)); shard.Number++ {
		if from[shard.Number] == "" {
			missing = append(missing, shard)
		}
	}
	return NewSet(runs), missing, nil
}

// unchecked is the run of a target of which no shard tells.
func unchecked(name string, shard Shard, from map[int]string) Run {
	run := Run{Target: Target{Name: name}}
	if report, ok := from[shard.Number]; ok {
		run.Problem = fmt.Sprintf("%s, of shard %s, does not tell of this target", report, shard)
		run.Hint = "Run the shard whole: kindlytest run --shard " + shard.String()
		return run
	}
	run.Problem = fmt.Sprintf("the report of shard %s is missing, to which this target belongs", shard)
	run.Hint = "See why its machine left none; it is made by kindlytest run --shard " + shard.String()
	return run
}
