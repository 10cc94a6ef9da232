package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"
)

// rendered is the Markdown as a reader of it makes HTML, raw HTML and all.
func rendered(t *testing.T, run Run) (source string, doc *html.Node) {
	t.Helper()
	var md, page bytes.Buffer
	if err := Write(&md, run, Markdown); err != nil {
		t.Fatal(err)
	}
	reader := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(gmhtml.WithUnsafe()))
	if err := reader.Convert(md.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	return md.String(), doc
}

// count counts the elements by name.
func count(doc *html.Node) map[string]int {
	n := map[string]int{}
	for node := range doc.Descendants() {
		if node.Type == html.ElementNode {
			n[node.Data]++
		}
	}
	return n
}

func TestMarkdownGolden(t *testing.T) {
	source, _ := rendered(t, sampleRun())
	golden(t, "report.md", []byte(source))
}

// The hostile run has the same elements as one with plain text in every place.
func TestMarkdownTakesNoMarkupFromTheTarget(t *testing.T) {
	plain := hostileRun()
	for i := range plain.Checks {
		c := &plain.Checks[i]
		c.ID, c.Area, c.Requirement, c.Reason, c.Actual, c.Fix = "a-b", "A", "r", "r", "a", "f" // an odd ID, so that both have no command
		c.Expected, c.Repeat, c.Source, c.Sample = "e", "r", "s", &Sample{"s", "t", "c"}
		for j := range c.Evidence {
			c.Evidence[j] = Evidence{Title: "t", Request: &Request{Method: "GET"}, Response: &Response{Error: "e"}}
		}
	}
	for i := range plain.Causes {
		c := &plain.Causes[i]
		c.ID, c.Title, c.Consequence, c.Owner, c.Seen, c.Where, c.Fix, c.Repeat = "A B", "t", "c", "o", "s", "w", "f", "r"
		c.Severity, c.Explains, c.Sample, c.Evidence = "s", []string{"a-b"}, &Sample{"s", "t", "c"}, nil
	}
	for i := range plain.Checks {
		c := &plain.Checks[i]
		c.Broken, c.Consequence, c.Cause, c.Witness = "b", "c", "A B", "w"
	}
	plain.Problem, plain.Hint = "r", "h" // the reason why some were not judged, as in the hostile run
	plain.Target = Target{Page: "p", Commit: "c", Branch: "b"}
	for i := range plain.Notes {
		plain.Notes[i].Text = "n"
	}
	_, wantDoc := rendered(t, plain)
	source, gotDoc := rendered(t, hostileRun())
	want, got := count(wantDoc), count(gotDoc)
	for name := range union(want, got) {
		if want[name] != got[name] {
			t.Errorf("%d <%s>, want %d", got[name], name, want[name])
		}
	}
	for node := range gotDoc.Descendants() {
		if node.Type == html.CommentNode || len(node.Attr) > 0 {
			t.Errorf("injected: %v", node)
		}
	}
	if strings.ContainsAny(source, "\x1b\x00\u202e") {
		t.Error("a control character is in it")
	}
}

func union(a, b map[string]int) map[string]bool {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return all
}

func TestMarkdownIsBoundedAndWhole(t *testing.T) {
	run := sampleRun()
	failed := withOutcome(run.Checks, Failed)[0]
	failed.Actual = strings.Repeat(hostile, 10)
	run.Checks = nil
	for range 1000 {
		run.Checks = append(run.Checks, failed)
	}
	source, doc := rendered(t, finished(run))
	if len(source) > MaxMarkdown || len(source) < MaxMarkdown/2 {
		t.Errorf("%d bytes", len(source))
	}
	if !strings.Contains(source, "left out here") || !strings.Contains(source, "800 more are in report.json") {
		t.Error("it does not say that something was left out")
	}
	if strings.Count(source, "<details>") != strings.Count(source, "</details>") || count(doc)["details"] != strings.Count(source, "<details>") {
		t.Error("a section is cut in two")
	}
}

func TestMarkdownOfEveryRun(t *testing.T) {
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			if source, _ := rendered(t, run()); len(source) > MaxMarkdown {
				t.Errorf("%d bytes", len(source))
			}
		})
	}
	source, _ := rendered(t, emptyRun())
	for _, want := range []string{"❔ kindlytest: NOTHING WAS CHECKED", "connection refused", "Start the site"} {
		if !strings.Contains(source, want) {
			t.Errorf("%q is missing in\n%s", want, source)
		}
	}
}
