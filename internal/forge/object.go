package forge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/plainjson"
)

// An object is a JSON object that keeps what encoders lose: the order of its
// members, members that come twice, numbers as they were spelled.
type object []member

type member struct{ name, raw string }

var errNoObject = errors.New("it is no JSON object")

// parseObject reads one JSON object and nothing after it.
func parseObject(data []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errNoObject
	}
	var o object
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("reading a member's name: %w", err)
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, fmt.Errorf("reading a member's value: %w", err)
		}
		name, _ := key.(string) // the decoder allows nothing else here
		o = append(o, member{name, string(raw)})
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("reading the object's end: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after the object")
	}
	return o, nil
}

// get returns the raw value of the last member of that name, as most parsers do.
func (o object) get(name string) (raw string, ok bool) {
	for _, m := range o {
		if m.name == name {
			raw, ok = m.raw, true
		}
	}
	return raw, ok
}

// with returns a copy in which name stands once and has this value.
func (o object) with(name, raw string) object {
	out, done := make(object, 0, len(o)+1), false
	for _, m := range o {
		switch {
		case m.name != name:
			out = append(out, m)
		case !done:
			out, done = append(out, member{name, raw}), true
		}
	}
	if !done {
		out = append(out, member{name, raw})
	}
	return out
}

// without returns a copy that lacks the members of that name.
func (o object) without(name string) object {
	out := make(object, 0, len(o))
	for _, m := range o {
		if m.name != name {
			out = append(out, m)
		}
	}
	return out
}

// plus returns a copy with one more member at the end, even if the name is taken.
func (o object) plus(name, raw string) object {
	return append(append(make(object, 0, len(o)+1), o...), member{name, raw})
}

// String is the object as JSON, without white space.
func (o object) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(m.name) + ":" + m.raw)
	}
	b.WriteByte('}')
	return b.String()
}

// quote returns s as a JSON string, with markup left as it is.
func quote(s string) string { return string(plainjson.Must(s)) }

// number returns n as JSON.
func number(n int64) string { return strconv.FormatInt(n, 10) }

// With returns the JSON object body with its member name set to the raw JSON
// value; everything else keeps its bytes and order, but for white space
// between members. It fails if body is no JSON object.
func With(body []byte, name string, raw []byte) ([]byte, error) {
	o, err := parseObject(body)
	if err != nil {
		return nil, fmt.Errorf("changing %q in a body: %w", name, err)
	}
	return []byte(o.with(name, string(raw)).String()), nil
}

// Without returns the JSON object body without its member name.
func Without(body []byte, name string) ([]byte, error) {
	o, err := parseObject(body)
	if err != nil {
		return nil, fmt.Errorf("removing %q from a body: %w", name, err)
	}
	return []byte(o.without(name).String()), nil
}
