package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/advice"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/internal/suggest"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/causes"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// allStacks is the value of --stack that shows every sample.
const allStacks = "all"

type explainFlags struct {
	stack   string
	json    bool
	noColor bool
}

func newExplain(a *app) *cobra.Command {
	f := &explainFlags{}
	cmd := &cobra.Command{
		Use:   "explain ID|AREA|CAUSE",
		Short: "Explain a check or a cause: why it matters, and what closes it",
		Long: `Explains a check: what it demands, why that matters, how Kindly behaves there and
how that is known, what to change, and code that does it. For an area (AUTH) or
a glob ('HOOK-ALG-*') it lists the checks. For a cause, the mistake that a report
names (webhook-verifies-nothing), it says what can happen, what to do, and which
checks fail of it.

--stack chooses the language of the code:
  ` + strings.Join(advice.StackNames(), "\n  ") + `
and, where the code is the same for all of them, html, react or shell.
The code for Node, Python and Go is run by kindlytest's own tests against all
checks; the others say that they are not.`,
		Example: `  kindlytest explain HOOK-OTHER-CHAT
  kindlytest explain HOOK-ALG-NONE --stack python-pyjwt
  kindlytest explain TOK
  kindlytest explain webhook-verifies-nothing
  kindlytest explain AUTH-CORS-FOREIGN --json | jq -r '.[].samples[].code'`,
		Args: exactly(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.explain(args[0], f) },
	}
	cmd.Flags().StringVar(&f.stack, "stack", "", "`name` of the stack whose code is shown, or all (default: the first)")
	cmd.Flags().BoolVar(&f.json, "json", false, "print a JSON array, one object a check, with the code for all stacks")
	cmd.Flags().BoolVar(&f.noColor, "no-color", false, "no colour, also on a terminal")
	return cmd
}

func causeIDs() []string {
	var ids []string
	for _, c := range causes.All() {
		ids = append(ids, c.ID)
	}
	return ids
}

func (a *app) explain(what string, f *explainFlags) error {
	if err := knownStack(f.stack); err != nil {
		return err
	}
	if c, ok := causes.Find(what); ok {
		if f.json {
			return printJSON(a.stdout, []explainedCause{explainedCauseOf(c)})
		}
		return a.pageFor(f).explainCause(a.stdout, explainedCauseOf(c))
	}
	checks, err := suites.Select(what)
	if err != nil {
		if near := suggest.Word(strings.ToLower(what), causeIDs()); near != "" {
			return hint.Errorf("did you mean "+near+"?", "there is no check and no cause %q", what)
		}
		return hint.Errorf("kindlytest list shows all checks", "%w", err)
	}
	if f.json {
		return printJSON(a.stdout, a.explanations(checks, f.stack))
	}
	p := a.pageFor(f)
	if c, ok := suites.Find(what); ok {
		a.noteNoSample(c, f.stack)
		return p.explain(a.stdout, a.explanationOf(c, f.stack), f.stack)
	}
	if err := listTable(a.stdout, checks, width(a.stdout)); err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "kindlytest explain %s tells more about one of them\n", checks[0].ID())
	return nil
}

// noteNoSample says where code is, if the stack that was asked for has none.
func (a *app) noteNoSample(c suites.Check, stack string) {
	all := advice.Samples(c.Requirement)
	if len(all) == 0 || len(samplesFor(c, stack)) > 0 {
		return
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Stack.Name)
	}
	fmt.Fprintf(a.stderr, "no code of %s closes %s; there is some for %s\n", stack, c.ID(), strings.Join(names, ", "))
}

func knownStack(name string) error {
	all := append(advice.SampleNames(), allStacks)
	if name == "" || slices.Contains(all, name) {
		return nil
	}
	way := "there are " + strings.Join(all, ", ")
	if meant := suggest.Word(name, all); meant != "" {
		way = "did you mean " + meant + "?"
	}
	return hint.Errorf(way, "there is no stack %q", name)
}

// An explanation is an element of `explain --json`.
type explanation struct {
	listed
	Why    string `json:"why"`
	Kindly string `json:"kindly"` // how Kindly behaves there, and how that is known
	// Observed is what the team has seen itself, by the kindly-observed.json that lies here.
	Observed []reports.Observation `json:"observed,omitempty"`
	Proofs   []proof               `json:"proofs"` // ways to see the check fail
	Check    string                `json:"check"`  // the command that runs only this check
	Samples  []explainedSample     `json:"samples"`
}

// A proof is a fault of the example shop that the check notices.
type proof struct {
	Fault   string `json:"fault"`
	Text    string `json:"text"`
	Command string `json:"command"`
}

type explainedSample struct {
	Stack    string `json:"stack"`
	Language string `json:"language"`
	Title    string `json:"title"`
	Tested   bool   `json:"tested"` // run against all checks by kindlytest's own tests
	Code     string `json:"code"`
}

func (a *app) explanations(checks []suites.Check, stack string) []explanation {
	out := []explanation{}
	for _, c := range checks {
		out = append(out, a.explanationOf(c, stack))
	}
	return out
}

// explanationOf is that of a check, by what lies here of the real Kindly.
func (a *app) explanationOf(c suites.Check, stack string) explanation {
	e := explanationOf(c, stack)
	seen, err := config.ReadObserved(config.ReadFile, observed.DefaultName)
	if err != nil {
		return e // there is none; run says what is wrong with one
	}
	if e.Observed = subject.Observations(seen, c.ID()); len(e.Observed) > 0 {
		var texts []string
		for _, o := range e.Observed {
			texts = append(texts, o.String())
		}
		e.Kindly = advice.KindlySeen(c.Requirement, e.Observed[0].By, texts)
	}
	return e
}

func explanationOf(c suites.Check, stack string) explanation {
	e := explanation{
		listed: listedOf(c), Why: c.Requirement.Why, Kindly: advice.Kindly(c.Requirement),
		Proofs: []proof{}, Check: "kindlytest run --only " + c.ID(), Samples: []explainedSample{},
	}
	for _, f := range fixtures.Breaking(c.ID()) {
		e.Proofs = append(e.Proofs, proof{f.Name, f.Text, "kindlytest demo --fault " + f.Name + " --only " + c.ID()})
	}
	for _, s := range samplesFor(c, stack) {
		e.Samples = append(e.Samples, explainedSample{s.Stack.Name, s.Stack.Title, s.Title, s.Stack.Tested, s.Code})
	}
	return e
}

// samplesFor are the samples of one stack, or of all.
func samplesFor(c suites.Check, stack string) []advice.Sample {
	if stack == "" || stack == allStacks {
		return advice.Samples(c.Requirement)
	}
	if s, ok := advice.SampleFor(c.Requirement, stack); ok {
		return []advice.Sample{s}
	}
	return nil
}
