package reports

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Update puts what a run of some checks has found into an earlier report of the
// same target. A check that nobody asked for keeps its earlier row, which says in
// AsOf when it was looked at; all else is as newer says. The summary and the exit
// code are those of all rows.
func Update(older, newer Run) Run {
	if !newer.Target.Same(older.Target) {
		return newer
	}
	before := map[string]Check{}
	for _, c := range older.Checks {
		if c.Deselected {
			continue
		}
		if c.AsOf.IsZero() {
			c.AsOf = older.Started
		}
		before[c.ID] = c
	}
	out := newer
	out.Checks = slices.Clone(newer.Checks)
	kept, unfound := map[string]bool{}, false
	for i, c := range out.Checks {
		if earlier, ok := before[c.ID]; ok && c.Deselected {
			out.Checks[i], kept[c.ID] = earlier, true
			unfound = unfound || earlier.Outcome == Errored
		}
	}
	if len(kept) == 0 {
		return newer
	}
	out.Causes = updatedCauses(older.Causes, newer.Causes, kept)
	// What kept the earlier run from all is over when what it kept from has run.
	if out.Problem == "" && (unfound || older.Summary.Errored == 0) {
		out.Problem, out.Hint = older.Problem, older.Hint
	}
	out.Target.Endpoint = cmp.Or(newer.Target.Endpoint, older.Target.Endpoint)
	if newer.Target.Stack == "" {
		out.Target.Stack, out.Target.StackSigns = older.Target.Stack, older.Target.StackSigns
	}
	if len(newer.Timeline) == 0 {
		out.Timeline = older.Timeline
	}
	out.Screenshot = cmp.Or(newer.Screenshot, older.Screenshot)
	out.Notes = append(slices.Clone(newer.Notes), Note{Informed, out.ages(len(kept))})
	out.Finish()
	return out
}

// ages says how many rows are from earlier runs, and of when.
func (r Run) ages(kept int) string {
	var times []string
	for _, c := range r.Checks {
		if !c.AsOf.IsZero() {
			times = append(times, stampOf(c.AsOf))
		}
	}
	slices.Sort(times)
	from := times[0]
	if last := times[len(times)-1]; last != from {
		from += " to " + last
	}
	return fmt.Sprintf("%d of %s are from %s: this run was not asked for them.", kept, plural(len(r.Checks), "row"), from)
}

// updatedCauses are the newer causes, and the older ones as far as they account
// for rows that are kept.
func updatedCauses(older, newer []Cause, kept map[string]bool) []Cause {
	out := slices.Clone(newer)
	for _, c := range older {
		c.Explains = slices.DeleteFunc(slices.Clone(c.Explains), func(id string) bool { return !kept[id] })
		if len(c.Explains) == 0 {
			continue
		}
		i := slices.IndexFunc(out, func(n Cause) bool { return n.ID == c.ID && n.Where == c.Where })
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i].Explains = append(slices.Clone(out[i].Explains), c.Explains...)
	}
	return out
}

// UpdateSet is Update for runs against several targets. Targets that were left
// out keep their earlier runs. The report of another shard is another report.
func UpdateSet(older, newer Set) Set {
	if !older.Shard.same(newer.Shard) {
		return newer
	}
	var runs []Run
	for _, was := range older.Runs {
		i := slices.IndexFunc(newer.Runs, func(r Run) bool { return r.Target.Name == was.Target.Name })
		if i < 0 {
			runs = append(runs, was)
			continue
		}
		runs = append(runs, Update(was, newer.Runs[i]))
	}
	for _, run := range newer.Runs {
		if !slices.ContainsFunc(older.Runs, func(r Run) bool { return r.Target.Name == run.Target.Name }) {
			runs = append(runs, run)
		}
	}
	return NewShard(runs, newer.Shard)
}

// Same says whether two reports are of one target: its name, its page, or else its
// endpoint, and its webhooks.
func (t Target) Same(o Target) bool {
	if t.Name != o.Name || t.Page != o.Page || !slices.Equal(t.Webhooks, o.Webhooks) {
		return false
	}
	return t.Page != "" || address(t.Endpoint) == address(o.Endpoint)
}

// address is an endpoint without its method, which only a run finds out.
func address(endpoint string) string { return endpoint[strings.LastIndex(endpoint, " ")+1:] }

// seeOthers are the checks at which a reason points: "the token can't be read (see
// TOK-COMPACT, TOK-JSON)".
var seeOthers = regexp.MustCompile(`\(see ([A-Z0-9-]+(?:, [A-Z0-9-]+)*)\)`)

// Again are the IDs of the checks to run again when what failed was mended: those, and
// the ones that could not be judged, or prove less, because of one of them.
func (r Run) Again() []string {
	unmended := r.Unmended()
	var ids []string
	for _, c := range r.Checks {
		again := slices.Contains(unmended, c.ID)
		if c.Outcome == Skipped && !c.Deselected || c.Weak {
			for _, m := range seeOthers.FindAllStringSubmatch(c.Reason, -1) {
				again = again || slices.ContainsFunc(strings.Split(m[1], ", "), func(id string) bool { return slices.Contains(unmended, id) })
			}
		}
		if again {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Unmended are the IDs of the checks that a run failed, or could not judge.
func (r Run) Unmended() []string {
	var ids []string
	for _, c := range r.Checks {
		if c.Outcome == Failed || c.Outcome == Errored || r.Strict && c.Outcome == Warned {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
