// Package jws finds tokens in text: what looks like the compact form of a JWS or a JWE
// (RFC 7515, 7516), whole, or with its signature gone.
package jws

import "strings"

// A Token is one that stands in a text, from Start to End.
type Token struct {
	Start, End      int
	Header, Payload string // in base64url, as they stand there
	Signature       string // with what an encrypted token has behind it; may be empty
}

// minHeader is the shortest header, in characters: {"alg":""} has more.
const minHeader = 12

// Find finds what looks like a token: the base64url of something that begins as a JSON
// object does ({" or { and white space), and a payload. It takes linear time, and little
// of it.
func Find(text string) []Token {
	var found []Token
	for i := 0; i < len(text); {
		next := strings.IndexByte(text[i:], 'e')
		if next < 0 {
			break
		}
		i += next
		if !BeginsObject(text[i:]) {
			i++
			continue
		}
		header := segmentEnd(text, i)
		if header-i < minHeader || header == len(text) || text[header] != '.' {
			i = max(header, i+1) // what begins later in this segment is no token either
			continue
		}
		payload := segmentEnd(text, header+1)
		t := Token{Start: i, End: payload, Header: text[i:header], Payload: text[header+1 : payload]}
		if payload < len(text) && text[payload] == '.' {
			t.End = signatureEnd(text, payload+1)
			t.Signature = text[payload+1 : t.End]
		}
		overlaps := len(found) > 0 && t.Start < found[len(found)-1].End
		if i = t.End; t.Signature == "" {
			i = header + 1 // its payload may be the header of one that is signed
			if overlaps {
				continue
			}
		} else if overlaps {
			found = found[:len(found)-1]
		}
		found = append(found, t)
	}
	return found
}

// Replace puts something else in the place of each token, and of the mark, if any, that
// a signature that was taken out has left: "[removed]".
func Replace(text, with string) string {
	var out strings.Builder
	done := 0
	for _, t := range Find(text) {
		out.WriteString(text[done:t.Start])
		out.WriteString(with)
		done = t.End
		if mark, _, ok := strings.Cut(text[done:], "]"); ok && strings.HasPrefix(mark, "[") && !strings.ContainsAny(mark, " \n\"") {
			done += len(mark) + 1
		}
	}
	out.WriteString(text[done:])
	return out.String()
}

// BeginsObject tells whether text begins as the base64url of a JSON object does.
func BeginsObject(text string) bool {
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

// segmentEnd is where the base64url that starts at i ends.
func segmentEnd(text string, i int) int {
	for i < len(text) && InSegment(text[i]) {
		i++
	}
	return i
}

// signatureEnd is where all ends that may be a signature, with what an encrypted
// token has behind it.
func signatureEnd(text string, i int) int {
	for i < len(text) && (InSegment(text[i]) || text[i] == '=' || text[i] == '+' || text[i] == '/' ||
		text[i] == '.' && i+1 < len(text) && InSegment(text[i+1])) {
		i++
	}
	return i
}

// InSegment tells whether c is a character of base64url.
func InSegment(c byte) bool { return inBase64URL[c] }

// inBase64URL marks the characters of base64url.
var inBase64URL = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		t[c] = true
	}
	return t
}()
