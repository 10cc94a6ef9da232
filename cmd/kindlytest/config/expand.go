package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/kindlytest/kindlytest/internal/redact"
)

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
			if strings.HasPrefix(match, "${totp:") {
				problems = append(problems, errors.New("${totp:VAR} is a one-time code, which is typed: it stands in fill alone"))
				return ""
			}
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

// chatID stands in a section endpoint where the chat id goes: it is no variable.
const chatID = "chat_id"

// env looks up variables that stand at a place, and keeps their values in mind.
func (d *document) env(at path) func(name string) (string, bool) {
	return func(name string) (string, bool) {
		if name == chatID && slices.Contains(at, "endpoint") {
			return "${" + chatID + "}", true
		}
		value, ok := d.from.Env(name)
		d.learn(at, value)
		return value, ok
	}
}

// expand replaces the variables in all texts at and below a node. What is filled
// into fields waits: it may hold one-time codes.
func (d *document) expand(n ast.Node, at path) {
	switch v := n.(type) {
	case *ast.StringNode:
		d.noteSecret(n, at)
		d.expandText(n, &v.Value, at)
	case *ast.LiteralNode:
		d.expandText(n, &v.Value.Value, at)
	case *ast.SequenceNode:
		for i, item := range v.Values {
			d.expand(item, at.item(i))
		}
	default:
		for _, pair := range pairs(n) {
			key, _ := keyOf(pair.Key)
			if key == "fill" && slices.Contains(at, "page") {
				for _, field := range pairs(pair.Value) {
					name, _ := keyOf(field.Key)
					d.noteSecret(field.Value, at.to("fill", name))
				}
				continue
			}
			d.expand(pair.Value, at.to(key))
		}
	}
}

func (d *document) expandText(n ast.Node, text *string, at path) {
	value, err := Expand(*text, d.env(at))
	if err != nil {
		d.problem(at, "%s", err)
		return
	}
	if value != *text {
		d.raw[n] = *text
		*text = value
	}
}

// quotable is a text about the value of a node in which the variables of the
// value stand by their names.
func (d *document) quotable(n ast.Node, text string) string {
	raw, ok := d.raw[n]
	if !ok {
		return text
	}
	if s, isText := textOf(n); isText && s != "" {
		text = strings.ReplaceAll(text, strconv.Quote(s), raw)
		text = strings.ReplaceAll(text, s, raw)
	}
	return text
}

// noteSecret remarks that a secret stands in the file.
func (d *document) noteSecret(n ast.Node, at path) {
	s, ok := n.(*ast.StringNode)
	what := secretAt(at)
	if !ok || what == "" || s.Value == "" || strings.Contains(s.Value, "${") {
		return
	}
	line, column := position(n)
	d.notes = append(d.notes, Problem{d.file, line, column, what + " stands in the file; ${VAR} takes it from the environment"})
}

// secretAt names what is secret about a place; "" if nothing is.
func secretAt(at path) string {
	if len(at) < 2 || slices.Contains(at, "context") || slices.Contains(at, "dialogues") {
		return ""
	}
	key, parent := at[len(at)-1], at[len(at)-2]
	switch {
	case key == "hmac_secret":
		return key
	case parent == "fill" && strings.Contains(strings.ToLower(key), "pass"):
		return "a password"
	case parent == "basic" && key == "password", parent == "cookies":
		return at.name()
	case key == "value" && slices.Contains(at, "cookies"):
		return "a cookie's value"
	case slices.Contains([]string{"headers", "second_headers", "local_storage"}, parent) && (redact.IsSecretName(key) || strings.EqualFold(key, "Cookie")):
		return at.name()
	}
	return ""
}
