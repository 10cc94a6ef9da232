package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// people is where output for people goes: stdout, unless that carries data.
func (a *app) people(out *outputFlags) io.Writer {
	if out.json {
		return a.stderr
	}
	return a.stdout
}

// execute checks a target, shows how it goes, and writes the reports.
func (a *app) execute(ctx context.Context, t target.Target, o suites.Options, out *outputFlags) (reports.Run, error) {
	formats, err := out.formats()
	if err != nil {
		return reports.Run{}, err
	}
	w := a.people(out)
	terminal := a.terminal(w, out)
	terminal.NoFiles = len(formats) == 0
	o.Observer = observer{terminal}
	stop := tick(terminal)
	run := suites.Run(ctx, t, o)
	stop()
	a.origin(&run, out.config)
	written, paths, err := a.writeReports(run, out)
	shown := terminal.Finish(noteRest(run, written), paths...)
	if out.json {
		shown = errors.Join(shown, reports.Write(a.stdout, run, reports.JSON))
	}
	return run, errors.Join(err, unlessGone(shown, formats))
}

// writeReports writes the files of a run, or updates those of an earlier one that
// it is a part of.
func (a *app) writeReports(run reports.Run, out *outputFlags) (written reports.Run, paths []string, err error) {
	formats, err := out.formats()
	if err != nil || len(formats) == 0 {
		return run, nil, err
	}
	if earlier, ok := earlierRun(earlierRuns(out.reportDir), run.Target); ok && out.update {
		run = reports.Update(earlier, run)
	}
	paths, err = reports.RenewFiles(out.reportDir, run, formats...)
	return run, paths, err
}

// unlessGone is the error of showing a run, unless its reader has just gone and
// there are reports: then these and the verdict count.
func unlessGone(shown error, formats []reports.Format) error {
	if len(formats) > 0 && errors.Is(shown, syscall.EPIPE) {
		return nil
	}
	return shown
}

func (a *app) terminal(w io.Writer, out *outputFlags) *reports.Terminal {
	live := a.isTerminal(w)
	return &reports.Terminal{
		W: w, Width: width(w), Quiet: out.quiet, Verbose: out.verbose,
		Color: live && !out.noColor && a.env("NO_COLOR") == "",
		Live:  live && a.env("CI") == "", // a CI keeps every redrawn line
	}
}

// observer shows a run as it goes.
type observer struct{ terminal *reports.Terminal }

func (o observer) Planned(t reports.Target, checks int) { o.terminal.Start(titleOf(t), checks) }
func (o observer) Started(id string)                    { o.terminal.Running(id) }
func (o observer) Done(c reports.Check)                 { o.terminal.Done(c) }

// titleOf is what a target is called on the terminal.
func titleOf(t reports.Target) string {
	title := cmp.Or(t.Name, t.Page, t.Endpoint)
	if title == "" && len(t.Webhooks) > 0 {
		title = cmp.Or(t.Webhooks[0].ConnectTo, t.Webhooks[0].URL)
		if more := len(t.Webhooks) - 1; more > 0 {
			title += fmt.Sprintf(" and %s more", plural(more, "webhook"))
		}
	}
	return title
}

// tick keeps the elapsed time on the terminal going until it is told to stop.
func tick(t *reports.Terminal) (stop func()) {
	if !t.Live {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				t.Tick()
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}
