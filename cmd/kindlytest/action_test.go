package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// An actionStep is one step of action.yml.
type actionStep struct {
	ID    string            `yaml:"id"`
	Name  string            `yaml:"name"`
	Uses  string            `yaml:"uses"`
	If    string            `yaml:"if"`
	Shell string            `yaml:"shell"`
	Env   map[string]string `yaml:"env"`
	Run   string            `yaml:"run"`
	With  map[string]any    `yaml:"with"`
}

type actionFile struct {
	Inputs  map[string]struct{ Description, Default string }
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []actionStep
	}
}

func action(t *testing.T) actionFile {
	t.Helper()
	text, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a actionFile
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	if a.Runs.Using != "composite" || len(a.Runs.Steps) < 5 {
		t.Fatalf("it is no composite action: %+v", a.Runs)
	}
	return a
}

var expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

// What an input holds must not become shell code, and each name must be one.
func TestActionIsSound(t *testing.T) {
	a := action(t)
	used := map[string]bool{}
	ids := []string{}
	for _, s := range a.Runs.Steps {
		ids = append(ids, s.ID)
		if s.Uses != "" && !pinned.MatchString(s.Uses) {
			t.Errorf("step %q: %s is not pinned", s.Name, s.Uses)
		}
		if s.Run != "" && s.Shell != "bash" {
			t.Errorf("step %q has the shell %q", s.Name, s.Shell)
		}
		if expression.MatchString(s.Run) {
			t.Errorf("step %q puts an expression into its script", s.Name)
		}
		for name := range s.Env {
			if !strings.Contains(s.Run, name) {
				t.Errorf("step %q does not use %s", s.Name, name)
			}
		}
	}
	text, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`inputs\.([a-z-]+)`).FindAllStringSubmatch(string(text), -1) {
		used[m[1]] = true
		if _, ok := a.Inputs[m[1]]; !ok {
			t.Errorf("there is no input %s", m[1])
		}
	}
	for name, in := range a.Inputs {
		if !used[name] || in.Description == "" {
			t.Errorf("the input %s is not used, or not described", name)
		}
	}
	for name, out := range a.Outputs {
		m := regexp.MustCompile(`^\$\{\{ steps\.([a-z]+)\.outputs\.([a-z-]+) \}\}$`).FindStringSubmatch(out.Value)
		if m == nil || !slices.Contains(ids, m[1]) || m[2] != name {
			t.Errorf("the output %s is %q", name, out.Value)
		}
	}
}

// runStep runs the script of a step as the runner does, and returns what it
// printed, its exit code and its outputs.
func runStep(t *testing.T, name, dir string, env map[string]string) (string, int, map[string]string) {
	t.Helper()
	steps := action(t).Runs.Steps
	i := slices.IndexFunc(steps, func(s actionStep) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no step %q", name)
	}
	script := filepath.Join(t.TempDir(), "step.sh")
	output := filepath.Join(t.TempDir(), "output")
	if err := os.WriteFile(script, []byte(steps[i].Run), 0o600); err != nil {
		t.Fatal(err)
	}
	for variable := range steps[i].Env {
		if _, ok := env[variable]; !ok {
			t.Fatalf("step %q gets %s, and the test does not give it", name, variable)
		}
	}
	cmd := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GITHUB_OUTPUT="+output, "RUNNER_OS=Linux", "RUNNER_ARCH=X64")
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	text, _ := os.ReadFile(output) // a step may have none
	for line := range strings.Lines(string(text)) {
		k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		outputs[k] = v
	}
	return out.String(), cmd.ProcessState.ExitCode(), outputs
}

// The action's scripts are run for real, against a webhook that is not there and
// one that answers wrongly.
func TestActionRuns(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED, NOT CHECKED: it needs bash")
	}
	program, err := exec.LookPath("kindlytest")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"gone.yaml": "version: 1\nwebhooks: [{url: \"http://localhost:1/\"}]\nchecks: {only: RESP-JSON}\n",
		"two.yaml":  "version: 1\nwebhooks: [{url: \"http://localhost:1/\"}]\nchecks: {only: RESP-JSON}\ntargets: [{name: a}, {name: b}]\n",
	})
	env := map[string]string{
		"PROGRAM": program, "INPUT_CONFIG": "gone.yaml", "INPUT_ARGS": "", "INPUT_FORMAT": "json,junit,html,sarif,markdown",
		"INPUT_REPORT_DIR": "out dir", "INPUT_MERGE": "",
	}
	with := func(changes ...string) map[string]string {
		out := map[string]string{}
		maps.Copy(out, env)
		for i := 0; i < len(changes); i += 2 {
			out[changes[i]] = changes[i+1]
		}
		return out
	}
	reports := filepath.Join(dir, "out dir")

	log, code, got := runStep(t, "Check", dir, with())
	if code != 0 || got["exit-code"] != "2" || got["verdict"] != "incomplete" || got["json"] != filepath.Join(reports, "report.json") ||
		got["sarif"] == "" || got["junit"] == "" || got["html"] == "" || got["markdown"] == "" || got["report-dir"] != reports {
		t.Errorf("exit code %d, outputs %v\n%s", code, got, log)
	}
	stopped := regexp.MustCompile(`(?s)^::stop-commands::(kindlytest-[0-9a-f]{32})\n.*NOTHING WAS CHECKED.*\n::(kindlytest-[0-9a-f]{32})::\n$`).FindStringSubmatch(log)
	if stopped == nil || stopped[1] != stopped[2] {
		t.Errorf("commands of the runner are not kept out of the log:\n%s", log)
	}

	summary := filepath.Join(t.TempDir(), "summary")
	_, code, _ = runStep(t, "Show the result in the summary", dir, map[string]string{"PROGRAM": program, "REPORT": got["json"], "COMPARISON": "", "GITHUB_STEP_SUMMARY": summary})
	text, err := os.ReadFile(summary)
	if err != nil || code != 0 || !strings.HasPrefix(string(text), "## ❔ kindlytest: NOTHING WAS CHECKED") {
		t.Errorf("the summary: %v, exit code %d\n%.300s", err, code, text)
	}
	if log, code, _ := runStep(t, "Gate", dir, map[string]string{"CODE": "2", "VERDICT": "incomplete", "COMPARED": ""}); code != 2 || !strings.HasPrefix(log, "::error ") {
		t.Errorf("the gate ends with %d: %s", code, log)
	}
	if _, code, _ := runStep(t, "Gate", dir, map[string]string{"CODE": "0", "VERDICT": "passed", "COMPARED": ""}); code != 0 {
		t.Errorf("the open gate ends with %d", code)
	}

	// The reports of an earlier run don't pass for those of one that failed early,
	// nor do those of targets that are checked no more.
	gone := filepath.Join(reports, "gone target", "report.json")
	if err := os.MkdirAll(filepath.Dir(gone), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, filepath.Dir(gone), map[string]string{"report.json": "{}"})
	defer func() {
		if _, err := os.Stat(gone); err == nil {
			t.Error("the reports of an earlier run's target are still there")
		}
	}()
	if log, _, got = runStep(t, "Check", dir, with("INPUT_CONFIG", "missing.yaml")); got["exit-code"] != "2" || got["json"] != "" {
		t.Errorf("outputs %v\n%s", got, log)
	}

	// What later steps read is written, whatever else is wanted.
	if log, _, got = runStep(t, "Check", dir, with("INPUT_FORMAT", "html", "INPUT_REPORT_DIR", "html")); got["json"] == "" || got["html"] == "" {
		t.Errorf("outputs %v\n%s", got, log)
	}
	if log, _, got = runStep(t, "Check", dir, with("INPUT_FORMAT", "none", "INPUT_REPORT_DIR", "no folder")); got["exit-code"] != "2" || got["json"] != "" || !strings.Contains(log, "NOTHING WAS CHECKED") {
		t.Errorf("outputs %v\n%s", got, log)
	}

	// Bash on Windows has a way of its own to write paths; here a function plays it.
	windows := with("BASH_FUNC_pwd%%", `() { if [ "$1" = -W ]; then echo "D:$(builtin pwd)"; else builtin pwd; fi; }`, "RUNNER_OS", "Windows")
	if log, _, got = runStep(t, "Check", dir, windows); got["report-dir"] != "D:"+reports {
		t.Errorf("outputs %v\n%s", got, log)
	}

	// Several targets, and arguments one a line.
	log, _, got = runStep(t, "Check", dir, with("INPUT_CONFIG", "two.yaml", "INPUT_ARGS", "--target\r\na\n\n--quiet", "INPUT_REPORT_DIR", "two"))
	if got["exit-code"] != "2" || got["markdown"] == "" || got["html"] == "" || got["sarif"] != "" {
		t.Errorf("outputs %v\n%s", got, log)
	}
	if _, err := os.Stat(filepath.Join(dir, "two", "b")); err == nil {
		t.Error("target b was checked too")
	}

	// What looks like shell code, or like outputs, is text.
	for name, hostile := range map[string]string{
		"INPUT_CONFIG": "$(touch owned)`touch owned`;touch owned", "INPUT_ARGS": "--only\n$(touch owned); touch owned",
		"INPUT_FORMAT": "json;touch owned", "INPUT_REPORT_DIR": "x\nverdict=passed",
	} {
		_, _, got := runStep(t, "Check", dir, with(name, hostile, "INPUT_REPORT_DIR", map[bool]string{true: hostile, false: "none"}[name == "INPUT_REPORT_DIR"]))
		if _, err := os.Stat(filepath.Join(dir, "owned")); err == nil || got["verdict"] == "passed" {
			t.Errorf("%s was executed, or believed: %v", name, got)
			os.Remove(filepath.Join(dir, "owned"))
		}
	}

	// The reports of shards are merged, one that is missing is named, and a folder is one.
	for _, shard := range []string{"1/3", "2/3"} {
		runStep(t, "Check", dir, with("INPUT_CONFIG", "two.yaml", "INPUT_ARGS", "--shard="+shard, "INPUT_REPORT_DIR", "shards/kindlytest-shard-"+shard[:1]))
	}
	log, _, got = runStep(t, "Check", dir, with("INPUT_MERGE", "shards", "INPUT_REPORT_DIR", "merged"))
	if got["exit-code"] != "2" || got["html"] == "" || !strings.Contains(log, "INCOMPLETE  2 targets") || strings.Contains(log, "is missing") {
		t.Errorf("outputs %v\n%s", got, log)
	}
	if err := os.RemoveAll(filepath.Join(dir, "shards", "kindlytest-shard-2")); err != nil {
		t.Fatal(err)
	}
	if log, _, got = runStep(t, "Check", dir, with("INPUT_MERGE", "shards", "INPUT_REPORT_DIR", "merged")); got["exit-code"] != "2" || !strings.Contains(log, "the report of shard 2/3 is missing") {
		t.Errorf("outputs %v\n%s", got, log)
	}
	if log, code, got = runStep(t, "Check", dir, with("INPUT_MERGE", "--help")); code != 2 || got["exit-code"] != "" {
		t.Errorf("exit code %d, outputs %v\n%s", code, got, log)
	}
	if log, _, got = runStep(t, "Check", dir, with("INPUT_MERGE", "nothing-here", "INPUT_REPORT_DIR", "merged")); got["exit-code"] != "2" || got["json"] != "" {
		t.Errorf("outputs %v\n%s", got, log)
	}

	// Reports are removed in the folder that is named, and in no other.
	for _, folder := range []string{"", "/", "-rf", "--help"} {
		if log, code, got := runStep(t, "Check", dir, with("INPUT_REPORT_DIR", folder)); code != 2 || got["exit-code"] != "" || !strings.Contains(log, "must name a folder") {
			t.Errorf("report-dir %q: exit code %d, %v\n%s", folder, code, got, log)
		}
	}

	// With a browser there, the step that would install one does nothing.
	if haveBrowser(t) {
		if log, code, _ := runStep(t, "Install a browser, if there is none", dir, map[string]string{"PROGRAM": program, "ACTION_PATH": "/nowhere"}); code != 0 || log != "" {
			t.Errorf("exit code %d: %s", code, log)
		}
	}
}

// What got worse fails, and what was there does not; nothing is green that is not known.
func TestActionCompares(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED, NOT CHECKED: it needs bash")
	}
	program, err := exec.LookPath("kindlytest")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	report := func(name string, code int, outcomes ...string) string {
		checks := []string{}
		for i, o := range outcomes {
			checks = append(checks, fmt.Sprintf(`{"id": "AUTH-%d", "area": "AUTH", "level": "MUST", "requirement": "It holds.", "outcome": %q, "broken": "It does not hold."}`, i, o))
		}
		writeFiles(t, dir, map[string]string{name: fmt.Sprintf(`{"schema": 2, "tool": {"name": "kindlytest", "version": "dev"}, "target": {"page": "https://shop.example.com/"}, "started": "2026-01-01T00:00:00Z", "duration_ms": 1, "exit_code": %d, "checks": [%s]}`, code, strings.Join(checks, ","))})
		return filepath.Join(dir, name)
	}
	before := report("before.json", 1, "failed", "passed")
	writeFiles(t, dir, map[string]string{"broken.json": "{}"})
	for _, row := range []struct {
		name      string
		now       string
		code      string // of the run
		before    string
		compared  string
		gate      int
		annotated string
	}{
		{"as before", report("same.json", 1, "failed", "passed"), "1", "before.json", "0", 0, "::notice title=AUTH-0::"},
		{"better", report("better.json", 0, "passed", "passed"), "0", "before.json", "0", 0, ""},
		{"worse", report("worse.json", 1, "failed", "failed"), "1", "before.json", "1", 1, "::error title=AUTH-1::"},
		{"no longer judged", report("lost.json", 1, "failed", "skipped"), "1", "before.json", "1", 1, ""},
		{"not to be found out", report("unknown.json", 2, "failed", "passed", "errored"), "1", "before.json", "2", 2, ""},
		{"nothing to compare with", report("first.json", 1, "failed", "passed"), "1", "none.json", "", 1, "::error title=AUTH-0::"},
		{"a baseline that is none", before, "1", "broken.json", "2", 2, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			temp := t.TempDir()
			log, code, got := runStep(t, "Compare", dir, map[string]string{"PROGRAM": program, "REPORT": row.now, "INPUT_COMPARE": row.before, "RUNNER_TEMP": temp})
			if code != 0 || got["compared"] != row.compared {
				t.Errorf("exit code %d, outputs %v\n%s", code, got, log)
			}
			if wrote := got["comparison"] != ""; wrote != (row.before == "before.json") || row.before == "none.json" != strings.HasPrefix(log, "::notice ") {
				t.Errorf("outputs %v\n%s", got, log)
			}
			if log, code, _ := runStep(t, "Gate", dir, map[string]string{"CODE": row.code, "VERDICT": "failed", "COMPARED": got["compared"]}); code != row.gate || (code != 0) != strings.HasPrefix(log, "::error ") {
				t.Errorf("the gate ends with %d: %s", code, log)
			}
			if log, code, _ := runStep(t, "Annotate", dir, map[string]string{"PROGRAM": program, "REPORT": row.now, "BASELINE": got["baseline"]}); code != 0 || !strings.Contains(log, row.annotated) {
				t.Errorf("exit code %d, want %q in\n%s", code, row.annotated, log)
			}
			summary := filepath.Join(temp, "summary")
			runStep(t, "Show the result in the summary", dir, map[string]string{"PROGRAM": program, "REPORT": row.now, "COMPARISON": got["comparison"], "GITHUB_STEP_SUMMARY": summary})
			text, err := os.ReadFile(summary)
			if err != nil || strings.Contains(string(text), "compared with that of") != (got["comparison"] != "") || !strings.Contains(string(text), "AUTH") {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

// A machine is one that the runner may be, as far as scripts see it.
type machine struct{ os, arch, archive string }

// For a tag the archive of its release is taken, and nothing else passes for it.
func TestActionTakesTheRelease(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED, NOT CHECKED: it needs bash")
	}
	var (
		linux   = machine{"Linux", "X64", "kindlytest_1.2.3_linux_amd64.tar.gz"}
		mac     = machine{"macOS", "ARM64", "kindlytest_1.2.3_darwin_arm64.tar.gz"}
		windows = machine{"Windows", "X64", "kindlytest_1.2.3_windows_amd64.zip"}
	)
	name, archive := linux.archive, packed(t, linux)
	sum := checksum(archive)
	for _, row := range []struct {
		name, ref string
		on        machine
		served    map[string]string
		code      int
		taken     bool
		says      string
	}{
		{"a release", "v1.2.3", linux, map[string]string{"checksums.txt": "0000  other.tar.gz\n" + sum + "  " + name + "\n", name: archive}, 0, true, ""},
		{"one for macOS", "v1.2.3", mac, release123(t, mac), 0, true, ""},
		{"one for Windows", "v1.2.3", windows, release123(t, windows), 0, true, ""},
		{"another system", "v1.2.3", machine{"Plan9", "X64", ""}, release123(t, linux), 0, false, ""},
		{"another architecture", "v1.2.3", machine{"Linux", "ARM", ""}, release123(t, linux), 0, false, ""},
		{"another file under its name", "v1.2.3", linux, map[string]string{"checksums.txt": sum + "  " + name + "\n", name: archive + "x"}, 1, false, "::error title=kindlytest::" + name + " is not what"},
		{"another file, on macOS", "v1.2.3", mac, map[string]string{"checksums.txt": sum + "  " + mac.archive + "\n", mac.archive: "x"}, 1, false, mac.archive + " is not what"},
		{"a file that no checksum is of", "v1.2.3", linux, map[string]string{"checksums.txt": sum + "  x" + name + "\n", name: archive}, 1, false, "is not what"},
		{"a tag without archives", "v1.2.3", linux, nil, 0, false, "There is no checksums.txt for v1.2.3: building it instead."},
		{"a tag without one for this machine", "v1.2.3", linux, map[string]string{"checksums.txt": ""}, 0, false, "There is no " + name},
		{"a branch", "main", linux, map[string]string{"checksums.txt": ""}, 0, false, ""},
		{"a commit", "95c19ef0123456789012345678901234567890ab", linux, nil, 0, false, ""},
		{"a branch that looks like a path", "v1.2.3/../v9", linux, nil, 0, false, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text, ok := row.served[strings.TrimPrefix(r.URL.Path, "/v1.2.3/")]
				if !ok {
					http.NotFound(w, r)
					return
				}
				_, _ = io.WriteString(w, text)
			}))
			defer server.Close()
			temp := t.TempDir()
			env := map[string]string{"ACTION_REF": row.ref, "RELEASES": server.URL, "RUNNER_TEMP": temp, "RUNNER_OS": row.on.os, "RUNNER_ARCH": row.on.arch}
			if row.on == mac {
				env["PATH"] = likeMacOS(t)
			}
			log, code, got := runStep(t, "Take the release", temp, env)
			if code != row.code || (got["program"] != "") != row.taken || !strings.Contains(log, row.says) {
				t.Fatalf("exit code %d, outputs %v\n%s", code, got, log)
			}
			if row.taken {
				if out, err := exec.Command(got["program"]).Output(); err != nil || string(out) != "the released one\n" {
					t.Errorf("%q, %v", out, err)
				}
			}
		})
	}
}

const released = "#!/bin/sh\necho the released one\n"

// packed is the archive of a release for a machine.
func packed(t *testing.T, m machine) string {
	t.Helper()
	var archive bytes.Buffer
	if m.os == "Windows" {
		files := zip.NewWriter(&archive)
		for name, text := range map[string]string{"README.md": "readme", "kindlytest.exe": released} {
			head := &zip.FileHeader{Name: name}
			head.SetMode(0o755)
			w, err := files.CreateHeader(head)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := files.Close(); err != nil {
			t.Fatal(err)
		}
		return archive.String()
	}
	zipped := gzip.NewWriter(&archive)
	files := tar.NewWriter(zipped)
	for name, text := range map[string]string{"README.md": "readme", "kindlytest": released} {
		err := files.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))})
		_, err2 := io.WriteString(files, text)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(files.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return archive.String()
}

func checksum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// release123 is what is served of a release.
func release123(t *testing.T, m machine) map[string]string {
	archive := packed(t, m)
	return map[string]string{"checksums.txt": checksum(archive) + "  " + m.archive + "\n", m.archive: archive}
}

// likeMacOS is a PATH with what the step needs there: shasum, and no sha256sum.
func likeMacOS(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"awk", "bash", "cat", "curl", "gzip", "mkdir", "sh", "tar"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	own, err := exec.LookPath("sha256sum")
	if err != nil { // it is one
		return os.Getenv("PATH")
	}
	if err := os.WriteFile(filepath.Join(dir, "shasum"), []byte("#!/bin/sh\n[ \"$1 $2\" = '-a 256' ] && exec "+own+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
