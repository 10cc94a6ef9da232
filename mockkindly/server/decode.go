package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// maxBody bounds a request's body.
const maxBody = 1 << 20

// decodeWidget reads the JSON object that the widget sent. The widget says
// text/plain, so that browsers need no preflight; unknown members are allowed,
// so that an older mock takes a newer page.
func decodeWidget(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := readJSON(w, r, "application/json", "text/plain")
	if err != nil {
		return err
	}
	return unmarshal(body, into)
}

// decodeAdmin reads a JSON object of the admin side. It takes no media type
// that a form of a foreign page can send, and refuses unknown members, which
// are slips of the pen.
func decodeAdmin(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := readJSON(w, r, "application/json")
	if err != nil {
		return err
	}
	return unmarshalStrict(body, into)
}

// decodeServer reads a JSON object of a customer's server: Kindly may know more
// members than we do.
func decodeServer(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := readJSON(w, r, "application/json")
	if err != nil {
		return err
	}
	return unmarshal(body, into)
}

func readJSON(w http.ResponseWriter, r *http.Request, types ...string) ([]byte, error) {
	if err := checkMediaType(r.Header.Get("Content-Type"), types); err != nil {
		return nil, err
	}
	body, err := readBody(w, r)
	switch {
	case err != nil:
		return nil, err
	case !utf8.Valid(body):
		return nil, badRequest("The body is not UTF-8, as JSON must be (RFC 8259).")
	}
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 {
		return nil, badRequest("The body is empty; a JSON object is expected.")
	}
	if trimmed[0] != '{' {
		return nil, badRequest("The body is not a JSON object: it starts with %q.", firstRune(trimmed))
	}
	return body, nil
}

// readBody reads all of a request's body, of which there may be so much.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := readAll(http.MaxBytesReader(w, r.Body, maxBody), r.ContentLength)
	var tooLarge *http.MaxBytesError
	if err != nil && !errors.As(err, &tooLarge) {
		return nil, badRequest("The body could not be read to its end.")
	}
	return body, err
}

// readAll is io.ReadAll where the length was told, though maybe not truly.
func readAll(r io.Reader, length int64) ([]byte, error) {
	const usual = 16 << 10 // no more is taken on the sender's word
	var b bytes.Buffer
	b.Grow(int(min(max(length, 0), usual)) + bytes.MinRead)
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

func checkMediaType(header string, types []string) error {
	if header == "" {
		return nil
	}
	got, _, err := mime.ParseMediaType(header)
	if err == nil || errors.Is(err, mime.ErrInvalidMediaParameter) {
		if slices.Contains(types, got) {
			return nil
		}
	}
	return newProblem(http.StatusUnsupportedMediaType, "media-type", "Unsupported media type",
		"Content-Type is %q; send JSON as %s.", clip.Text(header, 128), strings.Join(types, " or "))
}

func firstRune(b []byte) string {
	r, _ := utf8.DecodeRune(b)
	return string(r)
}

// unmarshal decodes the one value that body holds.
func unmarshal(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return explain(err, body)
	}
	return nil
}

// unmarshalStrict is unmarshal without members that into, a pointer, has not.
func unmarshalStrict(body []byte, into any) error {
	if err := unmarshal(body, into); err != nil {
		return err
	}
	return checkMembers(body, into)
}

// checkMembers refuses members that the type of v, a pointer, does not have.
func checkMembers(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(reflect.New(reflect.TypeOf(v).Elem()).Interface()); err != nil {
		return explain(err, body)
	}
	return nil
}

// explain says in plain words what encoding/json did not like.
func explain(err error, body []byte) error {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return explainSyntax(syntax, body)
	case errors.As(err, &wrongType):
		return inputErrorf(wrongType.Field, "a JSON %s, where %s is expected", wrongType.Value, jsonName(wrongType))
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return badRequest("There is no member %s here. Is it misspelt?", clip.Text(field, 128))
	}
	return badRequest("The body is not understood.")
}

// explainSyntax asks a decoder, which knows the end of the first value and that
// of the body. json.Unmarshal takes the latter for a space.
func explainSyntax(e *json.SyntaxError, body []byte) error {
	var first json.RawMessage
	switch err := json.NewDecoder(bytes.NewReader(body)).Decode(&first); {
	case err == nil:
		return badRequest("After the JSON object, in line %d, there is more.", lineAt(body, e.Offset))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest("The body is not JSON: it ends too early.")
	}
	return badRequest("The body is not JSON: in line %d, %s.", lineAt(body, e.Offset), e.Error())
}

func lineAt(body []byte, offset int64) int {
	return 1 + bytes.Count(body[:min(max(offset, 0), int64(len(body)))], []byte("\n"))
}

// jsonName is the JSON word for the Go type that was expected.
func jsonName(e *json.UnmarshalTypeError) string {
	switch kind := e.Type.Kind().String(); {
	case kind == "string":
		return "a string"
	case kind == "bool":
		return "true or false"
	case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
		return "an integer"
	case strings.HasPrefix(kind, "float"):
		return "a number"
	case kind == "slice":
		return "a list"
	}
	return "an object"
}
