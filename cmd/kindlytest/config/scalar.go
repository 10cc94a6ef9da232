package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// text reads a string. A number or a boolean is taken as it is written, for
// nobody should have to quote a version or an order number.
func (d *decoder) text(into *string, what string) func(ast.Node) {
	return func(n ast.Node) {
		value, ok := d.scalar(n, what)
		if !ok {
			return
		}
		if value == "" {
			d.problem(n, "%s is empty; give it a value, or leave it out", what)
		}
		*into = value
	}
}

// scalar returns a value as text, with its variables expanded.
func (d *decoder) scalar(n ast.Node, what string) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		return d.expand(n, s.Value)
	case *ast.LiteralNode:
		return d.expand(n, s.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	d.wrongType(n, what, "text")
	return "", false
}

func (d *decoder) expand(at ast.Node, s string) (string, bool) {
	var used []string
	value, err := Expand(s, func(name string) (string, bool) {
		v, set := d.from.Env(name)
		if v != "" {
			used = append(used, v)
		}
		return v, set
	})
	d.learn(used)
	if err != nil {
		d.problem(at, "%s", err)
		return "", false
	}
	return value, true
}

// secret reads a value that does not belong into a file.
func (d *decoder) secret(into *string, what string) func(ast.Node) {
	return func(n ast.Node) {
		d.noteSecret(n, what)
		d.text(into, what)(n)
	}
}

// noteSecret remarks that a secret stands in the file.
func (d *decoder) noteSecret(n ast.Node, what string) {
	s, ok := n.(*ast.StringNode)
	if ok && s.Value != "" && !strings.Contains(s.Value, "${") {
		d.note(n, what+" stands in the file; ${VAR} takes it from the environment")
	}
}

func (d *decoder) boolean(into *bool, what string) func(ast.Node) {
	return func(n ast.Node) {
		b, ok := n.(*ast.BoolNode)
		if !ok {
			d.wrongType(n, what, "true or false")
			return
		}
		*into = b.Value
	}
}

// integer reads a number from low to high.
func (d *decoder) integer(into *int, what string, low, high int) func(ast.Node) {
	return func(n ast.Node) {
		if i, ok := n.(*ast.IntegerNode); ok {
			if v, ok := small(i.Value); ok && low <= v && v <= high {
				*into = v
				return
			}
			if low == high {
				d.problem(n, "%s must be %d, not %s", what, low, i.Token.Value)
				return
			}
			d.problem(n, "%s must be from %d to %d, not %s", what, low, high, i.Token.Value)
			return
		}
		d.wrongType(n, what, "a whole number")
	}
}

// small returns an integer of the YAML parser if it is one that a setting could
// have.
func small(v any) (int, bool) {
	const limit = 1 << 30
	switch v := v.(type) {
	case int64:
		return int(v), -limit < v && v < limit
	case uint64:
		return int(v), v < limit
	case int:
		return v, -limit < v && v < limit
	}
	return 0, false
}

func (d *decoder) number(into *float64, what string) func(ast.Node) {
	return func(n ast.Node) {
		switch v := n.(type) {
		case *ast.FloatNode:
			*into = v.Value
		case *ast.IntegerNode:
			i, ok := small(v.Value)
			if !ok {
				d.problem(n, "%s is out of range", what)
			}
			*into = float64(i)
		default:
			d.wrongType(n, what, "a number")
			return
		}
		if *into < 0 {
			d.problem(n, "%s must not be negative", what)
		}
	}
}

func (d *decoder) duration(into *time.Duration, what string) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := d.scalar(n, what)
		if !ok {
			return
		}
		v, err := time.ParseDuration(s)
		if err != nil || v <= 0 {
			d.problem(n, "%s must be a time such as 10s or 2m, not %q", what, s)
			return
		}
		*into = v
	}
}

// texts reads a list of strings; one string alone is a list too.
func (d *decoder) texts(into *[]string, what string) func(ast.Node) {
	return func(n ast.Node) {
		for _, item := range d.items(n, what, true) {
			var s string
			d.text(&s, what)(item)
			*into = append(*into, s)
		}
	}
}

func (d *decoder) url(into *string, what string) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := d.scalar(n, what)
		if !ok {
			return
		}
		if err := CheckURL(s); err != nil {
			d.failed(n, what, err)
			return
		}
		*into = s
	}
}

// any reads a value of any type: strings with their variables, the rest as JSON
// has it.
func (d *decoder) any(n ast.Node, what string) any {
	switch v := n.(type) {
	case *ast.NullNode:
		return nil
	case *ast.BoolNode:
		return v.Value
	case *ast.IntegerNode:
		return v.Value
	case *ast.FloatNode:
		return v.Value
	case *ast.SequenceNode:
		list := []any{}
		for _, item := range v.Values {
			list = append(list, d.any(item, what))
		}
		return list
	case *ast.MappingNode, *ast.MappingValueNode:
		return d.object(n, what)
	}
	s, _ := d.scalar(n, what)
	return s
}

func (d *decoder) object(n ast.Node, what string) map[string]any {
	object := map[string]any{}
	pairs, _ := d.pairs(n, what)
	for _, p := range pairs {
		object[p.key] = d.any(p.value, what)
	}
	return object
}

// variable matches ${VAR}, ${VAR:-default}, and anything else that begins alike.
var variable = regexp.MustCompile(`\$\$\{|\$\{[^}]*\}?`)

var variableForm = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}$`)

// Expand replaces ${VAR} by the value of VAR, and ${VAR:-default} by default if
// VAR is not set or empty. $${ stands for ${ itself. It is an error if VAR is
// not set, or is empty, and has no default: an empty secret would quietly
// switch off what needs it. Values are not expanded again.
func Expand(s string, env func(string) (string, bool)) (string, error) {
	var problems []error
	expanded := variable.ReplaceAllStringFunc(s, func(match string) string {
		if match == "$${" {
			return "${"
		}
		form := variableForm.FindStringSubmatch(match)
		if form == nil {
			problems = append(problems, errors.New("this is no variable: the forms are ${VAR} and ${VAR:-default}; $${ stands for ${ itself"))
			return ""
		}
		name, fallback := form[1], form[3]
		value, set := env(name)
		switch {
		case value != "":
			return value
		case form[2] != "":
			return fallback
		case set:
			problems = append(problems, fmt.Errorf("the environment variable %s is empty; give it a value, or a default: ${%[1]s:-default}", name))
		default:
			problems = append(problems, fmt.Errorf("the environment variable %s is not set; set it, or give a default: ${%[1]s:-default}", name))
		}
		return ""
	})
	if len(problems) > 0 {
		return "", problems[0]
	}
	return expanded, nil
}
