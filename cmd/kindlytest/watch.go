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
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/changes"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// restartGrace is how long after a change the app may go down for it: what goes
// down later was killed.
const restartGrace = 10 * time.Second

// A watching is one use of run --watch. It keeps Chrome and sessions from run to run.
type watching struct {
	app    *app
	screen *screen
	out    *outputFlags
	load   func() (*config.Config, error) // what is checked, as the file says now

	changed <-chan []string // files
	process <-chan bool     // whether the app listens, whenever that changes
	keys    <-chan byte
	listens *presence

	chrome *browser.Browser
	logins *subject.Logins
	code   int // the exit code of the newest run

	mu    sync.Mutex
	known reports.Run // of all checks; without any at first
	files reports.Run // what the report files hold: also rows of earlier runs
}

// A request is what a run is to do, and why.
type request struct {
	why     string
	failed  bool // only what failed
	quit    bool
	changed bool // a file: the app may go down for it
	renew   bool // what is checked may be something else: Chrome is started anew
}

// watch runs checks again whenever files change or the app comes back, until the
// user has enough. The exit code is that of the last run.
func (a *app) watch(ctx context.Context, fs *pflag.FlagSet, args []string, f *runFlags) error {
	if f.output.json {
		return hint.Errorf("kindlytest run --json without --watch", "--json and --watch exclude each other: one report is data, many are not")
	}
	c, err := a.oneTarget(fs, args, f)
	if err != nil {
		return err
	}
	again := *f
	again.output.quiet = true // what it notes was said
	load := func() (*config.Config, error) { return a.oneTarget(fs, args, &again) }
	f.output.update = f.partial(fs.Changed)
	if err := tryReports(&f.output); err != nil {
		return err
	}
	a.showNotes(c.Notes, f)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	paths := f.watchPaths
	if f.output.config != "" {
		paths = append(slices.Clone(paths), f.output.config) // wherever the sources are
	}
	files, err := changes.Watch(ctx, paths, f.output.reportDir)
	if err != nil {
		return hint.Errorf("--watch-path names the folder of your sources", "--watch: %w", err)
	}
	defer files.Close() // nothing is lost by an error
	screen, restore := a.openScreen()
	defer restore()
	w := &watching{
		app: a, screen: screen, out: &f.output, load: load, changed: files.Changed,
		keys: screen.keys(ctx), listens: newPresence(c.Target), logins: &subject.Logins{},
		code: exitUsage, // until something was checked
	}
	if f.lastFailed {
		w.known, _ = earlierRun(earlierRuns(f.output.reportDir), suites.ReportTarget(c.Target, c.Options))
	}
	w.process = w.listens.watch(ctx)
	defer w.close()
	w.loop(ctx)
	return exit(w.code)
}

func (w *watching) close() {
	w.logins = &subject.Logins{}
	if w.chrome != nil {
		_ = w.chrome.Close() // all is judged
		w.chrome = nil
	}
}

// last is what is known of all checks.
func (w *watching) last() reports.Run {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known
}

// loop answers requests until one is to quit.
func (w *watching) loop(ctx context.Context) {
	next := request{why: "began"}
	for !next.quit {
		again := w.answer(ctx, next)
		if again == nil {
			again = w.idle(ctx)
		}
		next = *again
	}
}

// idle waits for a reason to run again.
func (w *watching) idle(ctx context.Context) *request {
	for {
		select {
		case <-ctx.Done():
			return &request{quit: true}
		case paths, ok := <-w.changed:
			return w.onChange(paths, ok)
		case key := <-w.keys:
			if r := w.onKey(ctx, key); r != nil {
				return r
			}
		case up := <-w.process:
			// What a check has killed would be killed again, and so on.
			if up && w.last().Summary.Deaths == 0 {
				return &request{why: "your app is back"}
			}
		}
	}
}

// answer runs what is asked for. It returns what is to be done instead, if
// something comes in between; nil if nothing did.
func (w *watching) answer(ctx context.Context, r request) *request {
	running, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.turn(running, r)
	}()
	instead := func(r *request) *request {
		stop()
		<-done
		return r
	}
	began := time.Now()
	for {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return instead(&request{quit: true})
		case paths, ok := <-w.changed:
			return instead(w.onChange(paths, ok))
		case key := <-w.keys:
			if r := w.onKey(ctx, key); r != nil {
				return instead(r)
			}
		case up := <-w.process:
			// The app restarts for the change: what it was asked meanwhile proves nothing.
			if !up && r.changed && time.Since(began) < restartGrace {
				return instead(&request{why: r.why})
			}
		}
	}
}

func (w *watching) onChange(paths []string, ok bool) *request {
	if !ok {
		return &request{quit: true}
	}
	w.listens.hurry()
	renew := slices.ContainsFunc(paths, func(p string) bool { return filepath.Base(p) == filepath.Base(w.out.config) })
	what := filepath.Base(paths[0])
	if more := len(paths) - 1; more > 0 {
		what += fmt.Sprintf(" and %d more", more)
	}
	return &request{why: what + " changed", changed: true, renew: renew}
}

func (w *watching) onKey(ctx context.Context, key byte) *request {
	switch key {
	case 'a', '\r', '\n':
		return &request{why: "asked for all"}
	case 'f':
		return &request{why: "asked for what failed", failed: true}
	case 'q', 3, 4: // also Ctrl-C and Ctrl-D, which a raw terminal sends as they are
		return &request{quit: true}
	case 'o':
		if err := w.open(ctx); err != nil {
			w.screen.line("! " + printable(err.Error()))
			if way := hint.Of(err); way != "" {
				w.screen.line("  " + printable(way))
			}
		}
	}
	return nil
}

func (w *watching) open(ctx context.Context) error {
	w.mu.Lock()
	written := w.files
	w.mu.Unlock()
	if len(written.Checks) == 0 {
		return errors.New("there is no report yet")
	}
	paths, err := reports.WriteFiles(w.out.reportDir, written, reports.HTML)
	if err != nil {
		return err
	}
	return openFile(ctx, paths[0])
}

// turn runs what failed, shows how that is now, and then runs all.
func (w *watching) turn(ctx context.Context, r request) {
	w.screen.begin(r.why)
	if r.renew {
		w.close()
	}
	c, err := w.load()
	if err != nil {
		w.code = failTo(w.screen, err)
		w.screen.foot()
		return
	}
	w.listens.of(c.Target)
	if w.listens.await(ctx, w.waiting) != nil {
		return
	}
	c.Options.Logins = w.logins
	c.Options.Launch = func() (*browser.Browser, error) { return w.launch(ctx, c) }
	selected := func(ids []string) []string {
		return slices.DeleteFunc(ids, func(id string) bool {
			check, ok := suites.Find(id)
			return !ok || !suites.Selects(c.Options, check)
		})
	}
	failed := selected(w.last().Unmended())
	switch {
	case r.failed && len(failed) == 0 && len(w.last().Checks) > 0:
		w.screen.draw("Nothing failed.")
		return
	case len(failed) > 0:
		o := c.Options
		o.Only, o.MaxFailures, o.Screenshot = failed, 0, false // the run of all takes the picture
		if r.failed {
			o.Only = selected(w.last().Again()) // no run of all follows
		}
		run, ok := w.run(ctx, c, o)
		if ok && r.changed && run.Summary.Errored > 0 { // the app was going down for the change
			if w.listens.await(ctx, w.waiting) != nil {
				return
			}
			run, ok = w.run(ctx, c, o)
		}
		if !ok {
			return
		}
		w.screen.nowAndBefore(run, failed)
		if r.failed {
			w.finish(reports.Update(w.last(), run), run.ExitCode)
			return
		}
	}
	if run, ok := w.run(ctx, c, c.Options); ok {
		w.finish(run, run.ExitCode)
	}
}

func (w *watching) waiting(address string) { w.screen.line("waiting for " + address + " to listen") }

// run makes one run; it is none if it was broken off.
func (w *watching) run(ctx context.Context, c *config.Config, o suites.Options) (reports.Run, bool) {
	terminal := w.screen.terminal(w.out)
	o.Observer = observer{terminal}
	stop := tick(terminal)
	run := suites.Run(ctx, c.Target, o)
	stop()
	w.app.origin(&run, w.out.config)
	return run, ctx.Err() == nil
}

// finish keeps, writes and shows what is known now.
func (w *watching) finish(run reports.Run, code int) {
	written, paths, err := w.app.writeReports(run, w.out)
	w.mu.Lock()
	w.known, w.files = run, written
	w.mu.Unlock()
	w.code = code
	var notes []string
	if err != nil {
		notes = append(notes, "! "+printable(err.Error()))
	}
	w.screen.show(run, paths, w.out, notes...)
}

// launch starts Chrome, or gives the one that runs.
func (w *watching) launch(ctx context.Context, c *config.Config) (*browser.Browser, error) {
	if w.chrome != nil {
		select {
		case <-w.chrome.Done():
		default:
			return w.chrome, nil
		}
	}
	b, err := subject.Launch(context.WithoutCancel(ctx), c.Target, c.Options.WithDefaults(c.Target))
	if err == nil {
		w.chrome = b
	}
	return b, err
}

// nowAndBefore is a line for each check that failed.
func (s *screen) nowAndBefore(run reports.Run, failed []string) {
	const most = 12
	mended := 0
	var lines []string
	for _, c := range run.Checks {
		switch {
		case !slices.Contains(failed, c.ID):
		case slices.Contains(run.Unmended(), c.ID):
			lines = append(lines, "✘ "+c.ID+"  "+firstLine(c.Broken, c.Reason, c.Actual))
		default:
			mended++
			lines = append(lines, "✔ "+c.ID+"  holds now")
		}
	}
	if more := len(lines) - most; more > 0 {
		lines = append(lines[:most], fmt.Sprintf("… and %d more", more))
	}
	s.line(strings.Join(lines, "\n"))
	s.line(fmt.Sprintf("%d of %d that failed hold now", mended, len(failed)))
}
