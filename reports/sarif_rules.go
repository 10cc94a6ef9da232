package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// sarifRules are the rules of a run, and where each stands.
type sarifRules struct {
	all            []sarifRule
	causes, checks map[string]int
}

// newSARIFRules makes one rule a cause and a check.
func newSARIFRules(t outline) sarifRules {
	r := sarifRules{all: []sarifRule{}, causes: map[string]int{}, checks: map[string]int{}}
	for _, c := range t.Causes {
		if _, ok := r.causes[c.ID]; !ok {
			r.causes[c.ID] = len(r.all)
			r.all = append(r.all, ruleOfCause(c))
		}
	}
	for _, c := range t.Run.Checks {
		if _, ok := r.checks[c.ID]; !ok {
			r.checks[c.ID] = len(r.all)
			r.all = append(r.all, ruleOfCheck(c))
		}
	}
	return r
}

func causeRule(c Cause) string { return cmp.Or(clip.Runes(oneLine(c.ID), 80), "cause") }

func ruleOfCause(c causeOutline) sarifRule {
	title := sarifText(cmp.Or(c.Title, c.ID, "cause"))
	text := joinSentences(c.Title, c.Consequence)
	level := "error"
	if c.Severity == Low {
		level = "warning"
	}
	return sarifRule{
		ID:    causeRule(c.Cause),
		Short: sarifMessage{Text: title},
		Full:  sarifMessage{Text: sarifText(cmp.Or(text, title))},
		Help: sarifMessage{
			Text: sarifText(fmt.Sprintf("%s\n%s", text, c.Fix)),
			Markdown: fmt.Sprintf("**%s · %s**\n\n%s\n\nFix: %s\n", inline(string(c.Severity), maxID), inline(c.Owner, maxID),
				inline(text, maxSARIFText), inline(c.Fix, maxSARIFText)),
		},
		Configuration: sarifConfiguration{Level: level},
		Properties:    sarifProperties{Tags: sarifTags("kindly", "security", "cause", c.Owner), Severity: score(c.Severity)},
	}
}

// score is a severity on the scale of code scanning, in the middle of its grade.
func score(s Severity) string {
	return strconv.FormatFloat([]float64{9.5, 8, 5.5, 2, 2}[s.rank()], 'f', 1, 64)
}

func ruleOfCheck(c Check) sarifRule {
	text := sarifText(cmp.Or(c.Requirement, c.ID))
	return sarifRule{
		ID:            shortID(c),
		Short:         sarifMessage{Text: text},
		Full:          sarifMessage{Text: text},
		Help:          sarifHelp(c),
		HelpURI:       webURL(c.Source),
		Configuration: sarifConfiguration{Level: sarifLevel(c.Level)},
		Properties:    sarifProperties{Tags: sarifTags("kindly", areaOf(c), c.Fidelity)},
	}
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
		Text: sarifText(fmt.Sprintf("%s: %s\n%s\nSource: %s", areaGroup{Name: areaOf(c)}.Title(), c.Requirement, fix, c.Source)), // some hold in two areas
		Markdown: fmt.Sprintf("**%s · %s**\n\nRequirement: %s\n\nFix: %s\n\nSource: %s\n", inline(c.Level, maxID), inline(c.KnownFrom(), maxSARIFText),
			inline(c.Requirement, maxSARIFText), inline(fix, maxSARIFText), code(c.Source, maxSARIFText)),
	}
}
