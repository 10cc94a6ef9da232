package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/redact"
)

// learn keeps in mind what came from a variable, which is how secrets come into a
// file. An error of the file shows none of it; nor do reports, unless it was used
// where no secret stands.
func (d *document) learn(at path, value string) {
	if value == "" {
		return
	}
	d.redact.Learn(value)
	if open(at) {
		return
	}
	entry := at.target()
	switch u, err := url.Parse(value); {
	case err == nil && u.Scheme != "" && u.Host != "": // the address itself is none
		d.secrets[entry] = append(d.secrets[entry], redact.URLSecrets(value)...)
	case !ordinary(value):
		d.secrets[entry] = append(d.secrets[entry], value)
	}
}

// target is the entry of targets that a place belongs to; "" for the file itself.
func (p path) target() string {
	if len(p) > 1 && p[0] == "targets" {
		return p[1]
	}
	return ""
}

// openPlaces name a file, a setting or what everybody may see: a variable there is
// no secret.
var openPlaces = []string{"name", "dialogues", "bot", "private_key", "ca_file", "resolve", "checks",
	"page.login.storage_state", "page.second_login.storage_state", "gate.client_certificate",
	"endpoint.method", "endpoint.chat_id_field", "endpoint.token", "webhooks.name"}

func open(at path) bool {
	if at.target() != "" {
		at = at[2:]
	}
	place := strings.Join(slices.DeleteFunc(slices.Clone(at), isPlace), ".")
	return slices.ContainsFunc(openPlaces, func(o string) bool { return place == o || strings.HasPrefix(place, o+".") })
}

var number = regexp.MustCompile(`^[0-9.,:+-]*$`)

// words are values of variables that are about the environment, and which a
// report would be hard to read without.
var words = []string{"staging", "production", "development", "testing", "preview", "localhost", "sandbox", "default", "integration", "acceptance", "kindly", "kindlytest", "customer", "example", "webhook", "english", "norwegian", "enabled", "disabled"}

func ordinary(v string) bool {
	return number.MatchString(v) || slices.Contains(words, strings.ToLower(v))
}
