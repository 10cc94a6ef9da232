package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

type xmlSuites struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Time     string     `xml:"time,attr"`
	Suites   []xmlSuite `xml:"testsuite"`
}

type xmlSuite struct {
	Name       string        `xml:"name,attr"`
	Tests      int           `xml:"tests,attr"`
	Failures   int           `xml:"failures,attr"`
	Errors     int           `xml:"errors,attr"`
	Skipped    int           `xml:"skipped,attr"`
	Time       string        `xml:"time,attr"`
	Timestamp  string        `xml:"timestamp,attr"`
	Properties []xmlProperty `xml:"properties>property"`
	Cases      []xmlCase     `xml:"testcase"`
}

type xmlProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type xmlCase struct {
	Name       string        `xml:"name,attr"`
	Class      string        `xml:"classname,attr"`
	Time       string        `xml:"time,attr"`
	Properties []xmlProperty `xml:"properties>property"`
	Skipped    *xmlProblem   `xml:"skipped"`
	Error      *xmlProblem   `xml:"error"`
	Failure    *xmlProblem   `xml:"failure"`
	Out        *xmlText      `xml:"system-out"`
}

type xmlText struct {
	Text string `xml:",cdata"`
}

type xmlProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",cdata"`
}

// WriteJUnit writes a finished run as JUnit XML: one testsuite an area, one
// testcase a check, named by its ID so that its history survives a rewording.
//
// A failed check is a <failure>, an errored one an <error>, a skipped one
// <skipped>. Warned, informed and expected checks pass, with their text in
// system-out; under strict a warned one is a <failure>, as the exit code says.
// A run that could not check all has an <error> in a suite of its own, so that
// a gate on this file is never green on nothing. Characters that XML forbids
// become U+FFFD.
func WriteJUnit(w io.Writer, run Run) error {
	doc := xmlSuites{Name: "kindlytest", Time: seconds(run.DurationMS)}
	for _, s := range junitSuites(run) {
		doc.add(s)
	}
	return writeXML(w, doc)
}

// add puts a suite into the document, and counts it.
func (doc *xmlSuites) add(s xmlSuite) {
	doc.Suites = append(doc.Suites, s)
	doc.Tests += s.Tests
	doc.Failures += s.Failures
	doc.Errors += s.Errors
	doc.Skipped += s.Skipped
}

func writeXML(w io.Writer, doc xmlSuites) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	return nil
}

// junitSuites are the suites of one run: one an area, and one for the run.
func junitSuites(run Run) []xmlSuite {
	var suites []xmlSuite
	for _, g := range byArea(run.Checks) {
		suites = append(suites, junitSuite(run, g))
	}
	if suite, ok := junitRun(run); ok {
		suites = append(suites, suite)
	}
	return suites
}

func junitSuite(run Run, g areaGroup) xmlSuite {
	s := xmlSuite{
		Name:       g.Name,
		Timestamp:  run.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: junitRunProperties(run),
	}
	var ms int64
	for _, c := range g.Checks {
		tc := junitCase(run, c)
		ms += c.DurationMS
		s.Tests++
		switch {
		case tc.Failure != nil:
			s.Failures++
		case tc.Error != nil:
			s.Errors++
		case tc.Skipped != nil:
			s.Skipped++
		}
		s.Cases = append(s.Cases, tc)
	}
	s.Time = seconds(ms)
	return s
}

func junitCase(run Run, c Check) xmlCase {
	tc := xmlCase{
		Name:       c.ID,
		Class:      junitClass(run, areaOf(c)),
		Time:       seconds(c.DurationMS),
		Properties: junitProperties(c),
	}
	text := junitText(c)
	problem := &xmlProblem{Message: clip(oneLine(inShort(c)), 300), Type: c.Level, Text: text}
	switch {
	case c.Outcome == Failed, c.Outcome == Warned && run.Strict:
		tc.Failure = problem
	case c.Outcome == Errored:
		problem.Type = string(Errored)
		tc.Error = problem
	case c.Outcome == Skipped:
		tc.Skipped = &xmlProblem{Message: clip(oneLine(c.Reason), 300)}
	case c.Outcome != Passed:
		tc.Out = &xmlText{string(c.Outcome) + ": " + text}
	case c.Weak:
		tc.Out = &xmlText{"passed, but proves less than it should: " + text}
	}
	return tc
}

// junitRun is the testcase that stands for the run itself, if it has a problem.
func junitRun(run Run) (xmlSuite, bool) {
	v := verdictOf(run)
	if run.Problem == "" && v.Word != nothingWord {
		return xmlSuite{}, false
	}
	message := run.Problem
	if message == "" {
		message = v.Word + ": " + v.Detail
	}
	text := validXML(strings.TrimSpace(message + "\n" + run.Hint))
	return xmlSuite{
		Name: "RUN", Tests: 1, Errors: 1, Time: seconds(0),
		Timestamp:  run.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: junitRunProperties(run),
		Cases: []xmlCase{{
			Name: "RUN-COMPLETE", Class: junitClass(run, "RUN"), Time: seconds(0),
			Error: &xmlProblem{Message: clip(oneLine(message), 300), Type: string(Errored), Text: text},
		}},
	}, true
}

// junitClass holds the target's name, or two targets in one build would share
// their history.
func junitClass(run Run, area string) string {
	if run.Target.Name == "" {
		return "kindlytest." + area
	}
	return "kindlytest." + strings.ReplaceAll(run.Target.Name, ".", "_") + "." + area
}

func junitRunProperties(run Run) []xmlProperty {
	return properties(
		"tool", strings.TrimSpace(run.Tool.Name+" "+run.Tool.Version),
		"target", run.Target.Name,
		"page", run.Target.Page,
		"endpoint", run.Target.Endpoint,
	)
}

func junitProperties(c Check) []xmlProperty {
	weak := ""
	if c.Weak {
		weak = "true"
	}
	return properties(
		"outcome", string(c.Outcome), "level", c.Level, "fidelity", c.Fidelity, "source", c.Source,
		"reason", c.Reason, "fix", c.Fix, "repeat", c.Repeat, "weak", weak,
	)
}

// properties makes properties of names and values, without empty values.
func properties(pairs ...string) []xmlProperty {
	var out []xmlProperty
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, xmlProperty{Name: pairs[i], Value: clip(pairs[i+1], maxJUnitField)})
		}
	}
	return out
}

// maxJUnitField bounds each text, in runes: some CI servers read the whole file
// into memory, with that of all other builds.
const maxJUnitField = 10_000

func junitText(c Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", clip(c.Requirement, maxJUnitField))
	for _, f := range fieldsOf(c) {
		text := strings.ReplaceAll(clip(f.Text, maxJUnitField), "\n", "\n          ")
		fmt.Fprintf(&b, "%-9s %s\n", f.Label, text)
	}
	return validXML(b.String())
}

// validXML replaces what XML 1.0 cannot hold, which encoding/xml does for
// attributes, but not for CDATA.
func validXML(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r // RuneError for a byte that is no UTF-8
	}, s)
}

func seconds(ms int64) string {
	return fmt.Sprintf("%.3f", (time.Duration(ms) * time.Millisecond).Seconds())
}
