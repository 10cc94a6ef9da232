package forge

import (
	"bytes"
	"fmt"
	"strings"
)

// BodiesLike are [Bodies] for a service that does not read JSON objects: kind
// says what the valid body is ("JSON", "a form", "a multipart form", "XML",
// "a message", "bytes", "text").
// What would be as good a body as the valid one is not among them.
func BodiesLike(check, kind, contentType string, valid []byte) ([]Body, error) {
	live := strings.HasPrefix(check, "LIVE-")
	first := byte(' ')
	if trimmed := bytes.TrimSpace(valid); len(trimmed) > 0 {
		first = trimmed[0]
	}
	var out []Body
	switch {
	case kind == "JSON" && first == '{':
		return Bodies(check, valid)
	case kind == "JSON":
		for _, b := range malformed(valid) {
			if b.ContentType != jsonType || len(b.Bytes) == 0 || b.Bytes[0] != first || b.Name == "cut off" {
				out = append(out, b)
			}
		}
	case kind == "a form":
		out = malformedForm(contentType)
		if live {
			out = append(out, heavyForm(contentType, valid)...)
		}
	case kind == "a multipart form":
		out = malformedParts(contentType, valid)
	case kind == "XML":
		out = []Body{
			{"empty", contentType, nil, "A body of nothing is what a broken proxy sends.", ClientError},
			{"cut off", contentType, valid[:len(valid)/2], "Connections break.", ClientError},
			{"no XML", contentType, []byte("kindlytest"), "Clients send what they like.", ClientError},
		}
	case kind == "a message", kind == "bytes":
		out = []Body{
			{"empty", contentType, nil, "A body of nothing is what a broken proxy sends.", ClientError},
			{"cut off", contentType, valid[:len(valid)/2], "Connections break.", ClientError},
			{"ones", contentType, bytes.Repeat([]byte{0xff}, 32), "Clients send what they like.", ClientError},
		}
	case kind == "text": // any text may be a chat id
		out = []Body{
			{"empty", contentType, nil, "A body of nothing is what a broken proxy sends.", ClientError},
			{"white space", contentType, []byte(" \r\n\t"), "A body of nothing is what a broken proxy sends.", ClientError},
		}
		if live {
			out = append(out, Body{"1 MB of letters", contentType, bytes.Repeat([]byte("a"), 1<<20), "What is signed must be bounded.", NoServerError})
		}
	default:
		return nil, fmt.Errorf("no bodies for %s are known where the valid one is %s", check, kind)
	}
	if live && kind != "text" {
		zipped, err := gzipped(valid)
		if err != nil {
			return nil, fmt.Errorf("bodies for %s: %w", check, err)
		}
		zipped.ContentType = contentType
		out = append(out, zipped)
	}
	return out, nil
}

func malformedForm(contentType string) []Body {
	const syntax = "What cannot be parsed must be refused, not guessed."
	row := func(name, body, why string) Body { return Body{name, contentType, []byte(body), why, ClientError} }
	return []Body{
		row("empty", "", "A body of nothing is what a broken proxy sends."),
		row("white space", " \r\n\t", "A body of nothing is what a broken proxy sends."),
		row("text", "hello", syntax),
		row("a form of other fields", "kindlytest=1", "A form without the field names no chat."),
		row("a form with broken escapes", "%zz=%&=%u0000", syntax),
		row("bytes of no text", "\xff\xfe\x00\x01\x80", syntax),
		{"an empty object", jsonType, []byte("{}"), "Frameworks that read JSON too may skip the check of forms.", ClientError},
		{"markup", "application/xml", []byte(`<?xml version="1.0"?><kindlytest>1</kindlytest>`), syntax, ClientError},
	}
}

func heavyForm(contentType string, valid []byte) []Body {
	row := func(name, more, why string) Body {
		return Body{name, contentType, append(bytes.Clone(valid), more...), why, NoServerError}
	}
	return []Body{
		row("1 MB of letters", "&kindlytest="+strings.Repeat("a", 1<<20), "A body within a usual limit must not bring the service down."),
		row("10,000 fields", strings.Repeat("&kindlytest=1", 10_000), "Parsers that keep a list for each name run out of time."),
		row("names 10,000 deep", "&kindlytest"+strings.Repeat("[a]", deep)+"=1", "Parsers that call themselves run out of stack."),
	}
}

func malformedParts(contentType string, valid []byte) []Body {
	const syntax = "What cannot be parsed must be refused, not guessed."
	row := func(name, body, why string) Body { return Body{name, contentType, []byte(body), why, ClientError} }
	boundary, _, _ := strings.Cut(string(valid), "\r\n")
	return []Body{
		row("empty", "", "A body of nothing is what a broken proxy sends."),
		row("text", "hello", syntax),
		row("a multipart form without parts", boundary+"--\r\n", "A form without the field names no chat."),
		row("a boundary and nothing else", boundary, syntax),
		row("bytes of no text", "\xff\xfe\x00\x01\x80", syntax),
	}
}
