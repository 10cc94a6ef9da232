package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// targetName is what a target may be called: the name is that of a folder of
// reports, on every system.
var targetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

type targetSection struct {
	Name     folder `yaml:"name" must:"yes" doc:"Unique; the folder of its reports."`
	Sections `yaml:",inline"`
}

func (targetSection) keywords() object {
	return object{{"title", "a target"}, {"description", "One of several targets. What it does not bring is the file's."}}
}

// A folder is a text that can be the name of one.
type folder struct{ text }

func (folder) keywords() object {
	return object{
		{"type", scalars},
		{"pattern", `^([A-Za-z0-9][A-Za-z0-9_-]{0,63}|.*\$\{.*)$`},
		{"errorMessage", "must be fit for a folder, up to 64 of a-z, A-Z, 0-9, - and _, a letter or digit first"},
	}
}

type targetList []targetSection

func (targetList) keywords() object {
	return object{{"minItems", 1}, {"maxItems", 200}, {"errorMessage", "must list 1 to 200 targets"}}
}

// targets reads the list of targets. The sections of the file itself, which are
// read by now, are what a target has that does not bring its own.
func (d *document) targets(list targetList) {
	seen := map[string]bool{}
	for i, entry := range list {
		at := path{"targets"}.item(i)
		job := suites.Job{Target: d.config.Target, Options: d.config.Options}
		job.Target.Name = string(entry.Name.text)
		d.sections(at, &job.Target, &job.Options, entry.Sections)
		job.Target.Secrets = slices.Concat(job.Target.Secrets, d.secrets[at.target()])
		key := strings.ToLower(job.Target.Name) // some file systems don't tell Shop from shop
		switch {
		case entry.Name.text == "": // that is told by now
		case !targetName.MatchString(job.Target.Name):
			d.problem(at.to("name"), "name must be fit for a folder, up to 64 of a-z, A-Z, 0-9, - and _, a letter or digit first")
		case seen[key]:
			d.problem(at, "two targets are called %q", job.Target.Name)
		case !offersAnything(&job.Target) && len(d.problems) == 0:
			d.problem(at, "target %s names nothing to check; give page, endpoint or webhooks", job.Target.Name)
		}
		seen[key] = true
		d.config.Targets = append(d.config.Targets, job)
	}
}

func offersAnything(t *target.Target) bool {
	return t.PageURL != "" || t.Endpoint != nil || len(t.Webhooks) > 0
}

// TargetNames are the names of the targets that a file lists, as far as it can
// be read: for a shell's completion, which has no variables and reports no
// errors.
func TargetNames(path string) []string {
	o, err := OutlineOf(path)
	if err != nil {
		return nil
	}
	return o.Targets
}

// An Outline is what a file says as it stands: whoever reads it has none of its
// variables.
type Outline struct {
	Targets   []string // their names
	Variables []string // those that must be set, in the order of the file
	Texts     []string // all values that are text, with their ${VAR}
}

// OutlineOf reads the outline of a file that is YAML; what is in it may be wrong.
func OutlineOf(path string) (Outline, error) {
	text, err := ReadFile(path)
	if err != nil {
		return Outline{}, err
	}
	root, err := parse(text)
	if err != nil {
		return Outline{}, fmt.Errorf("%s: %w", path, err)
	}
	var o Outline
	o.read(root)
	n, _ := find(root, []string{"targets"})
	if list, ok := n.(*ast.SequenceNode); ok {
		for _, item := range list.Values {
			n, _ := find(item, []string{"name"})
			if name, ok := textOf(n); ok && targetName.MatchString(name) {
				o.Targets = append(o.Targets, name)
			}
		}
	}
	return o, nil
}

func (o *Outline) read(n ast.Node) {
	switch n := n.(type) {
	case *ast.StringNode:
		o.add(n.Value)
	case *ast.LiteralNode:
		o.add(n.Value.Value)
	case *ast.SequenceNode:
		for _, item := range n.Values {
			o.read(item)
		}
	default:
		for _, pair := range pairs(n) {
			o.read(pair.Value)
		}
	}
}

func (o *Outline) add(text string) {
	o.Texts = append(o.Texts, text)
	for _, match := range variable.FindAllString(text, -1) {
		name := ""
		if form := variableForm.FindStringSubmatch(match); form != nil && form[2] == "" && form[1] != chatID {
			name = form[1]
		} else if code := oneTime.FindStringSubmatch(match); code != nil {
			name = code[1]
		}
		if name != "" && !slices.Contains(o.Variables, name) {
			o.Variables = append(o.Variables, name)
		}
	}
}
