package token

import "strconv"

// Kind is the type of a JSON value.
type Kind uint8

// Missing is the Kind of a value that is not there.
const (
	Missing Kind = iota
	Null
	Bool
	Number
	String
	List
	Object
)

// A Value is a JSON value as it stood in the token: order, spelling of numbers
// and repeated members are kept. The zero Value is Missing, and all methods
// may be called on it, so that a path needs no checks on the way:
//
//	id, ok := tok.Claims.Get("chat").Get("id").Text()
type Value struct {
	kind    Kind
	json    string
	text    string
	members []Member
}

// A Member is a member of an object, or an item of a list (then without name).
type Member struct {
	Name  string
	Value Value
}

// Kind returns the value's type.
func (v Value) Kind() Kind { return v.kind }

// Exists says whether the value is there; null is.
func (v Value) Exists() bool { return v.kind != Missing }

// JSON returns the value as it was written, "" if it is missing.
func (v Value) JSON() string { return v.json }

// String returns the value as it was written.
func (v Value) String() string { return v.json }

// MarshalJSON returns the value as it was written, null if it is missing.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.kind == Missing {
		return []byte("null"), nil
	}
	return []byte(v.json), nil
}

// Text returns a string's content; ok is false for any other kind. A lone
// surrogate escape reads as U+FFFD.
func (v Value) Text() (text string, ok bool) { return v.text, v.kind == String }

// Bool returns a boolean; ok is false for any other kind.
func (v Value) Bool() (value, ok bool) { return v.json == "true", v.kind == Bool }

// Int returns a number that is written as an integer (not 1.0, not 1e3) and
// fits 64 bits; ok is false for all else.
func (v Value) Int() (n int64, ok bool) {
	if v.kind != Number {
		return 0, false
	}
	n, err := strconv.ParseInt(v.json, 10, 64)
	return n, err == nil
}

// Members returns an object's members or a list's items, in their order. The
// caller must not change them.
func (v Value) Members() []Member { return v.members }

// Get returns the member of that exact name; the last one if it is repeated,
// as most parsers do.
func (v Value) Get(name string) Value {
	if v.kind != Object {
		return Value{}
	}
	for i := len(v.members) - 1; i >= 0; i-- {
		if v.members[i].Name == name {
			return v.members[i].Value
		}
	}
	return Value{}
}
