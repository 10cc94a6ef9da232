package reports

import (
	"cmp"
	"fmt"
	"io"
	"strings"
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
func WriteAnnotations(w io.Writer, s Set) error {
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
		t := storyOf(run)
		for _, c := range t.Causes {
			level := "warning"
			for _, check := range c.Symptoms {
				if check.Outcome == Failed || run.Strict {
					level = "error"
				}
			}
			add(run, level, c.Heading(), joinSentences(c.Consequence, c.Fix, c.Count()))
		}
		for _, c := range t.Failed {
			add(run, "error", shortID(c), joinSentences(c.headline(), c.Consequence, c.Fix))
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
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(clip(oneLine(s), maxAnnotation))
}

func annotationProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(annotationText(clip(oneLine(s), 200)))
}
