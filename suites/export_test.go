package suites

import (
	"context"

	"github.com/kindlytest/kindlytest/reports"
)

var Telling = telling

// RunQuietly is Run without Ginkgo, whose global state lets only one run at a
// time through: the tests make hundreds.
func RunQuietly(ctx context.Context, t Target, o Options) reports.Run {
	return run(ctx, t, o, func(context.Context, *board) {})
}
