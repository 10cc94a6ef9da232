package redact

import (
	"regexp"
	"slices"

	"github.com/kindlytest/kindlytest/internal/jws"
	"github.com/kindlytest/kindlytest/internal/plainjson"
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
	text, err := plainjson.Marshal(v)
	if err != nil {
		return nil, err
	}
	return Signatures(text), nil
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
