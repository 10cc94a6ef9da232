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

	"github.com/kindlytest/kindlytest/internal/clip"
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
	"line":     func(s string) string { return clip.Runes(oneLine(s), maxHTMLText) },
	"text":     func(s string) string { return clip.Runes(strings.TrimSpace(printable(s)), maxHTMLText) },
	"symbol":   symbol,
	"word":     outcomeWord,
	"class":    known,
	"took":     duration,
	"kind":     knownKind,
	"tokens":   decodedTokens,
	"join":     strings.Join,
	"head":     func(c htmlCheck) string { return clip.Runes(oneLine(c.headline()), maxHTMLText) },
	"count":    plural,
	"label":    func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
	"command":  func(label string) bool { return label == "repeat" || label == "explain" },
	"answered": answeredBeside,
	"severity": func(s Severity) Severity { return []Severity{Critical, High, Medium, Low, Low}[s.rank()] },
	"words":    func(s Severity) string { return string(s) },
	"stamp":    stampOf,
	"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
}).Parse(htmlSource))

// writeHTML writes a finished run as one page for people. It needs no other
// file and no network, and is readable without its style and its script, which
// some artifact viewers block; its own Content-Security-Policy allows only those
// two, by their hashes, and a screenshot that stands in it, so nothing that a
// target says can run or load anything. Without a script the checks can still be
// filtered by outcome; without a style they can still be opened and closed.
func writeHTML(w io.Writer, run Run) error {
	return writePage(w, newPage(run))
}

// writeSetHTML writes the runs against several targets as one such page.
func writeSetHTML(w io.Writer, s Set) error {
	return writePage(w, newSetPage(s))
}

func writePage(w io.Writer, p htmlPage) error {
	if err := htmlTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	return nil
}

// A htmlPage is what the template shows: one run, or several.
type htmlPage struct {
	Title    string
	Tool     Tool
	Policy   string
	Style    template.CSS
	Script   template.JS
	Set      *htmlSet // of several targets
	Runs     []htmlRun
	Outcomes []htmlOutcome
}

// A htmlSet is the one verdict of several targets.
type htmlSet struct {
	Verdict  verdict
	Sentence string
	Started  time.Time
}

// A htmlRun is the part of the page that tells of one run.
type htmlRun struct {
	outline
	P        string // what its anchors begin with: nothing, if there is one run only
	Subject  string // what was checked, in short
	Origin   string // commit and branch
	Problem  string // if nothing else says it
	Areas    []htmlArea
	Causes   []htmlCause
	More     int         // causes that are not shown
	Failed   []htmlCheck // the first maxFirst of those without a cause
	Others   []htmlCheck // that failed too
	Warned   []htmlCheck
	Unjudged []htmlReason
	Way      htmlTimeline
}

// maxFirst bounds what is shown of failures before all else: the first screen
// must also say what was not judged.
const maxFirst = 5

type htmlArea struct {
	Code   string
	Name   string
	Tried  string
	Judged string
	Counts string
	Anchor string
	Worst  Outcome
	Checks []htmlCheck
}

type htmlCause struct {
	causeOutline
	Anchor   string
	Fields   []field
	Symptoms []htmlCheck
}

type htmlCheck struct {
	Check
	Anchor string
	Area   string
	URL    string // the source, if it is a link
	Open   bool
	Cause  *htmlCause // that explains it, if one does
}

// A htmlReason is why some checks came to one outcome.
type htmlReason struct {
	Reason  string
	Outcome Outcome
	Checks  []htmlCheck
}

type htmlOutcome struct {
	Outcome Outcome
	Count   int
}

func newPage(run Run) htmlPage {
	p := pageOf(run.Tool, []Run{run})
	p.Title = titled(verdictOf(run).Word, run.Target.Name)
	return p
}

func newSetPage(s Set) htmlPage {
	p := pageOf(s.Tool, s.Runs)
	v := s.verdict()
	p.Set = &htmlSet{Verdict: v, Sentence: s.sentence(), Started: s.Started}
	p.Title = titled(v.Word, plural(len(s.Runs), "target"))
	return p
}

func titled(word, what string) string {
	if what = clip.Runes(oneLine(what), maxHTMLText); what != "" {
		word += " · " + what
	}
	return word + " · kindlytest"
}

func pageOf(tool Tool, runs []Run) htmlPage {
	p := htmlPage{
		Tool:   tool,
		Style:  template.CSS(htmlStyle), // our own, and the same as hashed
		Script: template.JS(htmlScript),
	}
	var all Summary
	picture := false
	for i, run := range runs {
		prefix := ""
		if len(runs) > 1 {
			prefix = fmt.Sprintf("t%d-", i+1)
		}
		told := newHTMLRun(run, prefix)
		p.Runs = append(p.Runs, told)
		all = all.plus(summarize(run.Checks))
		picture = picture || told.Way.Picture != ""
	}
	p.Policy = policy(picture)
	for _, o := range Outcomes {
		if n := all.of(o); n > 0 {
			p.Outcomes = append(p.Outcomes, htmlOutcome{o, n})
		}
	}
	return p
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

var idForm = regexp.MustCompile(`^[A-Z][A-Z0-9-]*$`)

// plainID tells whether an ID is one like ours. (The bound within the expression
// would cost a millisecond at each start.)
func plainID(id string) bool { return len(id) <= 61 && idForm.MatchString(id) }

// anchor is the check's ID, so that links to it last, or a number if the ID is
// strange or taken. The page's own anchors are in lower case.
func anchor(prefix string, c Check, taken map[string]bool) string {
	name := prefix + c.ID
	if !plainID(c.ID) || taken[name] {
		name = fmt.Sprintf("%scheck-%d", prefix, len(taken))
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
