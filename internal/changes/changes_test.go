package changes

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// next is what is told next, by names below dir.
func next(t *testing.T, w *Watcher, dir string) []string {
	t.Helper()
	select {
	case paths := <-w.Changed:
		for i, p := range paths {
			name, err := filepath.Rel(dir, p)
			if err != nil {
				t.Fatal(err)
			}
			paths[i] = filepath.ToSlash(name)
		}
		return paths
	case <-time.After(30 * time.Second):
		t.Fatal("nothing was told")
		return nil
	}
}

func watched(t *testing.T, paths []string, besides ...string) *Watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	w, err := Watch(ctx, paths, besides...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func TestChangesAreToldButForWhatGitIgnores(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED, NOT CHECKED: there is no git")
	}
	dir := t.TempDir()
	if out, err := exec.Command("git", "-C", dir, "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	write(t, filepath.Join(dir, ".gitignore"), "dist/\n*.log\n")
	write(t, filepath.Join(dir, "src", "app.js"), "1")
	write(t, filepath.Join(dir, "dist", "app.js"), "1")
	write(t, filepath.Join(dir, ".config", "x"), "1")
	w := watched(t, []string{dir}, filepath.Join(dir, "reports"))

	// What must not be told is done first: were it told, it would come along.
	write(t, filepath.Join(dir, "dist", "app.js"), "2")
	write(t, filepath.Join(dir, "app.log"), "2")
	write(t, filepath.Join(dir, "reports", "report.json"), "2")
	write(t, filepath.Join(dir, ".git", "index.lock"), "2")
	write(t, filepath.Join(dir, "src", "app.js~"), "2")
	write(t, filepath.Join(dir, "src", "app.js"), "2")
	if got := next(t, w, dir); !slices.Equal(got, []string{"src/app.js"}) {
		t.Errorf("told %q", got)
	}
	write(t, filepath.Join(dir, ".config", "x"), "2")
	if got := next(t, w, dir); !slices.Equal(got, []string{".config/x"}) {
		t.Errorf("git does not ignore what begins with a dot: told %q", got)
	}
	// A folder that is made later, and one that git ignores.
	write(t, filepath.Join(dir, "src", "dist", "x.js"), "1")
	if err := os.Mkdir(filepath.Join(dir, "src", "new"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := next(t, w, dir); !slices.Contains(got, "src/new") || slices.Contains(got, "src/dist") {
		t.Errorf("told %q", got)
	}
	write(t, filepath.Join(dir, "src", "new", "y.js"), "1")
	if got := next(t, w, dir); !slices.Equal(got, []string{"src/new/y.js"}) {
		t.Errorf("in a new folder: told %q", got)
	}
	// As editors save: a new file takes the place of the old one.
	write(t, filepath.Join(dir, "src", ".#app.js"), "3")
	if err := os.Rename(filepath.Join(dir, "src", ".#app.js"), filepath.Join(dir, "src", "app.js")); err != nil {
		t.Fatal(err)
	}
	if got := next(t, w, dir); !slices.Equal(got, []string{"src/app.js"}) {
		t.Errorf("a file that was replaced: told %q", got)
	}
}

func TestOneFileIsWatchedWithoutItsNeighbours(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "1")
	write(t, filepath.Join(dir, "b"), "1")
	w := watched(t, []string{filepath.Join(dir, "a")})
	write(t, filepath.Join(dir, "b"), "2")
	write(t, filepath.Join(dir, "a"), "2")
	if got := next(t, w, dir); !slices.Equal(got, []string{"a"}) {
		t.Errorf("told %q", got)
	}
}

func TestWithoutGitTheUsualFoldersAreLeftOut(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "node_modules", "x.js"), "1")
	write(t, filepath.Join(dir, ".venv", "x.py"), "1")
	w := watched(t, []string{dir})
	write(t, filepath.Join(dir, "node_modules", "x.js"), "2")
	write(t, filepath.Join(dir, ".venv", "x.py"), "2")
	write(t, filepath.Join(dir, "app.js"), "2")
	if got := next(t, w, dir); !slices.Equal(got, []string{"app.js"}) {
		t.Errorf("told %q", got)
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w, err := Watch(ctx, []string{t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cancel()
	for range w.Changed {
	}
	if _, err := Watch(t.Context(), []string{filepath.Join(t.TempDir(), "nowhere")}); err == nil {
		t.Error("a folder that is not there is an error")
	}
}
