package suites

import (
	"context"

	"github.com/kindlytest/kindlytest/reports"
)

// RunQuietly is Run without Ginkgo, whose global state lets only one run at a
// time through: the tests make hundreds.
func RunQuietly(ctx context.Context, t Target, o Options) reports.Run {
	return run(ctx, t, o, func(context.Context, *board) {})
}

// RunAllQuietly is RunAll in the same way.
func RunAllQuietly(ctx context.Context, jobs []Job, parallel int, done func(reports.Run)) []reports.Run {
	return runAll(ctx, jobs, parallel, done, func(context.Context, *board) {})
}
