package main

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/figures"
)

// measureGrowth is about how time and memory grow with targets and webhooks.
func measureGrowth(ctx context.Context, b *bench) error {
	shop, err := fixtures.Start(ctx, fixtures.Options{})
	if err != nil {
		return err
	}
	defer shop.Close()
	one, err := b.describe(shop)
	if err != nil {
		return err
	}
	var first grown
	for _, n := range []int{1, 10, 50} {
		targets, err := b.manyTargets(shop, n)
		if err != nil {
			return err
		}
		g, err := b.grow(ctx, targets)
		if err != nil {
			return err
		}
		if n == 1 {
			first = g
		}
		b.table.Stated(fmt.Sprintf("all checks × 2 webhooks × %d targets", n), "%.1f s, %.0f MB; %.2f × the time of one for each, %.2f × its memory in all",
			g.seconds, g.memory, g.seconds/first.seconds/float64(n), g.memory/first.memory)
	}
	for _, n := range []int{16} {
		var hooks []map[string]any
		for i := range n {
			hook := maps.Clone(one["webhooks"].([]map[string]any)[i%2])
			hook["name"] = fmt.Sprintf("hook%d", i+1)
			hook["url"] = fmt.Sprintf("%s?%d", hook["url"], i)
			hooks = append(hooks, hook)
		}
		target := maps.Clone(one)
		target["version"], target["webhooks"] = 1, hooks
		g, err := b.grow(ctx, target)
		if err != nil {
			return err
		}
		b.table.Stated(fmt.Sprintf("all checks × %d webhooks × 1 target", n), "%.1f s, %.0f MB", g.seconds, g.memory)
	}
	return nil
}

// manyTargets is a configuration in which a shop stands n times.
func (b *bench) manyTargets(shop *fixtures.Customer, n int) (map[string]any, error) {
	one, err := b.describe(shop)
	if err != nil {
		return nil, err
	}
	targets := make([]map[string]any, n)
	for i := range targets {
		targets[i] = maps.Clone(one)
		targets[i]["name"] = fmt.Sprintf("shop%d", i+1)
	}
	return map[string]any{"version": 1, "targets": targets}, nil
}

// A grown is what one run took.
type grown struct{ seconds, memory float64 }

// grow runs all checks, and watches how large the process becomes. Chrome's
// processes are not counted.
func (b *bench) grow(ctx context.Context, config map[string]any, args ...string) (grown, error) {
	path, err := b.writeJSON("grow.yaml", config)
	if err != nil {
		return grown{}, err
	}
	cmd := exec.CommandContext(ctx, b.path("kindlytest"), append([]string{"run", "-c", path, "-q", "--report-dir", b.path("reports")}, args...)...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return grown{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	g := grown{}
	for {
		select {
		case err := <-ended:
			if err != nil {
				return g, fmt.Errorf("%w\n%s", err, said.String())
			}
			g.seconds = time.Since(start).Seconds()
			return g, nil
		case <-time.After(50 * time.Millisecond):
			g.memory = max(g.memory, figures.Peak(cmd.Process.Pid))
		}
	}
}
