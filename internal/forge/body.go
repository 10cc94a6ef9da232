package forge

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
)

// A Reaction is what a sound service answers to a hostile body.
type Reaction string

const (
	// ClientError: a 4xx, and it stays up.
	ClientError Reaction = "a 4xx"
	// NoServerError: anything but a 5xx, and it stays up.
	NoServerError Reaction = "no 5xx"
)

// A Body is one hostile request body.
type Body struct {
	Name        string
	ContentType string
	Bytes       []byte
	Why         string
	Want        Reaction
}

const jsonType = "application/json"

// Bodies returns the hostile bodies of LIVE-HOOK-BODY, LIVE-AUTH-BODY or
// AUTH-BODY-MALFORMED, and nil for every other check. valid is a body that the
// service accepts, a JSON object; those that are valid JSON are made from it.
func Bodies(check string, valid []byte) ([]Body, error) {
	switch check {
	case "AUTH-BODY-MALFORMED":
		return malformed(valid), nil
	case "LIVE-HOOK-BODY", "LIVE-AUTH-BODY":
		big, err := heavy(valid)
		if err != nil {
			return nil, fmt.Errorf("bodies for %s: %w", check, err)
		}
		zipped, err := gzipped(valid)
		if err != nil {
			return nil, fmt.Errorf("bodies for %s: %w", check, err)
		}
		return append(append(malformed(valid), zipped), big...), nil
	}
	return nil, nil
}

// malformed returns what is no JSON object.
func malformed(valid []byte) []Body {
	const (
		shape  = "A body that is no object has no fields; code that reads them anyway falls over."
		syntax = "What cannot be parsed must be refused, not guessed."
	)
	row := func(name, contentType, body, why string) Body {
		return Body{name, contentType, []byte(body), why, ClientError}
	}
	return []Body{
		row("empty", jsonType, "", "A body of nothing is what a broken proxy sends."),
		row("white space", jsonType, " \r\n\t", "A body of nothing is what a broken proxy sends."),
		row("text", jsonType, "hello", syntax),
		row("cut off", jsonType, string(valid[:len(valid)/2]), syntax),
		row("an open brace", jsonType, "{", syntax),
		row("a list", jsonType, "[]", shape),
		row("null", jsonType, "null", shape),
		row("true", jsonType, "true", shape),
		row("a number", jsonType, "42", shape),
		row("a string", jsonType, `"chat_id"`, shape),
		row("bytes of no text", jsonType, "\xff\xfe\x00\x01\x80", syntax),
		row("form data", "application/x-www-form-urlencoded", "kindlytest=1", "Frameworks that read forms too may skip the check of JSON."),
		row("markup", "application/xml", `<?xml version="1.0"?><kindlytest>1</kindlytest>`, syntax),
	}
}

// gzipped is the valid body compressed, without a Content-Encoding.
func gzipped(valid []byte) (Body, error) {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, err := w.Write(valid)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return Body{}, fmt.Errorf("compressing: %w", err)
	}
	return Body{"gzip without saying so", jsonType, buf.Bytes(),
		"Bytes are what the headers say they are.", ClientError}, nil
}

// heavy returns the valid body with a load in a field that nobody knows.
func heavy(valid []byte) ([]Body, error) {
	const (
		field   = "kindlytest"
		size    = "A body within a usual limit must not bring the service down."
		nesting = "Parsers that call themselves run out of stack."
	)
	loads := []struct{ name, raw, why string }{
		{"1 MB of letters", `"` + strings.Repeat("a", 1<<20-2) + `"`, size},
		{"1 MB of small values", "[" + strings.Repeat("0,", 1<<19-1) + "0]", size},
		{"10,000 lists deep", strings.Repeat("[", deep) + strings.Repeat("]", deep), nesting},
		{"10,000 objects deep", strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep), nesting},
		{"a name of the prototype", `{"__proto__":{"authenticated":true}}`, "Merging such an object changes all others in JavaScript."},
	}
	o, err := parseObject(valid)
	if err != nil {
		return nil, fmt.Errorf("the valid body: %w", err)
	}
	var out []Body
	for _, l := range loads {
		out = append(out, Body{l.name, jsonType, []byte(o.with(field, l.raw).String()), l.why, NoServerError})
	}
	return append(out, Body{"sent as text/plain", "text/plain", bytes.Clone(valid),
		"Browsers send text/plain when they are told nothing else.", NoServerError}), nil
}

// A Value is a hostile value for one field of a JSON body; see With.
type Value struct {
	Name string
	JSON []byte // the raw value
	// String is what JSON decodes to, where it is a string that Go can hold.
	String   string
	IsString bool
	Why      string
}

// ChatIDs returns the hostile chat ids of AUTH-CHATID-TYPE and
// AUTH-CHATID-HOSTILE, and nil for every other check.
func ChatIDs(check string) []Value {
	switch check {
	case "AUTH-CHATID-TYPE":
		return oddChatIDs()
	case "AUTH-CHATID-HOSTILE":
		return hostileChatIDs()
	}
	return nil
}

func oddChatIDs() []Value {
	const why = "A chat id of another type is bound to no chat, or to whatever it is turned into."
	var out []Value
	for _, row := range [][2]string{
		{"null", "null"}, {"empty", `""`}, {"a number", "42"}, {"0", "0"}, {"true", "true"}, {"false", "false"},
		{"an empty list", "[]"}, {"a list", `["` + otherChat + `"]`},
		{"an empty object", "{}"}, {"an object", `{"id":"` + otherChat + `"}`},
	} {
		out = append(out, Value{Name: row[0], JSON: []byte(row[1]), IsString: row[0] == "empty", Why: why})
	}
	return out
}

func hostileChatIDs() []Value {
	var out []Value
	for _, row := range [][3]string{
		{"NUL", "a\x00b", "C strings end at NUL, so two ids become one."},
		{"line ends", "a\r\nSet-Cookie: kindlytest=1", "Line ends split headers and logs."},
		{"quotes", `a","sub":"admin`, "Claims built by pasting strings can be added to."},
		{"a quote for SQL", `' OR '1'='1`, "Queries built by pasting strings can be changed."},
		{"markup", `<script>alert(1)</script>`, "An id that is shown must be escaped."},
		{"a path", `../../../../etc/passwd`, "An id must not name a file."},
		{"a format", `%s%n{0}${x}{{7*7}}`, "Templates and formats must not read data."},
		{"emoji", "💬é", "An id is bytes; changing its encoding changes it."},
		{"right-to-left", "\u202eabc", "Control characters change what logs show."},
		{"white space", " a ", "Trimming an id gives a token for another chat."},
		{"__proto__", "__proto__", "Objects used as maps have members already."},
		{"1 MB", strings.Repeat("a", 1<<20), "What is signed must be bounded."},
	} {
		out = append(out, Value{row[0], []byte(quote(row[1])), row[1], true, row[2]})
	}
	// No Go string is a lone surrogate: the token's bytes decide, or a refusal.
	return append(out, Value{Name: "a lone surrogate", JSON: []byte(`"\ud800"`),
		Why: "Half a character has no UTF-8 form; encoders fail or change it."})
}
