package webhook

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// member returns a member if it is there and has the type T: string, bool,
// []any or map[string]any. Another type is a problem.
func member[T any](j *judge, o object, name string) (T, bool) {
	var none T
	v, ok := o.members[name]
	if !ok {
		return none, false
	}
	if t, ok := v.(T); ok {
		return t, true
	}
	p := Problem{Rule: RespFields, Path: o.at(name), Expected: typeOf(zero[T]()), Actual: typeOf(v)}
	if v == nil {
		// Serializers write null for what is not set. Whether Kindly takes it
		// for absent is unpublished, so it is no failure.
		p.Level = rule.Should
		p.Expected += ", or no such member"
		p.Fix = "Leave the member out instead of writing null."
	}
	j.add(p)
	return none, false
}

// required is member, where a member that is missing is a problem too. Of the
// fields of the object, one that was meant for it is named.
func required[T any](j *judge, o object, fields []field, name string, level rule.Level) (T, bool) {
	if _, ok := o.members[name]; !ok {
		p := Problem{Rule: RespFields, Level: level, Path: o.at(name), Expected: typeOf(zero[T]()), Actual: "no such member", Fix: "Add " + name + "."}
		for _, other := range slices.Sorted(maps.Keys(o.members)) {
			if f, ok := meant(other, o, fields); ok && f.name == name {
				p.Actual, p.Fix = "no such member, but "+other, fmt.Sprintf("Rename %s to %s.", other, name)
				break
			}
		}
		j.add(p)
	}
	return member[T](j, o, name)
}

// zero is a T that typeOf can tell from null.
func zero[T any]() any {
	var t T
	return t
}

// objects returns the objects of a list. An element of another type is a problem.
func (j *judge) objects(o object, name string) []object {
	list, _ := member[[]any](j, o, name)
	var out []object
	for i, v := range list {
		path := fmt.Sprintf("%s[%d]", o.at(name), i)
		members, ok := v.(map[string]any)
		if !ok {
			j.add(Problem{Rule: RespFields, Path: path, Expected: "an object", Actual: typeOf(v)})
			continue
		}
		out = append(out, object{path: path, members: members})
	}
	return out
}

// A field is a member that Kindly reads, and what it gets mistaken for.
type field struct {
	name  string
	fits  func(any) bool // could the value of a look-alike be meant for the field?
	alike map[string]bool
}

// newField takes names of look-alikes. Other spellings of a name, such as
// newContext or New-Context, need no listing.
func newField(name string, fits func(any) bool, alike ...string) field {
	f := field{name, fits, map[string]bool{plainName(name): true}}
	for _, a := range alike {
		f.alike[plainName(a)] = true
	}
	return f
}

var answerFields = []field{
	newField("reply", isString, "message", "text", "response", "answer", "msg", "content", "replies", "body", "output"),
	newField("exchange_slug", isString, "slug", "exchange", "dialogue", "dialogue_slug", "exchange_id", "dialogue_id"),
	newField("new_context", isObject, "context", "set_context", "update_context"),
	newField("buttons", isListOrObject, "button", "quick_replies", "quick_reply", "actions", "suggestions"),
	newField("image_carousel", isPresent, "carousel", "images", "image", "image_url", "image_carousels"),
	newField("aiReply", isPresent, "ai", "ai_response", "ai_data"),
}

var buttonFields = []field{
	newField("button_type", isString, "type", "kind"),
	newField("label", isString, "title", "text", "name", "caption"),
	newField("value", isString, "url", "href", "link", "payload", "target", "slug"),
}

var imageFields = []field{
	newField("imageUrl", isString, "image", "url", "src", "picture", "img"),
	newField("title", isString, "heading", "headline", "label", "name"),
	newField("altText", isString, "alt", "alternative_text"),
	newField("description", isString, "subtitle", "text", "caption"),
	newField("linkUrl", isString, "link", "href", "target"),
	newField("newTab", isPresent, "open_in_new_tab", "target_blank"),
}

func isString(v any) bool       { _, ok := v.(string); return ok }
func isObject(v any) bool       { _, ok := v.(map[string]any); return ok }
func isListOrObject(v any) bool { _, ok := v.([]any); return ok || isObject(v) }
func isPresent(v any) bool      { return v != nil }

// lookAlikes tells of members that Kindly ignores though they seem meant for
// it: the name resembles a field's, the value could be the field's, and the
// field itself is not there, or empty. What stands beside the real field is the
// customer's own.
func (j *judge) lookAlikes(o object, fields []field) {
	for _, name := range slices.Sorted(maps.Keys(o.members)) {
		f, ok := meant(name, o, fields)
		if !ok {
			continue
		}
		j.add(Problem{Rule: RespFieldNames, Path: o.at(name), Expected: "the name " + f.name,
			Actual: "the name " + name + ", which Kindly does not read",
			Fix:    fmt.Sprintf("Rename %s to %s.", name, f.name)})
	}
}

func meant(name string, o object, fields []field) (field, bool) {
	if !isName(name) || slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
		return field{}, false
	}
	plain := plainName(name)
	for _, f := range fields {
		if f.alike[plain] && (o.members[f.name] == nil || o.members[f.name] == "") && f.fits(o.members[name]) {
			return f, true
		}
	}
	return field{}, false
}

// plainName is a name without its letter case and word separators.
func plainName(s string) string { return separators.Replace(strings.ToLower(s)) }

var separators = strings.NewReplacer("_", "", "-", "")
