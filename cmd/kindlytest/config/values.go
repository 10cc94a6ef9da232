package config

import (
	"errors"

	"github.com/goccy/go-yaml/ast"
)

type cookie struct {
	Name     text `yaml:"name"`
	Value    text `yaml:"value"`
	Domain   text `yaml:"domain"`
	Path     text `yaml:"path"`
	Secure   bool `yaml:"secure"`
	HTTPOnly bool `yaml:"http_only"`
	SameSite text `yaml:"same_site"`
}

// A text is a string. Numbers and booleans are taken as they are written, for
// nobody should have to quote a version or an order number.
type text string

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

// object is the value if it is one.
func (v value) object() map[string]any {
	o, _ := v.any.(map[string]any)
	return o
}

// fields are selectors and what to put into their fields, in their order, and
// with their variables.
type fields []struct{ selector, value string }

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

// strs returns texts by their names.
func strs(m map[string]text) map[string]string {
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for name, t := range m {
		out[name] = string(t)
	}
	return out
}
