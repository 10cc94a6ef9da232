package reports

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/plainjson"
)

const maxSARIFText = 4000 // runes

// writeSARIF writes a finished run as SARIF 2.1.0. Every cause and every check is a
// rule. A cause gives one result, and so does what does not hold and has no cause:
// of level error for what fails the run, else warning; an informed check gives a
// note, a known failure a suppressed result. What was not judged is in
// notifications of the invocation.
//
// Each result stands at the line of the configuration that describes the target,
// for code scanning takes none without a file; the URL is its logical location. A
// run that was told of its target by arguments points at the file that would
// describe it. Fingerprints are made of the target and the rule, so a result keeps
// its identity from run to run.
func writeSARIF(w io.Writer, run Run) error {
	t := outlineOf(run)
	rules := newSARIFRules(t)
	r := sarifRun{
		Tool: sarifTool{sarifDriver{Name: cmp.Or(sarifText(run.Tool.Name), "kindlytest"), Version: sarifText(run.Tool.Version), Rules: rules.all}},
		Invocations: []sarifInvocation{{
			ExecutionSuccessful: verdictOf(run).Level != Errored,
			ExitCode:            run.ExitCode,
			Start:               sarifTime(run.Started),
			End:                 sarifTime(run.Started.Add(time.Duration(run.DurationMS) * time.Millisecond)),
			Notifications:       sarifNotifications(t, rules),
		}},
		Results: []sarifResult{},
	}
	for _, c := range t.Causes {
		r.Results = append(r.Results, sarifCause(run, c, rules.causes[c.ID]))
	}
	for _, checks := range [][]Check{t.Failed, t.Warned, t.Expected, t.Informed} {
		for _, c := range checks {
			r.Results = append(r.Results, sarifResultOf(run, c, rules.checks[c.ID]))
		}
	}
	err := plainjson.Write(CalmJSON(w), sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{r},
	})
	if err != nil {
		return fmt.Errorf("write the SARIF report: %w", err)
	}
	return nil
}

// sarifCause is one result for all that a cause explains.
func sarifCause(run Run, c causeOutline, rule int) sarifResult {
	level := "warning"
	for _, s := range c.Symptoms {
		if s.Outcome == Failed || run.Strict {
			level = "error"
		}
	}
	text := c.Heading()
	if c.Consequence != "" {
		text += "\nthen: " + c.Consequence
	}
	for _, f := range c.fields() {
		text += fmt.Sprintf("\n%s: %s", f.Label, f.Text)
	}
	if ids := c.IDs(); len(ids) > 0 {
		text += "\n" + c.Count() + ": " + idsInShort(ids, 40)
	}
	place := cmp.Or(c.Where, where(c.evidence()))
	r := newSARIFResult(run, causeRule(c.Cause), rule, level, text, place, "cause\x00"+c.ID+"\x00"+c.Where)
	if all := c.evidence(); len(all) > 0 {
		r.Request, r.Response = sarifExchange(all[len(all)-1])
	}
	return r
}

func sarifResultOf(run Run, c Check, rule int) sarifResult {
	level := sarifLevel(c.Level)
	switch {
	case c.Outcome == Failed, c.Outcome == Warned && run.Strict:
		level = "error"
	case c.Outcome == Warned:
		level = "warning"
	case c.Outcome == Informed:
		level = "note"
	}
	r := newSARIFResult(run, shortID(c), rule, level, resultText(c), where(c.Evidence), c.ID)
	if c.Outcome == Expected {
		r.Suppressions = []sarifSuppression{{Kind: "external", Justification: sarifText(c.Reason)}}
	}
	if n := len(c.Evidence); n > 0 {
		r.Request, r.Response = sarifExchange(c.Evidence[n-1]) // the one that decides
	}
	return r
}

func newSARIFResult(run Run, id string, rule int, level, text, place, identity string) sarifResult {
	place = cmp.Or(place, run.Target.Page, run.Target.Endpoint, run.Target.Name, "target")
	print := fingerprint(run.Target, identity)
	return sarifResult{
		RuleID: id, RuleIndex: rule, Level: level,
		Message: sarifMessage{Text: sarifText(text)},
		Locations: []sarifLocation{{
			Physical: sarifPlace(run.Config),
			Logical:  []sarifLogical{{Name: sarifText(place), Kind: "resource"}},
		}},
		// GitHub tells results at one line apart by the second.
		Fingerprints: map[string]string{"kindlytest/v1": print, "primaryLocationLineHash": print},
	}
}

// defaultConfig is the file that describes a target, by default.
const defaultConfig = "kindlytest.yaml"

// sarifPlace is a place as code scanning finds it: a path within the repository.
func sarifPlace(p *Place) sarifPhysical {
	file, line := defaultConfig, 1
	if p != nil && p.Path != "" {
		file, line = p.Path, max(p.Line, 1)
	}
	uri := url.URL{Path: sarifText(oneLine(strings.TrimPrefix(strings.ReplaceAll(file, `\`, "/"), "./")))}
	return sarifPhysical{Artifact: sarifArtifact{URI: uri.String()}, Region: sarifRegion{Line: line}}
}

// where is the URL that was looked at, as far as the evidence tells.
func where(all []Evidence) string {
	for _, e := range all {
		if e.Request != nil && e.Request.URL != "" {
			return e.Request.URL
		}
	}
	return ""
}

func resultText(c Check) string {
	text := c.headline()
	for _, f := range fieldsOf(c) {
		text += fmt.Sprintf("\n%s: %s", f.Label, f.Text)
	}
	return text
}

// fingerprint holds nothing that changes from run to run.
func fingerprint(t Target, identity string) string {
	sum := sha256.Sum256([]byte(cmp.Or(t.Name, t.Page, t.Endpoint) + "\x00" + identity))
	return hex.EncodeToString(sum[:16])
}

func sarifNotifications(t outline, rules sarifRules) []sarifNotification {
	run := t.Run
	all := []sarifNotification{{Level: "note", Message: sarifMessage{Text: sarifText(joinSentences(t.Sentence, t.Judged, t.Deaths))}}}
	if run.Problem != "" {
		all = append(all, sarifNotification{Level: "error", Message: sarifMessage{Text: sarifText(run.Problem + "\n" + run.Hint)}})
	}
	for _, c := range withOutcome(run.Checks, Errored) {
		all = append(all, sarifNotification{
			Level: "error", Message: sarifMessage{Text: sarifText("could not run: " + cmp.Or(c.Reason, c.Actual))},
			Rule: &sarifReference{ID: shortID(c), Index: rules.checks[c.ID]},
		})
	}
	for _, g := range t.Unjudged {
		if g.Outcome != Skipped {
			continue
		}
		all = append(all, sarifNotification{
			Level: "note", Message: sarifMessage{Text: sarifText(fmt.Sprintf("%d skipped: %s", len(g.Checks), g.Reason))},
		})
	}
	for _, n := range run.Notes {
		level := map[Outcome]string{Errored: "error", Warned: "warning"}[n.Level]
		all = append(all, sarifNotification{Level: cmp.Or(level, "note"), Message: sarifMessage{Text: sarifText(n.Text)}})
	}
	return all
}

func sarifText(s string) string { return clip.Runes(printable(s), maxSARIFText) }

func sarifTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// sarifLevel is the level that a rule has by itself.
func sarifLevel(level string) string {
	switch level {
	case "MUST":
		return "error"
	case "SHOULD":
		return "warning"
	}
	return "note"
}
