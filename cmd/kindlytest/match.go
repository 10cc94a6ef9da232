package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
)

func newMatch(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "match PATTERN URL",
		Short: "Say whether an entry of webhook_domains covers a URL",
		Long: `Says whether Kindly would forward a token to the webhook at URL if PATTERN were in
the token's chat.webhook_domains, and why; also where that is not certain, and
where the pattern covers names that strangers can rent. Nothing is called.

Exit codes: 0, it is covered; 1, it is not; 2, wrong usage.`,
		Example: `  kindlytest match '*.example.com' https://hooks.example.com/kindly
  kindlytest match example.com https://hooks.example.com/kindly --json`,
		Args: exactly(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := anyURL(args[1]); err != nil {
				return err
			}
			d := decisionOf(allowlist.Match(args[0], args[1]))
			if err := showDecision(a.stdout, d, asJSON); err != nil {
				return err
			}
			if !d.Allowed {
				return exitCode(exitBroken)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the decision as JSON")
	return cmd
}

// anyURL refuses what is no URL at all: a slip of the pen, which "no" would not
// answer. A URL of any scheme is for the rules to judge.
func anyURL(raw string) error {
	if strings.Contains(raw, ":/") {
		return nil
	}
	const text = "%q is no absolute URL"
	if meant := "https://" + strings.TrimLeft(raw, "/"); config.CheckURL(meant) == nil {
		if !strings.Contains(strings.TrimPrefix(meant, "https://"), "/") {
			meant += "/"
		}
		return hint.Errorf("did you mean "+meant+"?", text, raw)
	}
	return hint.Errorf("an example: https://hooks.example.com/kindly", text, raw)
}

// decision is the JSON form of an [allowlist.Decision].
type decision struct {
	Allowed      bool   `json:"allowed"`
	Pattern      string `json:"pattern,omitempty"`
	Reason       string `json:"reason"`
	Ambiguous    string `json:"ambiguous,omitempty"`
	SharedTenant string `json:"shared_tenant,omitempty"`
}

func decisionOf(d allowlist.Decision) decision {
	return decision{d.Allowed, d.Pattern, d.Reason, d.Ambiguous, d.SharedTenant}
}

func showDecision(w io.Writer, d decision, asJSON bool) error {
	if asJSON {
		return printJSON(w, d)
	}
	if _, err := fmt.Fprintln(w, d.text()); err != nil {
		return fmt.Errorf("print the decision: %w", err)
	}
	return nil
}

// text is the decision for people: yes or no, the reason, and what to beware of.
func (d decision) text() string {
	word := "no"
	if d.Allowed {
		word = "yes"
	}
	lines := []string{word + ": " + d.Reason}
	if d.Ambiguous != "" {
		lines = append(lines, "not certain: "+d.Ambiguous)
	}
	if d.SharedTenant != "" {
		lines = append(lines, fmt.Sprintf("beware: strangers can rent names under %s, and the pattern covers them too", d.SharedTenant))
	}
	return printable(strings.Join(lines, "\n"))
}
