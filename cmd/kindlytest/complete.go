package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/starter"
	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/advice"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/catalogue"
	"github.com/kindlytest/kindlytest/suites/causes"
)

// A completer lists the values that may stand where a shell's user is typing.
type completer func(a *app, cmd *cobra.Command) []cobra.Completion

// completers are the values of flags, by their names.
var completers = map[string]completer{
	"only": checkNames, "skip": checkNames,
	"stack":  func(*app, *cobra.Command) []cobra.Completion { return append(advice.SampleNames(), allStacks) },
	"fault":  func(*app, *cobra.Command) []cobra.Completion { return faultCompletions() },
	"manner": func(*app, *cobra.Command) []cobra.Completion { return mannerNames() },
	"format": func(*app, *cobra.Command) []cobra.Completion { return formatNames() },
	"target": targetNames,
	"ci":     func(*app, *cobra.Command) []cobra.Completion { return append(slices.Clone(starter.CIs), "none") },
}

// files are the flags that name files, with the endings of their names.
var files = map[string][]string{
	"config": {"yaml", "yml"}, "public-key": {"pem", "key", "pub"}, "private-key": {"pem", "key"}, "ca-file": {"pem", "crt", "cer"},
}

// lists are the flags whose value may be several, with commas between.
var lists = []string{"only", "skip", "fault", "format", "target", "ci"}

// Commands whose arguments are names, of checks for example, and those whose arguments, if
// they have any, are no files.
var (
	takeNames  = map[string]completer{"list": checkNames, "explain": explainable}
	takeNoFile = []string{"run", "demo", "init", "match", "keygen", "schema", "version"}
)

// addCompletions teaches shells the values of arguments and flags, in every
// command.
func addCompletions(a *app, root *cobra.Command) {
	for _, cmd := range root.Commands() {
		switch names := takeNames[cmd.Name()]; {
		case names != nil:
			cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
				if cmd.Args != nil && cmd.Args(cmd, append(slices.Clone(args), typed)) != nil { // it takes no more
					return nil, cobra.ShellCompDirectiveNoFileComp
				}
				return complete(names(a, cmd), typed, false), cobra.ShellCompDirectiveNoFileComp
			}
		case slices.Contains(takeNoFile, cmd.Name()):
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
		for name, endings := range files {
			if f := cmd.Flags().Lookup(name); f != nil && f.Value.Type() != "bool" {
				mustComplete(cmd.MarkFlagFilename(name, endings...))
			}
		}
		if cmd.Flags().Lookup("report-dir") != nil {
			mustComplete(cmd.MarkFlagDirname("report-dir"))
		}
		for name, values := range completers {
			if cmd.Flags().Lookup(name) == nil {
				continue
			}
			mustComplete(cmd.RegisterFlagCompletionFunc(name, func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
				return complete(values(a, cmd), typed, slices.Contains(lists, name)), cobra.ShellCompDirectiveNoFileComp
			}))
		}
	}
}

// mustComplete is for errors that only a slip in this file can cause.
func mustComplete(err error) {
	if err != nil {
		panic(err)
	}
}

// complete returns the values that go on as typed, after the last comma of a
// list; those that stand in it already are left out.
func complete(values []cobra.Completion, typed string, list bool) []cobra.Completion {
	before, last := "", typed
	if i := strings.LastIndexByte(typed, ','); list && i >= 0 {
		before, last = typed[:i+1], typed[i+1:]
	}
	there := strings.Split(before, ",")
	if before != "" {
		there = append(there, "none") // which stands alone
	}
	var out []cobra.Completion
	for _, v := range values {
		word, _, _ := strings.Cut(v, "\t")
		if strings.HasPrefix(strings.ToLower(word), strings.ToLower(last)) && !slices.Contains(there, word) {
			out = append(out, before+v)
		}
	}
	return out
}

// checkNames are the areas and the IDs of all checks.
func checkNames(*app, *cobra.Command) []cobra.Completion {
	var out []cobra.Completion
	for _, a := range catalogue.Areas() {
		out = append(out, cobra.CompletionWithDesc(a.ID, a.Name))
	}
	for _, c := range suites.Checks() {
		out = append(out, cobra.CompletionWithDesc(c.ID(), c.Requirement.Text))
	}
	return out
}

// explainable are checkNames, and the IDs of mistakes.
func explainable(a *app, cmd *cobra.Command) []cobra.Completion {
	out := checkNames(a, cmd)
	for _, c := range causes.All() {
		out = append(out, cobra.CompletionWithDesc(c.ID, c.Title))
	}
	return out
}

func faultCompletions() []cobra.Completion {
	var out []cobra.Completion
	for _, f := range fixtures.Faults() {
		out = append(out, cobra.CompletionWithDesc(f.Name, f.Text))
	}
	return out
}

func formatNames() []cobra.Completion {
	var out []cobra.Completion
	for _, f := range reports.Formats() {
		out = append(out, string(f))
	}
	return append(out, "none")
}

// targetNames are those of the file that the command line names.
func targetNames(_ *app, cmd *cobra.Command) []cobra.Completion {
	path, err := cmd.Flags().GetString("config")
	if err != nil || path == "" {
		path = config.DefaultName
	}
	return config.TargetNames(path)
}
