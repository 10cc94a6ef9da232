package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/reports"
)

type reportFlags struct {
	files       map[reports.Format]*string
	output      outputFlags
	compare     string
	failOnWorse bool
	annotations bool
	open        bool
}

func newReport(a *app) *cobra.Command {
	f := &reportFlags{files: map[reports.Format]*string{}}
	cmd := &cobra.Command{
		Use:   "report [RUN.json]",
		Short: "Render the report of an earlier run",
		Long: `Reads a report.json ("-" is stdin) and renders it once more: into files that are
named one by one, or with --format into a directory; without either, on the
terminal; with --open in your browser. Nothing is checked again, and the exit code is 0 if the report could be
rendered, whatever it says.

The report of several targets can be rendered as json, junit, html and markdown;
for sarif, take the report of one target, NAME/report.json.

With --annotations it prints what is wrong as commands of GitHub's runner, which
shows them beside the changes of a pull request; with --compare, too, what was
wrong before is a notice.

With --compare it says instead what got better and worse since an earlier run: on
the terminal, or as --markdown or --json. A check that failed, warned or was not
judged before and fails now is worse, and so is one that is no longer judged.
With --fail-on-worse the exit code is then 1; it is 2 if nothing is worse, but not
all could be checked. Reports of several targets are compared target by target.`,
		Example: `  kindlytest report kindlytest-reports/report.json
  kindlytest report --open
  kindlytest report report.json --html report.html --sarif report.sarif
  kindlytest report report.json --markdown - >> "$GITHUB_STEP_SUMMARY"
  kindlytest report report.json --compare last-week.json --fail-on-worse`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.open && len(args) == 0 {
				return nil
			}
			return exactly(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.open {
				return a.openReport(cmd.Context(), cmd.Flags(), args)
			}
			return a.report(cmd.Context(), cmd.Flags(), args[0], f)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	for _, format := range reports.Formats() {
		f.files[format] = fs.String(string(format), "", fmt.Sprintf("write the report as %s to this `file` (- is stdout)", format))
	}
	fs.StringVar(&f.output.reportDir, "report-dir", defaultReportDir, "`directory` for --format")
	fs.StringSliceVar(&f.output.format, "format", nil, "reports to write into --report-dir: json, junit, html, sarif, markdown")
	fs.BoolVar(&f.open, "open", false, "write report.html beside RUN.json ("+defaultReportDir+"/report.json if none is named), and open it")
	fs.BoolVar(&f.annotations, "annotations", false, "print what is wrong as annotations of GitHub")
	fs.StringVar(&f.compare, "compare", "", "say what changed since the run of this report.json, a `file`")
	fs.BoolVar(&f.failOnWorse, "fail-on-worse", false, "with --compare: exit code 1 if something got worse, 2 if not all could be checked")
	fs.BoolVarP(&f.output.verbose, "verbose", "v", false, "on the terminal: show passed checks and exchanges too")
	fs.BoolVar(&f.output.noColor, "no-color", false, "no colours (also: NO_COLOR)")
	cmd.AddCommand(newReportMerge(a))
	return cmd
}

func (a *app) report(ctx context.Context, fs *pflag.FlagSet, path string, f *reportFlags) error {
	formats, err := parseFormats(f.output.format)
	if err != nil {
		return err
	}
	if err := f.checkCompare(fs); err != nil {
		return err
	}
	set, several, err := a.readReport(ctx, path)
	if err != nil {
		return err
	}
	if f.compare != "" {
		return a.compare(ctx, fs, path, set, several, f)
	}
	if f.annotations {
		return reports.WriteAnnotations(a.stdout, set)
	}
	return a.renderAll(fs, formats, f, reportOf(set, several))
}

// reportOf is the report that was read.
func reportOf(set reports.Set, several bool) reports.Report {
	if several {
		return set
	}
	return set.Runs[0]
}

// renderAll writes what the flags ask for, and shows the report if they ask for
// nothing.
func (a *app) renderAll(fs *pflag.FlagSet, formats []reports.Format, f *reportFlags, r reports.Report) error {
	rendered := len(formats) > 0
	if rendered {
		paths, err := reports.WriteFiles(f.output.reportDir, r, formats...)
		for _, p := range paths {
			fmt.Fprintln(a.stderr, "wrote "+p)
		}
		if err != nil {
			return err
		}
	}
	for _, format := range reports.Formats() {
		if !fs.Changed(string(format)) {
			continue
		}
		rendered = true
		write := func(w io.Writer) error { return reports.Write(w, r, format) }
		if err := a.render(*f.files[format], format, write); err != nil {
			return err
		}
	}
	if rendered {
		return nil
	}
	return a.terminal(a.stdout, &f.output).Finish(r)
}

func (a *app) readReport(ctx context.Context, path string) (set reports.Set, several bool, err error) {
	if path == "-" {
		return reports.ReadSet(a.input(ctx))
	}
	f, err := os.Open(path)
	if err != nil {
		return set, false, hint.Errorf("kindlytest run writes kindlytest-reports/report.json", "%w", err)
	}
	defer f.Close() // it was only read
	set, several, err = reports.ReadSet(f)
	if err != nil {
		return set, several, hint.Errorf("it should be the report.json of a run", "%s: %w", path, err)
	}
	return set, several, nil
}

// render writes one format to a file, or to stdout for "-".
func (a *app) render(path string, format reports.Format, write func(io.Writer) error) error {
	if path == "-" && format == reports.Markdown { // a log may show it
		var b strings.Builder
		err := write(&b)
		_, printing := io.WriteString(a.stdout, reports.WithoutCommands(b.String()))
		return errors.Join(err, printing)
	}
	if path == "-" {
		return write(a.stdout)
	}
	var b bytes.Buffer // what can't be rendered leaves the file as it was
	if err := write(&b); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		return err
	}
	_, err := io.WriteString(a.stderr, "wrote "+path+"\n")
	return err
}
