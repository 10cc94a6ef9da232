// Command bench measures kindlytest beside what a team would use instead, in
// the same run on the same machine, and writes the table into
// docs/performance.md. Run it from the root of the repository:
//
//	go run ./cmd/bench             # everything, in some minutes (make bench)
//	go run ./cmd/bench serve page  # only these parts, and their tables
//
// A ratio counts, not a time: both sides take turns, and the median of several
// turns is taken. What is compared with is in testdata.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/kindlytest/kindlytest/internal/figures"
)

var parts = []figures.Part[bench]{
	{Name: "token", Measure: measureToken},
	{Name: "mock", Measure: measureMock},
	{Name: "serve", Measure: measureServe},
	{Name: "page", Measure: measurePage},
	{Name: "run", Measure: measureRun},
	{Name: "watch", Measure: measureWatch},
	{Name: "waits", Measure: measureWaits},
	{Name: "far", Measure: measureFar},
	{Name: "growth", Measure: measureGrowth},
	{Name: "build", Measure: measureBuild},
}

// A bench is one run of the benchmarks.
type bench struct {
	dir   string // for what is built and written; removed at the end
	table figures.Table
}

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := figures.InFolder("kindlytest-bench-", func(dir string) error { return run(ctx, dir, flag.Args()) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, only []string) error {
	b := &bench{dir: dir}
	if err := b.build(ctx); err != nil {
		return err
	}
	_, err := figures.Run(ctx, figures.Page{By: "make bench", Path: filepath.Join("docs", "performance.md")}, b, &b.table, parts, only)
	return err
}

// build makes the program as `make build` does, and what it is compared with.
func (b *bench) build(ctx context.Context) error {
	for name, path := range map[string]string{
		"kindlytest": "./cmd/kindlytest", "plain": "./cmd/bench/testdata/plain", "chromedp": "./cmd/bench/testdata/chromedp",
	} {
		if _, err := figures.Output(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.path(name), path); err != nil {
			return err
		}
	}
	return nil
}

// path is that of a file in the bench's own folder.
func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }
