package oracle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/jws"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// Stand-ins in a digest, from Unicode's private use area, where no answer
// should have anything.
const (
	noise  = "\ue000" // known noise: like other known noise
	anyone = "\ue001" // a marker of the user: another user has anything there
)

// known matches what differs from answer to answer, even where two answers
// happened to agree, beside tokens: ids, dates, times, epochs, digests.
var known = regexp.MustCompile(strings.Join([]string{
	`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`,
	`\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z| ?[+-]\d{2}:?\d{2})?)?`,
	`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT`,
	`\b\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\b`,
	`\b\d{5,}(?:\.\d+)?\b`,  // an epoch, a counter, an order
	`\b[A-Za-z0-9_-]{8,}\b`, // an id, if it has a digit
}, "|"))

// maskKnown replaces known noise. All of it has a digit, or is a token: most
// lines need no closer look, and long words without a digit are words.
func maskKnown(s string) string {
	if !suspicious(s) {
		return s
	}
	var b strings.Builder
	for line := range strings.Lines(s) {
		if suspicious(line) {
			line = known.ReplaceAllStringFunc(jws.Replace(line, noise), func(m string) string {
				if suspicious(m) {
					return noise
				}
				return m
			})
		}
		b.WriteString(line)
	}
	return b.String()
}

func suspicious(s string) bool {
	return strings.ContainsAny(s, "0123456789") || strings.Contains(s, "eyJ")
}

// Bounds of what is masked as an echo of the request: shorter values are
// words that an answer may hold anyway.
const (
	shortestEcho = 8
	maxEchoes    = 64
)

// echoes returns the request's own values, longest first: an answer that
// repeats the chat id or the message differs with the request, not with the
// user.
func echoes(ex wire.Exchange) []string {
	if len(ex.Request.Body) > maxBody {
		return nil
	}
	var v any
	if json.NewDecoder(bytes.NewReader(ex.Request.Body)).Decode(&v) != nil {
		return nil
	}
	var out []string
	collect(v, &out, 0)
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	out = slices.Compact(out)
	return out[:min(len(out), maxEchoes)]
}

func collect(v any, out *[]string, depth int) {
	if depth > maxDepth || len(*out) > 16*maxEchoes {
		return
	}
	switch v := v.(type) {
	case string:
		if len(v) >= shortestEcho {
			*out = append(*out, v)
			if escaped := html.EscapeString(v); escaped != v {
				*out = append(*out, escaped)
			}
		}
	case []any:
		for _, e := range v {
			collect(e, out, depth+1)
		}
	case map[string]any:
		for _, e := range v {
			collect(e, out, depth+1)
		}
	}
}

// A mask removes from a text what says nothing about the user's being known.
type mask struct {
	markers []Marker
	echo    *strings.Replacer // nil: nothing to replace
}

func newMask(ex wire.Exchange, markers []Marker) mask {
	m := mask{}
	for _, marker := range markers {
		if marker.usable() {
			m.markers = append(m.markers, marker)
		}
	}
	slices.SortStableFunc(m.markers, func(a, b Marker) int { return cmp.Compare(len(b.Value), len(a.Value)) })
	var pairs []string
	for _, e := range echoes(ex) {
		pairs = append(pairs, e, noise)
	}
	if pairs != nil {
		m.echo = strings.NewReplacer(pairs...)
	}
	return m
}

func (m mask) apply(s string) string {
	for _, marker := range m.markers {
		s = strings.ReplaceAll(s, marker.Value, anyone)
		if escaped := html.EscapeString(marker.Value); escaped != marker.Value {
			s = strings.ReplaceAll(s, escaped, anyone)
		}
	}
	if m.echo != nil {
		s = m.echo.Replace(s)
	}
	return maskKnown(s)
}
