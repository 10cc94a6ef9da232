package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/joshdk/go-junit"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	markdown "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
)

// readByOthers reads the five reports of one run with parsers and schemas that
// are not ours, and compares what they say with the summary.
func readByOthers(t *testing.T, files map[string]string) {
	t.Helper()
	run, err := reports.ReadJSON(strings.NewReader(files["report.json"]))
	if err != nil {
		t.Fatal(err)
	}
	s := run.Summary
	if min(s.Passed, s.Failed, s.Warned, s.Info, s.Skipped, s.Errored, s.Expected) == 0 {
		t.Errorf("an outcome is missing, so the reports prove little: %+v", s)
	}
	var kinds []reports.MomentKind
	for _, m := range run.Timeline {
		kinds = append(kinds, m.Kind)
	}
	for _, want := range []reports.MomentKind{reports.MomentPage, reports.MomentCallback, reports.MomentEndpoint, reports.MomentVerify} {
		if !slices.Contains(kinds, want) {
			t.Errorf("the timeline has no %s: %v", want, kinds)
		}
	}
	if run.Screenshot == "" || strings.Contains(files["junit.xml"]+files["report.md"]+files["report.sarif"], "base64,") {
		t.Error("the picture of the page belongs into JSON and HTML, and nowhere else")
	}
	meetsSchema(t, "kindlytest schema", runHere(t.Context(), nil, "", "schema").stdout, files["report.json"])
	readSARIF(t, run, files["report.sarif"])
	readJUnit(t, s, files["junit.xml"])
	readHTML(t, run, files["report.html"])
	openHTML(t, files["report.html"])
	readMarkdown(t, run, files["report.md"])
}

// meetsSchema validates a document; the schema is JSON text or a path.
func meetsSchema(t *testing.T, name, schema, document string) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	if strings.HasPrefix(schema, "{") {
		parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.AddResource("schema.json", parsed); err != nil {
			t.Fatal(err)
		}
		schema = "schema.json"
	}
	compiled, err := compiler.Compile(schema)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(parsed); err != nil {
		t.Errorf("%s refuses the report: %v", name, err)
	}
}

// explained counts the checks that do not hold and have a cause.
func explained(run reports.Run) int {
	ids := map[string]bool{}
	for _, cause := range run.Causes {
		for _, id := range cause.Explains {
			ids[id] = true
		}
	}
	n := 0
	for _, c := range run.Checks {
		if (c.Outcome == reports.Failed || c.Outcome == reports.Warned) && (ids[c.ID] || c.Cause != "") {
			n++
		}
	}
	return n
}

func readSARIF(t *testing.T, run reports.Run, text string) {
	t.Helper()
	s := run.Summary
	meetsSchema(t, "SARIF 2.1.0", "../../reports/testdata/sarif-schema-2.1.0.json", text)
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Rules []struct{ Help struct{ Text string } }
				}
			}
			Results []struct {
				Level     string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &log); err != nil || len(log.Runs) != 1 {
		t.Fatalf("%d runs, %v", len(log.Runs), err)
	}
	if got, want := len(log.Runs[0].Results), len(run.Causes)+s.Failed+s.Warned+s.Info+s.Expected-explained(run); got != want {
		t.Errorf("%d results in SARIF, want %d", got, want)
	}
	for _, r := range log.Runs[0].Results { // GitHub refuses the whole file for one without
		if len(r.Locations) != 1 || r.Locations[0].PhysicalLocation.ArtifactLocation.URI == "" || r.Locations[0].PhysicalLocation.Region.StartLine < 1 {
			t.Errorf("a result stands nowhere: %+v", r)
		}
	}
	help := map[string]bool{}
	for _, r := range log.Runs[0].Tool.Driver.Rules {
		help[r.Help.Text] = true
	}
	if len(help) != len(log.Runs[0].Tool.Driver.Rules) || len(help) < 100 {
		t.Errorf("%d rules share %d help texts", len(log.Runs[0].Tool.Driver.Rules), len(help))
	}
}

func readJUnit(t *testing.T, s reports.Summary, text string) {
	t.Helper()
	suites, err := junit.Ingest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got := map[junit.Status]int{}
	for _, suite := range suites {
		for _, c := range suite.Tests {
			if c.Name != "RUN-COMPLETE" { // stands for the run itself
				got[c.Status]++
			}
		}
	}
	want := map[junit.Status]int{
		junit.StatusFailed: s.Failed, junit.StatusError: s.Errored, junit.StatusSkipped: s.Skipped,
		junit.StatusPassed: s.Passed + s.Warned + s.Info + s.Expected,
	}
	for status, n := range want {
		if got[status] != n {
			t.Errorf("%d test cases are %s in JUnit, want %d", got[status], status, n)
		}
	}
}

func readHTML(t *testing.T, run reports.Run, text string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	checks, pictures := 0, 0
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			switch {
			case a.Key == "data-outcome":
				checks++
			case a.Key == "src" && n.Data == "img" && strings.HasPrefix(a.Val, "data:image/jpeg;base64,"):
				pictures++
			case a.Key == "src", a.Key == "srcset", a.Key == "style", strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s %s=%.60q>", n.Data, a.Key, a.Val)
			}
		}
	}
	if checks != len(run.Checks) || pictures != 1 {
		t.Errorf("%d checks and %d pictures in HTML, want %d and 1", checks, pictures, len(run.Checks))
	}
}

func readMarkdown(t *testing.T, run reports.Run, text string) {
	t.Helper()
	var page bytes.Buffer
	reader := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(markdown.WithUnsafe()))
	if err := reader.Convert([]byte(text), &page); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	folded := 0
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "details" {
			folded++
		}
	}
	s := run.Summary
	want := s.Failed + s.Errored + s.Warned + s.Expected
	for _, cause := range run.Causes {
		if cause.Sample != nil {
			want++
		}
	}
	if folded != want || len(text) > reports.MaxMarkdown {
		t.Errorf("%d folded checks in %d bytes of Markdown, want %d", folded, len(text), want)
	}
}

// openHTML opens the report in a browser: it loads nothing else, and neither
// fails nor meets its own Content-Security-Policy.
func openHTML(t *testing.T, text string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, text)
	}))
	defer server.Close()
	b, err := browser.Launch(t.Context(), browser.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	user, err := b.NewUser(t.Context(), browser.Login{})
	if err != nil {
		t.Fatal(err)
	}
	page, err := user.Visit(t.Context(), server.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	page.Settle(t.Context())
	record := page.Record()
	for _, r := range record.Requests {
		if r.ResourceType != "Document" && !strings.HasPrefix(r.URL, "data:image/") && !strings.HasSuffix(r.URL, "/favicon.ico") {
			t.Errorf("the HTML report loads %s", r)
		}
	}
	if len(record.Exceptions)+len(record.CSP) > 0 {
		t.Errorf("the HTML report fails in a browser: %+v %+v", record.Exceptions, record.CSP)
	}
}
