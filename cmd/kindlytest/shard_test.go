package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// timeless takes out of a JSON report what two runs of the same never have alike:
// times, what says how long or when, and which chat it was.
func timeless(t *testing.T, path string) any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`\d+(\.\d+)? ?(ms|s)\b|\d+m\d+s`).ReplaceAll(text, []byte("some time"))
	text = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAll(text, []byte("some chat")) // on a busy machine one more is asked for
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return without(doc, "started", "duration_ms", "at", "evidence")
}

func without(doc any, names ...string) any {
	switch doc := doc.(type) {
	case map[string]any:
		for _, name := range names {
			delete(doc, name)
		}
		for k, v := range doc {
			doc[k] = without(v, names...)
		}
	case []any:
		for i, v := range doc {
			doc[i] = without(v, names...)
		}
	}
	return doc
}

// Machines that know of each other no more than the file make what one would.
func TestMergedShardsEqualTheWholeRun(t *testing.T) {
	sound, faulty := shopWith(t), shopWith(t, "cacheable-token", "remembers-first-chat")
	env := map[string]string{"A": logIn(t, sound, sound.Users[0]), "B": logIn(t, faulty, faulty.Users[0])}
	dir := t.TempDir()
	config := filepath.Join(dir, "kindlytest.yaml")
	writeFiles(t, dir, map[string]string{"kindlytest.yaml": "version: 1\nchecks: {only: [AUTH-BIND-CHAT, AUTH-NO-STORE, AUTH-NO-SESSION, AUTH-FRESH, TOK]}\ntargets:\n" +
		"  - {name: sound, " + endpointOf(sound, "A") + "}\n" +
		"  - {name: gone, webhooks: [{url: \"http://localhost:1/\"}], checks: {only: RESP-JSON}}\n" +
		"  - {name: faulty, " + endpointOf(faulty, "B") + "}\n"})
	run := func(out string, args ...string) result {
		return runHere(t.Context(), env, "", append([]string{"run", "-c", config, "--seed", "x", "--concurrency", "1", "--report-dir", filepath.Join(dir, out)}, args...)...)
	}
	whole := run("whole")
	var shards []string
	for i := 1; i <= 4; i++ {
		folder := fmt.Sprintf("shard-%d", i)
		got := run(folder, "--shard", fmt.Sprintf("%d/4", i))
		if want := []int{0, exitOK, exitUsage, exitBroken, exitOK}[i]; got.code != want {
			t.Errorf("shard %d ends with %d, want %d\n%s%s", i, got.code, want, got.stdout, got.stderr)
		}
		if i == 4 && !strings.Contains(got.stdout, "NOTHING TO CHECK  shard 4/4 has no targets: there are 3 in all") {
			t.Errorf("a shard without targets says\n%s", got.stdout)
		}
		shards = append(shards, filepath.Join(dir, folder, "report.json"))
	}
	all := filepath.Join(dir, "all")
	merged := runHere(t.Context(), nil, "", append([]string{"report", "merge", "--report-dir", all, "--format", "json,junit,html,sarif,markdown", "--quiet"}, shards...)...)
	if merged.code != whole.code || whole.code != exitBroken || !strings.Contains(merged.stdout, "FAILED  3 targets · 1 failed · 1 could not be judged · 1 passed") {
		t.Errorf("the whole ends with %d, the merged report with %d\n%s%s", whole.code, merged.code, merged.stdout, merged.stderr)
	}
	for _, name := range []string{"report.json", "sound/report.json", "gone/report.json", "faulty/report.json"} {
		if diff := cmp.Diff(timeless(t, filepath.Join(dir, "whole", name)), timeless(t, filepath.Join(all, name))); diff != "" {
			t.Errorf("%s: -whole +merged\n%s", name, diff)
		}
	}
	for _, name := range []string{"junit.xml", "report.html", "report.md", "faulty/report.sarif"} {
		if _, err := os.Stat(filepath.Join(all, name)); err != nil {
			t.Error(err)
		}
	}

	// One is missing: it is named, and the rest is told. One is there twice: refused.
	got := runHere(t.Context(), nil, "", "report", "merge", shards[3], shards[0], "--report-dir", filepath.Join(dir, "less"), "--json", "-")
	for _, want := range []string{"the report of shard 2/4 is missing", "the report of shard 3/4 is missing"} {
		if got.code != exitUsage || !strings.Contains(got.stderr, want) || !strings.Contains(got.stdout, want) || strings.Contains(got.stderr, "4/4 is missing") {
			t.Errorf("exit code %d, want %q in\n%s%s", got.code, want, got.stdout, got.stderr)
		}
	}
	meetsSchema(t, "kindlytest schema", runHere(t.Context(), nil, "", "schema").stdout, got.stdout)
	got = runHere(t.Context(), nil, "", "report", "merge", shards[0], shards[0], "--report-dir", filepath.Join(dir, "double"))
	if got.code != exitUsage || !strings.Contains(got.stderr, "shard 1/4 is there twice: "+shards[0]) {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "double", "report.json")); err == nil {
		t.Error("a report was written of what can't be merged")
	}
	text, err := os.ReadFile(shards[3])
	if err != nil {
		t.Fatal(err)
	}
	meetsSchema(t, "kindlytest schema", runHere(t.Context(), nil, "", "schema").stdout, string(text))
}

func TestShardSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"several.yaml": "version: 1\nwebhooks: [{url: \"http://localhost:1/\"}]\ntargets: [{name: a}, {name: b}]\n",
		"one.yaml":     "version: 1\nwebhooks: [{url: \"http://localhost:1/\"}]\n",
	})
	for _, row := range []struct{ file, shard, says string }{
		{"several", "6/5", "--shard 6/5: the parts have the numbers 1 to 5"},
		{"several", "0/3", "--shard 0/3: the parts have the numbers 1 to 3"},
		{"several", "-1/3", "--shard -1/3: the parts have the numbers 1 to 3"},
		{"several", "1/0", "there must be one part at least"},
		{"several", "abc", `"abc" is not of the form NUMBER/PARTS`},
		{"several", "1/2/3", `"1/2/3" is not of the form NUMBER/PARTS`},
		{"several", "", "--shard is empty"},
		{"one", "1/2", "--shard is for a file that lists several targets"},
	} {
		got := runHere(t.Context(), nil, "", "run", "-c", filepath.Join(dir, row.file+".yaml"), "--report-dir", filepath.Join(dir, "out"), "--shard", row.shard)
		if got.code != exitUsage || !strings.Contains(got.stderr, row.says) || strings.Contains(got.stderr, "strconv") {
			t.Errorf("--shard %q: exit code %d, %s", row.shard, got.code, got.stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("a folder was made for nothing")
	}
}
