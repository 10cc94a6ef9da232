package oracle

import (
	"bytes"
	"encoding/json"
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Bounds of what is compared.
const (
	maxDepth  = 64
	maxLeaves = 4096
)

// leaves is the digest of one answer: what can be compared, by path. Paths of
// a body start with "$" and end with the type of the value, so that a number
// and a string of the same digits are different; "status", "content-type" and
// "location" stand for themselves.
type leaves map[string]string

func (l leaves) has(path string) bool { _, ok := l[path]; return ok }

// isBody says whether a path is of the body.
func isBody(path string) bool { return strings.HasPrefix(path, "$") }

// textBody is the path of a body that is no JSON object or list.
const textBody = "$:text"

// digest takes an answer apart, with known noise and markers masked.
func digest(ex wire.Exchange, markers []Marker) leaves {
	if ex.Response == nil {
		return leaves{"error": string(ex.Kind())}
	}
	m := newMask(ex, markers)
	out := leaves{"status": strconv.Itoa(ex.Status())}
	if media, _, err := mime.ParseMediaType(ex.Response.Header.Get("Content-Type")); err == nil {
		out["content-type"] = media
	}
	if to := ex.Response.Header.Get("Location"); to != "" {
		out["location"] = m.apply(to)
	}
	b := bytes.TrimSpace(body(ex))
	if v, ok := parse(b); ok {
		out.add("$", v, m, 0)
	} else {
		out[textBody] = m.apply(string(b))
	}
	return out
}

// parse reads a JSON object or list; other JSON is compared as text.
func parse(b []byte) (any, bool) {
	if len(b) == 0 || b[0] != '{' && b[0] != '[' || !json.Valid(b) {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	return v, dec.Decode(&v) == nil
}

func (l leaves) add(path string, v any, m mask, depth int) {
	if len(l) >= maxLeaves {
		return
	}
	if depth > maxDepth {
		l[path+":deep"] = ""
		return
	}
	switch v := v.(type) {
	case map[string]any:
		l[path+":object"] = ""
		for _, name := range slices.Sorted(maps.Keys(v)) { // the same ones where there are too many
			l.add(path+"."+m.apply(name), v[name], m, depth+1)
		}
	case []any:
		l[path+":list"] = strconv.Itoa(len(v))
		for i, e := range v {
			l.add(path+"["+strconv.Itoa(i)+"]", e, m, depth+1)
		}
	case string:
		l[path+":string"] = m.apply(v)
	case json.Number:
		l[path+":number"] = maskKnown(v.String())
	case bool:
		l[path+":bool"] = strconv.FormatBool(v)
	default:
		l[path+":null"] = ""
	}
}
