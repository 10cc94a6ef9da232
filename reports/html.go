package reports

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed report.gohtml
var htmlSource string

//go:embed report.css
var htmlStyle string

//go:embed report.js
var htmlScript string

// maxHTMLText bounds each text, in runes: a browser stalls on a line of
// megabytes. report.json has all.
const maxHTMLText = 20_000

var htmlTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"line":   func(s string) string { return clip(oneLine(s), maxHTMLText) },
	"text":   func(s string) string { return clip(strings.TrimSpace(printable(s)), maxHTMLText) },
	"symbol": symbol,
	"word":   outcomeWord,
	"class":  known,
	"took":   duration,
	"kind":   knownKind,
	"tokens": decodedTokens,
	"join":   strings.Join,
	"stamp":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
}).Parse(htmlSource))

// WriteHTML writes a finished run as one page for people. It needs no other
// file and no network, and is readable without its style and its script, which
// some artifact viewers block; its own Content-Security-Policy allows only those
// two, by their hashes, and a screenshot that stands in it, so nothing that a
// target says can run or load anything. Without a script the checks can still be
// filtered by outcome; without a style they can still be opened and closed.
func WriteHTML(w io.Writer, run Run) error {
	if err := htmlTemplate.Execute(w, newPage(run)); err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	return nil
}

// A htmlPage is what the template shows.
type htmlPage struct {
	Run      Run
	Verdict  verdict
	Subject  string // what was checked, in short
	Problem  string // if the verdict does not say it already
	Policy   string
	Style    template.CSS
	Script   template.JS
	Areas    []htmlArea
	Outcomes []htmlOutcome
	Failed   []htmlCheck // the first maxFirst of them
	Others   []htmlCheck // that failed too
	Warned   []htmlCheck
	Errored  []htmlReason
	Skipped  []htmlReason
	Way      htmlTimeline
}

// maxFirst bounds what is shown of failures before all else: the first screen
// must also say what was not checked.
const maxFirst = 5

type htmlArea struct {
	Name   string
	Anchor string
	Worst  Outcome
	Counts []string
	Checks []htmlCheck
}

type htmlCheck struct {
	Check
	Anchor string
	Area   string
	URL    string // the source, if it is a link
}

// A htmlReason is why some checks came to one outcome.
type htmlReason struct {
	Reason string
	Checks []htmlCheck
}

type htmlOutcome struct {
	Outcome Outcome
	Count   int
}

func newPage(run Run) htmlPage {
	p := htmlPage{
		Run:     run,
		Verdict: verdictOf(run),
		Subject: subjectOf(run.Target),
		Style:   template.CSS(htmlStyle), // our own, and the same as hashed
		Script:  template.JS(htmlScript),
		Way:     newTimeline(run),
	}
	p.Policy = policy(p.Way.Picture != "")
	if p.Verdict.Word != nothingWord {
		p.Problem = run.Problem
	}
	taken := map[string]bool{}
	for i, g := range byArea(run.Checks) {
		area := htmlArea{Name: oneLine(g.Name), Anchor: fmt.Sprintf("area-%d", i), Worst: worstOf(g.Summary), Counts: areaCounts(g)}
		for _, c := range g.Checks {
			area.Checks = append(area.Checks, htmlCheck{Check: c, Anchor: anchor(c, taken), Area: area.Name, URL: webURL(c.Source)})
		}
		p.Areas = append(p.Areas, area)
	}
	p.Failed, p.Warned = p.with(Failed), p.with(Warned)
	p.Errored, p.Skipped = p.reasons(run, Errored), p.reasons(run, Skipped)
	if run.Strict { // then they fail the run
		p.Failed, p.Warned = append(p.Failed, p.Warned...), nil
	}
	if len(p.Failed) > maxFirst {
		p.Failed, p.Others = p.Failed[:maxFirst], p.Failed[maxFirst:]
	}
	for _, o := range Outcomes {
		if n := len(p.with(o)); n > 0 {
			p.Outcomes = append(p.Outcomes, htmlOutcome{o, n})
		}
	}
	return p
}

// reasons groups the checks of an outcome by their reason.
func (p htmlPage) reasons(run Run, o Outcome) []htmlReason {
	var out []htmlReason
	checks := p.with(o)
	for _, g := range byReason(run.Checks, o) {
		r := htmlReason{Reason: g.Reason}
		for _, c := range checks {
			if cmp.Or(c.Reason, noReason) == g.Reason {
				r.Checks = append(r.Checks, c)
			}
		}
		out = append(out, r)
	}
	return out
}

// subjectOf names the target in short.
func subjectOf(t Target) string {
	subject := cmp.Or(t.Page, t.Endpoint)
	if subject == "" && len(t.Webhooks) > 0 {
		subject = t.Webhooks[0].URL
	}
	if t.Name == "" || subject == "" {
		return cmp.Or(t.Name, subject)
	}
	return t.Name + ": " + subject
}

func (p htmlPage) with(o Outcome) []htmlCheck {
	var out []htmlCheck
	for _, a := range p.Areas {
		for _, c := range a.Checks {
			if c.Outcome == o {
				out = append(out, c)
			}
		}
	}
	return out
}

var idForm = regexp.MustCompile(`^[A-Z][A-Z0-9-]*$`)

// plainID tells whether an ID is one like ours. (The bound within the expression
// would cost a millisecond at each start.)
func plainID(id string) bool { return len(id) <= 61 && idForm.MatchString(id) }

// anchor is the check's ID, so that links to it last, or a number if the ID is
// strange or taken. The page's own anchors are in lower case.
func anchor(c Check, taken map[string]bool) string {
	name := c.ID
	if !plainID(name) || taken[name] {
		name = fmt.Sprintf("check-%d", len(taken))
	}
	taken[name] = true
	return name
}

// webURL is s if it is a link to the web, or else "".
func webURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) {
		return ""
	}
	return u.String()
}

// policy is the page's Content-Security-Policy. A viewer's own is enforced beside it.
func policy(picture bool) string {
	images := ""
	if picture {
		images = "img-src data:; "
	}
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; %sbase-uri 'none'; form-action 'none'",
		hashOf(htmlStyle), hashOf(htmlScript), images)
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// outcomeWord is an outcome for people.
func outcomeWord(o Outcome) string {
	words := map[Outcome]string{
		Errored: "could not run", Expected: "known failure", Informed: "noted",
	}
	return cmp.Or(words[o], string(o))
}

// known is o, or Informed if there is no such outcome.
func known(o Outcome) Outcome {
	if slices.Contains(Outcomes, o) {
		return o
	}
	return Informed
}
