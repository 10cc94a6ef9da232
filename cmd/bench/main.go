// Command bench measures kindlytest beside what a team would use instead, in
// the same run on the same machine, and writes the table into
// docs/performance.md. Run it from the root of the repository:
//
//	go run ./cmd/bench             # everything, in some minutes (make bench)
//	go run ./cmd/bench serve page  # only these parts, printed, not written
//
// A ratio counts, not a time: both sides take turns, and the median of several
// turns is taken. What is compared with is in testdata.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kindlytest/kindlytest/internal/figures"
)

// A part measures one thing and adds rows to the table.
type part struct {
	name    string
	measure func(context.Context, *bench) error
}

var parts = []part{
	{"token", measureToken},
	{"mock", measureMock},
	{"serve", measureServe},
	{"page", measurePage},
	{"run", measureRun},
	{"watch", measureWatch},
	{"waits", measureWaits},
	{"far", measureFar},
	{"growth", measureGrowth},
	{"build", measureBuild},
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
	if err := run(ctx, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, only []string) (err error) {
	dir, err := os.MkdirTemp("", "kindlytest-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{dir: dir, table: figures.Table{By: "make bench"}}
	if err := b.build(ctx); err != nil {
		return err
	}
	for _, p := range parts {
		if len(only) > 0 && !slices.Contains(only, p.name) {
			continue
		}
		started := time.Now()
		if err := p.measure(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Printf("(%s took %.0f s)\n", p.name, time.Since(started).Seconds())
	}
	if len(only) > 0 {
		return nil
	}
	return b.table.Write(filepath.Join("docs", "performance.md"))
}

// build makes the program as `make build` does, and what it is compared with.
func (b *bench) build(ctx context.Context) error {
	for name, path := range map[string]string{
		"kindlytest": "./cmd/kindlytest", "plain": "./cmd/bench/testdata/plain", "chromedp": "./cmd/bench/testdata/chromedp",
	} {
		if _, err := output(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.path(name), path); err != nil {
			return err
		}
	}
	return nil
}

// path is that of a file in the bench's own folder.
func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// output runs a command and returns what it printed; its error tells what it
// complained about.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, failed.Stderr)
	}
	return string(out), err
}
