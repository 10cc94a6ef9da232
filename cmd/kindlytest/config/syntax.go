package config

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A path leads to a value in a file: keys, and places in lists.
type path []string

// to returns the path of something below.
func (p path) to(below ...string) path { return slices.Concat(p, below) }

// item is the path of an entry of a list.
func (p path) item(i int) path { return p.to(strconv.Itoa(i)) }

// name is how people call the place: from the last entry of a list on.
func (p path) name() string {
	for len(p) > 0 && isPlace(p[len(p)-1]) {
		p = p[:len(p)-1]
	}
	for i := len(p) - 1; i >= 0; i-- {
		if isPlace(p[i]) {
			p = p[i+1:]
			break
		}
	}
	return strings.Join(p, ".")
}

func isPlace(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// A syntaxError is a mistake that the YAML itself has.
type syntaxError struct {
	line, column int
	text         string
}

func (e *syntaxError) Error() string { return e.text }

func syntaxErrorAt(n ast.Node, text string) error {
	line, column := position(n)
	return &syntaxError{line, column, text}
}

// parse returns the root of the file's one document.
func parse(text []byte) (root ast.Node, err error) {
	defer func() {
		if p := recover(); p != nil { // the parser's, on text that nobody wrote by hand
			root, err = nil, &syntaxError{text: "it can't be read as YAML"}
		}
	}()
	if len(text) > maxSize {
		return nil, &syntaxError{text: "it is larger than " + strconv.Itoa(maxSize>>10) + " KB"}
	}
	if tooDeep(text) {
		return nil, &syntaxError{text: "its values lie too deeply within each other: more than " + strconv.Itoa(maxNesting)}
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, plainSyntax(err)
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc != nil && doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return nil, &syntaxError{text: "it is empty; it begins with version: 1"}
	case 1:
		return bodies[0], nil
	}
	return nil, syntaxErrorAt(bodies[1], "a second document begins here; several targets are a list: targets")
}

// plainSyntax is an error of the YAML parser without its quotation of lines,
// which may hold secrets.
func plainSyntax(err error) error {
	var y yaml.Error
	if !errors.As(err, &y) {
		return &syntaxError{text: "it can't be read as YAML"}
	}
	line, column := tokenPosition(y.GetToken())
	message := y.GetMessage()
	for _, m := range plainMessages {
		if strings.Contains(message, m.theirs) {
			message = m.ours
			break
		}
	}
	return &syntaxError{line, column, message}
}

// plainMessages say what the parser says in the words of who writes the file, with the
// way out.
var plainMessages = []struct{ theirs, ours string }{
	{"found character '\t'", "a tab stands here, which YAML does not take for indentation; use spaces"},
	{"mapping key ", "the key is there already, further up"},
	{"is not allowed in this context", "this does not fit where it stands: what belongs to a key stands in lines below it, all indented alike; a text that holds a colon and a space stands in quotes"},
	{"non-map value is specified", "a key with its colon is expected here: key: value"},
	{"unexpected key name", "a key with its colon is expected here: key: value"},
	{"could not find end character", "the text that begins here lacks the quote at its end"},
	{"flow mapping end token", "what begins with { here has no } at its end"},
	{"',' or '}'", "a comma or } is missing before this"},
	{"sequence end token", "what begins with [ here has no ] at its end"},
	{"',' or ']'", "a comma or ] is missing before this"},
	{"is a reserved character", "a text can't begin with this sign; put it in quotes"},
}

func position(n ast.Node) (line, column int) {
	switch n := n.(type) {
	case nil:
		return 0, 0
	case *ast.MappingNode: // its own token is the first colon
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return position(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return position(n.Key)
	}
	return tokenPosition(n.GetToken())
}

func tokenPosition(t *token.Token) (line, column int) {
	if t == nil || t.Position == nil {
		return 0, 0
	}
	return t.Position.Line, t.Position.Column
}

// pairs are a mapping's content in its order; nil if it is none.
func pairs(n ast.Node) []*ast.MappingValueNode {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	}
	return nil
}

func keyOf(n ast.MapKeyNode) (string, bool) {
	switch k := n.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// find returns the value at a path, and the key that it stands under; nil where
// there is none.
func find(root ast.Node, p path) (value ast.Node, key ast.Node) {
	value = root
	for _, step := range p {
		if list, ok := value.(*ast.SequenceNode); ok {
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(list.Values) {
				return nil, nil
			}
			value, key = list.Values[i], nil
			continue
		}
		all := pairs(value)
		value, key = nil, nil
		for _, pair := range all {
			if name, ok := keyOf(pair.Key); ok && name == step {
				value, key = pair.Value, pair.Key
			}
		}
	}
	return value, key
}

// plain returns a value as JSON has it. It is an error if the YAML holds what
// JSON has not.
func plain(n ast.Node, name string) (any, error) {
	switch v := n.(type) {
	case nil, *ast.NullNode:
		return nil, nil
	case *ast.BoolNode:
		return v.Value, nil
	case *ast.IntegerNode:
		return v.Value, nil
	case *ast.FloatNode:
		return v.Value, nil
	case *ast.StringNode:
		return v.Value, nil
	case *ast.LiteralNode:
		return v.Value.Value, nil
	case *ast.SequenceNode:
		list := make([]any, len(v.Values))
		var err error
		for i, item := range v.Values {
			if list[i], err = plain(item, name); err != nil {
				return nil, err
			}
		}
		return list, nil
	case *ast.MappingNode, *ast.MappingValueNode:
		object := map[string]any{}
		for _, pair := range pairs(n) {
			key, ok := keyOf(pair.Key)
			if !ok {
				return nil, syntaxErrorAt(pair.Key, "this can't be a key: "+kindOf(pair.Key))
			}
			value, err := plain(pair.Value, key)
			if err != nil {
				return nil, err
			}
			object[key] = value
		}
		return object, nil
	}
	return nil, syntaxErrorAt(n, name+" can't be "+kindOf(n))
}

// kindOf names what a node is.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode:
		return "a number"
	case *ast.InfinityNode, *ast.NanNode:
		return "a number without end"
	case *ast.BoolNode:
		return "true or false"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor, alias or merge key, which are not supported: write the value out"
	case *ast.TagNode:
		return "a tag, which is not supported: write the value without it"
	}
	return "something else"
}
