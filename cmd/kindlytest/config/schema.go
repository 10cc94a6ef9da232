package config

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml/ast"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kindlytest/kindlytest/internal/plainjson"
)

// SchemaURL is where the JSON Schema of the file is published, for the editors
// of those who write one.
const SchemaURL = "https://raw.githubusercontent.com/kindlytest/kindlytest/main/cmd/kindlytest/config/kindlytest.schema.json"

// Schema returns the JSON Schema (draft 2020-12) of kindlytest.yaml: what Parse
// itself validates by. The caller owns the bytes.
func Schema() []byte { return slices.Clone(ours().json) }

// A described type says what its schema has beyond what Go's type tells: keywords of
// JSON Schema, in which a reflect.Type stands for the schema of that type, and two that
// are words of errors: title names a thing, errorMessage says what is wrong.
type described interface{ keywords() object }

// An object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// with returns the object with a member more, if it has none of that name.
func (o object) with(name string, value any) object {
	if slices.ContainsFunc(o, func(m member) bool { return m.name == name }) {
		return o
	}
	return append(o, member{name, value})
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := plainjson.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.WriteString(`"` + m.name + `":`)
		b.Write(text)
	}
	return []byte("{" + b.String() + "}"), nil
}

// A writer makes a schema of the types that the file is decoded into. Each type that has
// a name is written once.
type writer struct {
	definitions object
}

// document returns the schema of a whole file.
func (w *writer) document(file reflect.Type) object {
	return append(w.definition(file), member{"$defs", &w.definitions})
}

// schema returns the schema of a value.
func (w *writer) schema(t reflect.Type) object {
	if t.Kind() == reflect.Pointer {
		return w.schema(t.Elem())
	}
	if t.PkgPath() == "" {
		return w.definition(t)
	}
	name := strings.TrimSuffix(t.Name(), "Section")
	if !slices.ContainsFunc(w.definitions, func(m member) bool { return m.name == name }) {
		w.definitions = append(w.definitions, member{name, nil})
		i := len(w.definitions) - 1
		w.definitions[i].value = w.definition(t)
	}
	return object{{"$ref", "#/$defs/" + name}}
}

func (w *writer) definition(t reflect.Type) object {
	var o object
	if d, ok := reflect.Zero(t).Interface().(described); ok {
		o, _ = w.resolved(d.keywords()).(object)
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ UnmarshalYAML(ast.Node) error }]()) {
		return o // its members are not those of the file
	}
	switch t.Kind() {
	case reflect.Struct:
		return slices.Concat(o, w.members(t))
	case reflect.Slice:
		return o.with("type", "array").with("items", w.schema(t.Elem()))
	case reflect.Map:
		return o.with("type", "object").with("additionalProperties", w.schema(t.Elem()))
	case reflect.Bool:
		return o.with("type", "boolean")
	case reflect.Float64:
		return o.with("type", "number")
	case reflect.Int:
		return o.with("type", "integer")
	default:
		return o.with("type", "string")
	}
}

// members returns the schema of a struct: its members are the keys that there may be.
func (w *writer) members(t reflect.Type) object {
	var properties object
	var required []string
	for _, f := range reflect.VisibleFields(t) {
		name := f.Tag.Get("yaml")
		if f.Anonymous || name == "" {
			continue
		}
		var key object
		if doc := f.Tag.Get("doc"); doc != "" {
			key = object{{"description", doc}}
		}
		properties = append(properties, member{name, append(key, w.schema(f.Type)...)})
		if f.Tag.Get("must") != "" {
			required = append(required, name)
		}
	}
	o := object{{"type", "object"}, {"additionalProperties", false}, {"properties", properties}}
	if required != nil {
		o = append(o, member{"required", required})
	}
	return o
}

// resolved puts schemas in the place of types.
func (w *writer) resolved(v any) any {
	switch v := v.(type) {
	case reflect.Type:
		return w.schema(v)
	case object:
		out := make(object, len(v))
		for i, m := range v {
			out[i] = member{m.name, w.resolved(m.value)}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = w.resolved(item)
		}
		return out
	}
	return v
}

// requires is the condition that there is a key.
func requires(key string) object { return object{{"required", []string{key}}} }

// A compiledSchema is the schema, and its text, in which the keys have an order
// and mistakes have words.
type compiledSchema struct {
	*jsonschema.Schema
	json []byte
	text ast.Node
}

// ours compiles the schema once. That it can be is known before it is published.
var ours = sync.OnceValue(func() compiledSchema {
	var b bytes.Buffer
	if err := plainjson.Write(&b, (&writer{}).document(reflect.TypeFor[file]())); err != nil {
		panic("the schema of kindlytest.yaml: " + err.Error())
	}
	text := b.Bytes()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic("the schema of kindlytest.yaml: " + err.Error())
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
		panic("the schema of kindlytest.yaml: " + err.Error())
	}
	root, err := parse(text)
	if err != nil {
		panic("the schema of kindlytest.yaml: " + err.Error())
	}
	return compiledSchema{c.MustCompile(SchemaURL), text, root}
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
