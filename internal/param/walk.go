package param

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Walk visits every value that a request carries, and returns the request with
// what the Visitor has changed. What it has not changed stays byte for byte.
//
// Of the headers and cookies only those are visited that a script has set, as chosen
// says; Authorization is the session, and no value that the page chose.
func Walk(r wire.Request, chosen Chosen, visit Visitor) (wire.Request, error) {
	r = r.Clone()
	var err error
	if r.URL, err = walkURL(r.URL, visit); err != nil {
		return r, err
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != "Cookie" && (name == "Authorization" || !chosen(name, "")) {
			continue
		}
		var kept []string
		for _, value := range r.Header[name] {
			if name == "Cookie" {
				if value = walkCookies(value, chosen, visit); value != "" {
					kept = append(kept, value)
				}
			} else if text, dropped := WalkText(value, Leaf{Place: InHeader, Steps: []string{name}}, visit); !dropped {
				kept = append(kept, text)
			}
		}
		if r.Header[name] = kept; len(kept) == 0 {
			delete(r.Header, name)
		}
	}
	r.Body, err = walkBody(r, visit)
	return r, err
}

// Chosen says whether a script of the page has chosen a header, or a cookie by that
// name in the header Cookie.
type Chosen func(header, cookie string) bool

// walkCookies visits the cookies of one header.
func walkCookies(header string, chosen Chosen, visit Visitor) string {
	pairs := strings.Split(header, ";")
	kept := pairs[:0]
	for _, pair := range pairs {
		name, value, has := strings.Cut(pair, "=")
		if !has || !chosen("Cookie", strings.TrimSpace(name)) {
			kept = append(kept, pair)
		} else if text, dropped := WalkText(value, Leaf{Place: InCookie, Steps: []string{strings.TrimSpace(name)}}, visit); !dropped {
			kept = append(kept, name+"="+text)
		}
	}
	return strings.TrimSpace(strings.Join(kept, ";"))
}

func walkURL(raw string, visit Visitor) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return raw, errors.New("the endpoint's URL can't be parsed")
	}
	segments := strings.Split(u.EscapedPath(), "/")
	kept := segments[:0]
	for i, segment := range segments {
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "" {
			kept = append(kept, segment)
			continue
		}
		text, dropped := WalkText(plain, Leaf{Place: InPath, Steps: []string{strconv.Itoa(i)}}, visit)
		switch {
		case dropped:
		case text == plain:
			kept = append(kept, segment)
		default:
			kept = append(kept, url.PathEscape(text))
		}
	}
	path := strings.Join(kept, "/")
	if u.Path, err = url.PathUnescape(path); err != nil {
		return raw, fmt.Errorf("the endpoint's path: %w", err)
	}
	u.RawPath = path
	u.RawQuery = walkForm(u.RawQuery, InQuery, visit)
	return u.String(), nil
}

// walkForm visits the fields of a form or a query, and keeps their order.
func walkForm(form string, place Place, visit Visitor) string {
	if form == "" {
		return form
	}
	pairs := strings.Split(form, "&")
	kept := pairs[:0]
	for _, pair := range pairs {
		escapedName, escaped, has := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(escapedName)
		value, err := url.QueryUnescape(escaped)
		if nameErr != nil || err != nil || !has {
			kept = append(kept, pair)
			continue
		}
		text, dropped := WalkText(value, Leaf{Place: place, Steps: []string{name}}, visit)
		switch {
		case dropped:
		case text == value:
			kept = append(kept, pair)
		default:
			kept = append(kept, escapedName+"="+url.QueryEscape(text))
		}
	}
	return strings.Join(kept, "&")
}

func walkBody(r wire.Request, visit Visitor) ([]byte, error) {
	if len(r.Body) == 0 {
		return r.Body, nil
	}
	text := string(r.Body)
	switch kind := BodyKind(r); kind {
	case JSONBody:
		root, _ := DecodeJSON(text)
		return []byte(walkedJSON(text, root, Leaf{Place: InJSON, Typed: true}, visit)), nil
	case FormBody:
		return []byte(walkForm(text, InForm, visit)), nil
	case PartsBody:
		return walkParts(r, visit)
	case XMLBody:
		return []byte(walkXML(text, visit)), nil
	case MessageBody:
		if out, ok := walkBinary(r.Body, visit); ok {
			return out, nil
		}
		plain, _ := framesInText(r.Body)
		out, _ := walkBinary(plain, visit)
		return []byte(base64.StdEncoding.EncodeToString(out)), nil
	case BinaryBody:
		return r.Body, nil
	}
	out, dropped := WalkText(text, Leaf{Place: InText}, visit)
	if dropped {
		return nil, nil
	}
	return []byte(out), nil
}

// The kinds of bodies.
const (
	noBody    = "no body"
	JSONBody  = "JSON"
	FormBody  = "a form"
	PartsBody = "a multipart form"
	XMLBody   = "XML"
	TextBody  = "text"

	MessageBody = "a message" // of Protocol Buffers
	BinaryBody  = "bytes"     // of a form that nobody knows
)

// BodyKind says what a body is: by what it looks like, since the documented
// sample sends JSON as text/plain, and then by what it says that it is.
func BodyKind(r wire.Request) string {
	mediaType, parameters, _ := mime.ParseMediaType(wire.HeaderValue(r.Header, "Content-Type"))
	text := string(r.Body)
	if len(r.Body) == 0 {
		return noBody
	}
	if _, ok := DecodeJSON(text); ok && (mediaType != "text/plain" || strings.ContainsAny(text[:1], "{[\"")) {
		return JSONBody
	}
	switch {
	case mediaType == "multipart/form-data" && parameters["boundary"] != "":
		return PartsBody
	case mediaType == "application/x-www-form-urlencoded":
		return FormBody
	case strings.HasPrefix(strings.TrimSpace(text), "<") && (strings.HasSuffix(mediaType, "/xml") || strings.HasSuffix(mediaType, "+xml")):
		return XMLBody
	}
	if _, ok := walkBinary(r.Body, keepAll); ok {
		return MessageBody
	}
	if _, ok := framesInText(r.Body); ok {
		return MessageBody
	}
	if isBinary(r.Body) {
		return BinaryBody
	}
	return TextBody
}

func keepAll(Leaf) any { return Keep }

// element matches one that holds text alone.
var element = regexp.MustCompile(`(<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>)([^<>]+)(</[\w.:-]+\s*>)`)

// walkXML visits the texts of elements.
func walkXML(text string, visit Visitor) string {
	return element.ReplaceAllStringFunc(text, func(whole string) string {
		parts := element.FindStringSubmatch(whole)
		plain := html.UnescapeString(parts[3])
		changed, dropped := WalkText(plain, Leaf{Place: InXML, Steps: []string{parts[2]}}, visit)
		switch {
		case dropped:
			return ""
		case changed == plain:
			return whole
		}
		return parts[1] + html.EscapeString(changed) + parts[4]
	})
}

// maxParts bounds how many parts of a multipart body are looked at.
const maxParts = 64

func walkParts(r wire.Request, visit Visitor) ([]byte, error) {
	_, parameters, _ := mime.ParseMediaType(wire.HeaderValue(r.Header, "Content-Type"))
	in := multipart.NewReader(bytes.NewReader(r.Body), parameters["boundary"])
	var buf bytes.Buffer
	out := multipart.NewWriter(&buf)
	if err := out.SetBoundary(parameters["boundary"]); err != nil {
		return nil, fmt.Errorf("the boundary of the page's form: %w", err)
	}
	changed := false
	for range maxParts {
		part, err := in.NextRawPart()
		if errors.Is(err, io.EOF) {
			if !changed {
				return r.Body, nil
			}
			err := out.Close()
			return buf.Bytes(), err
		}
		if err != nil {
			return nil, fmt.Errorf("reading the page's form: %w", err)
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, fmt.Errorf("reading the page's form: %w", err)
		}
		text, dropped := string(value), false
		if _, isJSON := JSONIn(text); isJSON || part.FileName() == "" {
			text, dropped = WalkText(text, Leaf{Place: InForm, Steps: []string{part.FormName()}}, visit)
		}
		if changed = changed || dropped || text != string(value); dropped {
			continue
		}
		w, err := out.CreatePart(part.Header)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			return nil, fmt.Errorf("writing the page's form: %w", err)
		}
	}
	return nil, errors.New("the page's form has too many parts")
}

// All are all values that a request carries.
func All(r wire.Request, chosen Chosen) []Leaf {
	var out []Leaf
	Walk(r, chosen, func(l Leaf) any { // what can't be read has no leaves
		out = append(out, l)
		return Keep
	})
	return out
}
