package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestInitKeepsReportsOutOfGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED, NOT CHECKED: there is no git")
	}
	for name, row := range map[string]struct {
		git, above, before, after string // of .gitignore; above is the one of the folder above, in the same repository
	}{
		"no git":               {"", "", "", "kindlytest-reports/\n"},
		"no file":              {"here", "", "", "kindlytest-reports/\n"},
		"others":               {"here", "", "logs\n", "logs\nkindlytest-reports/\n"},
		"no end of line":       {"here", "", "logs", "logs\nkindlytest-reports/\n"},
		"Windows":              {"here", "", "logs\r\n", "logs\r\nkindlytest-reports/\r\n"},
		"Windows, no end":      {"here", "", "a\r\nlogs", "a\r\nlogs\r\nkindlytest-reports/\r\n"},
		"there":                {"here", "", "/kindlytest-reports\n", "/kindlytest-reports\n"},
		"there, Windows":       {"here", "", "kindlytest-reports/\r\n", "kindlytest-reports/\r\n"},
		"there, without git":   {"", "", "kindlytest-reports", "kindlytest-reports"},
		"covered by a pattern": {"here", "", "*-reports\n", "*-reports\n"},
		"covered from above":   {"above", "kindlytest-reports/\n", "", ""},
		"not from above":       {"above", "logs\n", "", "kindlytest-reports/\n"},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir := filepath.Join(top, "app")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if root := map[string]string{"here": dir, "above": top}[row.git]; root != "" {
				if out, err := exec.CommandContext(t.Context(), "git", "init", "--quiet", root).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			for path, text := range map[string]string{filepath.Join(top, ignoreFile): row.above, filepath.Join(dir, ignoreFile): row.before} {
				if text == "" {
					continue
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(dir)
			if out := runHere(t.Context(), nil, "", "init", "--endpoint", "http://127.0.0.1:1/token"); out.code != exitOK {
				t.Fatalf("exit code %d: %s", out.code, out.stderr)
			}
			got, err := os.ReadFile(ignoreFile)
			if err != nil && row.after != "" {
				t.Fatal(err)
			}
			if string(got) != row.after {
				t.Errorf(".gitignore is %q, want %q", got, row.after)
			}
		})
	}
}
