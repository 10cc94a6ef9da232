package suites

import (
	"context"
	"slices"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/runner"
	"github.com/kindlytest/kindlytest/target"
)

// RunQuietly is Run without Ginkgo, whose global state lets only one run at a
// time through: the tests make hundreds.
func RunQuietly(ctx context.Context, t target.Target, o Options) reports.Run {
	return run(ctx, t, o, func(context.Context, *runner.Results) {})
}

// RunAllQuietly is RunAll in the same way.
func RunAllQuietly(ctx context.Context, jobs []Job, parallel int, done func(reports.Run)) []reports.Run {
	return runAll(ctx, jobs, parallel, done, func(context.Context, *runner.Results) {})
}

// SharedChromes says for each job which Chrome it would use: the first job that
// uses it; -1 for none.
func SharedChromes(jobs []Job) []int {
	chromes := shareChromes(context.Background(), jobs)
	out := make([]int, len(jobs))
	for i, c := range chromes {
		out[i] = -1
		if c != nil {
			out[i] = slices.Index(chromes, c)
		}
	}
	return out
}
