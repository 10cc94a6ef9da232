package main

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/figures"
)

// goBench runs Go benchmarks of a package and returns what each of them
// reported, by unit.
func goBench(ctx context.Context, pkg, pattern, benchtime string) (map[string]map[string]float64, error) {
	text, err := figures.Output(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchtime", benchtime, pkg)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	results := map[string]map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(fields[0], "Benchmark"), "-")
		results[name] = map[string]float64{}
		for i := 2; i+1 < len(fields); i += 2 {
			if results[name][fields[i+1]], err = strconv.ParseFloat(fields[i], 64); err != nil {
				return nil, fmt.Errorf("%s: %w", lines.Text(), err)
			}
		}
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("%s has no benchmark %s:\n%s", pkg, pattern, text)
	}
	return results, nil
}

// measureToken compares token.Check with the RSA verification that is in it.
func measureToken(ctx context.Context, b *bench) error {
	all, err := goBench(ctx, "./mockkindly/token", "^BenchmarkCheck$", "50x")
	if err != nil {
		return err
	}
	got := all["Check"]
	b.table.AtMost(1.4, "×", "token.Check, all rules, of crypto/rsa alone", got["x-verify"], "%.0f µs, %.0f allocations", got["µs/check"], got["allocs/check"])
	b.table.AtMost(1, "×", "a hostile token of 1 MB, of a valid one", got["x-valid"], "")
	return nil
}
