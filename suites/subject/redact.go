package subject

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/reports"
)

// removed stands where a credential was.
const removed = "[removed]"

// A redactor takes credentials out of all that is shown. It knows the secrets
// that it was given, and recognises tokens by their shape, so that also those
// are caught that turn up where nobody expected them.
type redactor struct {
	mu       sync.RWMutex
	secrets  map[string]bool
	replacer *strings.Replacer
}

// minSecret is the length below which a value is too common a string to be
// blotted out everywhere.
const MinSecret = 6

// add makes values secret from now on.
func (r *redactor) add(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.secrets == nil {
		r.secrets = map[string]bool{}
	}
	for _, v := range values {
		if len(v) >= MinSecret {
			r.secrets[v] = true
		}
	}
	// Longest first: a secret may hold another.
	sorted := make([]string, 0, len(r.secrets))
	for v := range r.secrets {
		sorted = append(sorted, v)
	}
	sort.Slice(sorted, func(i, j int) bool { return len(sorted[i]) > len(sorted[j]) })
	pairs := make([]string, 0, 4*len(sorted))
	for _, v := range sorted {
		pairs = append(pairs, v, removed)
		for _, other := range spellings(v) {
			pairs = append(pairs, other, removed)
		}
	}
	r.replacer = strings.NewReplacer(pairs...)
}

// spellings are the other forms in which a value turns up: in URLs, in JSON, in
// HTML, and as what an escaped cookie stands for.
func spellings(v string) []string {
	var out []string
	add := func(s string) {
		if s != v && len(s) >= MinSecret && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	add(url.QueryEscape(v))
	add(url.PathEscape(v))
	add(html.EscapeString(v))
	if quoted, err := json.Marshal(v); err == nil {
		add(strings.Trim(string(quoted), `"`))
	}
	if plain, err := url.QueryUnescape(v); err == nil {
		add(plain)
	}
	return out
}

// secretName matches names of headers, parameters and members whose value is a
// credential: session_id, accessToken, X-CSRFToken, apikey.
var secretName = regexp.MustCompile(`(?i)(?:token|secret|passw|credential|csrf|xsrf|api[-_]?key|signature|samlresponse|assertion|^sid$|session(?:[-_]?(?:id|key))?$)`)

// member matches a member of JSON whose value may be a credential. It is
// compiled when it is needed: that takes milliseconds, at each start.
var member = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`("([A-Za-z0-9_.-]{1,64})"\s*:\s*")((?:[^"\\]|\\.){12,})`)
})

// members returns s without the values of JSON members that are credentials by
// their name. Tokens were treated before, and are worth showing.
func members(s string) string {
	return member().ReplaceAllStringFunc(s, func(m string) string {
		parts := member().FindStringSubmatch(m)
		if !secretName.MatchString(parts[2]) || compactJWS.MatchString(parts[3]) {
			return m
		}
		return parts[1] + removed
	})
}

// jws matches the compact form: a header that begins like a JSON object in
// base64url, a payload, and the signature, which is what makes it a credential.
var jws = regexp.MustCompile(`\bey[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_=+/-]+`)

// unsigned matches a token that has no signature, as the attacks with alg none:
// there is nothing to take from it. (Frameworks sign sessions as eyPAYLOAD.SIGNATURE.)
var unsigned = regexp.MustCompile(`^ey[A-Za-z0-9_-]{2,}\.ey[A-Za-z0-9_-]*\.?$`)

// text returns s without secrets, and with tokens that lack their signature.
func (r *redactor) Text(s string) string {
	s = r.withoutSecrets(s)
	return jws.ReplaceAllStringFunc(s, func(token string) string {
		parts := strings.SplitN(token, ".", 3)
		return parts[0] + "." + r.payload(parts[1]) + "." + removed
	})
}

// longOpaque is what a key or a session looks like to people.
var longOpaque = regexp.MustCompile(`[A-Za-z0-9_+/=-]{32,}`)

// covers says whether a text of a picture must not be seen.
func (r *redactor) covers(text string) bool {
	return r.Text(text) != text || compactJWS.MatchString(text) || longOpaque.MatchString(text)
}

func (r *redactor) withoutSecrets(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.replacer == nil {
		return s
	}
	return r.replacer.Replace(s)
}

// payload returns a token's payload without the secrets that a customer may
// have put into its claims, such as the session's id. base64url hides nothing.
func (r *redactor) payload(encoded string) string {
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return encoded
	}
	if clean := r.withoutSecrets(string(decoded)); clean != string(decoded) {
		return base64.RawURLEncoding.EncodeToString([]byte(clean))
	}
	return encoded
}

// secretHeaders hold credentials whatever their value. Authorization is
// treated apart: a token is worth showing without its signature.
var secretHeaders = map[string]bool{
	"cookie": true, "set-cookie": true, "proxy-authorization": true, "x-csrf-token": true,
	"x-xsrf-token": true, "x-api-key": true, "kindly-hmac": true,
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
			out = append(out, reports.Header{Name: name, Value: r.header(name, value)})
		}
	}
	return out
}

func (r *redactor) header(name, value string) string {
	lower := strings.ToLower(name)
	switch {
	case lower == "set-cookie":
		cookie, attributes, _ := strings.Cut(value, ";")
		key, _, _ := strings.Cut(cookie, "=")
		return strings.TrimSuffix(key+"="+removed+";"+attributes, ";")
	case secretHeaders[lower]:
		return removed
	case secretName.MatchString(name) && !jws.MatchString(value):
		return removed
	case lower == "authorization":
		scheme, credential, ok := strings.Cut(value, " ")
		if shown := r.Text(credential); ok && (shown != credential || unsigned.MatchString(credential)) {
			return scheme + " " + Bound(shown, maxHeader)
		}
		return Bound(scheme, 16) + " " + removed
	}
	return Bound(r.Text(value), maxHeader)
}

// Bounds of what a report keeps of one exchange, in bytes.
const (
	maxHeader = 2 << 10
	maxBody   = 8 << 10
)

// bound shortens s to n bytes and says so.
func Bound(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "… (shortened)"
}

func (r *redactor) body(b []byte, contentType string) string {
	// Secrets are looked for before the cut, which could halve one.
	const window = 4 * maxBody
	if len(b) > window {
		b = b[:window]
	}
	return Bound(strings.ToValidUTF8(byName(r.Text(string(b)), contentType), "\uFFFD"), maxBody)
}

// evidence turns an exchange into what a report may show.
func (r *redactor) Evidence(e Evidence) reports.Evidence {
	ex := e.Exchange
	out := reports.Evidence{
		At: ex.At, Title: r.Text(e.Title), DurationMS: ex.Duration.Milliseconds(),
		Request: &reports.Request{
			Method: ex.Request.Method, URL: r.Text(SafeURL(ex.Request.URL)),
			Headers: r.headers(ex.Request.Header), Body: r.body(ex.Request.Body, Canonical(ex.Request.Header, "Content-Type")),
		},
		Response: &reports.Response{},
	}
	switch {
	case ex.Response != nil:
		out.Response.Status = ex.Response.Status
		out.Response.Headers = r.headers(ex.Response.Header)
		out.Response.Body = r.body(ex.Response.Body, Canonical(ex.Response.Header, "Content-Type"))
	case ex.Err != nil:
		out.Response.Error = r.Text(string(ex.Kind()) + ": " + ex.Err.Error())
	default:
		out.Response = nil
	}
	return out
}

// safeURL is raw without userinfo, and without the values of parameters that are
// credentials, such as the code of a login. What can't be parsed is not shown:
// nobody knows what is in it.
func SafeURL(raw string) string {
	if raw == "" {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "(a URL that can't be parsed)"
	}
	u.User = nil
	u.RawQuery = safeQuery(u.RawQuery)
	if fragment := u.EscapedFragment(); strings.Contains(fragment, "=") {
		u.RawFragment = safeQuery(fragment)
		u.Fragment, _ = url.PathUnescape(u.RawFragment)
	}
	return u.String()
}

// safeQuery keeps a query's order and spelling.
func safeQuery(query string) string {
	if !strings.Contains(query, "=") {
		return query
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		if secretParameter(parameterName(name)) && value != "" && !jws.MatchString(value) {
			pairs[i] = name + "=" + removed
		}
	}
	return strings.Join(pairs, "&")
}

// secretParameter adds what logins hand over in URLs to the names of secrets.
func secretParameter(name string) bool {
	switch strings.ToLower(name) {
	case "code", "state", "nonce", "ticket", "sig", "auth", "key", "session_state", "jwt":
		return true
	}
	return secretName.MatchString(name)
}
