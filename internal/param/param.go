// Package param finds the parameters of a request: every value that it carries,
// wherever it stands (the URL, a form, JSON, JSON inside one of these, a header),
// and sends the request with others in their place, all else byte for byte.
package param

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/plainjson"
)

// A Place is the part of a request in which a value stands.
type Place string

// The places of a value.
const (
	InJSON   Place = "body member"
	InForm   Place = "form field"
	InText   Place = "body"
	InXML    Place = "element"
	InQuery  Place = "query parameter"
	InPath   Place = "path"
	InHeader Place = "header"
	InCookie Place = "cookie"
	InField  Place = "field of a message" // of Protocol Buffers, by its number
)

// A Leaf is one value that a request carries, wherever it stands: a member of a
// JSON body, a form's field, a parameter, a segment of the path, a header, or a
// member of JSON that stands inside one of these.
type Leaf struct {
	Place Place
	Steps []string // the names on the way to it, outermost first
	Value any      // as JSON has it: string, json.Number, bool or nil
	// Typed says that a value of any JSON type can take its place; elsewhere all is text.
	Typed bool
}

// String names the leaf for people: "body member variables.chatId".
func (l Leaf) String() string {
	if name := strings.Join(l.Steps, "."); name != "" && l.Place != InPath {
		return string(l.Place) + " " + name
	}
	return string(l.Place)
}

// Name is the last of the names on the way to it.
func (l Leaf) Name() string {
	for i := len(l.Steps) - 1; i >= 0; i-- {
		if strings.Trim(l.Steps[i], "0123456789") != "" {
			return l.Steps[i]
		}
	}
	return ""
}

// Text is the value as text.
func (l Leaf) Text() string { return Text(l.Value) }

// Text is a JSON value as text.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case nil:
		return ""
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

// Same says whether two leaves stand at the same place.
func (l Leaf) Same(other Leaf) bool {
	return l.Place == other.Place && slices.Equal(l.Steps, other.Steps)
}

// step is the leaf one name further down.
func (l Leaf) step(name string) Leaf {
	l.Steps = append(slices.Clone(l.Steps), name)
	return l
}

// A Visitor sees each leaf and says what stands there from now on: the value
// that it returns, or one of these two.
type Visitor func(Leaf) any

type mark int

const (
	Keep mark = iota // it stays
	Drop             // it is left out
)

// maxDepth bounds how deep foreign values are looked into.
const maxDepth = 64

// WalkText visits what stands in a text: the members of the JSON that it is, also
// in base64, or else the text as a whole. dropped says that it is left out.
func WalkText(text string, at Leaf, visit Visitor) (out string, dropped bool) {
	if root, ok := JSONIn(text); ok {
		at.Typed = true
		return walkedJSON(text, root, at, visit), false
	}
	if plain, encoding, ok := DecodeBase64(text); ok {
		if root, ok := JSONIn(plain); ok {
			at.Typed = true
			if changed := walkedJSON(plain, root, at, visit); changed != plain {
				return encoding.EncodeToString([]byte(changed)), false
			}
			return text, false
		}
	}
	at.Value, at.Typed = text, false
	switch v := visit(at).(type) {
	case mark:
		return text, v == Drop
	default:
		return Text(v), false
	}
}

// walkedJSON is the text of a JSON value after a visit; byte for byte the same if
// nothing was changed.
func walkedJSON(text string, root any, at Leaf, visit Visitor) string {
	changed := false
	root = WalkJSON(root, at, func(l Leaf) any {
		v := visit(l)
		changed = changed || v != any(Keep)
		return v
	})
	switch {
	case !changed:
		return text
	case root == any(Drop):
		return ""
	}
	return EncodeJSON(root)
}

// WalkJSON visits the leaves of a JSON value, and returns what it has become.
func WalkJSON(value any, at Leaf, visit Visitor) any { return walkJSON(value, at, visit, maxDepth) }

func walkJSON(value any, at Leaf, visit Visitor, depth int) any {
	if depth == 0 {
		return value
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if v := walkJSON(value[name], at.step(name), visit, depth-1); v == any(Drop) {
				delete(value, name)
			} else {
				value[name] = v
			}
		}
		return value
	case []any:
		out := value[:0]
		for i, element := range value {
			if v := walkJSON(element, at.step(strconv.Itoa(i)), visit, depth-1); v != any(Drop) {
				out = append(out, v)
			}
		}
		return out
	case string:
		if root, ok := JSONIn(value); ok { // JSON in a text in JSON
			return walkedJSON(value, root, at, visit)
		}
	}
	at.Value = value
	if v := visit(at); v != any(Keep) {
		return v
	}
	return value
}

// JSONIn decodes a text that is a JSON object or list. Numbers keep their spelling.
func JSONIn(text string) (any, bool) {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || trimmed[0] != '{' && trimmed[0] != '[' {
		return nil, false
	}
	return DecodeJSON(trimmed)
}

// DecodeJSON decodes a text that is one JSON value.
func DecodeJSON(text string) (any, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return nil, false
	}
	return v, true
}

// EncodeJSON writes what was decoded, and what a probe put into it.
func EncodeJSON(v any) string { return string(plainjson.Must(v)) }
