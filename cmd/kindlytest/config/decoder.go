package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	yamltoken "github.com/goccy/go-yaml/token"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/suggest"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A decoder walks a YAML document and notes all that is wrong with it.
type decoder struct {
	file     string
	from     Sources
	config   *Config
	target   *target.Target // what is read now: the file's, or that of an entry in targets
	options  *suites.Options
	problems []Problem
	redact   redact.Redactor // of what came from variables
	open     bool            // what is read now is no secret
}

// maxProblems bounds what is told at once.
const maxProblems = 10

func (d *decoder) problem(at ast.Node, format string, args ...any) {
	line, column := position(at)
	d.problemAt(line, column, fmt.Sprintf(format, args...))
}

func (d *decoder) problemAt(line, column int, text string) {
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, Problem{d.file, line, column, text})
	}
}

// failed notes an error that was met at a node, with its way out.
func (d *decoder) failed(at ast.Node, what string, err error) {
	text := err.Error()
	if way := hint.Of(err); way != "" {
		text += "; " + way
	}
	d.problem(at, "%s: %s", what, text)
}

func (d *decoder) note(at ast.Node, text string) {
	line, column := position(at)
	d.config.Notes = append(d.config.Notes, Problem{d.file, line, column, text}.String())
}

func (d *decoder) sorted() []Problem {
	for i := range d.problems {
		d.problems[i].Text = d.redact.Text(d.problems[i].Text)
	}
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return d.problems
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

func tokenPosition(t *yamltoken.Token) (line, column int) {
	if t == nil || t.Position == nil {
		return 0, 0
	}
	return t.Position.Line, t.Position.Column
}

// parse returns the document's content; nil if there is none to read.
func (d *decoder) parse(text []byte) (root ast.Node) {
	defer func() {
		if p := recover(); p != nil { // the parser's, on text that nobody wrote by hand
			d.problem(nil, "it can't be read as YAML")
			root = nil
		}
	}()
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		d.syntax(err)
		return nil
	}
	var docs []*ast.DocumentNode
	for _, doc := range file.Docs {
		if doc != nil && doc.Body != nil {
			docs = append(docs, doc)
		}
	}
	switch len(docs) {
	case 0:
		d.problem(nil, "it is empty; it begins with version: 1")
		return nil
	case 1:
		return docs[0].Body
	}
	d.problem(docs[1].Body, "a second document begins here; several targets are a list: targets")
	return nil
}

// syntax notes an error of the YAML parser. Its own form quotes lines around
// the place, which may hold secrets.
func (d *decoder) syntax(err error) {
	var y yaml.Error
	if !errors.As(err, &y) {
		d.problem(nil, "it can't be read as YAML")
		return
	}
	line, column := tokenPosition(y.GetToken())
	message := y.GetMessage()
	if strings.HasPrefix(message, "mapping key ") {
		message = "the key is there already, further up"
	}
	if strings.HasPrefix(message, "found character '\t'") {
		message = "a tab stands here, which YAML does not take for indentation; use spaces"
	}
	d.problemAt(line, column, message)
}

// A field is a key of a mapping, and what reads its value.
type field struct {
	key  string
	read func(ast.Node)
}

// mapping reads the fields of a mapping, and refuses other keys.
func (d *decoder) mapping(n ast.Node, what string, fields ...field) bool {
	pairs, ok := d.pairs(n, what)
	for _, p := range pairs {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == p.key })
		if i < 0 {
			d.unknownKey(p, what, fields)
			continue
		}
		if isNull(p.value) {
			d.problem(p.node, "%s has no value; give it one, or leave it out", p.key)
			continue
		}
		fields[i].read(p.value)
	}
	return ok
}

func (d *decoder) unknownKey(p pair, what string, fields []field) {
	var keys []string
	for _, f := range fields {
		keys = append(keys, f.key)
	}
	if meant := suggest.Word(p.key, keys); meant != "" {
		d.problem(p.node, "unknown key %q; did you mean %q?", p.key, meant)
		return
	}
	d.problem(p.node, "unknown key %q; %s may hold %s", p.key, what, strings.Join(keys, ", "))
}

// A pair is a key of a mapping and its value.
type pair struct {
	key   string
	node  ast.Node // of the key
	value ast.Node
}

// pairs returns a mapping's content in its order.
func (d *decoder) pairs(n ast.Node, what string) ([]pair, bool) {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		d.wrongType(n, what, "keys and values")
		return nil, false
	}
	var pairs []pair
	for _, v := range values {
		key, ok := keyOf(v.Key)
		if !ok {
			d.problem(v.Key, "this can't be a key: %s", kindOf(v.Key))
			continue
		}
		pairs = append(pairs, pair{key, v.Key, v.Value})
	}
	return pairs, true
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

// items returns a sequence's content; a single value that is no sequence is one
// item, if that is allowed.
func (d *decoder) items(n ast.Node, what string, orOne bool) []ast.Node {
	switch s := n.(type) {
	case *ast.SequenceNode:
		return s.Values
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		if orOne && !isNull(n) {
			return []ast.Node{n}
		}
	}
	d.wrongType(n, what, "a list")
	return nil
}

func (d *decoder) wrongType(n ast.Node, what, want string) {
	d.problem(n, "%s must be %s, not %s", what, want, kindOf(n))
}

func isNull(n ast.Node) bool {
	_, null := n.(*ast.NullNode)
	return n == nil || null
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
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor, alias or merge key, which are not supported: write the value out"
	case *ast.TagNode:
		return "a tag, which is not supported: write the value without it"
	}
	return "something else"
}
