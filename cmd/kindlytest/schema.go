package main

import (
	"github.com/spf13/cobra"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/reports"
)

func newSchema(a *app) *cobra.Command {
	ofConfig := false
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of report.json, or of kindlytest.yaml",
		Long: `Prints the JSON Schema (draft 2020-12) of the report that run and demo write
as report.json and print with --json; with --config, that of kindlytest.yaml.

Editors find the latter by themselves where the file begins with
# yaml-language-server: $schema=` + config.SchemaURL,
		Example: `  kindlytest schema > kindlytest-report.schema.json
  kindlytest schema --config > kindlytest.schema.json`,
		Args: noArguments(""),
		RunE: func(*cobra.Command, []string) error {
			schema := reports.Schema()
			if ofConfig {
				schema = config.Schema()
			}
			_, err := a.stdout.Write(schema)
			return err
		},
	}
	cmd.Flags().BoolVar(&ofConfig, "config", false, "the schema of "+config.DefaultName)
	return cmd
}
