package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// earlierSet is what the report tells that lies in a directory, and whether it is one of
// several targets; no runs if there is no report.
func earlierSet(dir string) (set reports.Set, several bool, err error) {
	path := filepath.Join(dir, reports.JSON.File())
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return reports.Set{}, false, nil
	}
	if err != nil {
		return reports.Set{}, false, err
	}
	defer f.Close() // it was only read
	if set, several, err = reports.ReadSet(f); err != nil {
		return reports.Set{}, false, fmt.Errorf("%s: %w", path, err)
	}
	return set, several, nil
}

// updatedSet is the earlier report with what is known now, where that is of several targets.
func updatedSet(dir string, set reports.Set) (reports.Set, error) {
	earlier, several, err := earlierSet(dir)
	if err != nil || !several || len(earlier.Runs) == 0 {
		return set, err
	}
	return reports.UpdateSet(earlier, set), nil
}

// earlierRuns are the runs of the earlier report, none if it can't be read.
func earlierRuns(dir string) []reports.Run {
	set, _, _ := earlierSet(dir)
	return set.Runs
}

// earlierRun is the one of a target, if there is one.
func earlierRun(runs []reports.Run, t reports.Target) (reports.Run, bool) {
	i := slices.IndexFunc(runs, func(r reports.Run) bool { return r.Target.Same(t) })
	if i < 0 {
		return reports.Run{}, false
	}
	return runs[i], true
}

// selectUnmended makes a run one of the checks that the earlier one failed or could
// not judge, and of those that wait for them, as far as --only selects them. Where there are none, the run stays one
// of all: it must not be green because nothing was left.
func selectUnmended(o *suites.Options, t target.Target, earlier []reports.Run) (notes []string) {
	run, ok := earlierRun(earlier, suites.ReportTarget(t, *o))
	if !ok {
		return []string{"--last-failed: there is no earlier report of this target, so all is checked"}
	}
	asked := *o
	var ids []string
	for _, id := range run.Again() {
		if c, found := suites.Find(id); found && suites.Selects(asked, c) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return []string{"--last-failed: nothing failed in the earlier run, so all is checked"}
	}
	o.Only = ids
	return nil
}

// tryReports says of a directory, before anything is sent, that no report can be
// written there.
func tryReports(out *outputFlags) error {
	formats, err := out.formats()
	if err != nil || len(formats) == 0 {
		return err
	}
	if err := reports.TryFiles(out.reportDir, formats...); err != nil {
		return fmt.Errorf("--report-dir: %w", err)
	}
	return nil
}

// trySet says that the report of several targets can't be read of which a run is to update
// a part: writing it anew would lose those that are left out.
func trySet(out *outputFlags) error {
	formats, err := out.formats()
	if err != nil || len(formats) == 0 || !out.update {
		return err
	}
	if _, _, err := earlierSet(out.reportDir); err != nil {
		return hint.Errorf("remove it, run all, or name another --report-dir", "a run of a part updates the report that is there: %w", err)
	}
	return nil
}

// noteRest says on the terminal what the report files hold beside this run.
func noteRest(run, written reports.Run) reports.Run {
	rest := 0
	for _, c := range written.Checks {
		if !c.AsOf.IsZero() {
			rest++
		}
	}
	if rest == 0 {
		return run
	}
	text := fmt.Sprintf("The report files hold %s of earlier runs too", plural(rest, "row"))
	if failed := written.Summary.Failed - run.Summary.Failed; failed > 0 {
		text += fmt.Sprintf("; %d of them fail", failed)
	}
	run.Notes = append(slices.Clone(run.Notes), reports.Note{Level: reports.Informed, Text: text + "."})
	return run
}
