package reports

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// writeJUnit writes a finished run as JUnit XML: one testsuite an area, one
// testcase a check, named by its ID so that its history survives a rewording.
//
// A failed check is a <failure>, an errored one an <error>, a skipped one
// <skipped>. Warned, informed and expected checks pass, with their text in
// system-out; under strict a warned one is a <failure>, as the exit code says.
// A run that could not check all has an <error> in a suite of its own, so that
// a gate on this file is never green on nothing. Characters that XML forbids
// become U+FFFD.
func writeJUnit(w io.Writer, run Run) error {
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
	t := outlineOf(run)
	causes := t.causesByCheck()
	groups := slices.Clone(t.Areas)
	slices.SortStableFunc(groups, func(a, b areaGroup) int { // what is worst first; readers keep the order
		return cmp.Or(cmp.Compare(badness(b.Mark()), badness(a.Mark())), cmp.Compare(areas[a.Name].severity.rank(), areas[b.Name].severity.rank()))
	})
	var suites []xmlSuite
	for _, g := range groups {
		suites = append(suites, junitSuite(run, g, causes))
	}
	if len(suites) > 0 { // it is told once, where it is read first
		suites[0].Properties = append(junitVerdict(t), suites[0].Properties...)
	}
	if suite, ok := junitRun(run); ok {
		suites = append(suites, suite)
	}
	return suites
}

func junitSuite(run Run, g areaGroup, causes map[string][]causeOutline) xmlSuite {
	s := xmlSuite{
		Name:       g.Name,
		Timestamp:  run.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: junitRunProperties(run),
	}
	var ms int64
	for _, c := range byCause(run.Causes, g.Checks) {
		tc := junitCase(run, c, causes[c.ID])
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

func junitCase(run Run, c Check, causes []causeOutline) xmlCase {
	tc := xmlCase{
		Name:       c.ID,
		Class:      junitClass(run, areaOf(c)),
		Time:       seconds(c.DurationMS),
		Properties: junitProperties(c, causes),
	}
	text := junitText(c, causes)
	problem := &xmlProblem{Message: clip.Runes(oneLine(junitMessage(c, causes)), 300), Type: c.Level, Text: text}
	switch {
	case c.Outcome == Failed, c.Outcome == Warned && run.Strict:
		tc.Failure = problem
	case c.Outcome == Errored:
		problem.Type = string(Errored)
		tc.Error = problem
	case c.Outcome == Skipped:
		tc.Skipped = &xmlProblem{Message: clip.Runes(oneLine(c.Reason), 300)}
	case c.Outcome != Passed:
		tc.Out = &xmlText{string(c.Outcome) + ": " + text}
	case c.Weak:
		tc.Out = &xmlText{"passed, but proves less than it should: " + text}
	}
	return tc
}

// junitMessage is what a CI shows of a test case in its list, where the
// requirement is not beside it: the cause first, if one is known.
func junitMessage(c Check, causes []causeOutline) string {
	if len(causes) > 0 {
		return strings.TrimRight(causes[0].Heading(), ". ") + ": " + junitMessage(c, nil)
	}
	if badness(c.Outcome) < accepted || c.Actual == "" {
		return inShort(c)
	}
	return strings.TrimRight(c.headline(), ". ") + ": " + c.Actual
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
			Error: &xmlProblem{Message: clip.Runes(oneLine(message), 300), Type: string(Errored), Text: text},
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

// junitVerdict is the verdict as a sentence, and the causes.
func junitVerdict(t outline) []xmlProperty {
	out := properties("verdict", t.Sentence, "judged", t.Judged, "deaths", t.Deaths)
	for _, c := range t.Causes[:min(len(t.Causes), maxCauses)] {
		text := joined([]string{oneLine(string(c.Severity)), oneLine(c.Owner), oneLine(c.Heading()), c.Count(), oneLine(c.Fix)})
		out = append(out, properties("cause", text)...)
	}
	return out
}

func junitRunProperties(run Run) []xmlProperty {
	return properties(
		"tool", strings.TrimSpace(run.Tool.Name+" "+run.Tool.Version),
		"target", run.Target.Name,
		"page", run.Target.Page,
		"endpoint", run.Target.Endpoint,
		"commit", run.Target.Commit,
		"branch", run.Target.Branch,
	)
}

func junitProperties(c Check, causes []causeOutline) []xmlProperty {
	weak := ""
	if c.Weak {
		weak = "true"
	}
	cause := ""
	if len(causes) > 0 {
		cause = causes[0].ID
	}
	return properties(
		"outcome", string(c.Outcome), "level", c.Level, "fidelity", c.Fidelity, "observed", c.observed(), "source", c.Source, "cause", cause, "witness", c.Witness,
		"reason", c.Reason, "fix", c.Fix, "repeat", c.Repeat, "weak", weak,
	)
}

// properties makes properties of names and values, without empty values.
func properties(pairs ...string) []xmlProperty {
	var out []xmlProperty
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, xmlProperty{Name: pairs[i], Value: clip.Runes(pairs[i+1], maxJUnitField)})
		}
	}
	return out
}

// maxJUnitField bounds each text, in runes: some CI servers read the whole file
// into memory, with that of all other builds.
const maxJUnitField = 10_000

func junitText(c Check, causes []causeOutline) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", clip.Runes(c.headline(), maxJUnitField))
	line := func(f field) {
		text := strings.ReplaceAll(clip.Runes(f.Text, maxJUnitField), "\n", "\n          ")
		fmt.Fprintf(&b, "%-9s %s\n", f.Label, text)
	}
	for _, cause := range causes {
		line(field{"cause", cause.Heading() + " (" + cause.ID + ")"})
		if cause.Fix != "" {
			line(field{"fix", cause.Fix})
			c.Fix = "" // advice about a symptom misleads
		}
	}
	for _, f := range fieldsOf(c) {
		line(f)
	}
	if c.Broken != "" {
		line(field{"required", c.Requirement})
	}
	return validXML(b.String())
}

// causesByCheck are the causes that explain each check.
func (t outline) causesByCheck() map[string][]causeOutline {
	out := map[string][]causeOutline{}
	for _, cause := range t.Causes {
		for _, c := range cause.Symptoms {
			if len(out[c.ID]) < maxCauses {
				out[c.ID] = append(out[c.ID], cause)
			}
		}
	}
	return out
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
