package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/reports"
)

// comparisonFormats are those that a comparison can be written in.
var comparisonFormats = []reports.Format{reports.JSON, reports.Markdown}

// checkCompare refuses flags that do not go together.
func (f *reportFlags) checkCompare(fs *pflag.FlagSet) error {
	if f.compare == "" {
		if f.failOnWorse {
			return hint.Errorf("an example: --compare last-week.json --fail-on-worse", "--compare wants the report.json of an earlier run")
		}
		return nil
	}
	if f.annotations && f.failOnWorse {
		return hint.Errorf("compare by a command of its own", "--annotations and --fail-on-worse exclude each other")
	}
	for _, name := range []string{string(reports.HTML), string(reports.JUnit), string(reports.SARIF), "format"} {
		if fs.Changed(name) {
			return hint.Errorf("render the report by a command of its own", "--%s and --compare exclude each other: a comparison is text, --markdown or --json", name)
		}
	}
	return nil
}

// compare shows what changed from an earlier report to this one. Both are of one
// target, or both of several.
func (a *app) compare(ctx context.Context, fs *pflag.FlagSet, path string, set reports.Set, several bool, f *reportFlags) error {
	older, severalThen, err := a.readReport(ctx, f.compare)
	if err != nil {
		return err
	}
	if several != severalThen {
		one, more := path, f.compare
		if several {
			one, more = more, one
		}
		return hint.Errorf("compare with the report of one target, NAME/report.json beside it", "%s is the report of several targets, and %s of one", more, one)
	}
	if f.annotations {
		return reports.WriteAnnotationsSince(a.stdout, older, set)
	}
	c := reports.CompareSets(older, set)
	write := func(w io.Writer, format reports.Format) error { return reports.WriteSetComparison(w, c, format) }
	show := func(t *reports.Terminal) error { return t.CompareSet(c) }
	if !several {
		one := reports.Compare(older.Runs[0], set.Runs[0])
		c.Verdict = one.Verdict
		write = func(w io.Writer, format reports.Format) error { return reports.WriteComparison(w, one, format) }
		show = func(t *reports.Terminal) error { return t.Compare(one) }
	}
	rendered := false
	for _, format := range comparisonFormats {
		if fs.Changed(string(format)) {
			rendered = true
			err = errors.Join(err, a.render(*f.files[format], format, func(w io.Writer) error { return write(w, format) }))
		}
	}
	if !rendered {
		err = show(a.terminal(a.stdout, &f.output))
	}
	if err != nil || !f.failOnWorse {
		return err
	}
	if c.Verdict == reports.GotWorse {
		return exit(exitBroken)
	}
	for _, run := range set.Runs { // what could not be found out may be worse
		if run.Problem != "" || run.Summary.Errored > 0 || run.ExitCode == exitUsage {
			return exit(exitUsage)
		}
	}
	return nil
}
