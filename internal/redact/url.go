package redact

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/jws"
)

// opaque matches what looks like a key: long, and no words. An ID in the form
// of a UUID is none.
var (
	opaque = regexp.MustCompile(`^[A-Za-z0-9_+/=.~-]{20,}$`)
	uuid   = regexp.MustCompile(`(?i)^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// URL returns a URL without its user and password, and without what are
// credentials by their names or looks among the values of its query and of its
// fragment, and by their looks in its path. All the rest keeps its spelling.
func URL(raw string) string {
	shown, _ := takeURL(raw)
	return shown
}

// URLSecrets are what URL takes away, to be looked for elsewhere.
func URLSecrets(raw string) []string {
	_, found := takeURL(raw)
	for _, f := range found {
		if plain := unescapedQuery(f); plain != f {
			found = append(found, plain)
		}
	}
	return found
}

func takeURL(raw string) (shown string, found []string) {
	if _, err := url.Parse(raw); err != nil && strings.Contains(raw, "@") {
		return "(unreadable URL)", nil // nobody knows where a password in it ends
	}
	t := taker{depth: 2}
	rest, fragment, hasFragment := strings.Cut(raw, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	shown = t.path(t.user(rest))
	if hasQuery {
		shown += "?" + t.query(query)
	}
	if hasFragment {
		shown += "#" + t.query(fragment)
	}
	return string(Signatures([]byte(shown))), t.found
}

// A taker takes credentials out of the parts of a URL.
type taker struct {
	found []string
	depth int // how many URLs may still be within the query of another
}

// user takes the user off scheme://user:password@host/path.
func (t *taker) user(raw string) string {
	before, rest, ok := strings.Cut(raw, "//")
	if !ok || strings.ContainsAny(before, "/@") {
		return raw
	}
	end := strings.IndexByte(rest, '/')
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if at < 0 {
		return raw
	}
	name, password, has := strings.Cut(rest[:at], ":")
	if has {
		t.found = append(t.found, password)
	} else if looksSecret(name) {
		t.found = append(t.found, name)
	}
	return before + "//" + rest[at+1:]
}

// path takes out segments that are nothing but random.
func (t *taker) path(raw string) string {
	start := 0
	if i := strings.Index(raw, "//"); i >= 0 && !strings.Contains(raw[:i], "/") { // the host stays
		if start = strings.IndexByte(raw[i+2:], '/'); start < 0 {
			return raw
		}
		start += i + 2
	}
	segments := strings.Split(raw[start:], "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil {
			plain = s
		}
		if looksRandom(plain) && !isToken(plain) {
			t.found = append(t.found, s)
			segments[i] = Removed
		}
	}
	return raw[:start] + strings.Join(segments, "/")
}

// query treats each of the parts that separators are between.
func (t *taker) query(query string) string {
	var out strings.Builder
	for query != "" {
		end := strings.IndexAny(query, "&;?")
		if end < 0 {
			end = len(query)
		}
		part := query[:end]
		if value, secret := t.pair(part); secret {
			t.found = append(t.found, value)
			part = strings.TrimSuffix(part, value) + Removed
		}
		out.WriteString(part)
		if end < len(query) {
			out.WriteByte(query[end])
			end++
		}
		query = query[end:]
	}
	return out.String()
}

// pair takes name=value, or a value alone, apart, and tells whether the value is
// a credential, or a URL that holds one.
func (t *taker) pair(part string) (value string, secret bool) {
	name, value, named := strings.Cut(part, "=")
	if !named {
		name, value = "", part
	}
	plain := unescapedQuery(value)
	if plain == "" || strings.HasPrefix(plain, Removed) || isToken(plain) {
		return value, false
	}
	return value, IsSecretName(unescapedQuery(name)) || looksSecret(plain) || t.holdsURL(plain)
}

func (t *taker) holdsURL(value string) bool {
	if t.depth == 0 || !strings.ContainsAny(value, "?#") && !strings.Contains(value, "//") {
		return false
	}
	within := taker{depth: t.depth - 1}
	rest, fragment, _ := strings.Cut(value, "#")
	rest, query, _ := strings.Cut(rest, "?")
	within.user(rest)
	within.query(query)
	within.query(fragment)
	return len(within.found) > 0
}

func unescapedQuery(value string) string {
	if plain, err := url.QueryUnescape(value); err == nil {
		return plain
	}
	return value
}

// isToken tells whether a value is a token: its signature is taken off elsewhere.
func isToken(value string) bool { return aToken.MatchString(value) && jws.BeginsObject(value) }

func looksSecret(value string) bool {
	return opaque.MatchString(value) && !uuid.MatchString(value) &&
		strings.ContainsAny(value, "0123456789") && strings.ContainsFunc(value, isLetter)
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// assets are the ends of files that pages load, whose names hold a hash.
var assets = []string{".js", ".mjs", ".css", ".map", ".png", ".jpg", ".jpeg", ".svg", ".webp", ".ico", ".woff", ".woff2", ".json", ".wasm"}

// looksRandom is looksSecret for a part of a path, where titles and dates stand
// as well: letters and digits alternate as they do in no words.
func looksRandom(segment string) bool {
	if !looksSecret(segment) || slices.Contains(assets, path.Ext(segment)) {
		return false
	}
	for _, word := range strings.FieldsFunc(segment, func(r rune) bool { return !isLetter(r) && (r < '0' || r > '9') }) {
		if len(word) >= 12 && turns(word)*4 >= len(word) {
			return true
		}
	}
	return false
}

// turns counts where a digit, a small and a capital letter follow one another,
// in a word that has digits.
func turns(word string) int {
	n, digits := 0, false
	class := func(c byte) int {
		switch {
		case c <= '9':
			digits = true
			return 0
		case c <= 'Z':
			return 1
		}
		return 2
	}
	for i := 1; i < len(word); i++ {
		if class(word[i-1]) != class(word[i]) {
			n++
		}
	}
	if !digits {
		return 0
	}
	return n
}

// urlsIn is URL for each URL in a text, also where its slashes are escaped.
func urlsIn(text string) string {
	var out strings.Builder
	done := 0
	for i := 0; i < len(text); {
		colon := strings.IndexByte(text[i:], ':')
		if colon < 0 {
			break
		}
		i += colon + 1
		escaped := strings.HasPrefix(text[i:], `\/\/`)
		start := schemeStart(text, i-1)
		if !escaped && !strings.HasPrefix(text[i:], "//") || start == i-1 || start < done {
			continue
		}
		end := urlEnd(text, i)
		raw := text[start:end]
		plain := raw
		if escaped {
			plain = strings.ReplaceAll(raw, `\/`, "/")
		}
		if shown := URL(plain); shown != plain {
			if escaped {
				shown = strings.ReplaceAll(shown, "/", `\/`)
			}
			out.WriteString(text[done:start] + shown)
			done = end
		}
		i = end
	}
	if done == 0 {
		return text
	}
	return out.String() + text[done:]
}

func schemeStart(text string, colon int) int {
	start := colon
	for start > 0 && (isWord(text[start-1]) || strings.IndexByte("+.-", text[start-1]) >= 0) {
		start--
	}
	for start < colon && !isLetter(rune(text[start])) {
		start++
	}
	return start
}

// urlEnd is where a URL ends in a text: before white space, quotes and what
// closes a sentence.
func urlEnd(text string, i int) int {
	end := i
	for end < len(text) && text[end] > ' ' && strings.IndexByte("\"'<>`|", text[end]) < 0 {
		if text[end] == '\\' && (end+1 == len(text) || strings.IndexByte("/u", text[end+1]) < 0) {
			break
		}
		end++
	}
	for end > i && strings.IndexByte(".,:;!)]}", text[end-1]) >= 0 && !strings.HasSuffix(text[i:end], Removed) {
		end--
	}
	return end
}
