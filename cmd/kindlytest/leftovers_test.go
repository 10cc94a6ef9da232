//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNothingIsLeftBehind runs the real binary, with a folder for temporary
// files of its own, and looks for what outlives it.
func TestNothingIsLeftBehind(t *testing.T) {
	requireBrowser(t)
	binary := filepath.Join(t.TempDir(), "kindlytest")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, row := range []struct {
		name      string
		args      []string
		interrupt syscall.Signal // 0: none
		code      int
		says      string // empty: nobody reads what it says
	}{
		{"after success", []string{"demo", "--only", "PAGE-WIDGET,TOK-ALG"}, 0, exitOK, "PASSED"},
		{"after a failure", []string{"demo", "--only", "PAGE-WIDGET", "--fault", "script-without-id"}, 0, exitBroken, "FAILED"},
		{"after a page that is not there", []string{"run", "http://localhost:9/", "--only", "PAGE-WIDGET"}, 0, exitUsage, "NOTHING WAS CHECKED"},
		{"after an interrupt", []string{"demo"}, syscall.SIGINT, exitUsage, "interrupted"},
		{"after an interrupt, with a customer in another stack", []string{"demo", "--customer", "node"}, syscall.SIGINT, exitUsage, "interrupted"},
		{"after the terminal has gone", []string{"demo"}, syscall.SIGHUP, exitUsage, "interrupted"},
		{"whose reader has gone", []string{"demo", "--only", "PAGE-WIDGET", "-v"}, 0, exitOK, ""},
		{"whose reader of JSON has gone", []string{"demo", "--only", "PAGE-WIDGET", "--json", "--fault", "script-without-id"}, 0, exitBroken, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if slices.Contains(row.args, "node") {
				requireNode(t)
			}
			dir := shortTempDir(t)
			tmp, out := filepath.Join(dir, "tmp"), filepath.Join(dir, "out")
			if err := os.Mkdir(tmp, 0o700); err != nil {
				t.Fatal(err)
			}
			var output bytes.Buffer
			cmd := exec.Command(binary, append(row.args, "--report-dir", out)...)
			cmd.Env = append(cmd.Environ(), "TMPDIR="+tmp)
			cmd.Stdout, cmd.Stderr = &output, &output
			if row.says == "" {
				cmd.Stdout = pipeWithoutReader(t)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			kill := time.AfterFunc(90*time.Second, func() { cmd.Process.Kill() })
			if row.interrupt != 0 {
				interruptOnceChromeRuns(t, cmd.Process, tmp, row.interrupt)
			}
			err := cmd.Wait()
			if !kill.Stop() {
				t.Fatalf("it did not end:\n%s", &output)
			}
			if code := cmd.ProcessState.ExitCode(); code != row.code || !strings.Contains(output.String(), row.says) {
				t.Errorf("exit code %d (%v), want %d and %q in\n%s", code, err, row.code, row.says, &output)
			}
			if _, err := os.Stat(filepath.Join(out, "report.json")); err != nil {
				t.Error("the report was not written")
			}
			expectNothingIn(t, tmp)
		})
	}
}

func requireNode(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil && os.Getenv("KINDLYTEST_REQUIRE_STACKS") == "1" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip("SKIPPED, NOT CHECKED: ", err)
	}
}

// shortTempDir is a folder whose path is so short that Chrome can make its
// sockets there.
func shortTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "kt-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func pipeWithoutReader(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	t.Cleanup(func() { w.Close() })
	return w
}

// interruptOnceChromeRuns does as Ctrl-C does, in the middle of the run.
func interruptOnceChromeRuns(t *testing.T, p *os.Process, tmp string, sig syscall.Signal) {
	t.Helper()
	chrome := func(args string) bool { return strings.Contains(args, "--user-data-dir=") }
	for deadline := time.Now().Add(30 * time.Second); !slices.ContainsFunc(processesOf(t, tmp), chrome); {
		if time.Now().After(deadline) {
			p.Kill()
			t.Fatal("Chrome was not started")
		}
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond) // until it has work to do
	if err := p.Signal(sig); err != nil {
		t.Error(err)
	}
}

func expectNothingIn(t *testing.T, tmp string) {
	t.Helper()
	var left []string
	for range 20 { // a killed process takes a moment to be gone
		if left = processesOf(t, tmp); len(left) == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if len(left) > 0 {
		t.Errorf("still running:\n%s", strings.Join(left, "\n"))
	}
	entries, err := os.ReadDir(tmp)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s was left in the folder for temporary files", e.Name())
	}
}

// processesOf lists the processes that name the folder in their arguments, as
// Chrome and its children do.
func processesOf(t *testing.T, tmp string) []string {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-ww", "-o", "pid=,args=").Output()
	if err != nil {
		t.Skip("SKIPPED, NOT CHECKED: there is no ps: ", err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, tmp) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}
