package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
)

// login reads how a user is logged in: a list of steps, or keys with steps,
// cookies, headers and local storage.
func (d *decoder) login(n ast.Node, what string) *browser.Login {
	l := &browser.Login{}
	if _, list := n.(*ast.SequenceNode); list {
		l.Steps = d.steps(n, what)
		return l
	}
	if !isMapping(n) {
		d.wrongType(n, what, "a list of steps, or keys and values")
		return l
	}
	d.mapping(n, what,
		field{"steps", func(n ast.Node) { l.Steps = d.steps(n, what+".steps") }},
		field{"cookies", func(n ast.Node) { l.Cookies = d.cookies(n, what+".cookies") }},
		field{"headers", func(n ast.Node) { l.Headers = d.secretMap(n, what+".headers") }},
		field{"local_storage", func(n ast.Node) { l.LocalStorage = d.secretMap(n, what+".local_storage") }},
		field{"origin", d.url(&l.Origin, what+".origin")},
	)
	l.Origin = strings.TrimSuffix(l.Origin, "/")
	if len(l.Steps)+len(l.Cookies)+len(l.Headers)+len(l.LocalStorage) == 0 && len(d.problems) == 0 {
		d.problem(n, "%s logs nobody in; give steps, cookies, headers or local_storage", what)
	}
	return l
}

func isMapping(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

func (d *decoder) steps(n ast.Node, what string) []browser.Step {
	var steps []browser.Step
	for _, item := range d.items(n, what, false) {
		var s browser.Step
		d.mapping(item, "a step",
			field{"goto", d.url(&s.Goto, "goto")},
			field{"fill", func(n ast.Node) { s.Fill = d.fill(n) }},
			field{"click", d.text(&s.Click, "click")},
			field{"wait_for", d.text(&s.WaitFor, "wait_for")},
			field{"press", d.text(&s.Press, "press")},
		)
		if actions(item) > 1 {
			d.problem(item, "a step has one action; begin each with a hyphen of its own")
		}
		steps = append(steps, s)
	}
	if len(steps) == 0 && len(d.problems) == 0 {
		d.problem(n, "%s is empty", what)
	}
	return steps
}

func actions(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok {
		return len(m.Values)
	}
	return 1
}

// fill reads selectors and what to put into their fields, in their order.
func (d *decoder) fill(n ast.Node) []browser.Field {
	var fields []browser.Field
	pairs, _ := d.pairs(n, "fill")
	for _, p := range pairs {
		if strings.Contains(strings.ToLower(p.key), "pass") {
			d.noteSecret(p.value, "a password")
		}
		value, ok := d.scalar(p.value, "what to fill into "+p.key)
		if ok {
			fields = append(fields, browser.Field{Selector: p.key, Value: value})
		}
	}
	return fields
}

// cookies reads name: value pairs, or a list of cookies with attributes.
func (d *decoder) cookies(n ast.Node, what string) []browser.Cookie {
	var cookies []browser.Cookie
	if isMapping(n) {
		for _, c := range d.secrets(n, what) {
			cookies = append(cookies, browser.Cookie{Name: c.name, Value: c.value})
		}
		return cookies
	}
	for _, item := range d.items(n, what, false) {
		var c browser.Cookie
		d.mapping(item, "a cookie",
			field{"name", d.text(&c.Name, "name")},
			field{"value", d.secret(&c.Value, "a cookie's value")},
			field{"domain", d.text(&c.Domain, "domain")},
			field{"path", d.text(&c.Path, "path")},
			field{"secure", d.boolean(&c.Secure, "secure")},
			field{"http_only", d.boolean(&c.HTTPOnly, "http_only")},
			field{"same_site", d.sameSite(&c.SameSite)},
		)
		if c.Name == "" && len(d.problems) == 0 {
			d.problem(item, "the cookie's name is missing")
		}
		cookies = append(cookies, c)
	}
	return cookies
}

func (d *decoder) sameSite(into *string) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := d.scalar(n, "same_site")
		if !ok {
			return
		}
		for _, known := range []string{"Strict", "Lax", "None"} {
			if strings.EqualFold(s, known) {
				*into = known
				return
			}
		}
		d.problem(n, "same_site must be Strict, Lax or None, not %q", s)
	}
}

// A named secret is a cookie, a header, or an item of local storage.
type named struct{ name, value string }

// secrets reads names and their secret values, in their order.
func (d *decoder) secrets(n ast.Node, what string) []named {
	var out []named
	pairs, _ := d.pairs(n, what)
	for _, p := range pairs {
		if redact.IsSecretName(p.key) || strings.EqualFold(p.key, "Cookie") || strings.HasSuffix(what, ".cookies") {
			d.noteSecret(p.value, what+"."+p.key)
		}
		value, ok := d.scalar(p.value, what+"."+p.key)
		if ok {
			out = append(out, named{p.key, value})
		}
	}
	return out
}

func (d *decoder) secretMap(n ast.Node, what string) map[string]string {
	m := map[string]string{}
	for _, s := range d.secrets(n, what) {
		m[s.name] = s.value
	}
	return m
}
