package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// Bounds on an answer. Kindly publishes none; no sound answer comes near ours.
const (
	MaxAnswer = 1 << 20 // bytes
	maxDepth  = 100     // objects and lists within each other
	maxValues = 50_000  // of all kinds: [{},{},…] takes thirty times its length when it is decoded
)

// An object is a JSON object and where it stands in the answer.
type object struct {
	path    string // "buttons[1]"; empty: the whole body
	members map[string]any
}

// at is the path of a member.
func (o object) at(name string) string {
	if o.path == "" {
		return name
	}
	return o.path + "." + name
}

// SaysJSON says whether an answer's header calls its body JSON (RESP-JSON).
func SaysJSON(h http.Header) bool {
	mediaType, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "application/json")
}

// object reads the whole body. It is false if there is no object to read; a
// problem then says why.
func (j *judge) object(body []byte) (object, bool) {
	if rest, ok := bytes.CutPrefix(body, []byte("\xef\xbb\xbf")); ok {
		j.add(Problem{Rule: RespJSON, Level: rule.Should, Expected: "no byte order mark",
			Actual: "a byte order mark before the JSON", Fix: "Write UTF-8 without a byte order mark."})
		body = rest
	}
	value, err := j.decode(body)
	if err != nil {
		j.add(Problem{Rule: RespJSON, Expected: "a JSON object", Actual: err.Error()})
		return object{}, false
	}
	members, ok := value.(map[string]any)
	if !ok {
		j.add(Problem{Rule: RespJSON, Expected: "a JSON object", Actual: typeOf(value)})
	}
	return object{members: members}, ok
}

// decode reads any JSON. Its errors say what the body is instead.
func (j *judge) decode(body []byte) (any, error) {
	switch trimmed := bytes.TrimSpace(body); {
	case len(body) > MaxAnswer:
		return nil, fmt.Errorf("more than %d bytes", MaxAnswer)
	case len(trimmed) == 0:
		return nil, errors.New("an empty body")
	case trimmed[0] == '<':
		return nil, errors.New("HTML or XML")
	case bytes.HasPrefix(body, []byte("\x1f\x8b")):
		return nil, errors.New("gzip data, though the request did not ask for any")
	case !utf8.Valid(body):
		return nil, errors.New("text that is not valid UTF-8")
	}
	if !json.Valid(body) {
		var raw json.RawMessage
		return nil, errors.New("text that is not JSON" + position(body, json.Unmarshal(body, &raw)))
	}
	r := reader{judge: j, rest: body}
	return r.value("", 0)
}

// position names the line and column of a syntax error. Its message is left
// out: it may quote the body.
func position(body []byte, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset < 1 || syntax.Offset > int64(len(body)) {
		return ""
	}
	before := body[:syntax.Offset-1]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf(" (line %d, column %d)", line, column)
}

// A reader takes text apart that is known to be valid JSON. encoding/json would
// not tell of a member that is there twice, but by its tokens, which cost five
// times as much.
type reader struct {
	judge  *judge
	rest   []byte
	values int
}

// next skips what is between values, and returns the byte that begins one or
// ends a list or an object.
func (r *reader) next() byte {
	r.rest = bytes.TrimLeft(r.rest, " \t\r\n,:")
	return r.rest[0]
}

// cut returns the first n bytes, and goes on behind them.
func (r *reader) cut(n int) []byte {
	head := r.rest[:n]
	r.rest = r.rest[n:]
	return head
}

// value reads the next value. Numbers are json.Number: 1e400 is valid JSON.
func (r *reader) value(path string, depth int) (any, error) {
	r.values++
	switch first := r.next(); {
	case r.values > maxValues:
		return nil, fmt.Errorf("JSON of more than %d values", maxValues)
	case first == '"':
		return r.string(), nil
	case (first == '[' || first == '{') && depth >= maxDepth:
		return nil, fmt.Errorf("JSON that is nested more than %d levels deep", maxDepth)
	case first == '[':
		return r.list(path, depth)
	case first == '{':
		return r.members(path, depth)
	}
	end := bytes.IndexAny(r.rest, " \t\r\n,:]}")
	if end < 0 {
		end = len(r.rest)
	}
	switch word := r.cut(end); word[0] {
	case 'n':
		return nil, nil
	case 't', 'f':
		return word[0] == 't', nil
	default:
		return json.Number(word), nil
	}
}

// string reads a string. Only what is escaped needs a decoder.
func (r *reader) string() string {
	end := 1
	for r.rest[end] != '"' {
		if r.rest[end] == '\\' {
			end++ // what it escapes
		}
		end++
	}
	literal := r.cut(end + 1)
	if bytes.IndexByte(literal, '\\') < 0 {
		return string(literal[1:end])
	}
	var s string
	_ = json.Unmarshal(literal, &s) // valid, as a part of what is valid
	return s
}

func (r *reader) list(path string, depth int) (any, error) {
	list := []any{}
	for r.cut(1); r.next() != ']'; {
		v, err := r.value(path, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	r.cut(1)
	return list, nil
}

func (r *reader) members(path string, depth int) (any, error) {
	members := map[string]any{}
	for r.cut(1); r.next() != '}'; {
		name, below := r.string(), path
		if depth == 0 && isKnown(name) {
			below = name
		}
		v, err := r.value(below, depth+1)
		if err != nil {
			return nil, err
		}
		if _, twice := members[name]; twice {
			r.judge.add(Problem{Rule: RespJSON, Level: rule.Should, Path: path,
				Expected: "every member once", Actual: "a member twice" + quoteName(name),
				Fix: "Write it once: which of the two counts is each parser's own choice."})
		}
		members[name] = v
	}
	r.cut(1)
	return members, nil
}

func isKnown(name string) bool {
	for _, f := range answerFields {
		if f.name == name {
			return true
		}
	}
	return false
}

// quoteName shows a foreign name only if it is surely a name: a value of the
// answer may be the token.
func quoteName(name string) string {
	if !isName(name) {
		return ""
	}
	return fmt.Sprintf(" (%s)", name)
}

func isName(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// typeOf names a JSON type.
func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	default:
		return fmt.Sprintf("a %T", v)
	}
}
