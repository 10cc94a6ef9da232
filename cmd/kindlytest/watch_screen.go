package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/reports"
)

// A screen is where run --watch shows the newest state: a terminal, which it
// clears for each run, or whatever else takes its lines one after another.
type screen struct {
	app   *app
	input io.Reader
	raw   bool // the terminal sends keys as they are pressed, and wants \r\n
	clear bool

	result []string // the lines of the newest one

	mu sync.Mutex
}

const watchKeys = "a all · f failed · o open the report · q quit"

// openScreen takes the terminal; restore gives it back.
func (a *app) openScreen() (s *screen, restore func()) {
	s = &screen{app: a, input: a.stdin, clear: a.isTerminal(a.stdout) && a.env("CI") == ""}
	in, ok := a.stdin.(*os.File)
	if !ok || !s.clear || !term.IsTerminal(int(in.Fd())) {
		s.input = nil
		return s, func() {}
	}
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		s.input = nil // no keys then; Ctrl-C still ends it
		return s, func() {}
	}
	s.raw = true
	return s, func() { _ = term.Restore(int(in.Fd()), state) }
}

// keys are those that are pressed. The reader of a terminal ends with the process.
func (s *screen) keys(ctx context.Context) <-chan byte {
	if s.input == nil {
		return nil
	}
	keys := make(chan byte)
	go func() {
		b := make([]byte, 1)
		for {
			if _, err := s.input.Read(b); err != nil {
				return
			}
			select {
			case keys <- b[0]:
			case <-ctx.Done():
				return
			}
		}
	}()
	return keys
}

// Write writes text for people.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := p
	if s.raw {
		text = bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
	}
	if _, err := s.app.stdout.Write(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// line writes lines, in the place of a status line where one is shown.
func (s *screen) line(text string) {
	if s.clear {
		fmt.Fprint(s, "\r\x1b[K")
	}
	fmt.Fprintln(s, reports.WithoutCommands(text)) // who does not see it presses q
}

// begin heads a run.
func (s *screen) begin(why string) {
	if s.clear {
		fmt.Fprint(s, "\x1b[H\x1b[2J\x1b[3J")
	}
	s.line("── " + time.Now().Format(time.TimeOnly) + "  " + printable(why))
}

// terminal shows how a run goes.
func (s *screen) terminal(out *outputFlags) *reports.Terminal {
	t := s.app.terminal(s.app.stdout, out)
	t.W, t.Quiet = s, t.Quiet || !t.Live // without a status line there is nothing to show before the end
	return t
}

// show draws a result.
func (s *screen) show(run reports.Run, paths []string, out *outputFlags, notes ...string) {
	var b strings.Builder
	t := s.app.terminal(s.app.stdout, out)
	t.W, t.Live = &b, false
	if err := t.Finish(run, paths...); err != nil {
		s.line("! " + err.Error())
		return
	}
	s.result = strings.Split(strings.Trim(b.String(), "\n"), "\n")
	s.draw(notes...)
}

// fitting are the lines of a result for which a screen has room, with so many
// notes below them; all of them if it has 0 rows.
func fitting(lines []string, rows, notes int) []string {
	const around = 4 // the line above, what was left out, the keys, and the cursor
	room := rows - around - notes
	if room < 3 || len(lines) <= room {
		return slices.Clone(lines)
	}
	last := len(lines) - 1
	for last > 0 && strings.HasPrefix(lines[last], " ") { // the verdict may be wrapped
		last--
	}
	verdict := lines[last:]
	return slices.Concat(lines[:max(0, room-len(verdict))], []string{"… o opens the rest"}, verdict)
}

// draw draws the newest result anew, with notes below it, as much of it as there is
// room for: the end is the verdict, and the beginning what matters most.
func (s *screen) draw(notes ...string) {
	if s.clear {
		fmt.Fprint(s, "\x1b[H\x1b[2J\x1b[3J")
	}
	s.line(strings.Join(append(fitting(s.result, s.rows(), len(notes)), notes...), "\n"))
	s.foot()
}

// foot says which keys there are.
func (s *screen) foot() {
	if s.raw {
		s.line(watchKeys)
	}
}

// rows is the height of the terminal; 0 if it is none.
func (s *screen) rows() int {
	f, ok := s.app.stdout.(*os.File)
	if !ok || !s.clear {
		return 0
	}
	_, rows, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return rows
}

// firstLine is the first of texts that says something, cut to what a line holds.
func firstLine(texts ...string) string {
	const most = 160 // runes
	for _, text := range texts {
		if text = oneLine(text); text == "" {
			continue
		}
		return clip.Runes(text, most)
	}
	return ""
}
