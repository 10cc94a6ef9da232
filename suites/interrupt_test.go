package suites_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// TestInterruptedRun cancels runs at moments when much is going on. Its runs
// have Chromes of their own, and are alone, so that what they leave is theirs.
func TestInterruptedRun(t *testing.T) {
	requireBrowser(t)
	sound := start(t, fixtures.Options{})
	stuck := sound
	asked := make(chan struct{})
	first := sync.OnceFunc(func() { close(asked) })
	stuck.PageURL = serve(t, func(w http.ResponseWriter, r *http.Request) { first(); hang(w, r) }) + "/"
	stuck.Webhooks = []target.Webhook{hookAt(serve(t, hang)).Webhooks[0]}
	for _, row := range []struct {
		name   string
		target target.Target
		when   func() // it has come there
		checks int64  // that have ended before
	}{
		{"before it begins", sound, func() {}, 0},
		{"while Chrome starts", sound, chromeStarts, 0},
		{"while the page and the webhook hang", stuck, func() { <-asked }, 0},
		{"when half is done", sound, func() {}, 70},
	} {
		t.Run(row.name, func(t *testing.T) {
			tmp, err := os.MkdirTemp("", "kti") // short: Chrome makes sockets in it
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(tmp) })
			t.Setenv("TMPDIR", tmp)
			before := goroutines()

			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var cancelled atomic.Int64 // when, in Unix nanoseconds
			stop := func() {
				row.when()
				cancelled.Store(time.Now().UnixNano())
				cancel()
			}
			watch := &counter{at: row.checks, reached: stop}
			if row.checks == 0 {
				go stop()
			}
			run := suites.Run(ctx, row.target, suites.Options{Observer: watch})
			if took := time.Since(time.Unix(0, cancelled.Load())); took > 3*time.Second {
				t.Errorf("it went on for %s", took)
			}
			judgeInterrupted(t, run)
			nothingIsLeft(t, tmp, before)
		})
	}
}

// chromeStarts waits until Chrome has its folder.
func chromeStarts() {
	for {
		if files, err := os.ReadDir(os.TempDir()); err != nil || len(files) > 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func judgeInterrupted(t *testing.T, run reports.Run) {
	t.Helper()
	if !strings.Contains(run.Problem, "interrupted") || run.ExitCode == 0 {
		t.Errorf("exit code %d, problem %q", run.ExitCode, run.Problem)
	}
	if got, want := len(run.Checks), len(suites.Checks()); got != want {
		t.Errorf("%d of %d checks are in the run", got, want)
	}
	interrupted := 0
	for _, c := range run.Checks {
		switch {
		case c.Outcome == "":
			t.Errorf("%s has no outcome", c.ID)
		case c.Outcome == reports.Errored && c.Reason == "interrupted":
			interrupted++
		case c.Outcome == reports.Failed, c.Outcome == reports.Warned, c.Outcome == reports.Errored:
			t.Errorf("%s blames the interruption on the target", c.ID)
			describe(t, c)
		}
	}
	if interrupted == 0 {
		t.Errorf("no check was interrupted: %+v", run.Summary)
	}
}

// goroutines counts those that a run may have started. Ginkgo leaves one for
// each of its own, which waits for signals.
func goroutines() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	n := 0
	for g := range strings.SplitSeq(string(stacks), "\n\n") {
		if !strings.Contains(g, "interrupt_handler.") && !strings.Contains(g, "os/signal.loop") {
			n++
		}
	}
	return n
}

// nothingIsLeft fails if a run left goroutines, files or Chromes.
func nothingIsLeft(t *testing.T, tmp string, before int) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for goroutines() > before && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond) // connections take a moment to end
	}
	if n := goroutines(); n > before {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before:\n%s", n, before, stacks[:runtime.Stack(stacks, true)])
	}
	files, err := os.ReadDir(tmp)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		t.Errorf("it left %s", filepath.Join(tmp, f.Name()))
	}
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline") // on Linux
	for _, c := range commands {
		if line, err := os.ReadFile(c); err == nil && strings.Contains(string(line), tmp) {
			t.Errorf("it left a process: %.200q", line)
		}
	}
}

// A counter calls reached when a number of checks have ended.
type counter struct {
	at      int64
	done    atomic.Int64
	reached func()
}

func (c *counter) Planned(reports.Target, int) {}
func (c *counter) Started(string)              {}
func (c *counter) Done(row reports.Check) {
	if c.done.Add(1) == c.at {
		c.reached()
	}
}
