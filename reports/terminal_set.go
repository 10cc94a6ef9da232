package reports

import (
	"cmp"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// FinishRun prints the result of one run of several, headed by the name of its
// target. Runs that are printed so need no Start.
func (t *Terminal) FinishRun(run Run) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	s := t.summary()
	head := oneLine(run.Target.Name)
	if url := cmp.Or(run.Target.Page, run.Target.Endpoint); url != "" {
		head += "  " + s.dim(oneLine(url))
	}
	s.line("")
	s.line(s.bold("── ") + s.bold(head))
	s.print(run, nil)
	t.write(s.b.String())
	return t.err
}

func (s Set) show(t *Terminal, paths []string) error {
	for _, run := range s.Runs {
		if err := t.FinishRun(run); err != nil {
			return err
		}
	}
	return t.FinishSet(s, paths...)
}

// FinishSet prints one line a target, the paths of the reports, and, as its last
// line, the one verdict.
func (t *Terminal) FinishSet(set Set, paths ...string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	s := t.summary()
	if len(set.Runs) > 0 {
		s.title("Targets")
	}
	column := 0
	for _, run := range set.Runs {
		column = max(column, textWidth(oneLine(run.Target.Name)))
	}
	for _, run := range set.Runs {
		v, name := verdictOf(run), oneLine(run.Target.Name)
		head := symbol(v.Level) + " " + name + strings.Repeat(" ", column-textWidth(name)) + "  " + v.Word
		tail := cutToWidth(oneLine(clip.Runes(v.Detail, maxFieldRunes)), max(s.width-textWidth(head)-2, 20))
		s.line(s.of(v.Level)(head) + "  " + tail)
	}
	s.line("")
	s.paths(paths)
	s.last(set.verdict(), "  ")
	t.write(s.b.String())
	return t.err
}

// Status replaces the status line by a text, if W is a terminal; FinishRun and
// FinishSet remove it.
func (t *Terminal) Status(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.Live || t.Quiet {
		return
	}
	t.write("\r\x1b[K" + cutToWidth(oneLine(text), t.width()-1))
	t.status = true
}

func (t *Terminal) summary() *summaryPrinter {
	return &summaryPrinter{palette: t.palette(), width: t.width(), quiet: t.Quiet, verbose: t.Verbose, noFiles: t.NoFiles, piped: t.Width <= 0}
}
