package config_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
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

var update = flag.Bool("update", false, "write kindlytest.schema.json")

// The schema that is published is the one by which files are validated.
func TestPublishedSchemaIsTheOneOfTheParser(t *testing.T) {
	const name = "kindlytest.schema.json"
	if *update {
		if err := os.WriteFile(name, config.Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	published, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(published, config.Schema()) {
		t.Errorf("%s is not what the sections say: go test ./cmd/kindlytest/config -update writes it", name)
	}
}

const aForm = "version: 1\nendpoint: {url: https://a.example/, form: {chat: \"${chat_id}\"}}\n"

// Each key of the schema is in the file that the parser is seen to read, so that
// none is taken and then ignored.
func TestEveryKeyOfTheSchemaIsRead(t *testing.T) {
	var doc any
	if err := json.Unmarshal(config.Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, below := range v {
				if properties, ok := below.(map[string]any); ok && name == "properties" {
					for key := range properties {
						keys[key] = true
					}
				}
				walk(below)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(doc)
	if len(keys) < 70 {
		t.Errorf("only %d keys were found", len(keys))
	}
	for key := range keys {
		if !strings.Contains(everything+aForm, key+":") && key != "targets" {
			t.Errorf("%s is in the schema, and in no file that is read", key)
		}
	}
}

// What the parser takes, the schema takes.
func TestSchemaTakesWhatTheParserTakes(t *testing.T) {
	for name, text := range map[string]string{
		"everything":         everything,
		"a form":             aForm,
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
