package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
)

func TestOriginIsWhatTheCITells(t *testing.T) {
	for name, row := range map[string]struct {
		env            map[string]string
		commit, branch string
	}{
		"GitHub, a push":         {map[string]string{"GITHUB_SHA": "3f2a", "GITHUB_REF_NAME": "main"}, "3f2a", "main"},
		"GitHub, a pull request": {map[string]string{"GITHUB_SHA": "3f2a", "GITHUB_HEAD_REF": "fix", "GITHUB_REF_NAME": "7/merge"}, "3f2a", "fix"},
		"GitLab":                 {map[string]string{"CI_COMMIT_SHA": "9c1b", "CI_COMMIT_REF_NAME": "release"}, "9c1b", "release"},
		"a laptop":               {nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := &app{lookupEnv: func(name string) (string, bool) { v, ok := row.env[name]; return v, ok }}
			var run reports.Run
			a.origin(&run, "")
			if run.Target.Commit != row.commit || run.Target.Branch != row.branch || run.Config != nil {
				t.Errorf("commit %q, branch %q, %v", run.Target.Commit, run.Target.Branch, run.Config)
			}
		})
	}
}

// Code scanning shows a result at the line that describes its target.
func TestOriginIsTheConfigurationsLine(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "ci", "kindlytest.yaml")
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	one := "version: 1\nbot:\n  key: x\nwebhooks:\n  - url: https://hooks.example.com/\npage: {url: https://example.com/}\n"
	two := "version: 1\ntargets:\n  - name: shop\n    page: {url: https://a.example/}\n  - page: {url: https://b.example/}\n    name: \"intranet\"\n"
	for name, row := range map[string]struct {
		text, target string
		line         int
	}{
		"of one target":   {one, "", 5},
		"of the first":    {two, "shop", 3},
		"of the second":   {two, "intranet", 6},
		"of what is none": {"]", "shop", 1},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(row.text), 0o600); err != nil {
				t.Fatal(err)
			}
			a := &app{lookupEnv: func(name string) (string, bool) { return root, name == "GITHUB_WORKSPACE" }}
			run := reports.Run{Target: reports.Target{Name: row.target}}
			a.origin(&run, file)
			if *run.Config != (reports.Place{Path: "ci/kindlytest.yaml", Line: row.line}) {
				t.Errorf("it stands at %+v", *run.Config)
			}
		})
	}
}
