//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package browser_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// victimVariable names the folder for temporary files of a process that starts
// Chrome, and is killed.
const victimVariable = "KINDLYTEST_TEST_VICTIM"

func TestNextStartSweepsWhatAKilledProcessLeft(t *testing.T) {
	needChrome(t)
	if dir := os.Getenv(victimVariable); dir != "" {
		if _, err := browser.Launch(context.Background(), browser.Options{Path: chromePath, TempDir: dir}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("started")
		time.Sleep(time.Minute) // it is killed before
	}
	dir := t.TempDir()
	victim := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	victim.Env = append(victim.Environ(), victimVariable+"="+dir)
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fscan(out, new(string))
	launchAndClose(t, dir) // the owner lives
	if n := foldersIn(t, dir); err != nil || n != 1 {
		t.Errorf("%d folders while their owner lives (%v), want 1", n, err)
	}
	victim.Process.Kill()
	victim.Wait() // the error is the kill
	eventually(t, "Chrome ends", func() bool { return len(survivors(t, dir)) == 0 })
	if n := foldersIn(t, dir); n != 1 {
		t.Fatalf("the test is wrong: %d folders are left", n)
	}
	eventually(t, "the next start sweeps", func() bool {
		launchAndClose(t, dir) // on a busy machine it may be closed before it comes to that
		return foldersIn(t, dir) == 0
	})
}

func launchAndClose(t *testing.T, dir string) {
	t.Helper()
	b, err := browser.Launch(t.Context(), browser.Options{Path: chromePath, TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func foldersIn(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
