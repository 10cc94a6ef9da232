package reports

import "fmt"

// verdict is the set in one line. What Finish says of a run holds here too: a
// failure outranks what could not be found out.
func (s Set) verdict() verdict {
	if s.idle() {
		return verdict{"NOTHING TO CHECK", fmt.Sprintf("shard %s has no targets: there are %d in all", s.Shard, len(s.Shard.Targets)), Passed}
	}
	var failed, unknown, passed int
	for _, run := range s.Runs {
		switch run.ExitCode {
		case 0:
			passed++
		case 1:
			failed++
		default:
			unknown++
		}
	}
	counts := []string{}
	for _, c := range []struct {
		n    int
		what string
	}{{failed, "failed"}, {unknown, "could not be judged"}, {passed, "passed"}} {
		if c.n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	detail := join(s.what(), append(counts, duration(s.DurationMS)))
	switch s.ExitCode {
	case 0:
		return verdict{passedWord, detail, Passed}
	case 1:
		return verdict{failedWord, detail, Failed}
	}
	return verdict{incompleteWord, detail, Errored}
}

// what is what it tells of: "3 targets", "3 targets of 12 (shard 2/4)".
func (s Set) what() string {
	if s.Shard == nil {
		return plural(len(s.Runs), "target")
	}
	return fmt.Sprintf("%s of %d (shard %s)", plural(len(s.Runs), "target"), len(s.Shard.Targets), s.Shard)
}

// sentence is the one verdict for who decides.
func (s Set) sentence() string {
	var bad, unknown []string
	for _, run := range s.Runs {
		switch run.ExitCode {
		case 0:
		case 1:
			bad = append(bad, run.Target.Name)
		default:
			unknown = append(unknown, run.Target.Name)
		}
	}
	switch {
	case s.idle():
		return "Nothing is known here: the other shards have all targets."
	case len(s.Runs) == 0:
		return "Nothing is known: no target was checked."
	case len(bad) > 0:
		return joinSentences("Not ready to go live: "+idsInShort(bad, 5), unknownTargets(unknown))
	case len(unknown) > 0:
		return joinSentences("Not to be judged yet", unknownTargets(unknown))
	}
	return "Ready to go live: " + plural(len(s.Runs), "target") + ", and what was judged holds."
}

func unknownTargets(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "Not all could be checked at " + idsInShort(names, 5)
}
