package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/suggest"
)

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "kindlytest",
		Short: "Check a Kindly Chat integration before Kindly calls it",
		Long: `kindlytest plays Kindly against your own page, auth endpoint and webhooks,
and says, requirement by requirement, what holds. Nothing of yours is changed,
and no account at Kindly is needed.

Exit codes: 0, no requirement is broken; 1, one is; 2, it could not be found
out (wrong usage or configuration, no browser, target not reachable, or nothing
was checked).`,
		Example: `  kindlytest demo
  kindlytest run https://staging.example.com/ --public-key public.pem
  pbpaste | kindlytest verify --public-key public.pem`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return refuseEmpty(cmd.Flags()) },
		// A script that forgot the command must not look green.
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(a.stderr)
			if err := cmd.Help(); err != nil {
				return err
			}
			return exitCode(exitUsage)
		},
	}
	root.DisableSuggestions = true // unknownCommand makes its own
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newDemo(a), newRun(a), newList(a), newExplain(a), newVerify(a), newMatch(a),
		newServe(a), newSend(a), newListen(a), newLearn(a), newKeygen(a), newInit(a), newReport(a), newSchema(a), newVersion(a),
	)
	addHelp(root)
	root.InitDefaultCompletionCmd()
	addCompletions(a, root)
	return root
}

// addHelp makes the command help known before it runs, which is when cobra does,
// and lets it refuse what is no command.
func addHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "help" {
			continue
		}
		cmd.Args = func(_ *cobra.Command, args []string) error {
			if _, _, err := root.Find(args); err != nil {
				return unknownCommand(root, args)
			}
			return nil
		}
	}
}

// unknownCommand says which command was probably meant.
func unknownCommand(root *cobra.Command, args []string) error {
	word := ""
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			word = arg
			break
		}
	}
	way := "kindlytest --help lists the commands"
	switch meant := suggest.Word(word, commandNames(root)); {
	case meant != "":
		way = "did you mean kindlytest " + meant + "?"
	case strings.Contains(word, "://"):
		way = "to check a page: kindlytest run " + word
	}
	return hint.Errorf(way, "unknown command %q", word)
}

func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// flagError says which flag was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	way := cmd.CommandPath() + " --help lists the flags"
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		name := unknown.GetSpecifiedName()
		meant := suggest.Word(name, names)
		switch argument := strings.ToUpper(name); {
		case meant != "":
			way = "did you mean --" + meant + "?"
		case slices.Contains(strings.Fields(cmd.Use), "["+argument+"]"):
			way = fmt.Sprintf("%s is an argument: %s %s", argument, cmd.CommandPath(), argument)
		}
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		if form, ok := valueForms[invalid.GetFlag().Value.Type()]; ok {
			return hint.Errorf(way, "--%s must be %s, not %q", invalid.GetFlag().Name, form, invalid.GetValue())
		}
	}
	return hint.Errorf(way, "%w", err)
}

// mayBeEmpty are the flags without which nothing is left out: users send empty messages,
// a Chrome is found by itself, and the rest is a convenience.
var mayBeEmpty = []string{"message", "seed", "browser", "browser-url", "db"}

// refuseEmpty refuses flags whose value is empty: the variable that a script gives is
// not set then, and what it was to turn on would be left out unsaid.
func refuseEmpty(fs *pflag.FlagSet) (err error) {
	fs.Visit(func(f *pflag.Flag) {
		value := f.Value.String()
		if list, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(list.GetSlice(), "")
		}
		if value == "" && err == nil && !slices.Contains(mayBeEmpty, f.Name) {
			err = hint.Errorf("leave it out, or give it a value; a variable that is not set gives none", "--%s is empty", f.Name)
		}
	})
	return err
}

// valueForms are what values of a type look like; its own errors are about parsers.
var valueForms = map[string]string{
	"duration": "a time such as 10s or 2m", "int": "a whole number", "uint64": "a whole number", "float64": "a number", "bool": "true or false",
}

// noArguments refuses arguments, and says what the command wants instead.
func noArguments(way string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		if way == "" {
			way = cmd.CommandPath() + " --help shows how it is used"
		}
		return hint.Errorf(way, "%s takes no argument, and got %q", cmd.CommandPath(), args[0])
	}
}

// exactly wants n arguments, named as in the usage line.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return hint.Errorf("usage: "+cmd.UseLine(), "%s wants %s, and got %d",
			cmd.CommandPath(), plural(n, "argument"), len(args))
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
