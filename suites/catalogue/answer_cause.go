package catalogue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/suites/subject"
)

// An answerCause is one mistake by which an answer comes to say nothing to Kindly
// that is right but for it.
type answerCause struct {
	id, fix string
	tell    func(body []byte) string // what was seen of it; "" if it is not this one
}

// answerCauses are looked at in this order.
var answerCauses = []answerCause{
	{"answer-is-an-envelope", "", enveloped},
	{"answer-compressed", "Say Content-Encoding: gzip where the body is compressed, and compress it only where Accept-Encoding asks for it.", func(body []byte) string {
		return said(bytes.HasPrefix(body, []byte("\x1f\x8b")), "the body is compressed with gzip, and no Content-Encoding says so")
	}},
	{"answer-cut-off", "Let Content-Length count bytes, not letters (Buffer.byteLength), or leave it to the framework.", func(body []byte) string {
		text := bytes.TrimSpace(body)
		return said(bytes.HasPrefix(text, []byte("{")) && cutOff(text), fmt.Sprintf("the JSON object ends in its midst, after %d bytes", len(body)))
	}},
	{"answer-not-utf8", "Write the answer in UTF-8: that is what JSON is, whatever Content-Type says of a charset.", func(body []byte) string {
		return said(!utf8.Valid(body), "the body is not in UTF-8, as JSON is")
	}},
	{"answer-encoded-twice", "Give the object to what writes JSON, and not a text: res.json({reply}), not res.json(JSON.stringify({reply})).", func(body []byte) string {
		var text string
		return said(json.Unmarshal(body, &text) == nil && isObject([]byte(text)), "the body is a JSON text with the JSON object in it")
	}},
	{"answer-nested", "Answer the object itself, with reply at its top: Kindly looks nowhere else.", func(body []byte) string {
		var answer any
		if json.Unmarshal(body, &answer) != nil {
			return ""
		}
		path := strings.TrimPrefix(nestedField(answer, "", 4), ".")
		return said(strings.ContainsAny(path, ".["), "the answer has "+path+", and nothing at its top")
	}},
	{"answer-mixed", "Print nothing but the JSON: warnings and what helps to debug belong into a log (PHP: display_errors=0).", func(body []byte) string {
		if i := bytes.IndexByte(body, '{'); i > 0 && isObject(body[i:]) {
			return "something stands before the JSON object"
		}
		d := json.NewDecoder(bytes.NewReader(body))
		var o map[string]any
		return said(d.Decode(&o) == nil && len(bytes.TrimSpace(body[d.InputOffset():])) > 0, "something stands behind the JSON object")
	}},
}

func said(yes bool, what string) string {
	if yes {
		return what
	}
	return ""
}

// answerMistake names why an answer says nothing to Kindly, if it is known.
func answerMistake(v subject.Verdict, body []byte) (subject.Verdict, bool) {
	for _, c := range answerCauses {
		if what := c.tell(body); what != "" {
			v.Actual = what
			return v.Because(c.id).Fix(c.fix), true
		}
	}
	return v, false
}

func isObject(text []byte) bool {
	var o map[string]any
	return json.Unmarshal(text, &o) == nil && o != nil
}

// cutOff says whether JSON ends before it is whole.
func cutOff(text []byte) bool {
	var v any
	err := json.Unmarshal(text, &v)
	return err != nil && err.Error() == "unexpected end of JSON input"
}

// nestedField is the path of a field that says something to Kindly.
func nestedField(v any, path string, depth int) string {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range []string{"reply", "exchange_slug"} {
			if _, ok := v[name].(string); ok {
				return path + "." + name
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if found := nestedField(v[name], path+"."+name, depth-1); depth > 0 && found != "" {
				return found
			}
		}
	case []any:
		for i, x := range v[:min(len(v), 10)] {
			if found := nestedField(x, fmt.Sprintf("%s[%d]", path, i), depth-1); depth > 0 && found != "" {
				return found
			}
		}
	}
	return ""
}

// enveloped says what an answer is that holds another one: a gateway's, which
// should have been opened on the way; "" if it is none.
func enveloped(body []byte) string {
	var answer map[string]any
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	_, text := answer["body"].(string)
	_, nested := answer["body"].(map[string]any)
	for _, name := range []string{"statusCode", "status_code", "status"} {
		if code, ok := answer[name].(float64); ok && (text || nested) {
			return fmt.Sprintf("the answer is an envelope: %s %v, and the real answer as text in body", name, code)
		}
	}
	return ""
}
