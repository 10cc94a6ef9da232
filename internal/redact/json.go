package redact

import (
	"bytes"
	"encoding/json"

	"github.com/kindlytest/kindlytest/internal/plainjson"
)

// JSON returns a JSON text without what is known, in every string that stands
// deeper than depth: names of members included. It stays JSON, since a string is
// looked at as what it means.
func (r *Redactor) JSON(text []byte, depth int) []byte {
	// A look at all strings at once: nearly always there is nothing.
	if plain, _ := unescape(backslash, nil, nil, nil, string(text), false); !r.holds(string(plain), look{depth: levels, tokens: true}) {
		return text
	}
	var out []byte
	done, deep := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			deep++
		case '}', ']':
			deep--
		case '"':
			end := literalEnd(text, i)
			if deep > depth || depth == 0 {
				out = append(append(out, text[done:i]...), r.literal(text[i:end])...)
				done = end
			}
			i = end - 1
		}
	}
	return append(out, text[done:]...)
}

// literalEnd is where the string that begins at i ends.
func literalEnd(text []byte, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(text))
}

func (r *Redactor) literal(literal []byte) []byte {
	var s string
	if json.Unmarshal(literal, &s) != nil {
		return literal
	}
	hidden := r.Known(s)
	if hidden == s {
		return literal
	}
	return plainjson.Must(hidden)
}

// isJSON tells whether a body is an object or a list in JSON.
func isJSON(body []byte) bool {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	return len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && json.Valid(body)
}
