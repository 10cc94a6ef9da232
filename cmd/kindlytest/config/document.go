package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/kindlytest/kindlytest/internal/redact"
)

// A document is a file while it is read: its syntax tree, which knows the lines,
// and all that is wrong with it.
type document struct {
	file     string
	from     Sources
	config   *Config
	root     ast.Node
	raw      map[ast.Node]string // texts as they were before their variables were replaced
	wrong    []path              // values that are not as the schema wants them
	problems []Problem
	lacks    []Problem // told if there are no other problems
	notes    []Problem
	redact   redact.Redactor     // of what came from variables
	secrets  map[string][]string // of that, what reports must not show: by entry of targets, "" for the file
}

// maxProblems bounds what is told at once.
const maxProblems = 10

// read validates the file by its schema, replaces its variables, and makes of it
// what it describes.
func (d *document) read(text []byte) {
	var syntax *syntaxError
	root, err := parse(text)
	if err == nil {
		d.root = root
		var value any
		if value, err = plain(root, "this"); err == nil {
			d.validate(value)
		}
	}
	if errors.As(err, &syntax) {
		d.problems = append(d.problems, Problem{d.file, syntax.line, syntax.column, syntax.text})
		return
	}
	if pairs(root) != nil {
		d.prune()
		d.expand(root, nil)
		d.build()
	}
	if len(d.problems) == 0 {
		d.problems = d.lacks
	}
	for i := range d.problems {
		d.problems[i].Text = d.redact.Text(d.problems[i].Text)
	}
}

// prune takes out what is wrong by now, so that the mistakes in the rest are told
// with it.
func (d *document) prune() {
	for _, at := range d.wrong {
		for len(at) > 0 && isPlace(at[len(at)-1]) {
			at = at[:len(at)-1]
		}
		if len(at) == 0 {
			continue
		}
		n, _ := find(d.root, at[:len(at)-1])
		if m, ok := n.(*ast.MappingNode); ok {
			m.Values = slices.DeleteFunc(m.Values, func(v *ast.MappingValueNode) bool {
				key, _ := keyOf(v.Key)
				return key == at[len(at)-1]
			})
		}
	}
}

// decode makes a value of what stands at a path, if something does.
func (d *document) decode(at path, into any) {
	n, _ := find(d.root, at)
	if n == nil {
		return
	}
	// What the schema takes can be decoded, but for numbers beyond all use. The
	// error quotes lines.
	if err := decodeNode(n, into); err != nil && len(d.problems) == 0 {
		d.problem(at, "%s can't be read; is a number too large?", cmp.Or(at.name(), "the file"))
	}
}

func decodeNode(n ast.Node, into any) error { return yaml.NodeToValue(n, into) }

func (d *document) problem(at path, format string, args ...any) {
	n, _ := find(d.root, at)
	d.problemAt(n, "%s", d.quotable(n, fmt.Sprintf(format, args...)))
}

func (d *document) problemAt(n ast.Node, format string, args ...any) {
	line, column := position(n)
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, Problem{d.file, line, column, fmt.Sprintf(format, args...)})
	}
}

func (d *document) onceAt(n ast.Node, at path, format string, args ...any) {
	if slices.ContainsFunc(d.wrong, func(p path) bool { return slices.Equal(p, at) }) {
		return
	}
	d.wrong = append(d.wrong, at)
	d.problemAt(n, format, args...)
}

func (d *document) note(at path, text string) {
	n, _ := find(d.root, at)
	line, column := position(n)
	d.notes = append(d.notes, Problem{d.file, line, column, text})
}

func sorted(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return problems
}
