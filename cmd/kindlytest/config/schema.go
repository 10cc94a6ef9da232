package config

import (
	"bytes"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml/ast"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed kindlytest.schema.json
var schema []byte

// SchemaURL is where the JSON Schema of the file is published, for the editors
// of those who write one.
const SchemaURL = "https://raw.githubusercontent.com/kindlytest/kindlytest/main/cmd/kindlytest/config/kindlytest.schema.json"

// Schema returns the JSON Schema (draft 2020-12) of kindlytest.yaml: what Parse
// itself validates by. The caller owns the bytes.
func Schema() []byte { return slices.Clone(schema) }

// A compiledSchema is the schema, and its text, in which the keys have an order
// and mistakes have words: title names a thing, errorMessage says what is wrong.
type compiledSchema struct {
	*jsonschema.Schema
	text ast.Node
}

// ours compiles the schema once. That it can be is known before it is published.
var ours = sync.OnceValue(func() compiledSchema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		panic("kindlytest.schema.json: " + err.Error())
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.RegisterFormat(&jsonschema.Format{Name: "http-url", Validate: func(v any) error {
		if s, ok := v.(string); ok && !strings.Contains(s, "${") {
			return CheckURL(s)
		}
		return nil // what its variables hold is seen later
	}})
	if err := c.AddResource(SchemaURL, doc); err != nil {
		panic("kindlytest.schema.json: " + err.Error())
	}
	text, err := parse(schema)
	if err != nil {
		panic("kindlytest.schema.json: " + err.Error())
	}
	return compiledSchema{c.MustCompile(SchemaURL), text}
})

// at returns the schema at a location.
func (s compiledSchema) at(location string) ast.Node {
	_, pointer, _ := strings.Cut(location, "#")
	var p path
	for step := range strings.SplitSeq(strings.Trim(pointer, "/"), "/") {
		if step != "" {
			p = append(p, strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
		}
	}
	n, _ := find(s.text, p)
	return n
}

// word returns a text of the schema at a location, "" where it has none.
func (s compiledSchema) word(location, key string) string {
	n, _ := find(s.at(location), path{key})
	text, _ := textOf(n)
	return text
}

// keys are those that an object may have, in the order of the schema.
func (s compiledSchema) keys(location string) []string {
	n, _ := find(s.at(location), path{"properties"})
	var keys []string
	for _, pair := range pairs(n) {
		if key, ok := keyOf(pair.Key); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// textOf returns a scalar as it is written.
func textOf(n ast.Node) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		return s.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// holder is the part of the file that has a key, if one alone has; else "".
func (s compiledSchema) holder(key string) (holder string) {
	for _, part := range s.keys("") {
		for _, name := range []string{part, strings.TrimSuffix(part, "s")} { // of one, where it is a list
			switch {
			case !slices.Contains(s.keys("#/$defs/"+name), key) || holder == part:
			case holder != "":
				return ""
			default:
				holder = part
			}
		}
	}
	return holder
}
