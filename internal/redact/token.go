package redact

import (
	"regexp"
	"strings"
)

// A foundToken is where the parts of a token in the compact form begin
// (RFC 7515, 7516), and where it ends.
type foundToken struct{ start, payload, signature, end int }

// tokensIn finds what looks like a signed token: the base64url of something that
// begins as a JSON object does ({" or { and white space), a payload, and more
// behind it. It takes linear time, and little of it.
func tokensIn(text string) []foundToken {
	var found []foundToken
	for i := 0; i < len(text); {
		next := strings.IndexByte(text[i:], 'e')
		if next < 0 {
			break
		}
		i += next
		if !beginsObject(text[i:]) {
			i++
			continue
		}
		header := segmentEnd(text, i)
		payload := segmentEnd(text, header+1)
		end := signatureEnd(text, payload+1)
		if header-i < 12 || header >= len(text) || payload >= len(text) || text[header] != '.' || text[payload] != '.' || end <= payload+1 {
			i = max(header, i+1) // what begins later in this segment is no token either
			continue
		}
		found = append(found, foundToken{i, header + 1, payload + 1, end})
		i = end
	}
	return found
}

// beginsObject tells whether text begins as the base64url of a JSON object does.
func beginsObject(text string) bool {
	if len(text) < 3 || text[0] != 'e' {
		return false
	}
	switch c := text[2]; text[1] {
	case 'y': // {" or { and a space
		return 'A' <= c && c <= 'D' || 'I' <= c && c <= 'L'
	case 'w': // { and a tab or the end of a line
		return 'k' <= c && c <= 'r' || '0' <= c && c <= '3'
	}
	return false
}

// segmentEnd is where the base64url that starts at i ends; at most len(text).
func segmentEnd(text string, i int) int {
	for i < len(text) && inBase64URL[text[i]] {
		i++
	}
	return min(i, len(text))
}

// signatureEnd is where all ends that may be a signature, with what an encrypted
// token has behind it.
func signatureEnd(text string, i int) int {
	for i < len(text) && (inBase64URL[text[i]] || text[i] == '=' || text[i] == '+' || text[i] == '/' ||
		text[i] == '.' && i+1 < len(text) && inBase64URL[text[i+1]]) {
		i++
	}
	return min(i, len(text))
}

// inBase64URL marks the characters of base64url.
var inBase64URL = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		t[c] = true
	}
	return t
}()

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
		out = append(append(out, text[done:t.signature]...), Removed...)
		done = t.end
	}
	return append(out, text[done:]...)
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
