// Command attack tries to hurt kindlytest, and writes what came of it into
// docs/security.md. Run it from the root of the repository:
//
//	go run ./cmd/attack                 # everything (make attack): the better part of an hour on two quiet cores
//	go run ./cmd/attack pages answers   # only these parts, and their tables
//
// It attacks the program as it is released, started anew for each attack, and
// looks at it from outside: how long it takes, what memory, what it says. The
// hostile servers are in fixtures/hostile.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/kindlytest/kindlytest/internal/figures"
)

var parts = []figures.Part[attack]{
	{Name: "vectors", Measure: tryVectors},
	{Name: "answers", Measure: tryAnswers},
	{Name: "pages", Measure: tryPages},
	{Name: "kill", Measure: tryKills},
	{Name: "dying", Measure: tryDying},
	{Name: "fuzz", Measure: tryFuzzing},
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
	err := figures.InFolder("kindlytest-attack-", func(dir string) error { return run(ctx, dir, flag.Args()) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		stop()
		os.Exit(1)
	}
}

// run fails if an attack has hurt: also then the tables are written.
func run(ctx context.Context, dir string, only []string) error {
	a := &attack{dir: dir}
	if _, err := figures.Output(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", a.program(), "./cmd/kindlytest"); err != nil {
		return err
	}
	page := figures.Page{By: "make attack", Path: filepath.Join("docs", "security.md"), Print: *match != ""}
	hurt, err := figures.Run(ctx, page, a, &a.table, parts, only)
	if err == nil && hurt > 0 {
		return fmt.Errorf("%d attacks have hurt", hurt)
	}
	return err
}

// program is the path of what is attacked.
func (a *attack) program() string { return a.path("kindlytest") }

// path is that of a file in the attack's own folder.
func (a *attack) path(name string) string { return filepath.Join(a.dir, name) }
