package token

import (
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// maxShown bounds what a message quotes of a claim, in bytes.
const maxShown = 80

// show describes a value in a message: its kind, and its content where that is
// short and no secret.
func show(v Value) string {
	switch v.Kind() {
	case String:
		if secretShape(v.text) != "" {
			return "a string (not shown: it looks like a secret)"
		}
		return "the string " + quote(v.text)
	case Number:
		return "the number " + clip.Text(v.json, maxShown)
	default:
		return describe(v)
	}
}

// describe names a value without its content.
func describe(v Value) string {
	switch v.Kind() {
	case Null:
		return "null"
	case Bool:
		return v.json
	case Number:
		return "a number"
	case String:
		if v.text == "" {
			return "an empty string"
		}
		return "a string"
	case List:
		return "a list"
	case Object:
		return "an object"
	default:
		return "missing"
	}
}

// quote puts foreign text into a message: bounded, control characters escaped.
func quote(s string) string { return strconv.Quote(clip.Text(s, maxShown)) }

// blank says whether a string holds nothing to read.
func blank(s string) bool { return strings.TrimSpace(s) == "" }

// foldName writes a member's name in the form in which names are compared:
// lower case, without _ - . and spaces, and of a URI its last part. Names that do not fit buf are nobody's
// slip of the pen, and give nil.
func foldName(buf *[40]byte, name string) []byte {
	if isURI(name) {
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	if len(name) > len(buf) {
		return nil
	}
	n := 0
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '_' || c == '-' || c == '.' || c == ' ':
			continue
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		buf[n] = c
		n++
	}
	return buf[:n]
}

// isURI says whether a name is written as .NET and namespaces write it.
func isURI(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}
