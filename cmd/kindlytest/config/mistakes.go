package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/suggest"
)

// validate holds the file against the schema, and says what is wrong in the words
// of people. What an object lacks as a whole is told where nothing else is wrong.
func (d *document) validate(value any) {
	err := ours().Validate(value)
	var v *jsonschema.ValidationError
	if !errors.As(err, &v) {
		return
	}
	d.explain(v)
	if len(d.problems)+len(d.lacks) == 0 { // a keyword of the schema that nobody has words for
		d.problem(path(v.InstanceLocation), "this is not as the schema wants it")
	}
}

// explain notes the mistakes of an error.
func (d *document) explain(e *jsonschema.ValidationError) {
	at, where := path(e.InstanceLocation), e.SchemaURL
	what := d.called(at, where)
	says := ours().word(where, "errorMessage")
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf:
		d.explainChoice(e, what, says)
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			d.unknownKey(at, key, what, ours().keys(where))
		}
	case *kind.Required:
		for _, key := range k.Missing {
			d.missing(at, key, ours().word(where, "title"))
		}
	case *kind.Type:
		d.wrongType(at, what, says, k.Want)
	case *kind.Format:
		d.failed(at, what, k.Err)
	case *kind.MinLength:
		d.once(at, "%s is empty; give it a value, or leave it out", what)
	case *kind.MinItems:
		if says == "" {
			d.lack(at, "%s is empty", what)
			return
		}
		d.once(at, "%s %s, not %d", what, says, k.Got)
	case *kind.MaxItems:
		d.once(at, "%s %s, not %d", what, says, k.Got)
	case *kind.MinProperties:
		d.lack(at, "%s %s", what, says)
	case *kind.MaxProperties, *kind.Not:
		d.once(at, "%s %s", what, says)
	case *kind.Minimum, *kind.Maximum:
		d.outOfRange(at, what, where)
	default:
		if len(e.Causes) == 0 {
			d.unfit(at, what, says, e)
			return
		}
		for _, cause := range e.Causes {
			d.explain(cause)
		}
	}
}

// called is how people call a value: as the schema does, or by its keys.
func (d *document) called(at path, where string) string {
	title := ours().word(where, "title")
	switch {
	case len(at) == 0 && title != "":
		return "the file"
	case len(at) == 0:
		return "it"
	case title != "" && isPlace(at[len(at)-1]):
		return title
	}
	return at.name()
}

// explainChoice is about a value that is none of several forms: it is held
// against the one whose type it has.
func (d *document) explainChoice(e *jsonschema.ValidationError, what, says string) {
	at := path(e.InstanceLocation)
	var want []string
	for _, branch := range e.Causes {
		types := typesWanted(branch, len(at))
		if types == nil && says == "" {
			d.explain(branch)
			return
		}
		want = append(want, types...)
	}
	if says != "" {
		d.lack(at, "%s %s", what, says)
		return
	}
	d.wrongType(at, what, "", want)
}

// typesWanted are the types that a form wants, if it fails for its type: at the
// value itself, depth steps down.
func typesWanted(e *jsonschema.ValidationError, depth int) []string {
	if k, ok := e.ErrorKind.(*kind.Type); ok && len(e.InstanceLocation) == depth {
		return k.Want
	}
	for _, cause := range e.Causes {
		if want := typesWanted(cause, depth); want != nil {
			return want
		}
	}
	return nil
}

// typeWords name types, in the order in which several are offered.
var typeWords = []struct{ kind, word string }{
	{"array", "a list"}, {"object", "keys and values"}, {"string", "text"},
	{"integer", "a whole number"}, {"number", "a number"}, {"boolean", "true or false"},
}

func (d *document) wrongType(at path, what, says string, want []string) {
	n, key := find(d.root, at)
	if kindOf(n) == "nothing" && key != nil {
		d.onceAt(key, at, "%s has no value; give it one, or leave it out", at[len(at)-1])
		return
	}
	if text, ok := textOf(n); ok && says != "" {
		d.once(at, "%s %s, not %q", what, says, text)
		return
	}
	var words []string
	for _, t := range typeWords {
		if slices.Contains(want, t.kind) {
			words = append(words, t.word)
		}
	}
	switch {
	case slices.Contains(want, "array") && slices.Contains(want, "object"):
		words = words[:2]
	case slices.Contains(want, "array"):
		words = words[:1] // one alone is as good as a list of one
	case slices.Contains(want, "string"):
		words = []string{"text"} // numbers are taken as they are written
	}
	d.once(at, "%s must be %s, not %s", what, strings.Join(words, " or "), kindOf(n))
}

// unfit is about a scalar that is none of those that there may be.
func (d *document) unfit(at path, what, says string, e *jsonschema.ValidationError) {
	n, _ := find(d.root, at)
	text, ok := textOf(n)
	if k, isConst := e.ErrorKind.(*kind.Const); isConst {
		if text == fmt.Sprint(k.Want) {
			text += " in quotes"
		}
		d.once(at, "%s must be %v, not %s", what, k.Want, text)
		return
	}
	switch {
	case says == "":
		d.once(at, "%s is not as the schema wants it", what)
	case ok:
		d.once(at, "%s %s, not %q", what, says, text)
	default:
		d.once(at, "%s %s, not %s", what, says, kindOf(n))
	}
}

func (d *document) outOfRange(at path, what, where string) {
	low, high := ours().word(where, "minimum"), ours().word(where, "maximum")
	n, _ := find(d.root, at)
	text, _ := textOf(n)
	if high == "" && low == "0" {
		d.once(at, "%s must not be negative", what)
		return
	}
	d.once(at, "%s must be from %s to %s, not %s", what, low, high, text)
}

func (d *document) unknownKey(at path, key, what string, keys []string) {
	_, node := find(d.root, at.to(key))
	if meant := suggest.Word(key, keys); meant != "" {
		d.problemAt(node, "unknown key %q; did you mean %q?", key, meant)
		return
	}
	if holder := ours().holder(key); holder != "" && len(at) == 0 {
		d.problemAt(node, "unknown key %q; it stands in %s", key, holder)
		return
	}
	d.problemAt(node, "unknown key %q; %s may hold %s", key, what, strings.Join(keys, ", "))
}

// whyNeeded says more about keys that must be there.
var whyNeeded = map[string]string{
	"version": "; the file begins with version: 1",
	"id":      ": the check whose failure is expected",
}

func (d *document) missing(at path, key, title string) {
	name := at.to(key).name()
	if thing, ok := strings.CutPrefix(title, "a "); ok { // those without a name of their own
		name = "the " + thing + "'s " + key
	}
	why := whyNeeded[key]
	if n, _ := find(d.root, at.to("id")); key == "reason" {
		id, _ := textOf(n)
		why = fmt.Sprintf(": why is the failure of %s accepted?", cmp.Or(id, "this check"))
	}
	d.lack(at, "%s is missing%s", name, why)
}

// once notes the first mistake about a value.
func (d *document) once(at path, format string, args ...any) {
	n, _ := find(d.root, at)
	d.onceAt(n, at, format, args...)
}

// failed notes an error about a value, with its way out.
func (d *document) failed(at path, what string, err error) {
	text := err.Error()
	if way := hint.Of(err); way != "" {
		text += "; " + way
	}
	n, _ := find(d.root, at)
	d.onceAt(n, at, "%s", d.quotable(n, what+": "+text))
}

// lack notes that something is not there, to be told if nothing else is.
func (d *document) lack(at path, format string, args ...any) {
	n, _ := find(d.root, at)
	line, column := position(n)
	d.lacks = append(d.lacks, Problem{d.file, line, column, fmt.Sprintf(format, args...)})
}
