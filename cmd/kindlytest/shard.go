package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// pickShard returns the jobs that are this machine's, and the shard; all and nil if
// no shard is given. There may be more shards than jobs, and so none for one.
func pickShard(jobs []suites.Job, given bool, text string) ([]suites.Job, *reports.Shard, error) {
	if !given {
		return jobs, nil, nil
	}
	shard, err := parseShard(text)
	if err != nil {
		return nil, nil, err
	}
	var own []suites.Job
	for i, job := range jobs {
		shard.Targets = append(shard.Targets, job.Target.Name)
		if shard.Has(i) {
			own = append(own, job)
		}
	}
	return own, shard, nil
}

func parseShard(text string) (*reports.Shard, error) {
	const example = "an example: --shard 2/5 is the second of five parts"
	left, right, _ := strings.Cut(text, "/")
	number, err := strconv.Atoi(left)
	of, err2 := strconv.Atoi(right)
	switch {
	case err != nil || err2 != nil:
		return nil, hint.Errorf(example, "--shard: %q is not of the form NUMBER/PARTS", text)
	case of < 1:
		return nil, hint.Errorf(example, "--shard %s: there must be one part at least", text)
	case number < 1 || number > of:
		return nil, hint.Errorf(example, "--shard %s: the parts have the numbers 1 to %d", text, of)
	}
	return &reports.Shard{Number: number, Of: of}, nil
}

// checking says what is going to be checked.
func checking(jobs []suites.Job, shard *reports.Shard, parallel int) string {
	what := plural(len(jobs), "target")
	if shard != nil {
		what += fmt.Sprintf(" of %d (shard %s)", len(shard.Targets), shard)
	}
	return fmt.Sprintf("Checking %s, %d at a time", what, min(parallel, len(jobs)))
}
