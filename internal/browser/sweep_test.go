//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// left makes a folder as Chrome's owner does, and lets the owner die.
func left(t testing.TB, dir string) {
	t.Helper()
	made(t, dir).Close()
}

// made is a folder of an owner who lives until the file is closed.
func made(t testing.TB, dir string) *os.File {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f := lockDir(dir)
	if f == nil {
		t.Fatal("the folder could not be locked")
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestSweepRemovesOnlyFoldersOfTheDead(t *testing.T) {
	for _, tt := range []struct {
		name  string
		make  func(t *testing.T, dir string)
		stays bool
	}{
		{"the owner is dead", func(t *testing.T, dir string) { left(t, dir) }, false},
		{"the owner lives", func(t *testing.T, dir string) { made(t, dir) }, true},
		{"without our file", func(t *testing.T, dir string) { os.Mkdir(dir, 0o700) }, true},
		{"that is open to other users", func(t *testing.T, dir string) { left(t, dir); os.Chmod(dir, 0o707) }, true},
		{"of another user", func(t *testing.T, dir string) {
			left(t, dir)
			if err := os.Chown(dir, 12345, -1); err != nil {
				t.Skip("only root can try this: ", err)
			}
		}, true},
		{"of another kernel", func(t *testing.T, dir string) {
			left(t, dir)
			os.Rename(filepath.Join(dir, lockName()), filepath.Join(dir, "kindlytest-0123456789abcdef.lock"))
		}, true},
		{"whose file is a link", func(t *testing.T, dir string) {
			left(t, dir)
			os.Rename(filepath.Join(dir, lockName()), filepath.Join(dir, "real"))
			os.Symlink("real", filepath.Join(dir, lockName()))
		}, true},
		{"that is a link", func(t *testing.T, dir string) {
			real := filepath.Join(filepath.Dir(dir), "elsewhere")
			left(t, real)
			os.Symlink("elsewhere", dir)
		}, true},
		{"that is a file", func(t *testing.T, dir string) { os.WriteFile(dir, nil, 0o600) }, true},
		{"that is a pipe", func(t *testing.T, dir string) { syscall.Mkfifo(dir, 0o600) }, true},
		{"whose file is a pipe", func(t *testing.T, dir string) {
			left(t, dir)
			os.Remove(filepath.Join(dir, lockName()))
			syscall.Mkfifo(filepath.Join(dir, lockName()), 0o600)
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := t.TempDir()
			dir := filepath.Join(base, "kt-123")
			tt.make(t, dir)
			sweep(t.Context(), base)
			_, err := os.Stat(dir)
			if got := err == nil; got != tt.stays {
				t.Errorf("the folder stays: %v, want %v", got, tt.stays)
			}
		})
	}
}

func TestSweepLeavesOtherNames(t *testing.T) {
	base := t.TempDir()
	for _, name := range []string{"kt-", "kt-test-12", "kt-12x", "xkt-12", "KT-12"} {
		left(t, filepath.Join(base, name))
		sweep(t.Context(), base)
		if _, err := os.Stat(filepath.Join(base, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestSweepRemovesAllWithinAndNothingWithout(t *testing.T) {
	base, outside := t.TempDir(), filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(base, "kt-1")
	left(t, dir)
	if err := os.MkdirAll(filepath.Join(dir, "p", "Default"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "p/Default/link"} {
		if err := os.Symlink(filepath.Dir(outside), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	sweep(t.Context(), base)
	if _, err := os.Lstat(dir); err == nil {
		t.Error("the folder was left")
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error("a file that a link led to is gone: ", err)
	}
}

// TestSweepersDoNotHinderOwners lets several sweepers run while folders are
// made and left.
func TestSweepersDoNotHinderOwners(t *testing.T) {
	base := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	var sweepers, owners sync.WaitGroup
	for range 3 {
		sweepers.Go(func() {
			for ctx.Err() == nil {
				sweep(ctx, base)
			}
		})
	}
	for owner := range 4 {
		owners.Go(func() {
			for i := range 100 {
				dir, err := os.MkdirTemp(base, folderPrefix)
				if err != nil {
					t.Error(err)
					return
				}
				lock := lockDir(dir)
				if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); lock == nil || err != nil {
					t.Errorf("owner %d, folder %d: locked %v, %v", owner, i, lock != nil, err)
				}
				lock.Close() // and is gone
			}
		})
	}
	owners.Wait()
	cancel()
	sweepers.Wait()
	sweep(t.Context(), base)
	if entries, err := os.ReadDir(base); err != nil || len(entries) > 0 {
		t.Errorf("left: %d folders, %v", len(entries), err)
	}
}

// BenchmarkSweep looks through a folder for temporary files that is very full.
func BenchmarkSweep(b *testing.B) {
	base := b.TempDir()
	for i := range 10_000 {
		if err := os.Mkdir(filepath.Join(base, fmt.Sprintf("other-%d", i)), 0o700); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		sweep(b.Context(), base)
	}
}
