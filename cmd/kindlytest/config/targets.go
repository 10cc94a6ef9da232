package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// MaxTargets bounds the targets of one file.
const MaxTargets = 200

// targetName is what a target may be called: the name is that of a folder of
// reports, on every system.
var targetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// targets reads the list of targets. The sections of the file itself, which are
// read by now, are what a target has that does not bring its own.
func (d *decoder) targets(n ast.Node) {
	common, options := *d.target, *d.options
	common.Name, common.Secrets = "", slices.Clip(common.Secrets) // each target adds its own
	items := d.items(n, "targets", false)
	if len(items) == 0 || len(items) > MaxTargets {
		d.problem(n, "targets must list 1 to %d targets, not %d", MaxTargets, len(items))
		return
	}
	seen := map[string]bool{}
	for _, item := range items {
		job := suites.Job{Target: common, Options: options}
		d.target, d.options = &job.Target, &job.Options
		ok := d.mapping(item, "a target", append([]field{{"name", d.inTheOpen(d.text(&job.Target.Name, "name"))}}, d.sections()...)...)
		if ok {
			d.judgeTarget(item, &job.Target, seen)
		}
		d.config.Targets = append(d.config.Targets, job)
	}
	d.target, d.options = &d.config.Target, &d.config.Options
}

func (d *decoder) judgeTarget(item ast.Node, t *target.Target, seen map[string]bool) {
	key := strings.ToLower(t.Name) // some file systems don't tell Shop from shop
	switch {
	case len(d.problems) > 0: // the name may be missing for another reason
	case t.Name == "":
		d.problem(item, "the target's name is missing")
	case !targetName.MatchString(t.Name):
		d.problem(item, "name: %q can't be that of a folder; use up to 64 of a-z, A-Z, 0-9, - and _, a letter or digit first", t.Name)
	case seen[key]:
		d.problem(item, "two targets are called %q", t.Name)
	case !offersAnything(t):
		d.problem(item, "target %s names nothing to check; give page, endpoint or webhooks", t.Name)
	}
	seen[key] = true
}

// TargetNames are the names of the targets that a file lists, as far as it can
// be read: for a shell's completion, which has no variables and reports no
// errors.
func TargetNames(path string) []string {
	text, err := ReadFile(path)
	if err != nil || tooDeep(text) {
		return nil
	}
	d := &decoder{file: path, config: &Config{}}
	root := d.parse(text)
	if root == nil {
		return nil
	}
	var names []string
	top, _ := d.pairs(root, "the file")
	for _, section := range top {
		list, ok := section.value.(*ast.SequenceNode)
		if section.key != "targets" || !ok {
			continue
		}
		for _, item := range list.Values {
			entry, _ := d.pairs(item, "a target")
			for _, p := range entry {
				if name, ok := p.value.(*ast.StringNode); ok && p.key == "name" && targetName.MatchString(name.Value) {
					names = append(names, name.Value)
				}
			}
		}
	}
	return names
}
