package main

import (
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
		if f.failOnWorse || fs.Changed("compare") {
			return hint.Errorf("an example: --compare last-week.json --fail-on-worse", "--compare wants the report.json of an earlier run")
		}
		return nil
	}
	for _, name := range []string{string(reports.HTML), string(reports.JUnit), string(reports.SARIF), "format", "annotations"} {
		if fs.Changed(name) {
			return hint.Errorf("render the report by a command of its own", "--%s and --compare exclude each other: a comparison is text, --markdown or --json", name)
		}
	}
	return nil
}

// compare shows what changed from an earlier run to run.
func (a *app) compare(fs *pflag.FlagSet, run reports.Run, f *reportFlags) error {
	older, several, err := a.readReport(f.compare)
	if err != nil {
		return err
	}
	if several {
		return severalToCompare(f.compare)
	}
	c := reports.Compare(older.Runs[0], run)
	rendered := false
	for _, format := range comparisonFormats {
		if fs.Changed(string(format)) {
			rendered = true
			write := func(w io.Writer) error { return reports.WriteComparison(w, c, format) }
			err = errors.Join(err, a.render(*f.files[format], format, write))
		}
	}
	if !rendered {
		err = a.terminal(a.stdout, &f.output).Compare(c)
	}
	if err != nil {
		return err
	}
	if f.failOnWorse && c.Verdict == reports.GotWorse {
		return exit(exitBroken)
	}
	return nil
}

func severalToCompare(path string) error {
	return hint.Errorf("compare them one by one: NAME/report.json beside it", "%s is the report of several targets", path)
}
