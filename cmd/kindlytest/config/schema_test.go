package config_test

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
)

var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema()))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(config.SchemaURL, doc); err != nil {
		return nil, err
	}
	return c.Compile(config.SchemaURL)
})

func configSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validates says what the schema makes of a file.
func validates(t *testing.T, text string) error {
	t.Helper()
	var doc any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return err
	}
	return configSchema(t).Validate(doc)
}

// Each place of the file where there are keys: a file with an unknown key just
// there, and the place in the schema.
var places = []struct{ name, text string }{
	{"the file", "version: 1\nzzzzzzzz: 1\n"},
	{"a target", "version: 1\ntargets: [{zzzzzzzz: 1}]\n"},
	{"bot", "version: 1\nbot: {zzzzzzzz: 1}\n"},
	{"page", "version: 1\npage: {zzzzzzzz: 1}\n"},
	{"login", "version: 1\npage: {url: https://a.example/, login: {zzzzzzzz: 1}}\n"},
	{"step", "version: 1\npage: {url: https://a.example/, login: [{zzzzzzzz: 1}]}\n"},
	{"cookie", "version: 1\npage: {url: https://a.example/, login: {cookies: [{zzzzzzzz: 1}]}}\n"},
	{"endpoint", "version: 1\nendpoint: {zzzzzzzz: 1}\n"},
	{"webhook", "version: 1\nwebhooks: [{zzzzzzzz: 1}]\n"},
	{"expectation", "version: 1\nwebhooks: [{url: https://a.example/, refused: {zzzzzzzz: 1}}]\n"},
	{"checks", "version: 1\nchecks: {zzzzzzzz: 1}\n"},
	{"a dialogue", "version: 1\ndialogues: [{zzzzzzzz: 1}]\n"},
	{"an expected failure", "version: 1\nchecks: {expected_failures: [{zzzzzzzz: 1}]}\n"},
}

var mayHold = regexp.MustCompile(`unknown key "zzzzzzzz"; .* may hold (.*)`)

// The parser lists the keys of a place where it refuses one; the schema's are
// the same, everywhere.
func TestSchemaAndParserKnowTheSameKeys(t *testing.T) {
	s := configSchema(t)
	defs := func(name string) *jsonschema.Schema { return definition(t, name) }
	schemas := map[string]*jsonschema.Schema{
		"the file": s, "a target": defs("target"), "bot": defs("bot"), "page": defs("page"),
		"login": defs("login").AnyOf[1], "step": defs("step"), "cookie": defs("cookie"), "endpoint": defs("endpoint"),
		"webhook": defs("webhook"), "expectation": defs("expectation"), "checks": defs("checks"),
		"a dialogue":          defs("dialogue"),
		"an expected failure": defs("checks").Properties["expected_failures"].Items2020,
	}
	known := 0
	for _, place := range places {
		_, err := config.Parse("f", []byte(place.text), sources())
		m := mayHold.FindStringSubmatch(fmt.Sprint(err))
		if m == nil {
			t.Errorf("%s: the parser lists no keys: %v", place.name, err)
			continue
		}
		parsers := strings.Split(m[1], ", ")
		slices.Sort(parsers)
		described := slices.Sorted(maps.Keys(schemas[place.name].Properties))
		if !slices.Equal(parsers, described) {
			t.Errorf("%s: the parser knows %q, the schema %q", place.name, parsers, described)
		}
		if err := validates(t, place.text); err == nil || !strings.Contains(err.Error(), "zzzzzzzz") {
			t.Errorf("%s: the schema does not mind an unknown key: %v", place.name, err)
		}
		known += len(parsers)
	}
	// Every place in the code that reads keys is in the table above.
	if calls := strings.Count(decoderSources(t), "d.mapping("); calls != len(places) {
		t.Errorf("the parser reads keys in %d places, and %d are compared", calls, len(places))
	}
	if known < 60 {
		t.Errorf("only %d keys were compared", known)
	}
}

func definition(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	for _, s := range []*jsonschema.Schema{configSchema(t)} {
		if found := find(s, "/$defs/"+name, map[*jsonschema.Schema]bool{}); found != nil {
			return found
		}
	}
	t.Fatalf("the schema has no $defs/%s", name)
	return nil
}

// find looks for a schema by the end of its location.
func find(s *jsonschema.Schema, suffix string, seen map[*jsonschema.Schema]bool) *jsonschema.Schema {
	if s == nil || seen[s] {
		return nil
	}
	seen[s] = true
	if strings.HasSuffix(s.Location, suffix) {
		return s
	}
	next := append([]*jsonschema.Schema{s.Ref, s.Items2020}, s.AnyOf...)
	for _, p := range s.Properties {
		next = append(next, p)
	}
	for _, n := range next {
		if found := find(n, suffix, seen); found != nil {
			return found
		}
	}
	return nil
}

// What the parser takes, the schema takes.
func TestSchemaTakesWhatTheParserTakes(t *testing.T) {
	for name, text := range map[string]string{
		"everything":         everything,
		"the least":          "version: 1\npage: {url: https://a.example/}\n",
		"texts that are not": "version: 1\nname: 12\nwebhooks: [{url: https://a.example/, message: 4711, slug: true}]\n",
		"one for a list":     "version: 1\npage: {url: https://a.example/}\nchecks: {only: AUTH, skip: TOK-ALG}\n",
		"several targets":    "version: 1\npage: {url: https://a.example/}\ntargets: [{name: shop}, {name: 7, endpoint: {url: https://a.example/}}]\n",
		"cookies by name":    "version: 1\npage: {url: https://a.example/, login: {cookies: {session: \"${SESSION}\"}}}\n",
		"a URL in capitals":  "version: 1\npage: {url: HTTPS://a.example/}\n",
		"an empty field":     "version: 1\npage: {url: https://a.example/, login: [{fill: {\"#a\": \"\"}}]}\n",
		"times":              "version: 1\npage: {url: https://a.example/}\nchecks: {timeout: 1m30.5s}\n",
	} {
		if _, err := config.Parse("f", []byte(text), sources()); err != nil {
			t.Errorf("%s: the parser: %v", name, err)
		}
		if err := validates(t, text); err != nil {
			t.Errorf("%s: the schema: %v", name, err)
		}
	}
}

// What the parser refuses, the schema refuses, where a schema can know.
func TestSchemaRefusesWhatTheParserRefuses(t *testing.T) {
	refused := 0
	for _, row := range mistakes {
		err := validates(t, row.text)
		if row.beyond && err == nil {
			continue
		}
		if err == nil {
			t.Errorf("%s: the schema does not mind", row.name)
		}
		refused++
	}
	if refused < 25 {
		t.Errorf("the schema refused only %d of %d", refused, len(mistakes))
	}
}
