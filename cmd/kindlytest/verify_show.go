package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
)

// showJudgement prints the claims, what is violated as a run's report does, and
// the verdict.
func (a *app) showJudgement(j judgement, noColor bool) error {
	var b strings.Builder
	showMembers(&b, "header", j.result.Token.Header, j.now)
	showMembers(&b, "claims", j.result.Token.Claims, j.now)
	if _, err := io.WriteString(a.stdout, b.String()); err != nil {
		return fmt.Errorf("print the claims: %w", err)
	}
	terminal := a.terminal(a.stdout, &outputFlags{noColor: noColor})
	terminal.NoFiles = true // all there is goes to stdout
	if err := terminal.Finish(j.run()); err != nil {
		return err
	}
	b.Reset()
	for _, f := range j.forwarding {
		fmt.Fprintf(&b, "forwarded to %s: %s\n", printable(f.URL), f.text())
	}
	b.WriteString(j.verdict() + "\n")
	_, err := io.WriteString(a.stdout, b.String())
	return err
}

// maxClaims and maxClaim bound what is shown of a token that somebody sent.
const (
	maxClaims = 100
	maxClaim  = 200
)

func showMembers(b *strings.Builder, title string, v token.Value, now time.Time) {
	members := v.Members()
	if len(members) == 0 {
		why := "not readable"
		if v.Kind() == token.Object {
			why = "empty"
		}
		fmt.Fprintf(b, "%s  (%s)\n", title, why)
		return
	}
	b.WriteString(title + "\n")
	for i, m := range members {
		if i == maxClaims {
			fmt.Fprintf(b, "  … and %d more\n", len(members)-maxClaims)
			return
		}
		shown := clip.Text(m.Value.JSON(), maxClaim)
		if when := moment(m, now); when != "" {
			shown += "  (" + when + ")"
		}
		fmt.Fprintf(b, "  %-22s  %s\n", oneLine(clip.Text(m.Name, maxClaim)), oneLine(shown))
	}
}

func oneLine(s string) string {
	return strings.Join(strings.Fields(printable(s)), " ")
}

// earliest is a time before that of any token: what is smaller is no point in
// time, but a duration.
var earliest = time.Date(1985, 1, 1, 0, 0, 0, 0, time.UTC)

// moment says of a claim that is a time when that is.
func moment(m token.Member, now time.Time) string {
	if m.Name != "exp" && m.Name != "iat" && m.Name != "nbf" {
		return ""
	}
	seconds, ok := m.Value.Int()
	if !ok || seconds < 0 || seconds > 1<<33 { // the year 2242: not seconds, or not serious
		return ""
	}
	t := time.Unix(seconds, 0)
	if t.Before(earliest) {
		if m.Name == "nbf" {
			return "always"
		}
		return "a duration, not a point in time"
	}
	return t.UTC().Format(time.RFC3339) + ", " + fromNow(t, now)
}

func fromNow(t, now time.Time) string {
	switch d := t.Sub(now).Round(time.Second); {
	case d > 0:
		return "in " + span(d)
	case d < 0:
		return span(-d) + " ago"
	}
	return "now"
}

// span writes a duration so that it can be grasped.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*365*day:
		return fmt.Sprintf("%d years", d/(365*day))
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}

// run puts the judgement into the form of a report, one check a rule.
func (j judgement) run() reports.Run {
	run := reports.Run{Started: j.now, Notes: []reports.Note{}}
	for _, r := range j.rules() {
		run.Checks = append(run.Checks, j.check(r))
	}
	run.Causes = causesOf(j.violations())
	for _, note := range j.notes {
		run.Notes = append(run.Notes, reports.Note{Level: reports.Informed, Text: note})
	}
	if !j.keyGiven {
		run.Problem, run.Hint = "signature not checked: no --public-key", "--public-key FILE names the key that was uploaded to Kindly"
	}
	run.Finish()
	return run
}

func (j judgement) check(r rule.Rule) reports.Check {
	c := reports.Check{
		ID: r.ID, Area: r.Area(), Level: string(r.Level), Fidelity: string(r.Fidelity),
		Requirement: r.Text, Source: r.Source, Outcome: reports.Passed,
	}
	for _, v := range j.violations() {
		if v.Rule.ID == r.ID {
			c.Level = string(v.Level)
			c.Outcome = outcomeOf(v.Level)
			c.Expected, c.Actual, c.Fix = v.Expected, v.Actual, v.Fix
			c.Broken, c.Consequence, c.Cause = r.Broken, r.Why, v.Diagnosis.ID
		}
	}
	for _, u := range j.unjudged() {
		if u.Rule.ID == r.ID {
			c.Outcome, c.Reason = reports.Skipped, u.Reason
		}
	}
	return c
}

func outcomeOf(level rule.Level) reports.Outcome {
	switch level {
	case rule.Must:
		return reports.Failed
	case rule.Should:
		return reports.Warned
	}
	return reports.Informed
}

// judgementJSON is the form of `verify --json`.
type judgementJSON struct {
	Accepted         bool            `json:"accepted"`
	SignatureChecked bool            `json:"signature_checked"`
	SignedBy         string          `json:"signed_by,omitempty"` // the file of the key
	Header           token.Value     `json:"header"`
	Claims           token.Value     `json:"claims"`
	Violations       []violationJSON `json:"violations"`
	Unjudged         []unjudgedJSON  `json:"unjudged"`
	Held             []string        `json:"held"`
	Forwarding       []forwarding    `json:"forwarding,omitempty"`
	Notes            []string        `json:"notes,omitempty"`
}

type violationJSON struct {
	ID          string `json:"id"`
	Level       string `json:"level"`
	Refused     bool   `json:"refused"` // Kindly refuses the token for it
	Requirement string `json:"requirement"`
	Expected    string `json:"expected"`
	Actual      string `json:"actual"`
	Fix         string `json:"fix"`
	Source      string `json:"source"`
	// Diagnosis is the ID of the mistake that it comes from, where that can be told.
	Diagnosis string `json:"diagnosis,omitempty"`
}

type unjudgedJSON struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

func (j judgement) json() judgementJSON {
	out := judgementJSON{
		Accepted: j.result.Accepted(), SignatureChecked: j.keyGiven,
		Header: j.result.Token.Header, Claims: j.result.Token.Claims,
		Violations: []violationJSON{}, Unjudged: []unjudgedJSON{}, Held: []string{},
		Forwarding: j.forwarding, Notes: j.notes,
	}
	if j.result.SignedBy != nil {
		out.SignedBy = j.result.SignedBy.Name
	}
	for _, v := range j.violations() {
		out.Violations = append(out.Violations, violationJSON{v.Rule.ID, string(v.Level), v.Refused(), v.Rule.Text, v.Expected, v.Actual, v.Fix, v.Rule.Source, v.Diagnosis.ID})
	}
	for _, u := range j.unjudged() {
		out.Unjudged = append(out.Unjudged, unjudgedJSON{u.Rule.ID, u.Reason})
	}
	for _, c := range j.run().Checks {
		if c.Outcome == reports.Passed {
			out.Held = append(out.Held, c.ID)
		}
	}
	return out
}

// isInteractive says whether somebody types here.
func isInteractive(f interface{ Fd() uintptr }) bool { return term.IsTerminal(int(f.Fd())) }
