package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"github.com/kindlytest/kindlytest/reports"
)

// origins are the variables in which a CI tells what it checks: the commit, and
// the branch, of which the first that is set counts.
var origins = []struct {
	commit   string
	branches []string
}{
	{"GITHUB_SHA", []string{"GITHUB_HEAD_REF", "GITHUB_REF_NAME"}}, // of a pull request; of all else
	{"CI_COMMIT_SHA", []string{"CI_COMMIT_REF_NAME"}},              // GitLab
	{"BUILD_SOURCEVERSION", []string{"BUILD_SOURCEBRANCHNAME"}},    // Azure
	{"BITBUCKET_COMMIT", []string{"BITBUCKET_BRANCH"}},
	{"CIRCLE_SHA1", []string{"CIRCLE_BRANCH"}},
	{"BUILDKITE_COMMIT", []string{"BUILDKITE_BRANCH"}},
	{"GIT_COMMIT", []string{"GIT_BRANCH"}}, // Jenkins
}

// origin puts into a run where it comes from: the commit and branch that the CI
// names, and the configuration's line.
func (a *app) origin(run *reports.Run, file string) {
	for _, o := range origins {
		if run.Target.Commit = a.env(o.commit); run.Target.Commit == "" {
			continue
		}
		for _, name := range o.branches {
			if run.Target.Branch = a.env(name); run.Target.Branch != "" {
				break
			}
		}
		break
	}
	if file != "" {
		run.Config = &reports.Place{Path: a.inRepository(file), Line: lineOf(file, run.Target.Name)}
	}
}

// inRepository is a file's path as code scanning knows it: from the root of the
// repository, if the CI tells where that is.
func (a *app) inRepository(file string) string {
	root := a.env("GITHUB_WORKSPACE")
	if root == "" {
		root = a.env("CI_PROJECT_DIR")
	}
	absolute, err := filepath.Abs(file)
	if root == "" || err != nil {
		return filepath.ToSlash(file)
	}
	path, err := filepath.Rel(root, absolute)
	if err != nil || !filepath.IsLocal(path) {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(path)
}

// lineOf is where a file describes a target: its entry among several, or the first
// of what makes a target; 1 if that can't be told.
func lineOf(file, target string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 1 // it was read before, so it is gone
	}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return 1
	}
	at := func(path string) (line int, value string) {
		p, err := yaml.PathString(path)
		if err != nil {
			return 0, ""
		}
		node, err := p.FilterFile(tree)
		if err != nil || node == nil || node.GetToken() == nil {
			return 0, ""
		}
		return node.GetToken().Position.Line, strings.Trim(node.String(), `"'`)
	}
	for i := 0; ; i++ {
		line, name := at(fmt.Sprintf("$.targets[%d].name", i))
		if line == 0 {
			break
		}
		if name == target {
			return line
		}
	}
	first := 0
	for _, part := range []string{"$.page", "$.endpoint", "$.webhooks"} {
		if line, _ := at(part); line > 0 && (first == 0 || line < first) {
			first = line
		}
	}
	return max(first, 1)
}
