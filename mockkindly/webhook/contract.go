package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// A Member is one that the body of a request has, as far as somebody has told.
type Member struct {
	Path     string // "exchange.exchange_id"
	Type     string // as Members calls it
	Always   bool   // in every request
	Fidelity rule.Fidelity
}

// Contract returns the members that are known, in the order in which Body
// writes them.
//
// Source: https://docs.kindly.ai/webhooks
func Contract() []Member { return slices.Clone(contract) }

var contract = []Member{
	{"organization_id", "integer", true, rule.Observed},
	{"bot_id", "integer", true, rule.Observed},
	{"chat_id", "string", true, rule.Documented},
	{"user_id", "string", true, rule.Documented},
	{"chat_labels", "list", false, rule.Documented},
	{"message", "string", true, rule.Documented},
	{"attachments", "list", false, rule.Documented},
	{"context", "object", false, rule.Documented},
	{"exchange", "object", true, rule.Documented},
	{"exchange.exchange_id", "string", true, rule.Documented},
	{"exchange.language_code", "string", true, rule.Documented},
	{"exchange.exchange_slug", "string", false, rule.Assumed},
	{"_links", "object", true, rule.Documented},
	{"_links.chat", "string", true, rule.Documented},
	{"source", "string", true, rule.Documented},
	{"web_path", "string", false, rule.Documented},
	{"web_host", "string", false, rule.Documented},
	{"web_url", "string", false, rule.Documented},
}

// documentedNames are the members that Extra must not repeat: which of two
// equal members counts is each parser's own choice.
var documentedNames = func() (names []string) {
	for _, m := range contract {
		if !strings.Contains(m.Path, ".") {
			names = append(names, m.Path)
		}
	}
	return names
}()

// A Difference is where a body is not what the contract says.
type Difference struct {
	Path     string `json:"path"`
	Kind     string `json:"kind"`               // new, missing, type
	Contract string `json:"contract,omitempty"` // the type that it should have
	Seen     string `json:"seen,omitempty"`     // the one that it has
}

// The kinds of differences.
const (
	DifferenceNew     = "new"     // nobody has told of it
	DifferenceMissing = "missing" // it is said to be in every request
	DifferenceType    = "type"    // it is said to have another
)

// Compare says where a body is not what the contract says: types first, then
// what is missing, then what is new. It quotes no value.
func Compare(body []byte) ([]Difference, error) {
	members, err := Members(body)
	if err != nil {
		return nil, err
	}
	var types, missing, added []Difference
	for _, m := range contract {
		seen, ok := members[m.Path]
		switch {
		case ok && seen != m.Type:
			types = append(types, Difference{m.Path, DifferenceType, m.Type, seen})
		case !ok && m.Always:
			missing = append(missing, Difference{m.Path, DifferenceMissing, m.Type, ""})
		}
		delete(members, m.Path)
	}
	for _, path := range slices.Sorted(maps.Keys(members)) {
		added = append(added, Difference{path, DifferenceNew, "", members[path]})
	}
	return slices.Concat(types, missing, added), nil
}

// collected are the members whose own members are the customer's, not Kindly's.
var collected = []string{"context", "attachments", "chat_labels"}

// maxMembers bounds how many members of a body are looked at.
const maxMembers = 1000

// Members returns the types of a body's members by their paths: string,
// integer, number, boolean, list, object or null. Of objects at the top, but for
// what a chat has collected, it tells the members too. It fails if the body is
// no JSON object.
func Members(body []byte) (map[string]string, error) {
	found, err := members(body)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(found))
	for path, raw := range found {
		out[path] = TypeName(raw)
	}
	return out, nil
}

// Values returns what Members tells the types of. Numbers are json.Number.
func Values(body []byte) (map[string]any, error) {
	found, err := members(body)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(found))
	for path, raw := range found {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("%s in the body: %w", path, err)
		}
		out[path] = value
	}
	return out, nil
}

// members are the members of a body, undecoded: a hostile one may be large.
func members(body []byte) (map[string]json.RawMessage, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(body, &top); err != nil || top == nil {
		return nil, errors.New("the body is no JSON object")
	}
	out := map[string]json.RawMessage{}
	note := func(path string, raw json.RawMessage) {
		if len(out) < maxMembers && len(path) <= 200 {
			out[path] = raw
		}
	}
	for name, raw := range top {
		note(name, raw)
		var inner map[string]json.RawMessage
		if TypeName(raw) != "object" || slices.Contains(collected, name) || json.Unmarshal(raw, &inner) != nil {
			continue
		}
		for below, raw := range inner {
			note(name+"."+below, raw)
		}
	}
	return out, nil
}

// TypeName is the type of a JSON text in one word; raw begins with it.
func TypeName(raw json.RawMessage) string {
	switch c := raw[0]; {
	case c == 'n':
		return "null"
	case c == 't', c == 'f':
		return "boolean"
	case c == '"':
		return "string"
	case c == '[':
		return "list"
	case c == '{':
		return "object"
	case bytes.ContainsAny(raw, ".eE"):
		return "number"
	}
	return "integer"
}
