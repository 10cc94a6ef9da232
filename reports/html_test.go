package reports

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func parseHTML(t *testing.T, run Run) (source string, doc *html.Node) {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, run, HTML); err != nil {
		t.Fatal(err)
	}
	source = b.String()
	doc, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	return source, doc
}

func elements(doc *html.Node, name string) []*html.Node {
	var out []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			out = append(out, n)
		}
	}
	return out
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func content(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// replaced has s in place of the hostile text everywhere.
func replaced(s string) Run {
	run := hostileRun()
	for i := range run.Checks {
		o := run.Checks[i].Outcome
		run.Checks[i].ID, run.Checks[i].Area, run.Checks[i].Level, run.Checks[i].Fidelity = s, s, s, s
		c := &run.Checks[i]
		c.Requirement, c.Source, c.Reason, c.Expected, c.Actual, c.Fix, c.Repeat = s, s, s, s, s, s, s
		c.Outcome, c.Sample = o, &Sample{s, s, s}
		evidence := make([]Evidence, len(c.Evidence))
		for j := range evidence {
			headers := []Header{{s, s}, {s, s}}
			evidence[j] = Evidence{At: sampleTime, DurationMS: c.Evidence[j].DurationMS, Title: s,
				Request:  &Request{Method: s, URL: s, Headers: headers, Body: s},
				Response: &Response{Status: c.Evidence[j].Response.Status, Headers: headers, Body: s, Error: s}}
		}
		c.Evidence = evidence
	}
	for i := range run.Notes {
		run.Notes[i].Text = s
	}
	for i := range run.Timeline {
		run.Timeline[i].Title, run.Timeline[i].Detail, run.Timeline[i].Kind = s, s, MomentKind(s)
	}
	run.Tool, run.Problem, run.Hint = Tool{s, s}, s, s
	for i := range run.Causes {
		c := &run.Causes[i]
		c.ID, c.Title, c.Consequence, c.Owner, c.Seen, c.Where, c.Fix, c.Repeat = "an odd "+s, s, s, s, s, s, s, s
		c.Sample, c.Severity = &Sample{s, s, s}, Severity(s)
		c.Explains = []string{s}
		c.Evidence = run.Checks[0].Evidence
	}
	for i := range run.Checks {
		c := &run.Checks[i]
		c.Broken, c.Consequence, c.Cause, c.Witness = s, s, "an odd "+s, s
	}
	run.Config = &Place{Path: s}
	run.Target = Target{s, s, s, []Webhook{{s, s, s}, {s, s, s}}, []string{s}, s, []string{s}, s, s}
	return run
}

// A hostile run has the same elements and attributes as a plain one: whatever
// the target says stays text.
func TestHTMLTakesNoMarkupFromTheTarget(t *testing.T) {
	shape := func(doc *html.Node) []string {
		var out []string
		for n := range doc.Descendants() {
			switch n.Type {
			case html.ElementNode:
				s := n.Data
				for _, a := range n.Attr {
					s += " " + a.Key
					switch {
					case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "src" && !strings.HasPrefix(a.Val, "data:image/png;base64,"):
						t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
					case a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://"):
						t.Errorf("<%s href=%q>", n.Data, a.Val)
					}
				}
				out = append(out, s)
			case html.CommentNode:
				t.Errorf("a comment: %q", n.Data)
			}
		}
		return out
	}
	_, plain := parseHTML(t, replaced("plain"))
	source, hostile := parseHTML(t, hostileRun())
	if want, got := shape(plain), shape(hostile); !slices.Equal(want, got) {
		t.Errorf("%d elements, want %d", len(got), len(want))
	}
	for _, r := range source {
		if r < ' ' && r != '\n' || r >= 0x7f && r <= 0x9f || r == 0x202e || r == 0xfffe {
			t.Fatalf("%U is in it", r)
		}
	}
}

func TestHTMLLinksOnlyToTheWeb(t *testing.T) {
	for source, want := range map[string]string{
		"https://docs.kindly.ai/webhooks":    "https://docs.kindly.ai/webhooks",
		"javascript:alert(1)":                "",
		"JaVaScRiPt://x/%0aalert(1)":         "",
		"data:text/html,<script>":            "",
		"//evil.example":                     "",
		"https:":                             "",
		"our choice":                         "",
		"https://docs.kindly.ai/\" onclick=": "https://docs.kindly.ai/%22%20onclick=",
	} {
		if got := webURL(source); got != want {
			t.Errorf("%q gives the link %q, want %q", source, got, want)
		}
	}
}

// The policy allows the page's own style and script and nothing else. A browser
// would show a blank page where the hashes are wrong.
func TestHTMLPolicyFitsThePage(t *testing.T) {
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			source, doc := parseHTML(t, run())
			styles, scripts := elements(doc, "style"), elements(doc, "script")
			if len(styles) != 1 || len(scripts) != 1 {
				t.Fatalf("%d styles, %d scripts", len(styles), len(scripts))
			}
			policy := ""
			for _, m := range elements(doc, "meta") {
				if attribute(m, "http-equiv") == "Content-Security-Policy" {
					policy = attribute(m, "content")
				}
			}
			want := "default-src 'none'; style-src '" + hashOf(content(styles[0])) + "'; script-src '" +
				hashOf(content(scripts[0])) + "'; base-uri 'none'; form-action 'none'"
			if len(elements(doc, "img")) > 0 {
				want = strings.Replace(want, "base-uri", "img-src data:; base-uri", 1)
			}
			if policy != want {
				t.Errorf("policy\n%s, want\n%s", policy, want)
			}
			if strings.Index(source, "Content-Security-Policy") > strings.Index(source, "<style") {
				t.Error("the policy comes after what it is for")
			}
			for _, outside := range []string{"@import", "url(", "<link", "<iframe"} {
				if strings.Contains(htmlSource+htmlStyle, outside) {
					t.Errorf("the page has %q", outside)
				}
			}
		})
	}
}

func TestHTMLLinksLeadSomewhere(t *testing.T) {
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			_, doc := parseHTML(t, run())
			ids := map[string]bool{}
			for n := range doc.Descendants() {
				if id := attribute(n, "id"); id != "" {
					if ids[id] {
						t.Errorf("two elements have the id %q", id)
					}
					ids[id] = true
				}
			}
			for _, a := range elements(doc, "a") {
				if to, ok := strings.CutPrefix(attribute(a, "href"), "#"); ok && !ids[to] {
					t.Errorf("#%s leads nowhere", to)
				}
			}
			for n := range doc.Descendants() {
				for to := range strings.FieldsSeq(attribute(n, "aria-labelledby")) {
					if !ids[to] {
						t.Errorf("#%s labels nothing", to)
					}
				}
			}
		})
	}
}

func TestHTMLSaysWhatMatters(t *testing.T) {
	spaces := regexp.MustCompile(`\s+`)
	strict := sampleRun()
	strict.Strict, strict.Checks = true, append(withOutcome(strict.Checks, Warned), withOutcome(strict.Checks, Passed)...)
	for name, row := range map[string]struct {
		run  Run
		says []string
	}{
		"failed": {sampleRun(), []string{
			"✘ FAILED Not ready to go live. 1 requirement does not hold. 8 of 12 checks judged · 1 failed", "What fails AUTH-BIND-CHAT Required: Two chat ids", "Fix: Read the chat id",
			"2 checks: no private key", "1 check could not run: the webhook was gone before the check began LIVE-HOOK-BURST", "? could not run LIVE-HOOK-BURST",
			"kindlytest run https://staging.example.com/ --only AUTH-BIND-CHAT",
			"POST https://staging.example.com/kindly/token Content-Type: application/json", "Cookie: <removed>",
			"connection reset by peer", "It passed, but proves less", "The private key signs what looks like production.",
		}},
		"empty":  {emptyRun(), []string{"? NOTHING WAS CHECKED Nothing was checked, so nothing is known: the page could not be opened", "Hint: Start the site", "There are none."}},
		"strict": {finished(strict), []string{"✘ FAILED Not ready to go live.", "strict: a warning fails the run", "What fails AUTH-NO-STORE"}},
		"passed": {passedRun(), []string{"✔ PASSED Ready to go live: what was judged holds. 4 of 4 checks judged"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, doc := parseHTML(t, row.run)
			text := spaces.ReplaceAllString(content(elements(doc, "body")[0]), " ")
			for _, want := range row.says {
				if !strings.Contains(text, want) {
					t.Errorf("it does not say %q", want)
				}
			}
		})
	}
}

// Checks are stable anchors, so that a link to one lasts.
func TestHTMLAnchors(t *testing.T) {
	taken := map[string]bool{}
	for _, row := range [][2]string{
		{"AUTH-BIND-CHAT", "AUTH-BIND-CHAT"}, {"AUTH-BIND-CHAT", "check-1"}, {"checks", "check-2"}, {"A B", "check-3"}, {"", "check-4"},
	} {
		if got := anchor("", Check{ID: row[0]}, taken); got != row[1] {
			t.Errorf("%q has the anchor %q, want %q", row[0], got, row[1])
		}
	}
}
