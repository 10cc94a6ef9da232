package redact

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"

	"github.com/kindlytest/kindlytest/internal/jws"
)

// tokensIn finds the tokens of a text that have a signature.
func tokensIn(text string) []jws.Token {
	return slices.DeleteFunc(jws.Find(text), func(t jws.Token) bool { return t.Signature == "" })
}

// Signatures returns a text with its tokens lacking their signature. That cannot
// be outside of a JSON string.
func Signatures(text []byte) []byte {
	found := tokensIn(string(text))
	if len(found) == 0 {
		return text
	}
	var out []byte
	done := 0
	for _, t := range found {
		out = append(append(out, text[done:t.End-len(t.Signature)]...), Removed...)
		done = t.End
	}
	return append(out, text[done:]...)
}

// JSON is the only way in which a mock writes JSON: whatever a page or a webhook put into
// it, no token leaves with its signature.
func JSON(v any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // never embedded in HTML; what was escaped stays readable
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return Signatures(text.Bytes()), nil
}

var (
	// aToken matches a value that is a token, whole or without its signature:
	// there is nothing else in it to hide.
	aToken = regexp.MustCompile(`^ey[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*\.(?:[A-Za-z0-9_=+/.-]*|\[removed\])$`)

	// unsignedToken matches one that has no signature, as of attacks with alg
	// none. (Frameworks sign sessions as eyPAYLOAD.SIGNATURE.)
	unsignedToken = regexp.MustCompile(`^ey[A-Za-z0-9_-]{2,}\.ey[A-Za-z0-9_-]*\.?$`)

	// beginsToken and longOpaque are what a token and a key look like to people.
	beginsToken = regexp.MustCompile(`ey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}\.`)
	longOpaque  = regexp.MustCompile(`[A-Za-z0-9_+/=-]{32,}`)
)
