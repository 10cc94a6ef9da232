//go:build unix

package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What is no file of ours is refused at once, with the way out, and stays as it is.
func TestWhatIsNoFileOfOursIsRefused(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	fifo := at("fifo")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	dangling := at("dangling.db")
	if err := os.Symlink(at("nowhere.db"), dangling); err != nil {
		t.Fatal(err)
	}
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
	view := crafted(t, at("view.db"), "CREATE VIEW events AS "+endless+" i AS seq, '' AS kind, '' AS chat, '' AS json FROM n", "", "", "")
	trigger := crafted(t, at("trigger.db"), schema[0], schema[1], schema[2], schema[3],
		"CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM chats; END")
	missing := crafted(t, at("missing.db"), schema[0], schema[1], schema[2])
	for _, tt := range []struct{ name, path, want string }{
		{"a device", "/dev/null", "no regular file"},
		{"an endless device", "/dev/zero", "no regular file"},
		{"a pipe", fifo, "no regular file"},
		{"a link to nowhere", dangling, "a link to a file that is not there"},
		{"a view in the place of a table", view, "its tables"},
		{"a trigger", trigger, "its tables"},
		{"a table that is missing", missing, "its tables"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := mode(t, tt.path)
			done := make(chan error, 1)
			go func() {
				s, err := Open(tt.path, Options{})
				if err == nil {
					s.Close()
				}
				done <- err
			}()
			select {
			case err := <-done:
				var e *Error
				if !errors.As(err, &e) || e.Way == "" || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("the error is %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("it hangs")
			}
			if after := mode(t, tt.path); tt.path[:4] == "/dev" && after != before {
				t.Errorf("the mode was %v, and is %v", before, after)
			}
		})
	}
	if _, err := os.Stat(at("nowhere.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was made where the link leads")
	}
}

// A log that is a link would have the mode of another file changed.
func TestNoOtherFileGetsAnotherMode(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(other, 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "k.db")
	if err := os.Symlink(other, path+"-wal"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); err == nil {
		t.Error("it was opened")
	}
	if got := mode(t, other); got != 0o644 {
		t.Errorf("its mode is %v", got)
	}
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// crafted is a file with our marks and foreign contents.
func crafted(t *testing.T, path string, statements ...string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	statements = append(statements, fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, schemaVersion))
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(s, err)
		}
	}
	return path
}
