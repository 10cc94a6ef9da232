// Package redact takes credentials out of what is shown or written.
//
// It knows two kinds: values that it was told of, in whatever spelling they
// come back, and what is a credential by its shape, name or place: a token's
// signature, a parameter of a URL, a header, a field of a form.
//
//	var r redact.Redactor
//	r.Learn(os.Getenv("HMAC_SECRET"))
//	log.Print(r.Text(answer))
//
// Redact when something is written, not when it is found out: what is learnt
// later is then hidden in what was seen earlier. Texts may be redacted again.
package redact

import (
	"encoding/base64"
	"strings"
	"sync"
)

// Removed stands where a credential was.
const Removed = "[removed]"

// MinSecret is the length in bytes below which a value is found by chance
// everywhere, and is not looked for.
const MinSecret = 6

// Bounds of what is kept in mind. Whoever makes up values without end (a page,
// in its storage) must not push out those that were there before.
const (
	maxValues = 5_000
	maxTokens = 10_000 // the newest; at times twice as many
)

// A Redactor takes the credentials that it knows out of texts. The zero value,
// and nil, know those that can be recognised. It is safe for concurrent use.
type Redactor struct {
	mu     sync.RWMutex
	learnt map[string]bool
	values index
	tokens [2]index // signatures, the newer ones first
}

// Learn makes values secret from now on. Short ones are not looked for.
func (r *Redactor) Learn(values ...string) {
	for _, v := range values {
		r.Learn(linesOf(v)...)
		if len(v) < MinSecret || strings.Contains(Removed, v) || missing[v] {
			continue
		}
		r.mu.RLock()
		known := r.learnt[v] || len(r.learnt) >= maxValues
		r.mu.RUnlock()
		if known {
			continue
		}
		patterns := patternsOf(v)
		r.mu.Lock()
		if r.learnt == nil {
			r.learnt = map[string]bool{}
		}
		r.learnt[strings.Clone(v)] = true
		r.values.add(patterns...)
		r.mu.Unlock()
	}
}

// missing are texts of values that are none: whoever sends one has no secret, and must
// be told of it.
var missing = map[string]bool{"undefined": true, "Bearer undefined": true, "Bearer null": true, "[object Object]": true, "[object Promise]": true}

// linesOf are the lines of a value that are as secret as the whole: of a key in a
// variable, which may come back with other breaks; or with none around it.
func linesOf(value string) []string {
	if trimmed := strings.TrimSpace(value); trimmed != value {
		return []string{trimmed}
	}
	if !strings.Contains(value, "\n") {
		return nil
	}
	var out []string
	for line := range strings.Lines(value) {
		if line = strings.TrimSpace(line); looksSecret(line) {
			out = append(out, line)
		}
	}
	return out
}

// A signature is told from other words by its length: from so many characters on, and up to
// more than any key makes, so that what is kept of strangers' tokens is bounded.
const minSignature, maxSignature = 20, 4 << 10

// LearnTokens makes the signature of each token in a text secret by itself: who
// has seen the rest of the token could put it together again.
func (r *Redactor) LearnTokens(text string) {
	for _, t := range tokensIn(text) {
		signature := t.Signature
		if len(signature) < minSignature || len(signature) > maxSignature {
			continue
		}
		r.mu.Lock()
		if !r.tokens[0].has(signature) && !r.tokens[1].has(signature) {
			if r.tokens[0].size >= maxTokens {
				r.tokens[1], r.tokens[0] = r.tokens[0], index{}
			}
			r.tokens[0].add(pattern{text: fold(strings.Clone(signature))})
		}
		r.mu.Unlock()
	}
}

// Known returns text without the values that are known, and without the
// signatures of tokens.
func (r *Redactor) Known(text string) string { return r.known(text, false) }

func (r *Redactor) known(text string, cut bool) string {
	text = r.unsigned(text)
	return replace(text, r.find(text, look{depth: levels, cut: cut, tokens: true}))
}

// Values returns a decoded JSON value without what was learnt, in each string,
// names of members included. It leaves tokens as they are: what goes on to
// somebody must not be broken.
func (r *Redactor) Values(v any) any { return r.within(v, look{depth: levels, values: true}) }

// Learnt is Values, and takes out the signatures that were learnt.
func (r *Redactor) Learnt(v any) any { return r.within(v, look{depth: levels}) }

func (r *Redactor) within(v any, l look) any {
	switch v := v.(type) {
	case string:
		return replace(v, r.find(v, l))
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = r.within(item, l)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[replace(name, r.find(name, l))] = r.within(value, l)
		}
		return out
	}
	return v
}

// Text is Known, and takes out what is a credential in the URLs of a text.
func (r *Redactor) Text(text string) string { return urlsIn(r.Known(text)) }

// Covers tells whether a text must not be seen in a picture: there is no room
// for a part of it.
func (r *Redactor) Covers(text string) bool {
	return r.Text(text) != text || beginsToken.MatchString(text) || longOpaque.MatchString(text)
}

// unsigned returns text with its tokens lacking their signature, and their
// claims what is known: base64url hides nothing.
func (r *Redactor) unsigned(text string) string {
	found := tokensIn(text)
	if len(found) == 0 {
		return text
	}
	var out strings.Builder
	done := 0
	for _, t := range found {
		out.WriteString(text[done:t.Start])
		out.WriteString(r.segment(t.Header) + "." + r.segment(t.Payload) + "." + Removed)
		done = t.End
	}
	out.WriteString(text[done:])
	return out.String()
}

// segment is a header or a payload without what is known.
func (r *Redactor) segment(encoded string) string {
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return encoded
	}
	plain := string(decoded)
	if clean := replace(plain, r.find(plain, look{depth: levels})); clean != plain {
		return base64.RawURLEncoding.EncodeToString([]byte(clean))
	}
	return encoded
}
