package reports_test

import (
	"bytes"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
)

// TestEveryFormatSaysWhatWasSeen looks for what the team has seen, and for the default beside it.
func TestEveryFormatSaysWhatWasSeen(t *testing.T) {
	run := reports.Run{Tool: reports.Tool{Name: "kindlytest", Version: "1"}, Started: time.Unix(0, 0), Checks: []reports.Check{{
		ID: "RESP-TIME", Area: "RESP", Level: "SHOULD", Fidelity: "assumed", Outcome: reports.Warned, Requirement: "It answers in time.", Broken: "It is late.", Source: "https://docs.kindly.ai/",
		Observed: []reports.Observation{{Row: "request.timeout", By: "observed by you, 214 deliveries, 3 March 2026", Text: "request.timeout: Kindly hung up after 3.0 s", Default: "10.0 s, assumed", Verdict: "differs"}},
	}}}
	run.Finish()
	for _, row := range []struct {
		format reports.Format
		want   []string
	}{
		{reports.JSON, []string{`"fidelity": "assumed"`, "observed by you, 214 deliveries, 3 March 2026", "Kindly hung up after 3.0 s", `"default": "10.0 s, assumed"`}},
		{reports.HTML, []string{"(observed by you, 214 deliveries, 3 March 2026)", "Kindly hung up after 3.0 s (by default: 10.0 s, assumed)"}},
		{reports.JUnit, []string{"Kindly hung up after 3.0 s (by default: 10.0 s, assumed)"}},
		{reports.SARIF, []string{"observed by you, 214 deliveries, 3 March 2026"}},
	} {
		var b bytes.Buffer
		if err := reports.Write(&b, run, row.format); err != nil {
			t.Fatal(err)
		}
		for _, want := range row.want {
			if text := html.UnescapeString(b.String()); !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", row.format, want)
			}
		}
	}
}
