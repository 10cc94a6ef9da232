package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/figures"
)

// enough is how many inputs all targets together should have seen.
const enough = 1e7

var fuzzFunction = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

var execs = regexp.MustCompile(`execs: (\d+)`)

// tryFuzzing gives each fuzz target its time.
func tryFuzzing(ctx context.Context, a *attack) error {
	targets, err := fuzzTargets(ctx)
	if err != nil {
		return err
	}
	inputs := 0
	var broken []string
	for _, t := range targets {
		said, err := figures.Output(ctx, "go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", fuzzTime.String(), "-fuzzminimizetime", "5x", t.pkg)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		all := execs.FindAllStringSubmatch(said, -1)
		if len(all) == 0 {
			return fmt.Errorf("%s of %s did not run: %w\n%s", t.name, t.pkg, err, said)
		}
		n, errCount := strconv.Atoi(all[len(all)-1][1])
		if errCount != nil {
			return errCount
		}
		if err != nil {
			broken = append(broken, t.name)
			fmt.Println(said)
		}
		inputs += n
		fmt.Printf("  %-20s %9d inputs\n", t.name, n)
	}
	found := "none fails"
	if len(broken) > 0 {
		found = "failing: " + strings.Join(broken, ", ")
	}
	a.table.Judge(len(broken) == 0, "fuzzing, "+strconv.Itoa(len(targets))+" targets, "+fuzzTime.String()+" each",
		fmt.Sprintf("%.1f million inputs; %s", float64(inputs)/1e6, found), "none fails")
	a.table.AtLeast(enough/1e6, "million", "the same, all inputs", float64(inputs)/1e6, "")
	return nil
}

type fuzzTarget struct{ pkg, name string }

// fuzzTargets finds all of them.
func fuzzTargets(ctx context.Context) ([]fuzzTarget, error) {
	files, err := figures.Output(ctx, "go", "list", "-f", "{{$p := .}}{{range .TestGoFiles}}{{$p.ImportPath}}\t{{$p.Dir}}/{{.}}\n{{end}}"+
		"{{range .XTestGoFiles}}{{$p.ImportPath}}\t{{$p.Dir}}/{{.}}\n{{end}}", "./...")
	if err != nil {
		return nil, err
	}
	var out []fuzzTarget
	for line := range strings.Lines(files) {
		pkg, path, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for _, m := range fuzzFunction.FindAllStringSubmatch(string(text), -1) {
			out = append(out, fuzzTarget{pkg, m[1]})
		}
	}
	return out, nil
}
