package reports

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// Terminal prints a run for people while it goes on, and its result at the end:
//
//	t := &reports.Terminal{W: os.Stderr, Color: isTerminal, Live: isTerminal}
//	t.Start("https://staging.example.com/", 71)
//	for check := range results {
//		t.Done(check)
//	}
//	err := t.Finish(run, paths...)
//
// Everything that it prints of a run is escaped: control characters of a
// hostile target are spelled out, so they never reach the terminal. Its methods
// may be called from several goroutines. The fields must not change after Start.
type Terminal struct {
	W       io.Writer
	Color   bool // colour the output
	Live    bool // W is a terminal: redraw a status line while checks run
	Width   int  // columns of the terminal, of which 120 are used; 0 means 80, and that W is none
	Quiet   bool // only failures, what could not run, and the verdict
	Verbose bool // also each passed check, and the exchanges
	NoFiles bool // there are no report files that hold what is cut

	Now func() time.Time // for the elapsed time; nil means time.Now

	mu      sync.Mutex
	err     error // the first error of W
	started time.Time
	total   int
	done    Summary
	running []string // IDs, oldest first
	status  bool     // a status line is shown
}

const (
	minWidth     = 40
	defaultWidth = 80
	maxWidth     = 120
)

// Start says what is checked, and by how many checks; 0 if that is not known.
func (t *Terminal) Start(target string, total int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started, t.total, t.done, t.running = t.now(), total, Summary{}, nil
	if t.Quiet {
		return
	}
	line := oneLine(target)
	if total > 0 {
		line += " · " + plural(total, "check")
	}
	t.lines("", cutToWidth("Checking "+line, t.width()))
	t.redraw()
}

// Running says that a check has begun. It only feeds the status line.
func (t *Terminal) Running(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = append(t.running, clip.Runes(oneLine(id), maxID))
	t.redraw()
}

// Tick redraws the status line, for its elapsed time.
func (t *Terminal) Tick() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.redraw()
}

// Done takes the result of a check. It only feeds the status line: what fails first
// is seldom what tells, so that the end tells all by its causes.
func (t *Terminal) Done(c Check) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done = t.done.plus(summarize([]Check{c}))
	t.forget(shortID(c))
	t.redraw()
}

// Finish prints a report, and the paths of the files that were written. Its last line is
// the verdict. The error is the first that any write met.
func (t *Terminal) Finish(r Report, paths ...string) error { return r.show(t, paths) }

func (r Run) show(t *Terminal, paths []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	s := t.summary()
	s.print(r, paths)
	t.write(s.b.String())
	return t.err
}

func (t *Terminal) forget(id string) {
	for i, r := range t.running {
		if r == id {
			t.running = append(t.running[:i:i], t.running[i+1:]...)
			return
		}
	}
}

// redraw replaces the status line: "12/71 · 2 failed · 3.1 s · AUTH-BIND-CHAT".
func (t *Terminal) redraw() {
	if !t.Live || t.Quiet {
		return
	}
	count := t.done.total()
	parts := []string{fmt.Sprintf("%d/%d", count, max(t.total, count))}
	if t.done.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", t.done.Failed))
	}
	if t.done.Errored > 0 {
		parts = append(parts, fmt.Sprintf("%d could not run", t.done.Errored))
	}
	parts = append(parts, duration(t.now().Sub(t.started).Milliseconds()))
	if n := len(t.running); n > 0 {
		now := t.running[0]
		if n > 1 {
			now += fmt.Sprintf(" and %d more", n-1)
		}
		parts = append(parts, now)
	}
	// One column less than there are: a full line makes some terminals wrap.
	line := cutToWidth(strings.Join(parts, " · "), t.width()-1)
	t.write("\r\x1b[K" + line)
	t.status = true
}

// clear removes the status line.
func (t *Terminal) clear() {
	if t.status {
		t.write("\r\x1b[K")
		t.status = false
	}
}

func (t *Terminal) lines(lines ...string) {
	for _, l := range lines {
		t.write(l + "\n")
	}
}

func (t *Terminal) write(s string) {
	if t.err != nil {
		return
	}
	if _, err := io.WriteString(t.W, WithoutCommands(s)); err != nil {
		t.err = fmt.Errorf("print the result: %w", err)
	}
}

func (t *Terminal) width() int {
	switch {
	case t.Width <= 0:
		return defaultWidth
	default:
		return min(max(t.Width, minWidth), maxWidth)
	}
}

func (t *Terminal) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}
