package reports

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

const maxSARIFText = 4000 // runes

// WriteSARIF writes a finished run as SARIF 2.1.0. Every check is a rule. A
// failed one gives a result of level error, a warned one warning (error under
// strict), an informed one note; a known failure is a suppressed result. What
// could not run, and what was skipped, are notifications of the invocation.
//
// The results have a logical location, the URL, for there is no file; fingerprints
// are made of the target and the check's ID, so a result keeps its identity from
// run to run. GitHub's code scanning takes only results with a file.
func WriteSARIF(w io.Writer, run Run) error {
	rules, index := sarifRules(run.Checks)
	r := sarifRun{
		Tool: sarifTool{sarifDriver{Name: cmp.Or(sarifText(run.Tool.Name), "kindlytest"), Version: sarifText(run.Tool.Version), Rules: rules}},
		Invocations: []sarifInvocation{{
			ExecutionSuccessful: verdictOf(run).Level != Errored,
			ExitCode:            run.ExitCode,
			Start:               sarifTime(run.Started),
			End:                 sarifTime(run.Started.Add(time.Duration(run.DurationMS) * time.Millisecond)),
			Notifications:       sarifNotifications(run, index),
		}},
		Results: []sarifResult{},
	}
	for _, c := range run.Checks {
		switch c.Outcome {
		case Failed, Warned, Informed, Expected:
			r.Results = append(r.Results, sarifResultOf(run, c, index[c.ID]))
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{r},
	})
	if err != nil {
		return fmt.Errorf("write the SARIF report: %w", err)
	}
	return nil
}

// sarifRules makes one rule an ID, and says where it stands.
func sarifRules(checks []Check) (rules []sarifRule, index map[string]int) {
	rules, index = []sarifRule{}, map[string]int{}
	for _, c := range checks {
		if _, ok := index[c.ID]; ok {
			continue
		}
		index[c.ID] = len(rules)
		text := sarifText(cmp.Or(c.Requirement, c.ID))
		rule := sarifRule{
			ID:            shortID(c),
			Short:         sarifMessage{Text: text},
			Full:          sarifMessage{Text: text},
			Help:          sarifHelp(c),
			HelpURI:       webURL(c.Source),
			Configuration: sarifConfiguration{Level: sarifLevel(c.Level)},
			Properties:    sarifProperties{Tags: sarifTags("kindly", areaOf(c), c.Fidelity)},
		}
		rules = append(rules, rule)
	}
	return rules, index
}

// sarifTags are a set.
func sarifTags(tags ...string) []string {
	out := []string{}
	for _, tag := range tags {
		if tag = oneLine(tag); tag != "" && !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}

func sarifHelp(c Check) sarifMessage {
	// The requirement's own advice, so that the rule is the same in every run.
	fix := cmp.Or(c.Help, c.Fix, "See the source of the requirement.")
	return sarifMessage{
		Text: sarifText(fmt.Sprintf("%s\n%s\nSource: %s", c.Requirement, fix, c.Source)),
		Markdown: fmt.Sprintf("**%s · %s**\n\nRequirement: %s\n\nFix: %s\n\nSource: %s\n", inline(c.Level, maxID), inline(c.Fidelity, maxID),
			inline(c.Requirement, maxSARIFText), inline(fix, maxSARIFText), code(c.Source, maxSARIFText)),
	}
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
	place := cmp.Or(where(c), run.Target.Page, run.Target.Endpoint, run.Target.Name, "target")
	r := sarifResult{
		RuleID: shortID(c), RuleIndex: rule, Level: level,
		Message:      sarifMessage{Text: sarifText(resultText(c))},
		Locations:    []sarifLocation{{Logical: []sarifLogical{{Name: sarifText(place), Kind: "resource"}}}},
		Fingerprints: map[string]string{"kindlytest/v1": fingerprint(run.Target, c)},
	}
	if c.Outcome == Expected {
		r.Suppressions = []sarifSuppression{{Kind: "external", Justification: sarifText(c.Reason)}}
	}
	if len(c.Evidence) > 0 {
		r.Request, r.Response = sarifExchange(c.Evidence[0])
	}
	return r
}

// where is the URL that the check looked at, as far as its evidence tells.
func where(c Check) string {
	for _, e := range c.Evidence {
		if e.Request != nil && e.Request.URL != "" {
			return e.Request.URL
		}
	}
	return ""
}

func resultText(c Check) string {
	text := cmp.Or(c.Requirement, c.ID)
	for _, f := range fieldsOf(c) {
		text += fmt.Sprintf("\n%s: %s", f.Label, f.Text)
	}
	return text
}

// fingerprint holds nothing that changes from run to run.
func fingerprint(t Target, c Check) string {
	sum := sha256.Sum256([]byte(cmp.Or(t.Name, t.Page, t.Endpoint) + "\x00" + c.ID))
	return hex.EncodeToString(sum[:16])
}

func sarifNotifications(run Run, index map[string]int) []sarifNotification {
	all := []sarifNotification{}
	if run.Problem != "" {
		all = append(all, sarifNotification{Level: "error", Message: sarifMessage{Text: sarifText(run.Problem + "\n" + run.Hint)}})
	}
	for _, c := range withOutcome(run.Checks, Errored) {
		all = append(all, sarifNotification{
			Level: "error", Message: sarifMessage{Text: sarifText("could not run: " + cmp.Or(c.Reason, c.Actual))},
			Rule: &sarifReference{ID: shortID(c), Index: index[c.ID]},
		})
	}
	for _, g := range byReason(run.Checks, Skipped) {
		all = append(all, sarifNotification{
			Level: "note", Message: sarifMessage{Text: sarifText(fmt.Sprintf("%d skipped: %s", len(g.IDs), g.Reason))},
		})
	}
	for _, n := range run.Notes {
		level := map[Outcome]string{Errored: "error", Warned: "warning"}[n.Level]
		all = append(all, sarifNotification{Level: cmp.Or(level, "note"), Message: sarifMessage{Text: sarifText(n.Text)}})
	}
	return all
}

func sarifExchange(e Evidence) (*sarifRequest, *sarifResponse) {
	var request *sarifRequest
	var response *sarifResponse
	if q := e.Request; q != nil {
		request = &sarifRequest{
			Method: sarifText(q.Method), Target: sarifText(q.URL),
			Headers: sarifHeaders(q.Headers), Body: sarifBodyOf(q.Body),
		}
	}
	if a := e.Response; a != nil {
		response = &sarifResponse{
			Status: a.Status, Headers: sarifHeaders(a.Headers), Body: sarifBodyOf(a.Body),
			Reason: sarifText(a.Error), NoResponse: a.Status == 0,
		}
	}
	return request, response
}

// sarifHeaders joins the values of a name, as HTTP allows: SARIF has one each.
func sarifHeaders(headers []Header) map[string]string {
	m := map[string]string{}
	for _, h := range headers {
		name, value := sarifText(h.Name), sarifText(h.Value)
		if old, ok := m[name]; ok {
			value = old + ", " + value
		}
		m[name] = value
	}
	return m
}

func sarifBodyOf(s string) *sarifBody {
	if s == "" {
		return nil
	}
	return &sarifBody{Text: sarifText(s)}
}

func sarifText(s string) string { return clip(printable(s), maxSARIFText) }

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
