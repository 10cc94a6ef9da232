package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/demo"
	"github.com/kindlytest/kindlytest/internal/suggest"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

type demoFlags struct {
	checks     checkFlags
	output     outputFlags
	faults     []string
	manner     string
	listFaults bool
	customer   customerFlags
}

func newDemo(a *app) *cobra.Command {
	f := &demoFlags{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Check a built-in example shop, sound or with a fault",
		Long: `Starts a small bookshop on this machine (a page with the chat, a login, an auth
endpoint and webhooks; its keys are made for this run) and runs every check
against it. The shop is sound, so all of them pass.

With --fault NAME the shop makes that one mistake, and the run shows what a team
that makes it would see. Then the exit code is 1 if the check that is there for
this fault reported it, whatever its level, and 2 if the fault went unnoticed, or
could not be looked for because another one was in the way.

With --customer NAME another customer is checked: a real program in another
stack, which must be installed here (if it is not, you are told how). With
--as-documented it does what Kindly's documentation says, and no more.`,
		Example: `  kindlytest demo
  kindlytest demo --list-faults
  kindlytest demo --fault alg-none-accepted
  kindlytest demo --manner cross-origin --format html
  kindlytest demo --customer django
  kindlytest demo --customer node-micro --as-documented`,
		Args: noArguments("a fault is named with --fault NAME"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.listFaults {
				return listFaults(a.stdout, width(a.stdout))
			}
			if f.customer.given() {
				return a.demoCustomer(cmd.Context(), cmd.Flags(), f)
			}
			return a.demo(cmd.Context(), cmd.Flags(), f)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringSliceVar(&f.faults, "fault", nil, "a mistake that the shop makes; repeatable (--list-faults shows them)")
	fs.StringVar(&f.manner, "manner", "", "another sound way to build the shop: "+strings.Join(mannerNames(), ", "))
	fs.BoolVar(&f.listFaults, "list-faults", false, "list the faults, and the check that each one breaks")
	f.customer.register(fs)
	f.checks.register(fs)
	f.output.register(fs)
	return cmd
}

func (a *app) demo(ctx context.Context, fs *pflag.FlagSet, f *demoFlags) error {
	faults, err := faultsByName(f.faults)
	if err != nil {
		return err
	}
	manner, err := mannerByName(f.manner)
	if err != nil {
		return err
	}
	// A fault of a SHOULD must show in the exit code and in every report.
	o := suites.Options{Strict: len(faults) > 0}
	if err := f.checks.apply(fs.Changed, &o); err != nil {
		return err
	}
	o.Args = repeatable([]string{"demo"}, fs)
	if err := tryReports(&f.output); err != nil {
		return err
	}
	shop, err := fixtures.Start(ctx, fixtures.Options{Faults: faults, Manner: manner})
	if err != nil {
		return fmt.Errorf("start the example shop: %w", err)
	}
	defer shop.Close() // it returns no error
	w := a.people(&f.output)
	if !f.output.quiet {
		introduce(w, shop, faults)
	}
	target, err := demo.Target(shop)
	if err != nil {
		return fmt.Errorf("describe the example shop: %w", err)
	}
	run, err := a.execute(ctx, target, o, &f.output)
	if err != nil {
		return err
	}
	if len(faults) == 0 {
		return exit(run.ExitCode)
	}
	return exit(judgeFaults(w, run, faults, o))
}

func introduce(w io.Writer, shop *fixtures.Customer, faults []fixtures.Fault) {
	fmt.Fprintf(w, "An example shop runs at %s with a login, an auth endpoint and %s.\n",
		shop.PageURL, plural(len(shop.Webhooks), "webhook"))
	if len(faults) == 0 {
		fmt.Fprintln(w, "It is sound: every check should pass. Try --fault NAME to see one fail (--list-faults).")
		return
	}
	for _, f := range faults {
		fmt.Fprintf(w, "Its fault %s: %s\n", f.Name, f.Text)
	}
}

// judgeFaults says of each fault whether its check reported it, and returns the
// exit code.
func judgeFaults(w io.Writer, run reports.Run, faults []fixtures.Fault, o suites.Options) int {
	code := exitBroken
	for _, f := range faults {
		c := checkOf(run, f)
		switch {
		case caught(c.Outcome):
			fmt.Fprintf(w, "fault %s was caught by %s\n", f.Name, f.Breaks)
			continue
		case c.Outcome == reports.Passed:
			fmt.Fprintf(w, "FAULT %s WENT UNNOTICED by %s, which passed\n", f.Name, f.Breaks)
		default:
			notLookedFor(w, f, c, inTheWay(run, faults), o)
		}
		code = exitUsage
	}
	return code
}

// notLookedFor says of a fault why its check came to no verdict. Alone each
// fault is found: where it is not, what the other ones broke was needed for it.
func notLookedFor(w io.Writer, f fixtures.Fault, c reports.Check, others []string, o suites.Options) {
	why := fmt.Sprintf("%s %s", f.Breaks, c.Outcome)
	if c.Reason != "" {
		why += ": " + printable(c.Reason)
	}
	checks, err := suites.Select(f.Breaks)
	switch {
	case err == nil && !suites.Selects(o, checks[0]):
		fmt.Fprintf(w, "fault %s was not looked for: %s\n", f.Name, why)
	case len(others) == 0:
		fmt.Fprintf(w, "fault %s could not be looked for: %s\n", f.Name, why)
	default:
		fmt.Fprintf(w, "fault %s could not be looked for because of %s: %s\n", f.Name, strings.Join(others, ", "), why)
		fmt.Fprintf(w, "  alone: kindlytest demo --fault %s\n", f.Name)
	}
}

// inTheWay are the faults that were caught.
func inTheWay(run reports.Run, faults []fixtures.Fault) []string {
	var names []string
	for _, f := range faults {
		if caught(checkOf(run, f).Outcome) {
			names = append(names, f.Name)
		}
	}
	return names
}

// checkOf is the check that is there for a fault.
func checkOf(run reports.Run, f fixtures.Fault) reports.Check {
	i := slices.IndexFunc(run.Checks, func(c reports.Check) bool { return c.ID == f.Breaks })
	if i < 0 {
		return reports.Check{Outcome: reports.Errored, Reason: "the run ended before"}
	}
	return run.Checks[i]
}

func caught(o reports.Outcome) bool {
	return o == reports.Failed || o == reports.Warned || o == reports.Informed
}

func faultsByName(names []string) ([]fixtures.Fault, error) {
	var faults []fixtures.Fault
	for _, name := range names {
		f, ok := fixtures.FaultByName(name)
		if !ok {
			return nil, unknownName("fault", name, faultNames(), "kindlytest demo --list-faults shows them")
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func mannerByName(name string) (fixtures.Manner, error) {
	if name == "" {
		return fixtures.Manner{}, nil
	}
	m, ok := fixtures.MannerByName(name)
	if !ok {
		return m, unknownName("manner", name, mannerNames(), "there are "+strings.Join(mannerNames(), ", "))
	}
	return m, nil
}

func unknownName(kind, name string, known []string, way string) error {
	if meant := suggest.Word(name, known); meant != "" {
		way = "did you mean " + meant + "?"
	}
	return hint.Errorf(way, "there is no %s %q", kind, name)
}

func faultNames() []string {
	var names []string
	for _, f := range fixtures.Faults() {
		names = append(names, f.Name)
	}
	return names
}

func mannerNames() []string {
	var names []string
	for _, m := range fixtures.Manners() {
		names = append(names, m.Name)
	}
	return names
}

func listFaults(w io.Writer, width int) error {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FAULT\tBREAKS\tWHAT THE SHOP DOES")
	for _, f := range fixtures.Faults() {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.Name, f.Breaks, f.Text)
	}
	return errors.Join(table.Flush(), printLines(w, b.String(), width))
}
