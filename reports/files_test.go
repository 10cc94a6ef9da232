package reports

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestWriteFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "reports")
	for range 2 { // the second time over the files of the first
		paths, err := WriteFiles(dir, sampleRun(), Formats()...)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range paths {
			names = append(names, filepath.Base(p))
		}
		if want := []string{"report.json", "junit.xml", "report.html", "report.sarif", "report.md"}; !slices.Equal(names, want) {
			t.Errorf("wrote %q, want %q", names, want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 5 {
		t.Errorf("files were left over: %v", entries)
	}
	f, err := os.Open(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := ReadJSON(f); err != nil {
		t.Error(err)
	}
}

func TestWriteFilesGoesOnAfterAnError(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "report.json", "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	paths, err := WriteFiles(dir, sampleRun(), JSON, "yaml", JUnit)
	if err == nil || !strings.Contains(err.Error(), "report.json") || !strings.Contains(err.Error(), `"yaml"`) {
		t.Errorf("error %v", err)
	}
	if want := []string{filepath.Join(dir, "junit.xml")}; !slices.Equal(paths, want) {
		t.Errorf("wrote %q, want %q", paths, want)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

func TestWriteFilesSaysThatTheDirectoryIsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteFiles(file, sampleRun(), JSON); err == nil || !strings.Contains(err.Error(), "report directory") {
		t.Errorf("error %v", err)
	}
}

func TestParseFormat(t *testing.T) {
	for _, f := range Formats() {
		if got, err := ParseFormat(strings.ToUpper(string(f))); err != nil || got != f {
			t.Errorf("%q gives %q, %v", f, got, err)
		}
	}
	if _, err := ParseFormat("yaml"); err == nil || !strings.Contains(err.Error(), "json, junit, html, sarif, markdown") {
		t.Errorf("error %v", err)
	}
}

func TestReportsAreTheirOwners(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no such modes")
	}
	dir := filepath.Join(t.TempDir(), "reports")
	paths, err := WriteFiles(dir, sampleRun(), Formats()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, dir) {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}
