package reports

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
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
	running []string        // IDs, oldest first
	reasons map[string]bool // for which a check could not run, as printed
	soon    int             // problems that were printed as they happened
	status  bool            // a status line is shown
}

const (
	minWidth     = 40
	defaultWidth = 80
	maxWidth     = 120
	maxSoon      = 1 // problems that are printed as they happen
)

// Start says what is checked, and by how many checks; 0 if that is not known.
func (t *Terminal) Start(target string, total int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started, t.total, t.done, t.running, t.soon = t.now(), total, Summary{}, nil, 0
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
	t.running = append(t.running, clip(oneLine(id), maxID))
	t.redraw()
}

// Tick redraws the status line, for its elapsed time.
func (t *Terminal) Tick() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.redraw()
}

// Done takes the result of a check. Without Live, the first problems are printed
// at once in one line, so that a log shows when things began to go wrong; the
// rest is told by its causes at the end.
func (t *Terminal) Done(c Check) {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := summarize([]Check{c})
	t.done = t.done.plus(one)
	t.forget(shortID(c))
	if one.Failed+one.Errored > 0 && !t.Live && !t.Quiet && !t.repeated(c) {
		t.soonShown(c)
	}
	t.redraw()
}

// soonShown prints a problem as it happens, if it is one of the first.
func (t *Terminal) soonShown(c Check) {
	switch t.soon++; {
	case t.soon <= maxSoon:
		p := t.palette()
		head := symbol(c.Outcome) + " " + shortID(c)
		text := cutToWidth(oneLine(clip(inShort(c), 400)), max(t.width()-textWidth(head)-2, 10))
		t.write(p.of(c.Outcome)(head) + "  " + text + "\n")
	case t.soon == maxSoon+1:
		t.write("… what else goes wrong is told at the end\n")
	}
}

// Finish prints the result of a finished run, and the paths of the reports that
// were written. Its last line is the verdict. The error is the first that any
// write met.
func (t *Terminal) Finish(run Run, paths ...string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	s := t.summary()
	s.print(run, paths)
	t.write(s.b.String())
	return t.err
}

// repeated says whether a check could not run for a reason that was printed
// before: where the page is down, a hundred checks share it.
func (t *Terminal) repeated(c Check) bool {
	if c.Outcome != Errored {
		return false
	}
	if t.reasons == nil {
		t.reasons = map[string]bool{}
	}
	before := t.reasons[c.Reason]
	t.reasons[c.Reason] = true
	return before
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
