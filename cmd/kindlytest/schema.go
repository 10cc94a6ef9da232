package main

import (
	"github.com/spf13/cobra"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/reports"
)

func newSchema(a *app) *cobra.Command {
	ofConfig, ofObserved := false, false
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of report.json, kindlytest.yaml or kindly-observed.json",
		Long: `Prints the JSON Schema (draft 2020-12) of the report that run and demo write
as report.json and print with --json; with --config, that of kindlytest.yaml;
with --observed, that of ` + observed.DefaultName + `, which learn writes.

Editors find that of kindlytest.yaml by themselves where the file begins with
# yaml-language-server: $schema=` + config.SchemaURL,
		Example: `  kindlytest schema > kindlytest-report.schema.json
  kindlytest schema --config > kindlytest.schema.json`,
		Args: noArguments(""),
		RunE: func(*cobra.Command, []string) error {
			schema := reports.Schema()
			switch {
			case ofConfig && ofObserved:
				return hint.Errorf("run it twice", "--config and --observed are two schemas")
			case ofConfig:
				schema = config.Schema()
			case ofObserved:
				schema = observed.Schema()
			}
			_, err := a.stdout.Write(schema)
			return err
		},
	}
	cmd.Flags().BoolVar(&ofConfig, "config", false, "the schema of "+config.DefaultName)
	cmd.Flags().BoolVar(&ofObserved, "observed", false, "the schema of "+observed.DefaultName)
	return cmd
}
