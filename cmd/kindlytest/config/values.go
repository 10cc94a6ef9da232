package config

import (
	"errors"
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

type cookie struct {
	Name     text     `yaml:"name" must:"yes"`
	Value    text     `yaml:"value"`
	Domain   text     `yaml:"domain"`
	Path     text     `yaml:"path"`
	Secure   bool     `yaml:"secure"`
	HTTPOnly bool     `yaml:"http_only"`
	SameSite sameSite `yaml:"same_site"`
}

func (cookie) keywords() object { return object{{"title", "a cookie"}} }

// A text is a string. Numbers and booleans are taken as they are written, for
// nobody should have to quote a version or an order number.
type text string

// scalars are what a text may be in YAML.
var scalars = []string{"string", "number", "boolean"}

func (text) keywords() object { return object{{"type", scalars}, {"minLength", 1}} }

// UnmarshalYAML takes the scalar as it is written.
func (t *text) UnmarshalYAML(n ast.Node) error {
	s, ok := textOf(n)
	if !ok {
		return errors.New("no text")
	}
	*t = text(s)
	return nil
}

// texts are a list of strings; one alone is a list too.
type texts []string

func (texts) keywords() object {
	return object{
		{"description", "A text, or a list of texts."},
		{"anyOf", []any{reflect.TypeFor[text](), reflect.TypeFor[[]text]()}},
	}
}

// UnmarshalYAML takes a list or a text.
func (t *texts) UnmarshalYAML(n ast.Node) error {
	*t = texts{}
	items := []ast.Node{n}
	if list, ok := n.(*ast.SequenceNode); ok {
		items = list.Values
	}
	for _, item := range items {
		s, ok := textOf(item)
		if !ok {
			return errors.New("no text")
		}
		*t = append(*t, s)
	}
	return nil
}

// statuses are a list of numbers; one alone is a list too.
type statuses []int

func (statuses) keywords() object {
	one := object{{"type", "integer"}, {"minimum", 100}, {"maximum", 599}}
	return object{{"anyOf", []any{one, object{{"type", "array"}, {"items", one}}}}}
}

// UnmarshalYAML takes a list or a number.
func (s *statuses) UnmarshalYAML(n ast.Node) error {
	items := []ast.Node{n}
	if list, ok := n.(*ast.SequenceNode); ok {
		items = list.Values
	}
	for _, item := range items {
		number, err := plain(item, "a status")
		if err != nil {
			return err
		}
		switch v := number.(type) {
		case int64:
			*s = append(*s, int(v))
		case uint64:
			*s = append(*s, int(v))
		case float64: // 200.0 is a whole number to JSON
			*s = append(*s, int(v))
		}
	}
	return nil
}

// A value is anything that JSON has.
type value struct{ any }

// UnmarshalYAML takes what JSON has.
func (v *value) UnmarshalYAML(n ast.Node) (err error) {
	v.any, err = plain(n, "this")
	return err
}

// A body is what can be sent.
type body struct{ value }

func (body) keywords() object { return object{{"type", []string{"object", "array", "string"}}} }

// objects are a list of them.
type objects struct{ value }

func (objects) keywords() object {
	return object{{"type", "array"}, {"items", object{{"type", "object"}}}}
}

// data are an object of any members.
type data struct{ value }

func (data) keywords() object { return object{{"type", "object"}} }

// object is the value if it is one.
func (v data) object() map[string]any {
	o, _ := v.any.(map[string]any)
	return o
}

// fields are selectors and what to put into their fields, in their order, and
// with their variables.
type fields []struct{ selector, value string }

func (fields) keywords() object {
	return object{{"type", "object"}, {"additionalProperties", object{{"type", scalars}}}}
}

// UnmarshalYAML takes keys and values.
func (f *fields) UnmarshalYAML(n ast.Node) error {
	for _, pair := range pairs(n) {
		key, _ := keyOf(pair.Key)
		s, ok := textOf(pair.Value)
		if !ok {
			return errors.New("no text")
		}
		*f = append(*f, struct{ selector, value string }{key, s})
	}
	return nil
}

// cookies are name: value pairs, or a list of cookies with attributes.
type cookies []cookie

func (cookies) keywords() object {
	return object{{"anyOf", []any{reflect.TypeFor[secrets](), reflect.TypeFor[[]cookie]()}}}
}

// UnmarshalYAML takes either.
func (c *cookies) UnmarshalYAML(n ast.Node) error {
	if list, ok := n.(*ast.SequenceNode); ok {
		for _, item := range list.Values {
			var one cookie
			if err := decodeNode(item, &one); err != nil {
				return err
			}
			*c = append(*c, one)
		}
		return nil
	}
	for _, pair := range pairs(n) {
		key, _ := keyOf(pair.Key)
		s, _ := textOf(pair.Value)
		*c = append(*c, cookie{Name: text(key), Value: text(s)})
	}
	return nil
}

// An address is the URL of something that can be called.
type address string

func (address) keywords() object {
	return object{{"format", "http-url"}, {"pattern", `^([hH][tT][tT][pP][sS]?://|.*\$\{)`}}
}

// secrets are texts by their names, empty ones too.
type secrets map[string]text

func (secrets) keywords() object {
	return object{
		{"description", "Names and values. Take values from the environment: ${VAR}"},
		{"type", "object"}, {"additionalProperties", object{{"type", scalars}}},
	}
}

// strs returns texts by their names.
func strs(m secrets) map[string]string {
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for name, t := range m {
		out[name] = string(t)
	}
	return out
}
