// Package plainjson writes JSON for people and for other programs: without the escapes
// that encoding/json makes of <, > and & for what is embedded in HTML.
package plainjson

import (
	"bytes"
	"encoding/json"
	"io"
)

// Marshal is json.Marshal, plainly.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Must is Marshal of what always has a form in JSON, as texts do and what was decoded
// from JSON or YAML. It panics on anything else.
func Must(v any) []byte {
	text, err := Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// Write writes a value as lines, indented by two spaces.
func Write(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
