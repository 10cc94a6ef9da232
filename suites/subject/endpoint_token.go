package subject

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Tokens in answers of the endpoint.

// A tokenPlace is where in an answer the token stands, as it was seen in the
// answer that the page got. The zero value: nobody knows.
type tokenPlace struct {
	header, cookie string   // its name
	steps          []string // the names on the way to it in JSON
	text           bool     // in the text of the body, between these two
	whole          bool     // and nothing else is in it
	before, after  string
	coded          bool // the body is in base64 as a whole
	compact        bool // what stood there had the form of a token: nothing else is one
	// parts are the places of what dots join to the token, where it does not stand as a whole.
	parts []tokenPlace
}

// learnPlace finds where a token stands in an answer.
func learnPlace(ex wire.Exchange, raw token.Raw) tokenPlace {
	place := findPlace(ex, raw.Secret())
	if !place.known() {
		place.parts = placesOfParts(ex, raw.Secret())
	}
	place.compact = compactJWS.MatchString(raw.Secret())
	return place
}

// placesOfParts are the places of a token that an answer holds in pieces, as few as may
// be; nil where it does not.
func placesOfParts(ex wire.Exchange, secret string) []tokenPlace {
	for rest := secret; ; {
		cut := strings.LastIndex(rest, ".")
		if cut < 0 {
			return nil
		}
		rest = rest[:cut]
		first := findPlace(ex, rest)
		if !first.known() {
			continue
		}
		after := secret[cut+1:]
		if last := findPlace(ex, after); last.known() {
			return []tokenPlace{first, last}
		}
		if others := placesOfParts(ex, after); others != nil {
			return append([]tokenPlace{first}, others...)
		}
	}
}

func findPlace(ex wire.Exchange, secret string) tokenPlace {
	if ex.Response == nil || secret == "" {
		return tokenPlace{}
	}
	for i, body := range BodiesOf(ex.Body()) {
		if place, ok := placeInJSON(body, secret); ok {
			place.coded = i > 0
			return place
		}
		if before, after, ok := strings.Cut(unescaped(body), secret); ok {
			if strings.TrimSpace(before+after) == "" {
				return tokenPlace{text: true, whole: true, coded: i > 0}
			}
			return tokenPlace{text: true, before: before[max(0, len(before)-24):], after: after[:min(8, len(after))], coded: i > 0}
		}
	}
	for _, c := range cookiesOf(ex) {
		if before, after, ok := strings.Cut(c.Value, secret); ok {
			return tokenPlace{cookie: c.Name, before: before, after: after}
		}
	}
	for name, values := range ex.Response.Header {
		for _, v := range values {
			if before, after, ok := strings.Cut(v, secret); ok {
				return tokenPlace{header: name, before: before, after: after}
			}
		}
	}
	return tokenPlace{}
}

// BodiesOf are a body, and what it is in base64, where it is that as a whole: a
// gateway without binary answers, or gRPC-Web as text, which pads each of its frames.
func BodiesOf(body []byte) [][]byte {
	text := bytes.TrimSpace(body)
	if len(text) < minCoded || bytes.ContainsAny(text, "{<. \"") {
		return [][]byte{body}
	}
	if plain, _, ok := param.DecodeBase64(string(text)); ok {
		return [][]byte{body, []byte(plain)}
	}
	var plain []byte
	for quad := range slices.Chunk(text, 4) {
		part, err := base64.StdEncoding.DecodeString(string(quad))
		if err != nil {
			return [][]byte{body}
		}
		plain = append(plain, part...)
	}
	return [][]byte{body, plain}
}

// minCoded is less than a token or an error has in base64.
const minCoded = 16

// bodyHolds says whether a text stands in a body, also where that is in base64, or escapes
// some of it.
func bodyHolds(body []byte, text string) bool {
	return slices.ContainsFunc(BodiesOf(body), func(b []byte) bool { return strings.Contains(unescaped(b), text) })
}

// escapes are how JSON may write what stands in base64: the / in PHP, the + in .NET.
var escapes = strings.NewReplacer(`\/`, "/", `\u002F`, "/", `\u002f`, "/", `\u002B`, "+", `\u002b`, "+", `\u003D`, "=", `\u003d`, "=")

// unescaped is a body in which what may stand in a token is no escape, be it JSON or only
// holds some.
func unescaped(body []byte) string { return escapes.Replace(string(body)) }

func placeInJSON(body []byte, secret string) (place tokenPlace, found bool) {
	root, ok := param.DecodeJSON(string(body))
	if !ok {
		return tokenPlace{}, false
	}
	param.WalkJSON(root, param.Leaf{}, func(l param.Leaf) any {
		if before, after, ok := strings.Cut(l.Text(), secret); ok && !found {
			place, found = tokenPlace{steps: append([]string{}, l.Steps...), before: before, after: after}, true
		}
		return param.Keep
	})
	return place, found
}

func cookiesOf(ex wire.Exchange) []*http.Cookie {
	return (&http.Response{Header: ex.Response.Header}).Cookies()
}

// read returns what stands at the place in an answer.
func (p tokenPlace) read(ex wire.Exchange) (token.Raw, bool) {
	if len(p.parts) > 0 {
		return p.joined(ex)
	}
	body := ex.Body()
	if all := BodiesOf(body); p.coded {
		body = all[len(all)-1]
	}
	switch {
	case ex.Response == nil:
	case p.header != "":
		return p.inside(wire.HeaderValue(ex.Response.Header, p.header))
	case p.cookie != "":
		for _, c := range cookiesOf(ex) {
			if c.Name == p.cookie {
				return p.inside(c.Value)
			}
		}
	case p.text:
		return p.between(unescaped(body))
	default:
		return p.inJSON(body)
	}
	return "", false
}

// joined is a token of which each part stands at a place of its own.
func (p tokenPlace) joined(ex wire.Exchange) (token.Raw, bool) {
	var parts []string
	for _, place := range p.parts {
		part, ok := place.read(ex)
		if !ok {
			return "", false
		}
		parts = append(parts, part.Secret())
	}
	whole := strings.Join(parts, ".")
	return token.Raw(whole), !p.compact || compactJWS.MatchString(whole)
}

func (p tokenPlace) inJSON(body []byte) (raw token.Raw, found bool) {
	root, ok := param.DecodeJSON(string(body))
	if !ok {
		return "", false
	}
	param.WalkJSON(root, param.Leaf{}, func(l param.Leaf) any {
		if text, isText := l.Value.(string); isText && !found && slices.Equal(l.Steps, p.steps) {
			raw, found = p.inside(text)
		}
		return param.Keep
	})
	return raw, found
}

// inside is a value without what stood around the token in it: "Bearer ".
func (p tokenPlace) inside(value string) (token.Raw, bool) {
	value, ok := strings.CutPrefix(value, p.before)
	value, end := strings.CutSuffix(value, p.after)
	return token.Raw(value), ok && end && value != "" && (!p.compact || compactJWS.MatchString(value))
}

// between is what stands in a text between what stood around the token before.
func (p tokenPlace) between(text string) (token.Raw, bool) {
	if p.whole {
		text = strings.TrimSpace(text)
		return token.Raw(text), text != "" && (!p.compact || compactJWS.MatchString(text))
	}
	_, rest, ok := strings.Cut(text, p.before)
	if !ok {
		return "", false
	}
	if p.after != "" {
		if rest, _, ok = strings.Cut(rest, p.after); !ok {
			return "", false
		}
	}
	return token.Raw(rest), rest != "" && (!p.compact || compactJWS.MatchString(rest))
}

// known says whether the place is known.
func (p tokenPlace) known() bool {
	return p.header != "" || p.cookie != "" || p.text || p.steps != nil || len(p.parts) > 0
}

// String names the place for people.
func (p tokenPlace) String() string {
	switch {
	case len(p.parts) > 0:
		var parts []string
		for _, place := range p.parts {
			parts = append(parts, place.String())
		}
		return strings.Join(parts, " and ")
	case p.header != "":
		return "the header " + p.header
	case p.cookie != "":
		return "the cookie " + p.cookie
	case p.coded && p.text:
		return "the text of the body, which is in base64"
	case p.text:
		return "the text of the body"
	case len(p.steps) == 0:
		return "the body as a whole"
	}
	return "the member " + strings.Join(p.steps, ".")
}

// TokenIn returns the token of an answer: from where the page's own stood, or
// else where it is plain that there is one.
func (s *Session) TokenIn(ex wire.Exchange) (token.Raw, bool) {
	if e, ok := s.Endpoints.Found(); ok && e.place.known() {
		if raw, ok := e.place.read(ex); ok {
			return raw, true
		}
		return chatToken(ex)
	}
	if raw, ok := memberOrAny(ex.Body()); ok {
		return raw, true
	}
	return chatToken(ex)
}

// chatToken is a token in an answer, wherever it stands, that is one for a chat:
// answers hold other JWTs too.
func chatToken(ex wire.Exchange) (token.Raw, bool) {
	for _, raw := range append(tokensIn(ex.Body()), tokensInHeaders(ex)...) {
		if isForChat(raw) && !brought(ex.Request, raw) {
			return raw, true
		}
	}
	return "", false
}

func isForChat(raw token.Raw) bool {
	t, err := token.Decode(raw)
	return err == nil && t.Claims.Get("chat").Kind() != token.Missing
}

// compactJWS matches what looks like a token, anywhere in an answer, also one in
// the other base64 (TOK-COMPACT).
var compactJWS = regexp.MustCompile(`ey[A-Za-z0-9_+/=-]{8,}\.[A-Za-z0-9_+/=-]{2,}\.[A-Za-z0-9_+/=-]*`)

// tokensIn returns what looks like a token in an answer: a word is none that only
// has such letters and dots in it.
func tokensIn(body []byte) []token.Raw {
	out := brokenTokens(body)
	for _, plain := range BodiesOf(body) {
		for _, m := range compactJWS.FindAllString(unescaped(plain), -1) {
			header, _, _ := strings.Cut(m, ".")
			if len(out) < maxTokens && forge.IsJSONSegment(header) {
				out = append(out, token.Raw(m))
			}
		}
	}
	return out
}

// brokenTokens are tokens broken into lines that are all of an answer, or of a text in
// its JSON: what writes base64 for mails does that (openssl base64, encodebytes,
// getMimeEncoder).
func brokenTokens(body []byte) []token.Raw {
	if !bytes.Contains(body, []byte("ey")) {
		return nil
	}
	texts := []string{string(body)}
	if root, ok := param.DecodeJSON(string(body)); ok {
		param.WalkJSON(root, param.Leaf{}, func(l param.Leaf) any {
			texts = append(texts, l.Text())
			return param.Keep
		})
	}
	var out []token.Raw
	for _, text := range texts {
		text = strings.TrimSpace(text)
		lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' })
		if len(lines) < 2 || len(text) > maxBroken {
			continue
		}
		joined := strings.Join(lines, "")
		header, _, _ := strings.Cut(joined, ".")
		if compactJWS.FindString(joined) == joined && strings.Count(joined, ".") == 2 && forge.IsJSONSegment(header) {
			out = append(out, token.Raw(text))
		}
	}
	return out
}

// maxBroken is longer than such a token is, in bytes.
const maxBroken = 64 << 10

// maxTokens bounds how many tokens are looked for in one answer.
const maxTokens = 8

func tokensInHeaders(ex wire.Exchange) []token.Raw {
	var out []token.Raw
	if ex.Response != nil {
		for _, name := range slices.Sorted(maps.Keys(ex.Response.Header)) {
			out = append(out, tokensIn([]byte(strings.Join(ex.Response.Header[name], "\n")))...)
		}
	}
	return out
}

// HoldsToken says whether an answer gives a token away. Login pages, refusals, error pages
// and headers hold other JWTs: a state, a publishable key, a session, what the
// request brought.
func HoldsToken(ex wire.Exchange) bool {
	page := strings.HasPrefix(strings.TrimSpace(string(ex.Body())), "<")
	for _, raw := range tokensIn(ex.Body()) {
		if (page || ex.Status() >= 400) && !isForChat(raw) || brought(ex.Request, raw) {
			continue
		}
		return true
	}
	_, ok := chatToken(ex)
	return ok
}

// GivesToken is HoldsToken, and knows a token that stands in parts, as the page's own did.
func (s *Session) GivesToken(ex wire.Exchange) bool {
	if HoldsToken(ex) {
		return true
	}
	e, ok := s.Endpoints.Found()
	if !ok || len(e.place.parts) == 0 {
		return false
	}
	_, ok = e.place.read(ex)
	return ok
}

// brought says whether a request itself holds a token.
func brought(r wire.Request, raw token.Raw) bool {
	for _, values := range r.Header {
		if strings.Contains(strings.Join(values, "\n"), raw.Secret()) {
			return true
		}
	}
	return strings.Contains(r.URL, raw.Secret()) || bytes.Contains(r.Body, []byte(raw.Secret()))
}

// memberOrAny returns the token of an answer of which nothing is known: the
// member "token", or else whatever looks like one.
func memberOrAny(body []byte) (token.Raw, bool) {
	var answer struct {
		Token string `json:"token"`
	}
	if json.Unmarshal(body, &answer) == nil && answer.Token != "" {
		return token.Raw(answer.Token), true
	}
	if all := tokensIn(body); len(all) > 0 {
		return all[0], true
	}
	return "", false
}
