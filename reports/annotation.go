package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// maxAnnotations bounds what is written: GitHub shows ten errors and ten warnings
// a step.
const maxAnnotations = 10

// WriteAnnotations writes what is wrong as commands of GitHub's runner, which shows
// them beside the changes of a pull request: the causes, then what fails without
// one. The place is the line of the configuration, if there is a file.
//
// Only what this function writes may reach the runner as commands: the log of a
// run belongs between ::stop-commands:: and its end.
func WriteAnnotations(w io.Writer, s Set) error { return writeAnnotations(w, s, nil) }

// WriteAnnotationsSince is WriteAnnotations where an earlier run is known: what was
// wrong then is a notice.
func WriteAnnotationsSince(w io.Writer, older, s Set) error {
	worse := map[string]map[string]bool{} // by target: the IDs of what got worse
	for _, c := range CompareSets(older, s).Targets {
		ids := map[string]bool{}
		for _, change := range c.Worse {
			ids[change.ID] = true
		}
		worse[c.New.Target] = ids
	}
	return writeAnnotations(w, s, func(t Target, checks ...Check) bool {
		return !slices.ContainsFunc(checks, func(c Check) bool { return worse[subjectOf(t)][c.ID] })
	})
}

// writeAnnotations writes a notice in place of what known says was there before.
func writeAnnotations(w io.Writer, s Set, known func(Target, ...Check) bool) error {
	var b strings.Builder
	written := map[string]int{}
	add := func(run Run, level, title, text string) {
		if written[level]++; written[level] > maxAnnotations {
			return
		}
		if name := run.Target.Name; name != "" && len(s.Runs) > 1 {
			title = name + ": " + title
		}
		fmt.Fprintf(&b, "::%s %stitle=%s::%s\n", level, annotationPlace(run.Config), annotationProperty(title), annotationText(text))
	}
	for _, run := range s.Runs {
		t := outlineOf(run)
		for _, c := range t.Causes {
			level := "warning"
			for _, check := range c.Symptoms {
				if check.Outcome == Failed || run.Strict {
					level = "error"
				}
			}
			if known != nil && known(run.Target, c.Symptoms...) {
				level = "notice"
			}
			add(run, level, c.Heading(), joinSentences(c.Consequence, c.Fix, c.Count()))
		}
		for _, c := range t.Failed {
			level := "error"
			if known != nil && known(run.Target, c) {
				level = "notice"
			}
			add(run, level, shortID(c), joinSentences(c.headline(), c.Consequence, c.Fix))
		}
		if t.Verdict.Level == Errored {
			add(run, "error", "kindlytest", joinSentences(t.Sentence, run.Hint))
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the annotations: %w", err)
	}
	return nil
}

func annotationPlace(p *Place) string {
	if p == nil || p.Path == "" {
		return ""
	}
	return fmt.Sprintf("file=%s,line=%d,", annotationProperty(p.Path), cmp.Or(max(p.Line, 0), 1))
}

const maxAnnotation = 1000 // runes

func annotationText(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(clip.Runes(oneLine(s), maxAnnotation))
}

func annotationProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(annotationText(clip.Runes(oneLine(s), 200)))
}
