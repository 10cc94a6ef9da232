package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/kindlytest/kindlytest/internal/redact"
)

// learn keeps in mind what came from variables, which is how secrets come into
// a file. An error of the file shows none of it; nor do reports, unless it was
// used where no secret stands.
func (d *decoder) learn(values []string) {
	d.redact.Learn(values...)
	if d.open {
		return
	}
	for _, v := range values {
		t := d.target
		switch u, err := url.Parse(v); {
		case err == nil && u.Scheme != "" && u.Host != "": // the address itself is none
			t.Secrets = append(t.Secrets, redact.URLSecrets(v)...)
		case !ordinary(v):
			t.Secrets = append(t.Secrets, v)
		}
	}
}

// inTheOpen reads what names a file, a setting or what everybody may see: a
// variable in it is no secret.
func (d *decoder) inTheOpen(read func(ast.Node)) func(ast.Node) {
	return func(n ast.Node) {
		before := d.open
		d.open = true
		read(n)
		d.open = before
	}
}

var number = regexp.MustCompile(`^[0-9.,:+-]*$`)

// words are values of variables that are about the environment, and which a
// report would be hard to read without.
var words = []string{"staging", "production", "development", "testing", "preview", "localhost", "sandbox", "default", "integration", "acceptance", "kindly", "kindlytest", "customer", "example", "webhook", "english", "norwegian", "enabled", "disabled"}

func ordinary(v string) bool {
	return number.MatchString(v) || slices.Contains(words, strings.ToLower(v))
}
