package reports

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// A report of schema 1 knows no causes, and is read as it was meant.
func TestReadJSONReadsSchema1(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, sampleRun(), JSON); err != nil {
		t.Fatal(err)
	}
	old := strings.Replace(b.String(), `"schema": 2`, `"schema": 1`, 1)
	run, err := ReadJSON(strings.NewReader(old))
	if err != nil {
		t.Fatal(err)
	}
	if run.Schema != 2 || run.Summary != sampleRun().Summary || len(run.Causes) != 0 {
		t.Errorf("it is read as schema %d, %+v", run.Schema, run.Summary)
	}
	set, several, err := ReadSet(strings.NewReader(`{"schema":1,"runs":[{"schema":1,"checks":[{"id":"A-B","outcome":"skipped","reason":"not selected by --only"}]}]}`))
	if err != nil || !several {
		t.Fatal(several, err)
	}
	if got := outlineOf(set.Runs[0]).Judged; got != "0 of 0 checks judged, 1 not selected" {
		t.Errorf("what was not selected is told as %q", got)
	}
}

func TestDeathsAreKeptThoughNoCheckCountsThem(t *testing.T) {
	run := twoWebhooksRun()
	var b bytes.Buffer
	if err := Write(&b, run, JSON); err != nil {
		t.Fatal(err)
	}
	back, err := ReadJSON(&b)
	if err != nil || back.Summary.Deaths != 1 {
		t.Errorf("%d deaths, %v", back.Summary.Deaths, err)
	}
}

func TestReadJSONRefusesACauseWithoutID(t *testing.T) {
	_, err := ReadJSON(strings.NewReader(`{"schema":2,"causes":[{"title":"x"}],"checks":[]}`))
	if err == nil || !strings.Contains(err.Error(), "causes[0] has no id") {
		t.Errorf("error %v", err)
	}
}

// Code scanning shows a result at a line of a file, and tells those at one line
// apart by their fingerprint.
func TestSARIFIsTakenByCodeScanning(t *testing.T) {
	for name, row := range map[string]struct {
		config *Place
		uri    string
		line   int
	}{
		"a configuration":   {&Place{Path: "shop/kindly test.yaml", Line: 12}, "shop/kindly%20test.yaml", 12},
		"as Windows writes": {&Place{Path: `.\shop\kindlytest.yaml`}, "shop/kindlytest.yaml", 1},
		"none":              {nil, "kindlytest.yaml", 1},
	} {
		t.Run(name, func(t *testing.T) {
			run := twoWebhooksRun()
			run.Config = row.config
			_, report := parseSARIF(t, run)
			var ids []string
			prints := map[string]bool{}
			for _, r := range report.Runs[0].Results {
				ids = append(ids, r.RuleID)
				prints[r.Fingerprints["primaryLocationLineHash"]] = true
				at := r.Locations[0].Physical
				if at.Artifact.URI != row.uri || at.Region.Line != row.line {
					t.Errorf("%s stands at %+v", r.RuleID, at)
				}
				if rule := report.Runs[0].Tool.Driver.Rules[r.RuleIndex]; rule.ID != r.RuleID {
					t.Errorf("%s points at the rule %s", r.RuleID, rule.ID)
				}
			}
			if want := "webhook-verifies-nothing proxy-refuses AUTH-01 LIVE-05"; strings.Join(ids, " ") != want || len(prints) != 4 {
				t.Errorf("results for %v, %d fingerprints; want %s", ids, len(prints), want)
			}
			if rule := report.Runs[0].Tool.Driver.Rules[0]; rule.Properties.Severity != "9.5" {
				t.Errorf("the severity of a critical cause is %q", rule.Properties.Severity)
			}
		})
	}
}

func TestSARIFTellsOneMistakeInTwoWebhooksApart(t *testing.T) {
	run := twoWebhooksRun()
	second := run.Causes[0]
	second.Where = "account"
	run.Causes = append(run.Causes, second)
	_, report := parseSARIF(t, finished(run))
	a, b := report.Runs[0].Results[0], report.Runs[0].Results[1]
	if a.RuleID != b.RuleID || a.Fingerprints["kindlytest/v1"] == b.Fingerprints["kindlytest/v1"] {
		t.Errorf("%s and %s are one result", a.RuleID, b.RuleID)
	}
}

// What a CI shows of a failed test is the mistake, and how it is mended.
func TestJUnitFailuresCarryTheirCause(t *testing.T) {
	_, suites := parseJUnit(t, oneFaultRun())
	hook := suites["HOOK"].Tests
	if len(hook) != 30 || hook[0].Name != "HOOK-03" {
		t.Fatalf("%d checks, the first is %s", len(hook), hook[0].Name)
	}
	if !strings.Contains(hook[0].Message, "A token without its signature is believed") {
		t.Errorf("the message is %q", hook[0].Message)
	}
	text := hook[0].Error.Error()
	for _, want := range []string{"The webhook verifies no token (webhook-verifies-nothing)", "RS256 only", "answered  200 application/json"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "Verify the signature with the public half") {
		t.Error("the advice about the symptom is there too")
	}
}

func TestJUnitMessagesSayWhatWasRequired(t *testing.T) {
	_, suites := parseJUnit(t, sampleRun())
	want := "Required: Two chat ids give two tokens, each with its own chat.id: both tokens have chat.id "
	if got := suites["AUTH"].Tests[0].Message; !strings.HasPrefix(got, want) {
		t.Errorf("the message is %q", got)
	}
}

// Whatever a report says, each line is one command that we wrote.
func TestAnnotationsAreOurs(t *testing.T) {
	command := regexp.MustCompile(`^::(error|warning) (file=[^:,\n]*,line=\d+,)?title=[^:,\n]*::[^\n]*$`)
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			r := run()
			r.Target.Name = hostile
			if err := WriteAnnotations(&b, NewSet([]Run{r, r})); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
			if len(lines) > 2*maxAnnotations {
				t.Errorf("%d annotations", len(lines))
			}
			for _, line := range lines {
				if line != "" && !command.MatchString(line) || strings.ContainsAny(line, "\r\x1b\u0085\u2028") {
					t.Errorf("%.200q", line)
				}
			}
		})
	}
	var b bytes.Buffer
	if err := WriteAnnotations(&b, NewSet([]Run{twoWebhooksRun()})); err != nil {
		t.Fatal(err)
	}
	want := "::error file=kindlytest.yaml,line=12,title=The webhook verifies no token (orders)::Anybody can be any of your users, at orders. Verify the token. explains 7 checks.\n"
	if !strings.HasPrefix(b.String(), want) || strings.Count(b.String(), "::error ") != 4 {
		t.Errorf("it begins otherwise:\n%s", b.String())
	}
}

func TestSetHTMLIsOnePageOfAllTargets(t *testing.T) {
	set := NewSet([]Run{named("shop", oneFaultRun()), named("intranet", twoWebhooksRun()), named("gone", emptyRun()), named("<b>\x1b", hostileRun())})
	var b bytes.Buffer
	if err := Write(&b, set, HTML); err != nil {
		t.Fatal(err)
	}
	source := b.String()
	doc, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(elements(doc, "h1")); n != 1 {
		t.Errorf("%d headings of the first level", n)
	}
	ids := map[string]bool{}
	for n := range doc.Descendants() {
		if id := attribute(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("two elements have the id %q", id)
			}
			ids[id] = true
		}
	}
	for n := range doc.Descendants() {
		if to, ok := strings.CutPrefix(attribute(n, "href"), "#"); ok && !ids[to] {
			t.Errorf("#%s leads nowhere", to)
		}
		for label := range strings.FieldsSeq(attribute(n, "aria-labelledby")) {
			if !ids[label] {
				t.Errorf("#%s labels nothing", label)
			}
		}
	}
	for _, want := range []string{`id="t1-HOOK-03"`, `id="t2-HOOK-03"`, "Not ready to go live: shop, intranet", "img-src data:;"} {
		if !strings.Contains(source, want) {
			t.Errorf("%q is not in it", want)
		}
	}
	if strings.Contains(source, "<b>\x1b") || strings.Contains(source, "\x1b") {
		t.Error("a name is markup")
	}
}

// Headings go down one level at a time, for who reads by them.
func TestHTMLHeadingsSkipNoLevel(t *testing.T) {
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			_, doc := parseHTML(t, run())
			level := 0
			for n := range doc.Descendants() {
				if n.Type == html.ElementNode && len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
					if next := int(n.Data[1] - '0'); next > level+1 {
						t.Errorf("<h%d> %q follows <h%d>", next, content(n), level)
					} else {
						level = next
					}
				}
			}
		})
	}
}

func TestJSONDropsNothingOfSchema1(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, oneFaultRun(), JSON); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Causes []map[string]any
		Checks []map[string]any
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Checks) != 141 || len(doc.Causes) != 1 {
		t.Fatalf("%d checks, %d causes", len(doc.Checks), len(doc.Causes))
	}
	for _, member := range []string{"id", "area", "level", "fidelity", "requirement", "source", "outcome", "weak", "duration_ms"} {
		if _, ok := doc.Checks[0][member]; !ok {
			t.Errorf("a check has no %s", member)
		}
	}
}
