package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/internal/recording"
)

const learnLong = `Reads what kindlytest listen has recorded, and lays it beside what kindlytest takes
Kindly to do, row by row: what is documented or assumed, what was seen, how often
and when. Writes ` + observed.DefaultName + `.

What could not be seen is listed with a way to see it. That something differs is
no failure of yours, so that the exit code is 0.`

func newLearn(a *app) *cobra.Command {
	out := ""
	cmd := &cobra.Command{
		Use:   "learn FILE...",
		Short: "Lay what listen has recorded beside what is known of Kindly",
		Long:  learnLong,
		Example: `  kindlytest learn kindly.jsonl
  kindlytest learn monday.jsonl tuesday.jsonl --out seen.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return hint.Errorf("kindlytest listen --record kindly.jsonl makes one", "learn wants at least one recording")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.learn(args, out) },
	}
	cmd.Flags().StringVar(&out, "out", observed.DefaultName, "write what was learnt to this `file`; - is stdout")
	return cmd
}

func (a *app) learn(files []string, out string) error {
	l := observed.NewLearner()
	for _, name := range files {
		if err := a.learnFrom(l, name); err != nil {
			return err
		}
	}
	if n := l.Strangers; n > 0 {
		fmt.Fprintf(a.stderr, "note: %s left out that nothing shows to be Kindly's: not signed, and without any member of its bodies\n", plural(n, "request"))
	}
	if n := l.Twice; n > 0 {
		fmt.Fprintf(a.stderr, "note: %s read before, and counted once\n", deliveries(n))
	}
	found := l.Learnt(a.knownClient(out))
	if found.Deliveries == 0 {
		return hint.Errorf("kindlytest listen --record makes recordings", "there is no delivery of Kindly's in %s", strings.Join(files, ", "))
	}
	found.Tool = "kindlytest " + ownVersion()
	text, err := found.JSON()
	if err != nil {
		return fmt.Errorf("write what was learnt: %w", err)
	}
	if out == "-" {
		_, err = a.stdout.Write(text)
		return err
	}
	if err := os.WriteFile(out, text, 0o644); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	a.showLearnt(found, out)
	return nil
}

// knownClient is what an earlier file knows of the chat client, which recordings
// don't tell.
func (a *app) knownClient(out string) *observed.Client {
	if out == "-" {
		return nil
	}
	before, err := config.ReadObserved(config.ReadFile, out)
	if err != nil {
		return nil // there is none, or it is about to be replaced
	}
	return before.Habits.Client
}

// learnFrom reads one recording. Lines that are no deliveries are told, up to a few.
func (a *app) learnFrom(l *observed.Learner, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close() // it was only read
	odd := 0
	for d, err := range recording.Read(file) {
		if err == nil {
			l.Add(d)
			continue
		}
		if odd++; odd <= 3 {
			fmt.Fprintln(a.stderr, printable(fmt.Sprintf("note: %s: %v", name, err)))
		}
	}
	if odd > 3 {
		fmt.Fprintf(a.stderr, "note: %s: %s left out in all\n", printable(name), plural(odd, "line"))
	}
	return nil
}

func (a *app) showLearnt(l observed.Learnt, out string) {
	var b strings.Builder
	seen := deliveries(l.Deliveries)
	if c := l.Habits.Client; c != nil {
		seen += ", " + plural(c.Visits, "visit")
	}
	fmt.Fprintf(&b, "%s, %s to %s\n", seen, l.First.Format(time.DateOnly), l.Last.Format(time.DateOnly))
	for _, part := range []struct {
		verdict observed.Verdict
		title   string
	}{
		{observed.Differs, "Not as documented or assumed"},
		{observed.New, "Not published"},
		{observed.Agrees, "As documented or assumed"},
		{observed.NotSeen, "Not seen"},
	} {
		showRows(&b, part.title, l.Rows, part.verdict)
	}
	fmt.Fprintf(&b, "\nwritten: %s\n", out)
	fmt.Fprint(a.stdout, printable(b.String()))
}

func showRows(b *strings.Builder, title string, rows []observed.Row, v observed.Verdict) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		if r.Verdict != v {
			continue
		}
		if title != "" {
			fmt.Fprintf(b, "\n%s\n", title)
			title = ""
		}
		seen := r.Observed
		if v == observed.NotSeen && r.Way != "" {
			seen = strings.TrimPrefix(seen+". "+r.Way, ". ")
		}
		if r.Contract != "" && v == observed.Differs {
			seen += fmt.Sprintf(" (%s: %s)", r.Fidelity, r.Contract)
		}
		fmt.Fprintf(w, "  %s\t%s\n", r.ID, seen)
	}
	_ = w.Flush() // into memory
}

func deliveries(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return fmt.Sprintf("%d deliveries", n)
}
