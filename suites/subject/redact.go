package subject

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"sort"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/target"
)

// A redactor turns what was seen into what a report may show.
type redactor struct{ redact.Redactor }

// secretsOf are the target's secrets, without what is a part of a host's name:
// that stays, whatever variable it came from.
func secretsOf(t target.Target) []string {
	return slices.DeleteFunc(slices.Clone(t.Secrets), func(secret string) bool {
		return slices.ContainsFunc(t.Urls(), func(raw string) bool {
			u, err := url.Parse(raw)
			return err == nil && strings.Contains(strings.ToLower(u.Host), strings.ToLower(secret))
		})
	})
}

// see learns what an exchange shows to be secret: the tokens that went along and
// that came back.
func (r *redactor) see(ex wire.Exchange) {
	for name, values := range ex.Request.Header {
		if http.CanonicalHeaderKey(name) == "Authorization" {
			r.LearnTokens(strings.Join(values, " "))
		}
	}
	if ex.Response != nil {
		r.LearnTokens(string(looked(ex.Response.Body)))
	}
}

func (r *redactor) headers(h http.Header) []reports.Header {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	sort.Strings(names)
	var out []reports.Header
	for _, name := range names {
		for _, value := range h[name] {
			out = append(out, reports.Header{Name: r.Text(name), Value: r.header(name, value)})
		}
	}
	return out
}

func (r *redactor) header(name, value string) string {
	return Bound(r.Header(name, value), maxHeader)
}

// Bounds of what a report keeps of one exchange, in bytes.
const (
	maxHeader = 2 << 10
	maxBody   = 8 << 10
)

// Bound shortens s to n bytes and says so.
func Bound(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return clip.Text(s, n) + " (shortened)"
}

// looked is the beginning of a body that is looked at: more than is shown.
func looked(b []byte) []byte { return b[:min(len(b), 4*maxBody)] }

func (r *redactor) body(b []byte, contentType string) string {
	seen := looked(b)
	text := r.Body(seen, contentType, len(seen) < len(b))
	return Bound(strings.ToValidUTF8(text, "\uFFFD"), maxBody)
}

// Quote is the beginning of a body, of n bytes at most, for a sentence: without what is a
// credential by its shape, or by the name of its field, which no later look at the
// sentence would tell. What a session knows to be secret is taken out with the sentence.
func Quote(b []byte, contentType string, n int) string {
	var anybodys *redact.Redactor
	seen := looked(b)
	return Bound(strings.ToValidUTF8(anybodys.Body(seen, contentType, len(seen) < len(b)), ""), n)
}

// Evidence turns an exchange into what a report may show.
func (r *redactor) Evidence(e Evidence) reports.Evidence {
	ex := e.Exchange
	out := reports.Evidence{
		At: ex.At, Title: r.Text(e.Title), DurationMS: ex.Duration.Milliseconds(),
		Request: &reports.Request{
			Method: ex.Request.Method, URL: r.Text(redact.URL(ex.Request.URL)),
			Headers: r.headers(ex.Request.Header), Body: r.body(ex.Request.Body, wire.HeaderValue(ex.Request.Header, "Content-Type")),
		},
		Response: &reports.Response{},
	}
	switch {
	case ex.Response != nil:
		out.Response.Status = ex.Response.Status
		out.Response.Headers = r.headers(ex.Response.Header)
		out.Response.Body = r.body(ex.Response.Body, wire.HeaderValue(ex.Response.Header, "Content-Type"))
	case ex.Err != nil:
		out.Response.Error = r.Text(string(ex.Kind()) + ": " + ex.Err.Error())
	default:
		out.Response = nil
	}
	return out
}

// ours are fields of a report that hold nothing foreign: texts of the checks,
// which stay whatever secret is spelled as a word of them.
var ours = []string{"Requirement", "Source", "Help", "Area", "ID", "Level", "Fidelity", "Tool", "Sample", "Screenshot", "Broken", "Consequence",
	"Started", "Name", "Cause", "Explains", "Owner"}

// Again redacts a finished report once more, with all that was learnt since its
// parts were made: the second user's session may stand in the first evidence.
func (r *redactor) Again(run *reports.Run) { r.walk(reflect.ValueOf(run)) }

func (r *redactor) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() && v.Kind() == reflect.Pointer {
			r.walk(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			r.walk(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !slices.Contains(ours, f.Name) {
				r.walk(v.Field(i))
			}
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.CanSet() {
			v.SetString(r.Text(v.String()))
		}
	}
}
