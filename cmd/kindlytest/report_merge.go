package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/reports"
)

type mergeFlags struct {
	files  map[reports.Format]*string
	output outputFlags
}

func newReportMerge(a *app) *cobra.Command {
	f := &mergeFlags{files: map[reports.Format]*string{}}
	cmd := &cobra.Command{
		Use:   "merge SHARD.json…",
		Short: "Make one report of those of all shards",
		Long: `Reads the report.json of every shard of a run (kindlytest run --shard 1/5 to 5/5),
and makes of them what one run of all targets would have written: the same
files in --report-dir, and the same exit code. The order in which they are named
does not matter.

The targets of a shard that is missing are in the report, as not checked: it is
never green then. Two reports of one shard are refused.`,
		Example: `  kindlytest report merge shard-*/report.json
  kindlytest report merge a/report.json b/report.json --report-dir all --format json,junit,html`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return hint.Errorf("an example: kindlytest report merge shard-*/report.json", "no report was named")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.merge(cmd.Context(), args, f) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.output.reportDir, "report-dir", defaultReportDir, "`directory` to write reports to")
	fs.StringSliceVar(&f.output.format, "format", []string{"json", "junit"}, "reports to write: json, junit, html, sarif, markdown; or none")
	for _, format := range reports.Formats() {
		if format != reports.SARIF { // that is one a target
			f.files[format] = fs.String(string(format), "", fmt.Sprintf("also write the report as %s to this `file` (- is stdout)", format))
		}
	}
	fs.BoolVarP(&f.output.quiet, "quiet", "q", false, "show only what failed, and the verdict")
	fs.BoolVarP(&f.output.verbose, "verbose", "v", false, "show passed checks and exchanges too")
	fs.BoolVar(&f.output.noColor, "no-color", false, "no colours (also: NO_COLOR)")
	return cmd
}

func (a *app) merge(ctx context.Context, paths []string, f *mergeFlags) error {
	formats, err := f.output.formats()
	if err != nil {
		return err
	}
	if err := tryReports(&f.output); err != nil {
		return err
	}
	var shards []reports.Set
	for _, path := range paths {
		set, _, err := a.readReport(ctx, path)
		if err != nil {
			return err
		}
		shards = append(shards, set)
	}
	set, missing, err := reports.Merge(paths, shards)
	if err != nil {
		return hint.Errorf("name the report.json of each shard once: kindlytest run --shard 1/5 writes that of the first", "%w", err)
	}
	for _, shard := range missing {
		fmt.Fprintf(a.stderr, "note: the report of shard %s is missing; its targets are told as not checked\n", shard)
	}
	var written []string
	if len(formats) > 0 {
		if written, err = reports.RenewFiles(f.output.reportDir, set, formats...); err != nil {
			return err
		}
		written = inShort(f.output.reportDir, written, len(set.Runs))
	}
	shown := a.stdout
	for _, format := range reports.Formats() {
		path := f.files[format]
		if path == nil || *path == "" {
			continue
		}
		if *path == "-" {
			shown = a.stderr
		}
		write := func(w io.Writer) error { return reports.Write(w, set, format) }
		if err := a.render(*path, format, write); err != nil {
			return err
		}
	}
	terminal := a.terminal(shown, &f.output)
	terminal.NoFiles = len(formats) == 0
	if err := terminal.Finish(set, written...); err != nil {
		return err
	}
	return exit(set.ExitCode)
}
