package main

import (
	"bytes"
	"errors"
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
	cmd.Env = append(cmd.Environ(), "GITHUB_OUTPUT="+output, "RUNNER_OS=Linux")
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
		"INPUT_REPORT_DIR": "out dir",
	}
	with := func(changes ...string) map[string]string {
		out := map[string]string{}
		for k, v := range env {
			out[k] = v
		}
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
	_, code, _ = runStep(t, "Show the result in the summary", dir, map[string]string{"PROGRAM": program, "REPORT": got["json"], "GITHUB_STEP_SUMMARY": summary})
	text, err := os.ReadFile(summary)
	if err != nil || code != 0 || !strings.HasPrefix(string(text), "## ❔ kindlytest: NOTHING WAS CHECKED") {
		t.Errorf("the summary: %v, exit code %d\n%.300s", err, code, text)
	}
	if log, code, _ := runStep(t, "Gate", dir, map[string]string{"CODE": "2", "VERDICT": "incomplete"}); code != 2 || !strings.HasPrefix(log, "::error ") {
		t.Errorf("the gate ends with %d: %s", code, log)
	}
	if _, code, _ := runStep(t, "Gate", dir, map[string]string{"CODE": "0", "VERDICT": "passed"}); code != 0 {
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
