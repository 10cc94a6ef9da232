package oracle

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// An Expectation is what a target's owner says about an answer. All that is
// given must hold.
type Expectation struct {
	Status      []int    // one of these
	Contains    []string // each of these, in the body as sent or as decoded
	NotContains []string // none of these
	// JSON must be a part of the body: objects may have more members; lists
	// and other values must be equal.
	JSON map[string]any
}

// ErrEmpty is the error of an expectation that every answer would meet.
var ErrEmpty = errors.New("it expects nothing; give a status, contains, not_contains or json")

func (e *Expectation) validate() error {
	if e == nil {
		return nil
	}
	if len(e.Status)+len(e.Contains)+len(e.NotContains)+len(e.JSON) == 0 || slices.Contains(e.Contains, "") || slices.Contains(e.NotContains, "") {
		return ErrEmpty
	}
	if _, err := plain(e.JSON); err != nil {
		return err
	}
	return nil
}

// Matches says whether an answer is as expected. A nil Expectation and a
// missing answer never match.
func (e *Expectation) Matches(ex wire.Exchange) bool { return e.matches(ex) }

func (e *Expectation) matches(ex wire.Exchange) bool {
	if e == nil || ex.Response == nil || len(e.Status) > 0 && !slices.Contains(e.Status, ex.Status()) {
		return false
	}
	seen := look(ex)
	for _, s := range e.Contains {
		if !seen.show(s) {
			return false
		}
	}
	if slices.ContainsFunc(e.NotContains, seen.show) {
		return false
	}
	if len(e.JSON) == 0 {
		return true
	}
	want, err := plain(e.JSON)
	var got any
	return err == nil && json.Unmarshal(body(ex), &got) == nil && within(want, got)
}

// plain gives numbers the type that JSON gives them, wherever they came from.
func plain(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, errors.New("its json is no JSON: " + strings.TrimPrefix(err.Error(), "json: "))
	}
	var out any
	err = json.Unmarshal(data, &out)
	return out, err
}

// within says whether want is a part of got.
func within(want, got any) bool {
	w, ok := want.(map[string]any)
	if !ok {
		return reflect.DeepEqual(want, got)
	}
	g, ok := got.(map[string]any)
	if !ok {
		return false
	}
	for name, value := range w {
		if have, ok := g[name]; !ok || !within(value, have) {
			return false
		}
	}
	return true
}

// String lists what is expected, for people.
func (e *Expectation) String() string {
	var parts []string
	if len(e.Status) > 0 {
		parts = append(parts, fmt.Sprintf("status %d", e.Status))
	}
	if len(e.Contains) > 0 {
		parts = append(parts, fmt.Sprintf("contains %q", e.Contains))
	}
	if len(e.NotContains) > 0 {
		parts = append(parts, fmt.Sprintf("does not contain %q", e.NotContains))
	}
	if len(e.JSON) > 0 {
		parts = append(parts, "holds the JSON given")
	}
	return strings.Join(parts, ", ")
}
