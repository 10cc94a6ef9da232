package main

import (
	"bytes"
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

// readYAML reads one of the repository's own files.
func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(readOwn(t, path)), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestReleasesAreForEverySystem(t *testing.T) {
	var release struct {
		Version int
		Builds  []struct {
			Main, Binary          string
			Ldflags, Goos, Goarch []string
			Env                   []string
		}
		Archives []struct{ Files []string }
	}
	readYAML(t, ".goreleaser.yaml", &release)
	b := release.Builds[0]
	if release.Version != 2 || b.Main != "./cmd/kindlytest" || !slices.Contains(b.Env, "CGO_ENABLED=0") {
		t.Errorf("%+v", release)
	}
	if !slices.Equal(b.Goos, []string{"linux", "darwin", "windows"}) || !slices.Equal(b.Goarch, []string{"amd64", "arm64"}) {
		t.Errorf("it is built for %q on %q", b.Goos, b.Goarch)
	}
	// The variable that the linker sets is the one that version prints.
	m := regexp.MustCompile(`-X main\.(\w+)=`).FindStringSubmatch(b.Ldflags[0])
	source, err := os.ReadFile("version.go")
	if err != nil || m == nil || !strings.Contains(string(source), "var "+m[1]+" = ") {
		t.Errorf("the linker's flags %q set no variable of version.go", b.Ldflags)
	}
	for _, pattern := range release.Archives[0].Files {
		if pattern == "NOTICES.txt" { // made before; see TestNotices
			continue
		}
		if found, err := filepath.Glob(filepath.Join("../..", pattern)); err != nil || len(found) == 0 {
			t.Errorf("the archive should hold %s, which is not there", pattern)
		}
	}
}

// pinned are actions by commit, or by full version until .ci/pin was run.
var pinned = regexp.MustCompile(`^[a-z-]+/[a-z-]+@(v\d+\.\d+\.\d+|[0-9a-f]{40})$`)

// Each step of the workflows names what it uses with a version, gets what it
// needs from variables, and no workflow may do more than it says.
func TestWorkflows(t *testing.T) {
	paths, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(paths) < 2 {
		t.Fatalf("workflows %q, %v", paths, err)
	}
	for _, path := range paths {
		var w struct {
			On          any
			Permissions map[string]string
			Jobs        map[string]struct {
				Timeout     int `yaml:"timeout-minutes"`
				Permissions map[string]string
				Steps       []actionStep
			}
		}
		readYAML(t, strings.TrimPrefix(filepath.ToSlash(path), "../../"), &w)
		if w.On == nil || len(w.Permissions) == 0 || len(w.Jobs) == 0 {
			t.Errorf("%s: %+v", path, w)
		}
		for name, job := range w.Jobs {
			if job.Timeout == 0 || len(job.Steps) == 0 {
				t.Errorf("%s: job %s has no time limit, or no steps", path, name)
			}
			if w.Permissions["contents"] != "read" {
				t.Errorf("%s: every job may do more than read: %v", path, w.Permissions)
			}
			for _, s := range job.Steps {
				if s.Uses != "" && s.Uses != "./" && !pinned.MatchString(s.Uses) {
					t.Errorf("%s: %s is not pinned", path, s.Uses)
				}
				if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
					t.Errorf("%s: job %s leaves its credentials to all that runs after the checkout", path, name)
				}
				if len(job.Permissions) > 0 && (strings.Contains(s.Run, ".ci/run") || strings.Contains(s.Run, "npm") || strings.HasPrefix(s.Uses, "actions/setup-node@")) {
					t.Errorf("%s: job %s may write, and runs the code of others", path, name)
				}
				if expression.MatchString(s.Run) {
					t.Errorf("%s: a script of job %s holds an expression", path, name)
				}
			}
		}
	}
}

// A release takes its notes from its section of the changelog.
func TestReleaseNotes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED, NOT CHECKED: it needs bash")
	}
	var w struct {
		Jobs map[string]struct{ Steps []actionStep }
	}
	readYAML(t, ".github/workflows/release.yml", &w)
	i := slices.IndexFunc(w.Jobs["release"].Steps, func(s actionStep) bool { return strings.HasPrefix(s.Name, "Take the notes") })
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n- later\n\n## [1.10.0] - 2026-02-01\n\n### Added\n\n- ten\n\n## [1.1.0] - 2026-01-01\n\n- one\n\n[1.1.0]: https://example.com/\n"})
	notes := func(tag string) (string, error) {
		cmd := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", w.Jobs["release"].Steps[i].Run)
		cmd.Dir = dir
		cmd.Env = append(cmd.Environ(), "TAG="+tag, "RUNNER_TEMP="+dir)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		text, _ := os.ReadFile(filepath.Join(dir, "notes.md")) // made by the script
		return string(text), err
	}
	if text, err := notes("v1.10.0"); err != nil || strings.TrimSpace(text) != "### Added\n\n- ten" {
		t.Errorf("%v: %q", err, text)
	}
	if text, err := notes("v2.0.0"); err == nil {
		t.Errorf("a version that the changelog does not know has the notes %q", text)
	}
	for _, heading := range regexp.MustCompile(`(?m)^## .*$`).FindAllString(readOwn(t, "CHANGELOG.md"), -1) {
		if !regexp.MustCompile(`^## (\[Unreleased\]|\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d)$`).MatchString(heading) {
			t.Errorf("CHANGELOG.md: %q is no heading of a version", heading)
		}
	}
}

func readOwn(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
