package subject

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// IsCSRFName says whether a header, cookie or field of that name protects from
// requests of other sites.
func IsCSRFName(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "csrf") || strings.Contains(name, "xsrf") || strings.Contains(name, "antiforgery") ||
		name == "_token" || name == "authenticity_token" || strings.TrimLeft(name, "_") == "requestverificationtoken"
}

// isCSRFField is IsCSRFName of what a request carries: WordPress has its own names, by which
// a header or cookie may be another's.
func isCSRFField(name string) bool {
	name = strings.ToLower(name)
	return IsCSRFName(name) || strings.Contains(name, "nonce") || name == "security"
}

// WithOtherCSRF is a request with other values in the place of those by which an endpoint tells
// its own forms from other sites', which don't know them; changed names one, "" where there is
// none. Those in headers stay if other sites can't send any.
func (e *Endpoint) WithOtherCSRF(r wire.Request, headersToo bool) (other wire.Request, changed string) {
	other, err := param.Walk(r, chosenHeader, func(l param.Leaf) any {
		if l.Place == param.InPath || l.Place == param.InHeader && !headersToo || !isCSRFField(l.Name()) {
			return param.Keep
		}
		text, ok := l.Value.(string)
		other := another(text)
		if !ok || other == text {
			return param.Keep
		}
		changed = l.Name()
		return other
	})
	if err != nil {
		return r, ""
	}
	return other, changed
}

// another is a value of the same form: the last letters and digits differ.
func another(text string) string {
	const most = 6
	out, n := []byte(text), 0
	for i := len(out) - 1; i >= 0 && n < most; i-- {
		switch c := out[i]; {
		case '0' <= c && c <= '9':
			out[i] = '0' + (c-'0'+5)%10
		case 'a' <= c && c <= 'z':
			out[i] = map[bool]byte{true: 'b', false: 'a'}[c == 'a']
		case 'A' <= c && c <= 'Z':
			out[i] = map[bool]byte{true: 'B', false: 'A'}[c == 'A']
		default:
			continue
		}
		n++
	}
	return string(out)
}

// csrfToken is a value that keeps requests of other sites apart, as a visit's pages have it.
type csrfToken struct{ where, name, value string }

const inScript = "script's variable"

// csrfTokens are those of a visit, the surest first: of the cookies, the tags, the scripts.
func csrfTokens(v *Visit) []csrfToken {
	var out []csrfToken
	add := func(where, name, value string) {
		if !IsCSRFName(value) || strings.ContainsAny(value, "0123456789") { // else it is how a field or header is called, not what belongs into it
			out = append(out, csrfToken{where, name, value})
		}
	}
	for _, c := range v.State.Cookies {
		if plain, err := url.QueryUnescape(c.Value); err == nil && IsCSRFName(c.Name) {
			add("cookie", c.Name, plain)
		}
	}
	for _, r := range v.Record.Requests {
		if r.ResourceType != "Document" || r.Kindly {
			continue
		}
		for _, tag := range csrfTag.FindAllSubmatch(r.ResponseBody, 8) {
			name, value := nameIn.FindSubmatch(tag[0]), valueIn.FindSubmatch(tag[0])
			if name != nil && value != nil && IsCSRFName(string(name[1])) {
				add("tag", string(name[1]), html.UnescapeString(string(value[1])))
			}
		}
	}
	for _, r := range v.Record.Requests {
		if r.Kindly || !slices.Contains([]string{"Document", "Script", "XHR", "Fetch"}, r.ResourceType) {
			continue
		}
		for _, m := range csrfInScript.FindAllSubmatch(r.ResponseBody, 4) {
			add(inScript, string(m[1]), string(m[2]))
		}
	}
	return out
}

var (
	csrfInScript = regexp.MustCompile(`(?i)\b(\w*(?:csrf|xsrf)\w*|nonce|\w+_nonce|ajax_nonce)["']?\s*[:=]\s*["']([\w+/=.-]{8,200})["']`)
	csrfTag      = regexp.MustCompile(`(?i)<(?:meta|input)\b[^>]{0,1000}>`)
	nameIn       = regexp.MustCompile(`(?i)\bname\s*=\s*["']?([\w.-]+)`)
	valueIn      = regexp.MustCompile(`(?i)\b(?:content|value)\s*=\s*["']([^"']{4,1000})["']`)
)

// csrfHeaders are those in which frameworks look for it, the commonest first.
var csrfHeaders = []string{http.CanonicalHeaderKey("X-CSRF-Token"), http.CanonicalHeaderKey("X-CSRFToken"), http.CanonicalHeaderKey("X-XSRF-Token")}

// csrfHeader is the header in which frameworks look for the token of that name.
func csrfHeader(name string) string {
	switch lower := strings.TrimLeft(strings.TrimPrefix(strings.ToLower(name), "x-"), "_"); {
	case strings.HasPrefix(lower, "csrftoken"), strings.HasPrefix(lower, "csrfmiddleware"):
		return http.CanonicalHeaderKey("X-CSRFToken") // Django
	case strings.Contains(lower, "xsrf"):
		return http.CanonicalHeaderKey("X-XSRF-TOKEN") // Angular, Laravel, Spring
	case strings.Contains(lower, "nonce"):
		return http.CanonicalHeaderKey("X-WP-Nonce") // WordPress
	case lower == "requestverificationtoken":
		return "Requestverificationtoken" // ASP.NET
	}
	return http.CanonicalHeaderKey("X-CSRF-Token") // Rails, Laravel, Spring
}
