package figures

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A Part measures one thing, and adds rows to the table that all parts share.
type Part[T any] struct {
	Name    string
	Measure func(ctx context.Context, shared *T) error
}

// A Page is where a part's rows are written. Each part has a place there, between comments:
//
//	<!-- begin: make bench, token writes this -->
//	<!-- end: make bench, token -->
type Page struct {
	By, Path string // By is the command: "make bench"
	Print    bool   // print the rows only
}

// Run measures the parts in their order; with names in only, those. What a part has put
// into the table is written as soon as it is whole, and taken out. Run returns how many
// figures miss their goal.
func Run[T any](ctx context.Context, page Page, shared *T, table *Table, parts []Part[T], only []string) (missed int, err error) {
	for _, name := range only {
		if !slices.ContainsFunc(parts, func(p Part[T]) bool { return p.Name == name }) {
			return 0, fmt.Errorf("there is no part %q", name)
		}
	}
	for _, p := range parts {
		if len(only) > 0 && !slices.Contains(only, p.Name) {
			continue
		}
		started := time.Now()
		*table = Table{by: page.By + ", " + p.Name}
		if err := p.Measure(ctx, shared); err != nil {
			return missed, fmt.Errorf("%s: %w", p.Name, err)
		}
		fmt.Printf("(%s took %.0f s)\n", p.Name, time.Since(started).Seconds())
		missed += table.missed()
		if page.Print {
			continue
		}
		if err := table.write(page.Path); err != nil {
			return missed, err
		}
	}
	return missed, nil
}

// InFolder calls f with a temporary folder, and removes it.
func InFolder(name string, f func(dir string) error) (err error) {
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return f(dir)
}

// Output runs a command and returns what it printed; its error tells what it
// complained about.
func Output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, failed.Stderr)
	}
	return string(out), err
}
