package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/plainjson"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

func newList(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [ID|AREA|GLOB]...",
		Short: "List the checks",
		Long: `Lists the checks: ID, level (MUST, SHOULD, INFO), whether it sends what a
sound client never would (--safe leaves it out), what a target must offer for it,
and the requirement. Arguments narrow the list, as --only does for a run.

What a target may offer: a page, an auth endpoint, a webhook, a token (from page
or endpoint), a login, a second user's login, a webhook secret (hmac), the
private key of a test environment (key), page and endpoint on different origins
(cross).`,
		Example: `  kindlytest list
  kindlytest list TOK 'HOOK-ALG-*'
  kindlytest list --json | jq -r '.[] | select(.hostile) | .id'`,
		RunE: func(_ *cobra.Command, args []string) error {
			checks, err := suites.Select(args...)
			if err != nil {
				return hint.Errorf("kindlytest list, without an argument, shows all", "%w", err)
			}
			if asJSON {
				return listJSON(a.stdout, checks)
			}
			return listTable(a.stdout, checks, width(a.stdout))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array, with sources, fixes and faults")
	return cmd
}

// listTable prints one line a check, cut to a terminal's width if that is known.
func listTable(w io.Writer, checks []suites.Check, width int) error {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tLEVEL\tHOSTILE\tNEEDS\tREQUIREMENT")
	for _, c := range checks {
		r := c.Requirement
		hostile := ""
		if c.Hostile {
			hostile = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.ID, r.Level, hostile, strings.Join(c.Needs.Names(), ","), r.Text)
	}
	return errors.Join(table.Flush(), printLines(w, b.String(), width))
}

// printLines prints a table, each line cut to width if that is not 0.
func printLines(w io.Writer, text string, width int) error {
	for line := range strings.Lines(text) {
		if _, err := io.WriteString(w, cut(strings.TrimRight(line, " \n"), width)+"\n"); err != nil {
			return fmt.Errorf("print the list: %w", err)
		}
	}
	return nil
}

// cut shortens a line to a terminal's width; 0 leaves it whole.
func cut(line string, width int) string {
	if width < 40 {
		return line
	}
	return clip.Runes(line, width)
}

// A listed check is an element of `list --json`.
type listed struct {
	ID          string   `json:"id"`
	Area        string   `json:"area"`
	Level       string   `json:"level"`
	Fidelity    string   `json:"fidelity"`
	Needs       []string `json:"needs"`
	Requirement string   `json:"requirement"`
	Source      string   `json:"source"`
	Fix         string   `json:"fix"`
	Hostile     bool     `json:"hostile"`
	Faults      []string `json:"faults"`
}

func listJSON(w io.Writer, checks []suites.Check) error {
	list := []listed{}
	for _, c := range checks {
		list = append(list, listedOf(c))
	}
	return printJSON(w, list)
}

func listedOf(c suites.Check) listed {
	r := c.Requirement
	l := listed{
		ID: r.ID, Area: r.Area(), Level: string(r.Level), Fidelity: string(r.Fidelity), Needs: c.Needs.Names(),
		Requirement: r.Text, Source: r.Source, Fix: r.Fix, Hostile: c.Hostile, Faults: []string{},
	}
	for _, f := range fixtures.Breaking(c.ID()) {
		l.Faults = append(l.Faults, f.Name)
	}
	return l
}

// printJSON prints a value as indented JSON.
func printJSON(w io.Writer, v any) error {
	if err := plainjson.Write(reports.CalmJSON(w), v); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}
