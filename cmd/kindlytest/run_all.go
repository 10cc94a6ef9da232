package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/suggest"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// describing are the flags that describe a target, and so can mean only one.
var describing = []string{"public-key", "private-key", "sub", "endpoint", "endpoint-header-file", "webhook"}

// checkAll checks the targets that a file lists.
func (a *app) checkAll(ctx context.Context, fs *pflag.FlagSet, args []string, f *runFlags, c *config.Config) error {
	if err := f.checkParallel(); err != nil {
		return err
	}
	jobs, err := pickTargets(c.Targets, f.targets)
	if err != nil {
		return err
	}
	jobs, shard, err := pickShard(jobs, fs.Changed("shard"), f.shard)
	if err != nil {
		return err
	}
	if len(jobs) > 1 || shard != nil {
		if err := refuseDescribing(fs, args); err != nil {
			return err
		}
	}
	for i := range jobs {
		job := &jobs[i]
		if err := a.applyTarget(&job.Target, fs, args, f); err != nil {
			return err
		}
		if err := f.checks.apply(fs.Changed, &job.Options); err != nil {
			return err
		}
		if err := a.readSaid(&job.Options, f); err != nil {
			return err
		}
		job.Options.Args = append(repeatable(append([]string{"run"}, args...), fs), "--target", job.Target.Name)
	}
	f.output.update = f.partial(fs.Changed)
	if err := tryReports(&f.output); err != nil {
		return err
	}
	if err := trySet(&f.output); err != nil {
		return err
	}
	if f.lastFailed {
		earlier := earlierRuns(f.output.reportDir)
		for i := range jobs {
			for _, note := range selectUnmended(&jobs[i].Options, jobs[i].Target, earlier) {
				c.Notes = append(c.Notes, jobs[i].Target.Name+": "+note)
			}
		}
	}
	a.showNotes(append(c.Notes, jobNotes(jobs)...), f)
	set, err := a.executeAll(ctx, jobs, shard, f)
	if err != nil {
		return err
	}
	return exit(set.ExitCode)
}

// checkParallel refuses a number that no file makes right.
func (f *runFlags) checkParallel() error {
	if f.parallel < 1 {
		return fmt.Errorf("--parallel must be at least 1, not %d", f.parallel)
	}
	return nil
}

// pickTargets returns the jobs with these names, in the order of the file; all
// if none is named.
func pickTargets(jobs []suites.Job, names []string) ([]suites.Job, error) {
	if len(names) == 0 {
		return jobs, nil
	}
	var known []string
	for _, j := range jobs {
		known = append(known, j.Target.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			way := "there are " + strings.Join(known, ", ")
			if meant := suggest.Word(name, known); meant != "" {
				way = "did you mean " + meant + "?"
			}
			return nil, hint.Errorf(way, "--target: there is no target %q", name)
		}
	}
	return slices.DeleteFunc(jobs, func(j suites.Job) bool { return !slices.Contains(names, j.Target.Name) }), nil
}

// refuseDescribing refuses what would make one target of all.
func refuseDescribing(fs *pflag.FlagSet, args []string) error {
	const way = "--target NAME picks one; or write it into the file"
	if len(args) > 0 {
		return hint.Errorf(way, "PAGE is given, and the file lists several targets")
	}
	for _, name := range describing {
		if fs.Changed(name) {
			return hint.Errorf(way, "--%s is given, and the file lists several targets", name)
		}
	}
	return nil
}

// executeAll checks targets, shows each one's result when it is there, and
// writes the reports.
func (a *app) executeAll(ctx context.Context, jobs []suites.Job, shard *reports.Shard, f *runFlags) (reports.Set, error) {
	out := &f.output
	formats, err := out.formats()
	if err != nil {
		return reports.Set{}, err
	}
	w := a.people(out)
	terminal := a.terminal(w, out)
	terminal.NoFiles = len(formats) == 0
	if !out.quiet && len(jobs) > 0 {
		fmt.Fprintln(w, "\n"+checking(jobs, shard, f.parallel))
	}
	p := &progress{terminal: terminal, targets: len(jobs), started: time.Now()}
	for i := range jobs {
		jobs[i].Options.Observer = p
	}
	var shown []error
	runs := suites.RunAll(ctx, jobs, f.parallel, func(run reports.Run) {
		p.finished()
		a.origin(&run, out.config)
		shown = append(shown, terminal.FinishRun(run))
	})
	for i := range runs {
		a.origin(&runs[i], out.config)
	}
	set := reports.NewShard(runs, shard)
	if len(runs) == 0 { // no run tells what made the report, and when
		set.Tool, set.Started = reports.Tool{Name: "kindlytest", Version: ownVersion()}, time.Now()
	}
	var paths []string
	if len(formats) > 0 {
		whole := set
		if out.update {
			whole, err = updatedSet(out.reportDir, set)
		}
		if err == nil {
			var written []string
			written, err = reports.RenewFiles(out.reportDir, whole, formats...)
			paths = inShort(out.reportDir, written, len(whole.Runs))
		}
	}
	shown = append(shown, terminal.FinishSet(set, paths...))
	if out.json {
		shown = append(shown, reports.Write(a.stdout, set, reports.JSON))
	}
	return set, errors.Join(err, unlessGone(errors.Join(shown...), formats))
}

// inShort are the reports of all targets by name, and the folders of each in
// one: fifty targets have hundreds of files.
func inShort(dir string, written []string, targets int) []string {
	var paths []string
	for _, p := range written {
		if filepath.Dir(p) == filepath.Clean(dir) {
			paths = append(paths, p)
		}
	}
	if targets == 0 {
		return paths
	}
	each := filepath.Join(dir, "NAME") + string(filepath.Separator) + " for each target"
	if len(paths) > 0 {
		each = "and " + each
	}
	return append(paths, each)
}

// progress shows how far the runs against several targets are.
type progress struct {
	terminal *reports.Terminal
	started  time.Time
	targets  int

	mu                            sync.Mutex
	ended, checks, planned, fails int
}

func (p *progress) Planned(_ reports.Target, checks int) { p.change(func() { p.planned += checks }) }
func (p *progress) Started(string)                       {}
func (p *progress) finished()                            { p.change(func() { p.ended++ }) }

func (p *progress) Done(c reports.Check) {
	p.change(func() {
		p.checks++
		if c.Outcome == reports.Failed {
			p.fails++
		}
	})
}

func (p *progress) change(how func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	how()
	text := fmt.Sprintf("%d/%s · %d/%d checks", p.ended, plural(p.targets, "target"), p.checks, p.planned)
	if p.fails > 0 {
		text += fmt.Sprintf(" · %d failed", p.fails)
	}
	p.terminal.Status(text + fmt.Sprintf(" · %.0f s", time.Since(p.started).Seconds()))
}
