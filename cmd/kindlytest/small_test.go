package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What is wrong with a value is told in the user's words.
func TestValuesOfFlagsAreRefusedInPlainWords(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"one.yaml": "version: 1\nwebhooks: [{url: \"http://localhost:1/\"}]\n"})
	one := filepath.Join(dir, "one.yaml")
	for _, row := range []struct {
		args []string
		says string
	}{
		{[]string{"keygen", "--bits", "abc"}, `--bits must be a whole number, not "abc"`},
		{[]string{"keygen", "--bits", "99999999999999999999"}, `--bits must be a whole number, not "99999999999999999999"`},
		{[]string{"run", "--concurrency", "many", "http://localhost:1/"}, `--concurrency must be a whole number, not "many"`},
		{[]string{"run", "--rate", "fast", "http://localhost:1/"}, `--rate must be a number, not "fast"`},
		{[]string{"run", "--safe=perhaps", "http://localhost:1/"}, `--safe must be true or false, not "perhaps"`},
		{[]string{"run", "--timeout", "long", "http://localhost:1/"}, `--timeout must be a time such as 10s or 2m, not "long"`},
		{[]string{"run", "-c", one, "--parallel", "0"}, "--parallel must be at least 1, not 0"},
		{[]string{"run", "-c", one, "--parallel", "2"}, "--parallel is for a file that lists several targets"},
	} {
		got := runHere(t.Context(), nil, "", row.args...)
		if got.code != exitUsage || !strings.Contains(got.stderr, "kindlytest: "+row.says+"\n") || strings.Contains(got.stderr, "strconv") {
			t.Errorf("%q: exit code %d, %s", row.args, got.code, got.stderr)
		}
	}
}

func TestFlagsWithoutAValueAreRefused(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.HasPrefix(f.Value.Type(), "string") {
				return
			}
			root := newRoot(&app{}) // each has its own: what was given is kept
			same, _, err := root.Find(path)
			if err != nil {
				t.Fatal(err)
			}
			same.Args, same.RunE = cobra.ArbitraryArgs, func(*cobra.Command, []string) error { return nil }
			want := "--" + f.Name + " is empty"
			switch f.Name {
			case "message", "seed", "browser", "browser-url", "db":
				want = ""
			}
			root.SetArgs(append(path, "--"+f.Name, ""))
			got := ""
			if err := root.Execute(); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s --%s '': %q, want %q", cmd.CommandPath(), f.Name, got, want)
			}
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(&app{}))
}

// The head says how many checks are run, not how many there are.
func TestTheHeadCountsTheChecksThatWereAskedFor(t *testing.T) {
	for only, want := range map[string]string{"RESP-JSON": " · 1 check\n", "RESP-JSON,RESP-STATUS": " · 2 checks\n"} {
		got := runHere(t.Context(), nil, "", "run", "--webhook", "http://localhost:1/", "--format", "none", "--only", only)
		if !strings.Contains(got.stdout, want) {
			t.Errorf("--only %s: %q is not in\n%s", only, want, got.stdout)
		}
	}
}
