package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where kindlytest.yaml is there, init writes the files of the CI for that one, and
// leaves it alone.
func TestInitWritesTheCIOfAFileThatIsThere(t *testing.T) {
	const one = "version: 1\nwebhooks: [{url: \"https://hooks.example.com/kindly\", connect_to: \"http://localhost:3000/\", hmac_secret: \"${B_SECRET}\"}]\n" +
		"endpoint: {url: \"https://shop.example.com/token\", chat_id_field: \"query: ${chat_id}\", headers: {A: \"${A_KEY} ${OPTIONAL:-x} $${NOT_ONE} ${B_SECRET}\"}}\n"
	for _, row := range []struct {
		name, file string
		args       []string
		code       int
		has, lacks []string
	}{
		{"one target", one, []string{"--ci", "github"}, exitOK,
			[]string{"A_KEY: ${{ secrets.A_KEY }}", "B_SECRET: ${{ secrets.B_SECRET }}", "--output /dev/null 'http://localhost:3000/'"}, []string{"OPTIONAL", "NOT_ONE", "chat_id", "matrix", "merge: shards"}},
		{"several", one + "targets: [{name: a}, {name: b}]\n", []string{"--ci", "github", "--start", "npm start"}, exitOK,
			[]string{"shard: [1, 2]", "npm start &", "merge: shards"}, nil},
		{"no file", "", []string{"--ci", "github"}, exitUsage, nil, nil},
		{"a file that can't be read", "version: [", []string{"--ci", "github"}, exitUsage, nil, nil},
		{"a page beside it", one, []string{"--ci", "github", "--page", "http://127.0.0.1:1/"}, exitUsage, nil, nil}, // kindlytest.yaml would be replaced
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			if row.file != "" {
				writeFiles(t, dir, map[string]string{"kindlytest.yaml": row.file})
			}
			got := runHere(t.Context(), nil, "", append([]string{"init"}, row.args...)...)
			text, err := os.ReadFile(filepath.Join(dir, ".github/workflows/kindlytest.yml"))
			if got.code != row.code || (err == nil) != (row.code == exitOK) {
				t.Fatalf("exit code %d, %v\n%s", got.code, err, got.stderr)
			}
			for _, want := range row.has {
				if !strings.Contains(string(text), want) {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
			for _, not := range row.lacks {
				if strings.Contains(string(text), not) {
					t.Errorf("%q is in\n%s", not, text)
				}
			}
			if now, _ := os.ReadFile("kindlytest.yaml"); string(now) != row.file {
				t.Errorf("the file was changed:\n%s", now)
			}
		})
	}
}
