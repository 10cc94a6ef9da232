package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/suites/catalogue"
	"github.com/kindlytest/kindlytest/suites/causes"
)

// explainedCause is the element of `explain CAUSE --json`.
type explainedCause struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Consequence string   `json:"consequence"`
	Severity    string   `json:"severity"`
	Owner       string   `json:"owner"`
	Fix         string   `json:"fix,omitempty"`
	Explains    []string `json:"explains"`
	Recognised  string   `json:"recognised"` // how
}

func explainedCauseOf(c causes.Cause) explainedCause {
	e := explainedCause{ID: c.ID, Title: c.Title, Consequence: c.Consequence, Severity: string(c.Severity), Owner: c.Owner, Fix: fixOf(c), Explains: c.Explains}
	if e.Explains == nil {
		e.Explains = []string{}
	}
	if len(c.When) == 0 {
		e.Recognised = "A check names it: an experiment, or the answer itself, has shown it."
		return e
	}
	e.Recognised = "Inferred where these fail: " + strings.Join(c.When, ", ") + "."
	if len(c.Unless) > 0 {
		e.Recognised = strings.TrimSuffix(e.Recognised, ".") + ", and not " + strings.Join(c.Unless, ", ") + "."
	}
	return e
}

// fixOf is what to do about a cause: as it says itself, or as the experiment does by
// which it is recognised.
func fixOf(c causes.Cause) string {
	if fix := cmp.Or(c.Fix, catalogue.CallbackFix(c.ID)); fix != "" {
		return fix
	}
	for _, m := range forge.SignatureMistakes() {
		if m.ID == c.ID {
			return m.Fix
		}
	}
	for _, m := range forge.TokenMistakes(forge.Known{}) {
		if m.ID == c.ID {
			return m.Fix
		}
	}
	return dependsOnWhatWasSeen
}

const dependsOnWhatWasSeen = "That depends on what was seen: the report says it."

// explainCause prints one cause.
func (p *page) explainCause(w io.Writer, e explainedCause) error {
	p.line(p.bold(e.ID) + "  " + p.faint(e.Severity+" · "+e.Owner))
	p.text("", e.Title)
	p.section("What can happen", e.Consequence)
	p.section("How to fix it", e.Fix)
	p.section("How it is recognised", e.Recognised)
	p.line("")
	p.row("Explains", strings.Join(e.Explains, ", "))
	if _, err := io.WriteString(w, p.b.String()); err != nil {
		return fmt.Errorf("print the explanation: %w", err)
	}
	return nil
}
