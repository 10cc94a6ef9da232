package reports

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// printed is all that t prints for run.
func printed(t *testing.T, term *Terminal, run Run, paths ...string) string {
	t.Helper()
	var b bytes.Buffer
	clock := sampleTime
	term.W, term.Now = &b, func() time.Time { clock = clock.Add(100 * time.Millisecond); return clock }
	term.Start(run.Target.Page, len(run.Checks))
	for _, c := range run.Checks {
		term.Running(c.ID)
		term.Done(c)
	}
	term.Tick()
	if err := term.Finish(run, paths...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}

func TestTerminalGolden(t *testing.T) {
	paths := []string{"kindlytest-reports/report.json", "kindlytest-reports/junit.xml"}
	for name, term := range map[string]*Terminal{
		"terminal.txt":         {},
		"terminal-verbose.txt": {Verbose: true, Width: 120},
		"terminal-quiet.txt":   {Quiet: true},
		"terminal-live.txt":    {Live: true, Color: true},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, []byte(printed(t, term, sampleRun(), paths...)))
		})
	}
	golden(t, "terminal-cause.txt", []byte(printed(t, &Terminal{Width: 100}, oneFaultRun(), paths...)))
	golden(t, "terminal-empty.txt", []byte(printed(t, &Terminal{}, emptyRun())))
	golden(t, "terminal-passed.txt", []byte(printed(t, &Terminal{}, passedRun())))
}

func TestTerminalEndsWithTheVerdict(t *testing.T) {
	for name, row := range map[string]struct {
		run  Run
		want string
	}{
		"failed":              {sampleRun(), "FAILED  1 of 8 checks · 1 warning · 1 could not run · 1 known failure · 3 skipped · 4.2 s"},
		"passed":              {passedRun(), "PASSED  4 checks · 4.2 s"},
		"nothing was checked": {emptyRun(), "NOTHING WAS CHECKED: the page could not be opened: connection refused. Start the site, or pass its URL."},
		"no checks":           {finished(Run{}), "NOTHING WAS CHECKED: no check was selected."},
	} {
		t.Run(name, func(t *testing.T) {
			for _, term := range []*Terminal{{}, {Quiet: true}, {Verbose: true}, {Live: true}} {
				if got := lastLine(printed(t, term, row.run)); got != row.want {
					t.Errorf("%q, want %q", got, row.want)
				}
			}
		})
	}
}

// own are the only escape sequences that a Terminal prints: colours, and the
// start and clearing of the status line.
var own = regexp.MustCompile("\r\x1b\\[K|\x1b\\[[0-9;]*m")

func TestTerminalNeverPrintsForeignControlCharacters(t *testing.T) {
	for name, run := range runs {
		for _, term := range []*Terminal{{}, {Verbose: true}, {Live: true}, {Live: true, Color: true, Verbose: true}} {
			t.Run(fmt.Sprintf("%s/live=%t,colour=%t,verbose=%t", name, term.Live, term.Color, term.Verbose), func(t *testing.T) {
				out := printed(t, term, run(), hostile)
				if term.Live || term.Color {
					out = own.ReplaceAllString(out, "")
				}
				for _, r := range out {
					if r < ' ' && r != '\n' || r >= 0x7f && r <= 0x9f || r == 0x202e || r == 0x2028 {
						t.Fatalf("%U is printed", r)
					}
				}
				if strings.Contains(out, "[2K") || !strings.HasSuffix(out, "\n") {
					t.Error("the line is left in disorder")
				}
			})
		}
	}
}

// A hostile colour must not pass as one of our own: the test above would not
// see it, so here the colour of every sequence is known.
func TestTerminalWithoutColourPrintsNoSequence(t *testing.T) {
	run := sampleRun()
	for i := range run.Checks {
		run.Checks[i].Actual = "\x1b[31mred\x1b[0m"
		run.Checks[i].ID = "\x1b[31mA-B"
	}
	if out := printed(t, &Terminal{Verbose: true}, run); strings.Contains(out, "\x1b") {
		t.Errorf("ESC is printed: %q", out)
	}
}

func TestTerminalLinesFit(t *testing.T) {
	for _, columns := range []int{40, 80, 100, 120, 500} {
		out := printed(t, &Terminal{Width: columns, Verbose: true}, hostileRun())
		for line := range strings.SplitSeq(out, "\n") {
			if strings.HasPrefix(line, "  repeat") || !strings.HasPrefix(line, " ") {
				continue // commands are copied whole; the other lines are heads
			}
			if w := textWidth(line); w > min(columns, 120) {
				t.Errorf("at %d columns a line has %d: %q", columns, w, line)
			}
		}
	}
}

// A failure fits a screen of 80 columns and 24 lines, commands wrapped.
func TestTerminalBlocksFitOneScreen(t *testing.T) {
	run := sampleRun()
	run.Checks = withOutcome(run.Checks, Failed)[:1]
	c := &run.Checks[0]
	long := strings.Repeat("a word and another, ", 100)
	c.Requirement, c.Expected, c.Actual, c.Fix, c.Consequence = long, long, long, long, long
	c.Repeat = "kindlytest run " + strings.Repeat("x", 200)
	out := printed(t, &Terminal{Quiet: true}, finished(run))
	_, block, found := strings.Cut(out, "1 of 1 check judged\n")
	if !found {
		t.Fatal(out)
	}
	lines := 0
	for line := range strings.SplitSeq(strings.TrimSuffix(block, "\n"), "\n") {
		lines += 1 + max(textWidth(line)-1, 0)/80
	}
	if lines > 24 {
		t.Errorf("one failure and the verdict take %d lines:\n%s", lines, block)
	}
	for _, want := range []string{"expected", "actual", "fix", "repeat", "FAILED"} {
		if !strings.Contains(block, want) {
			t.Errorf("%q is not among them", want)
		}
	}
}

// After many failures the last screen says where to begin.
func TestTerminalEndsWithWhatToFixFirst(t *testing.T) {
	run := sampleRun()
	failed := withOutcome(run.Checks, Failed)[0]
	run.Checks = nil
	for i := range 30 {
		failed.ID = fmt.Sprintf("AUTH-%02d", i)
		run.Checks = append(run.Checks, failed)
	}
	for _, term := range []*Terminal{{}, {Quiet: true}, {Live: true}} {
		lines := strings.Split(strings.TrimSuffix(printed(t, term, finished(run), "report.json"), "\n"), "\n")
		screen := strings.Join(lines[len(lines)-24:], "\n")
		_, list, found := strings.Cut(screen, "\nFix first\n")
		if !found || strings.Count(list, "✘ AUTH-") != maxToFix || !strings.Contains(list, "✘ AUTH-00  Read the chat id") || !strings.Contains(list, "… and 25 more, above") {
			t.Errorf("the last screen is\n%s", screen)
		}
	}
	if out := printed(t, &Terminal{}, oneFaultRun()); strings.Contains(out, "Fix first") {
		t.Error("one failure, which can be seen, is listed again")
	}
}

// Who writes expectations looks at the answers that passed.
func TestTerminalVerboseShowsTheExchangesOfPassedChecks(t *testing.T) {
	run := passedRun()
	run.Checks[0].Evidence = []Evidence{{
		Title:    "with a valid token",
		Request:  &Request{Method: "POST", URL: "https://hooks.example.com/", Headers: []Header{{"Authorization", "Bearer " + strings.Repeat("x", 3000)}}},
		Response: &Response{Status: 200, Body: `{"reply":"Hello, Ada"}`},
	}}
	out := printed(t, &Terminal{Verbose: true}, run)
	for _, want := range []string{"┌ with a valid token", "│ > POST https://hooks.example.com/", "│ < 200", `│ {"reply":"Hello, Ada"}`} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not shown:\n%s", want, out)
		}
	}
	if out := printed(t, &Terminal{}, run); strings.Contains(out, "valid token") {
		t.Error("it is shown without Verbose, too")
	}
}

func TestTerminalIsPlainWithoutATerminal(t *testing.T) {
	out := printed(t, &Terminal{}, sampleRun())
	if strings.ContainsAny(out, "\r\x1b") {
		t.Error("it moves the cursor")
	}
	if n := strings.Count(out, "✘ AUTH-BIND-CHAT"); n != 1 {
		t.Errorf("the failure is shown %d times, want once", n)
	}
}

func TestTerminalQuietShowsWhatFailsTheRun(t *testing.T) {
	run := sampleRun()
	if out := printed(t, &Terminal{Quiet: true}, run); strings.Contains(out, "AUTH-NO-STORE") {
		t.Error("a warning is shown")
	}
	run.Strict = true
	if out := printed(t, &Terminal{Quiet: true}, finished(run)); !strings.Contains(out, "AUTH-NO-STORE") {
		t.Error("under strict a warning fails the run, and is not shown")
	}
}

func TestTerminalStatusLine(t *testing.T) {
	var b bytes.Buffer
	clock := sampleTime
	term := Terminal{W: &b, Live: true, Now: func() time.Time { return clock }}
	term.Start("page", 3)
	term.Running("A-ONE")
	term.Running("A-TWO")
	term.Done(Check{ID: "A-ONE", Outcome: Failed})
	clock = clock.Add(1500 * time.Millisecond)
	term.Tick()
	out := b.String()
	if want := "1/3 · 1 failed · 1.5 s · A-TWO"; !strings.HasSuffix(out, "\r\x1b[K"+want) {
		t.Errorf("%q does not end with %q", out, want)
	}
}

func TestTerminalTakesResultsFromSeveralGoroutines(t *testing.T) {
	var b bytes.Buffer
	term := Terminal{W: &b, Live: true}
	term.Start("page", 100)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 10 {
				term.Running("A-B")
				term.Done(Check{ID: "A-B", Outcome: Passed})
			}
		})
	}
	wg.Wait()
	if !strings.Contains(b.String(), "100/100") {
		t.Error("results were lost")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("pipe closed") }

func TestTerminalReportsAFailedWrite(t *testing.T) {
	term := Terminal{W: broken{}}
	term.Start("page", 1)
	if err := term.Finish(sampleRun()); err == nil || !strings.Contains(err.Error(), "pipe closed") {
		t.Errorf("error %v", err)
	}
}
