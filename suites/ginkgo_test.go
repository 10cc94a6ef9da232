package suites_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// justHook is a target that needs no browser.
func justHook(t *testing.T, faults ...fixtures.Fault) target.Target {
	shop := start(t, fixtures.Options{Faults: faults})
	return target.Target{Webhooks: shop.Webhooks}
}

func TestRunTwiceInOneProcess(t *testing.T) {
	t.Parallel()
	i := slices.IndexFunc(fixtures.Faults(), func(f fixtures.Fault) bool { return f.Breaks == "SIG-WRONG" })
	sound, broken := justHook(t), justHook(t, fixtures.Faults()[i])
	o := suites.Options{Only: []string{"SIG"}}
	for i, row := range []struct {
		target target.Target
		want   reports.Outcome
	}{{sound, reports.Passed}, {broken, reports.Failed}, {sound, reports.Passed}} {
		run := suites.Run(t.Context(), row.target, o)
		if c := find(t, run, "SIG-WRONG"); c.Outcome != row.want {
			t.Errorf("run %d: SIG-WRONG is %s, want %s", i+1, c.Outcome, row.want)
			describe(t, c)
		}
		if len(run.Checks) != len(suites.Checks()) {
			t.Errorf("run %d has %d checks of %d", i+1, len(run.Checks), len(suites.Checks()))
		}
	}
}

// A run does not wait for another one that is slow, nor does its cancellation.
func TestRunsOverlap(t *testing.T) {
	t.Parallel()
	slow := hookAt(serve(t, hang))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan reports.Run, 1)
	started := make(chan struct{})
	go func() {
		watch := &startWatch{started: started}
		ended <- suites.Run(ctx, slow, suites.Options{Timeout: time.Minute, Observer: watch})
	}()
	<-started
	run := suites.Run(t.Context(), justHook(t), suites.Options{Only: []string{"SIG-VALID"}})
	if run.ExitCode != 0 {
		t.Errorf("exit code %d: %s", run.ExitCode, run.Problem)
	}
	select {
	case <-ended:
		t.Error("the slow run had ended before: this test shows nothing")
	default:
	}
	cancel()
	<-ended
}

type startWatch struct{ started chan struct{} }

func (w *startWatch) Planned(reports.Target, int) { close(w.started) }
func (w *startWatch) Started(string)              {}
func (w *startWatch) Done(reports.Check)          {}

// The suite in example_test is a customer's own: it is run as customers do. (That it
// passes as a whole is a test of its own package.)
func TestACustomersOwnGinkgoSuite(t *testing.T) {
	t.Parallel()
	binary := t.TempDir() + "/example.test"
	requireBrowser(t)
	if out, err := exec.Command("go", "test", "-c", "-o", binary, "./example_test").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, row := range []struct {
		name  string
		fault string
		args  []string
		fails bool
		says  []string
	}{
		{"passes what a label selects", "", []string{"--ginkgo.label-filter=TOK && MUST"}, false, []string{"0 Failed"}},
		{"runs one spec", "", []string{"--ginkgo.label-filter=SIG-WRONG"}, false, []string{"Ran 1 of", "1 Passed"}},
		{"fails with a fault", "ignores-chat", []string{"--ginkgo.label-filter=HOOK"}, true, []string{"HOOK-OTHER-CHAT", "1 Failed", "expected", "fix"}},
		{"passes where the fault is filtered out", "ignores-chat", []string{"--ginkgo.label-filter=SIG"}, false, []string{"0 Failed"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, binary, append([]string{"--ginkgo.no-color"}, row.args...)...)
			cmd.Dir = "example_test"
			cmd.Env = append(os.Environ(), "EXAMPLE_FAULT="+row.fault)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) || (err != nil) != row.fails {
				t.Errorf("it ended with %v", err)
			}
			for _, want := range row.says {
				if !strings.Contains(string(out), want) {
					t.Errorf("its output has no %q", want)
				}
			}
			if t.Failed() {
				t.Logf("%s", out)
			}
		})
	}
}
