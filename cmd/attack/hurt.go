package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kindlytest/kindlytest/fixtures/hostile"
	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/figures"
)

// What a run may take, whatever the target does, with --timeout 2s.
const (
	mostTime   = 90 * time.Second
	mostMemory = 256  // MB, of kindlytest
	mostChrome = 2500 // MB, of all of its processes; it limits what a page may have
)

// A victim is a target that hurts, and what must be said of it.
type victim struct {
	what, sentence string
	open           func() (url string, stop func(), err error)
	target         func(url string) map[string]any // what kindlytest.yaml says of it
}

// tryAnswers gives each hostile answer to a webhook, and to the auth endpoint.
func tryAnswers(ctx context.Context, a *attack) error {
	if err := os.WriteFile(a.path("ca.pem"), hostile.Certificate(), 0o600); err != nil {
		return err
	}
	var all []victim
	for _, answer := range hostile.Answers {
		open := func() (string, func(), error) { return hostile.Listen(answer) }
		all = append(all, victim{"webhook: " + answer.Name, sentences[answer.Name], open, func(url string) map[string]any {
			return map[string]any{"ca_file": a.path("ca.pem"), "webhooks": []any{map[string]any{
				"url": "https://hooks.shop.example/kindly", "connect_to": url, "hmac_secret": "not much of a secret"}}}
		}}, victim{"endpoint: " + answer.Name, "", open, func(url string) map[string]any {
			return map[string]any{"ca_file": a.path("ca.pem"), "endpoint": map[string]any{"url": url}}
		}})
	}
	return a.hurtAll(ctx, 4, all) // they mostly wait
}

// tryPages opens each hostile page.
func tryPages(ctx context.Context, a *attack) error {
	var all []victim
	for _, page := range hostile.Pages {
		all = append(all, victim{"page: " + page.Name, sentences[page.Name], page.Open, func(url string) map[string]any {
			return map[string]any{"page": map[string]any{"url": url}}
		}})
	}
	return a.hurtAll(ctx, 1, all) // Chrome takes what there is
}

// hurtAll runs all checks against each, some at a time, and adds the rows in
// their order.
func (a *attack) hurtAll(ctx context.Context, some int, all []victim) error {
	all = slices.DeleteFunc(all, func(v victim) bool { return !strings.Contains(v.what, *match) })
	rows := make([]row, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(some)
	for i, v := range all {
		group.Go(func() (err error) {
			rows[i], err = a.hurt(ctx, v)
			fmt.Printf("  %s: %s\n", v.what, rows[i].measured)
			return err
		})
	}
	err := group.Wait()
	for i, r := range rows {
		if err == nil {
			a.table.Judge(r.ok, all[i].what, r.measured, fmt.Sprintf("%.0f s, %d MB", mostTime.Seconds(), mostMemory))
		}
	}
	return err
}

type row struct {
	ok       bool
	measured string
}

// hurt runs all checks against a victim, and watches what that takes.
func (a *attack) hurt(ctx context.Context, v victim) (row, error) {
	dir, err := os.MkdirTemp(a.dir, "")
	if err != nil {
		return row{}, err
	}
	url, stop, err := v.open()
	if err != nil {
		return row{}, err
	}
	defer stop()
	target := v.target(url)
	target["version"] = 1
	target["checks"] = map[string]any{"timeout": "2s"}
	config, err := json.Marshal(target)
	if err != nil {
		return row{}, err
	}
	if err := os.WriteFile(filepath.Join(dir, "kindlytest.yaml"), config, 0o600); err != nil {
		return row{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*mostTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, a.program(), "run", "--no-color", "-v")
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	started := time.Now()
	memory, err := watch(cmd)
	took := time.Since(started)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return row{}, err
	}
	if ctx.Err() != nil && took < 2*mostTime {
		return row{}, ctx.Err()
	}
	told := told(filepath.Join(dir, "kindlytest-reports", "report.json"))
	wrong := complaints(said.String(), v.sentence)
	if took > mostTime {
		wrong = append(wrong, "too slow")
	}
	if memory.own > mostMemory || memory.chrome > mostChrome {
		wrong = append(wrong, "too much memory")
	}
	if code := cmd.ProcessState.ExitCode(); code < 0 || code > 2 {
		wrong = append(wrong, fmt.Sprintf("exit code %d", code))
	}
	if told == "" {
		wrong = append(wrong, "no report")
	}
	measured := fmt.Sprintf("%.0f s, %.0f MB", took.Seconds(), memory.own)
	if memory.chrome > 0 {
		measured += fmt.Sprintf(", Chrome %.0f MB", memory.chrome)
	}
	return row{len(wrong) == 0, measured + ": " + cmp.Or(strings.Join(wrong, ", "), short(told))}, nil
}

// complaints are what is wrong with what a run prints.
func complaints(said, sentence string) (wrong []string) {
	if !strings.Contains(strings.Join(strings.Fields(said), " "), sentence) {
		wrong = append(wrong, fmt.Sprintf("does not say %q", sentence))
	}
	if strings.Contains(said, "panic:") || strings.Contains(said, "\ngoroutine ") {
		wrong = append(wrong, "it panicked")
	}
	if strings.ContainsAny(said, "\x1b\a\u009b") {
		wrong = append(wrong, "it moves the terminal's cursor")
	}
	if strings.Contains("\n"+said, "\n::") || strings.Contains(said, "##[") {
		wrong = append(wrong, "it commands a runner")
	}
	return wrong
}

// told is what the report says first: the run's own problem, or of what fails the
// first.
func told(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	var report struct {
		Problem string
		Causes  []struct{ Title string }
		Checks  []struct{ Outcome, Broken, Actual, Reason string }
	}
	if json.Unmarshal(text, &report) != nil {
		return ""
	}
	for _, c := range report.Causes {
		return c.Title
	}
	for _, outcome := range []string{"failed", "errored", "warned"} {
		for _, c := range report.Checks {
			if c.Outcome == outcome && c.Broken+c.Actual+c.Reason != "" {
				return cmp.Or(c.Actual, c.Reason, c.Broken)
			}
		}
	}
	return cmp.Or(report.Problem, "nothing fails")
}

// short fits a cell of a table of Markdown.
func short(text string) string {
	return clip.Runes(strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "`", "'").Replace(text), 140)
}

// A taken is the most memory that was seen, in MB.
type taken struct{ own, chrome float64 }

// watch runs a command to its end, and looks ten times a second what it and its
// Chrome take.
func watch(cmd *exec.Cmd) (taken, error) {
	var most taken
	if err := cmd.Start(); err != nil {
		return most, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return most, err
		case <-time.After(100 * time.Millisecond):
			most.own = max(most.own, figures.Peak(cmd.Process.Pid))
			most.chrome = max(most.chrome, figures.Descendants(cmd.Process.Pid))
		}
	}
}
