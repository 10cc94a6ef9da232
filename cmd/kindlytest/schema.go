package main

import (
	"github.com/spf13/cobra"

	"github.com/kindlytest/kindlytest/reports"
)

func newSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of report.json",
		Long: `Prints the JSON Schema (draft 2020-12) of the report that run and demo write
as report.json and print with --json.`,
		Example: `  kindlytest schema > kindlytest-report.schema.json`,
		Args:    noArguments(""),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(reports.Schema())
			return err
		},
	}
}
