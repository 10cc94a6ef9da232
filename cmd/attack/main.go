// Command attack tries to hurt kindlytest, and writes what came of it into
// docs/security.md. Run it from the root of the repository:
//
//	go run ./cmd/attack                 # everything (make attack): half an hour on two quiet cores
//	go run ./cmd/attack pages answers   # only these parts, printed, not written
//
// It attacks the program as it is released, started anew for each attack, and
// looks at it from outside: how long it takes, what memory, what it says. The
// hostile servers are in fixtures/hostile.
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

// A part tries one kind of attack, and adds rows to the table.
type part struct {
	name string
	try  func(context.Context, *attack) error
}

var parts = []part{
	{"vectors", tryVectors},
	{"answers", tryAnswers},
	{"pages", tryPages},
	{"kill", tryKills},
	{"dying", tryDying},
	{"fuzz", tryFuzzing},
}

// How much is tried.
var (
	fuzzTime = flag.Duration("fuzz", 12*time.Second, "time of each fuzz target")
	kills    = flag.Int("kills", 100, "how often serve --db is killed")
	deaths   = flag.Int("deaths", 50, "runs against each customer that dies")
	match    = flag.String("match", "", "only hostile pages and answers whose name has this in it")
)

// An attack is one run of this command.
type attack struct {
	dir   string // for what is built and written; removed at the end
	table figures.Table
}

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		stop()
		os.Exit(1)
	}
}

// run fails if an attack has hurt: also then the table is written.
func run(ctx context.Context, only []string) (err error) {
	dir, err := os.MkdirTemp("", "kindlytest-attack-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	a := &attack{dir: dir, table: figures.Table{By: "make attack"}}
	if _, err := output(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", a.program(), "./cmd/kindlytest"); err != nil {
		return err
	}
	for _, p := range parts {
		if len(only) > 0 && !slices.Contains(only, p.name) {
			continue
		}
		started := time.Now()
		if err := p.try(ctx, a); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Printf("(%s took %.0f s)\n", p.name, time.Since(started).Seconds())
	}
	if len(only) == 0 && *match == "" {
		if err := a.table.Write(filepath.Join("docs", "security.md")); err != nil {
			return err
		}
	}
	if n := a.table.Missed(); n > 0 {
		return fmt.Errorf("%d attacks have hurt", n)
	}
	return nil
}

// program is the path of what is attacked.
func (a *attack) program() string { return a.path("kindlytest") }

// path is that of a file in the attack's own folder.
func (a *attack) path(name string) string { return filepath.Join(a.dir, name) }

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
