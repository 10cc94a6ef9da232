package subject

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A page whose callback gets no token makes a request that its endpoint refuses.
// The usual reasons are tried, one request each: what then gives a token names
// the mistake, and stands for the endpoint in all other checks, as if it were
// mended.

// A Mending is what was changed in the page's request so that it got a token.
type Mending struct {
	What string // as in "it gives one to the same request with …"
	Fix  string
}

// mendings are the usual mistakes of a page's request: each makes the requests
// that would be right.
var mendings = []struct {
	what, fix string
	mend      func(e *Endpoint, v *Visit) []wire.Request
}{
	{"the page's cookies, which the page does not send", `Send them: fetch(url, {credentials: "include", …}).`, withCookies},
	{"Content-Type: application/json", `Say what the body is: headers: {"Content-Type": "application/json"}.`, asJSON},
	{"a slash at the end of the path, or without it", "Call the path exactly as the server has it: a redirect makes a GET of the POST, or loses the body.", withSlash},
	{"the URL to which it redirects", "Call that URL at once: browsers make a GET of a POST that is redirected.", redirected},
	{"the page's CSRF token in a header", "Send the token that stands in the cookie or in the tag of the page, in the header that the framework expects.", withCSRF},
}

// mend looks for what would give the page a token, and changes the endpoint to it.
func (s *Session) mend(e *Endpoint, v *Visit) {
	gets := func(title string, r wire.Request) bool {
		_, raw := s.Ask(s.Base, title, replacedChat(r, e.ChatID, s.NewChatID()))
		return raw != ""
	}
	if gets("as the page asks", e.Request) {
		return
	}
	for _, m := range mendings {
		for _, r := range m.mend(e, v) {
			tried := &Endpoint{ChatID: e.ChatID, Request: r}
			s.Redact.Learn(tried.Credentials()...)
			if gets("with "+m.what, r) {
				e.Request, e.Mended = r, &Mending{m.what, m.fix}
				return
			}
		}
	}
}

func replacedChat(r wire.Request, from, to string) wire.Request {
	return (&Endpoint{ChatID: from, Request: r}).WithChat(to)
}

func withCookies(e *Endpoint, v *Visit) []wire.Request {
	cookies := cookieHeader(v.State.Cookies, e.Request.URL)
	if cookies == "" || e.Request.Header.Get("Cookie") != "" {
		return nil
	}
	r := e.Request.Clone()
	r.Header.Set("Cookie", cookies)
	return []wire.Request{r}
}

func asJSON(e *Endpoint, _ *Visit) []wire.Request {
	if !json.Valid(e.Request.Body) || strings.HasPrefix(e.Request.Header.Get("Content-Type"), "application/json") {
		return nil
	}
	r := e.Request.Clone()
	r.Header.Set("Content-Type", "application/json")
	return []wire.Request{r}
}

func withSlash(e *Endpoint, _ *Visit) []wire.Request {
	u, err := url.Parse(e.Request.URL)
	if err != nil || u.Path == "" || u.Path == "/" {
		return nil
	}
	path, had := strings.CutSuffix(u.EscapedPath(), "/")
	if !had {
		path += "/"
	}
	if u.Path, err = url.PathUnescape(path); err != nil {
		return nil
	}
	u.RawPath = path
	r := e.Request.Clone()
	r.URL = u.String()
	return []wire.Request{r}
}

// redirected follows a redirect within the origin: the session goes nowhere else.
func redirected(e *Endpoint, _ *Visit) []wire.Request {
	if e.Seen.Exchange.Status()/100 != 3 {
		return nil
	}
	base, err := url.Parse(e.Request.URL)
	if err != nil {
		return nil
	}
	to, err := base.Parse(wire.HeaderValue(e.Seen.Exchange.Response.Header, "Location"))
	if err != nil || OriginOf(to.String()) != e.Origin() {
		return nil
	}
	r := e.Request.Clone()
	r.URL = to.String()
	return []wire.Request{r}
}

func withCSRF(e *Endpoint, v *Visit) []wire.Request {
	var out []wire.Request
	add := func(name, value string) {
		r := e.Request.Clone()
		r.Header.Set(csrfHeader(name), value)
		out = append(out, r)
	}
	for _, c := range v.State.Cookies {
		if plain, err := url.QueryUnescape(c.Value); err == nil && IsCSRFName(c.Name) {
			add(c.Name, plain)
		}
	}
	for _, r := range v.Record.Requests {
		if r.ResourceType != "Document" || r.Kindly {
			continue
		}
		for _, tag := range csrfTag.FindAllSubmatch(r.ResponseBody, 8) {
			name, value := nameIn.FindSubmatch(tag[0]), valueIn.FindSubmatch(tag[0])
			if name != nil && value != nil && IsCSRFName(string(name[1])) {
				add(string(name[1]), html.UnescapeString(string(value[1])))
			}
		}
	}
	return out[:min(len(out), 4)]
}

var (
	csrfTag = regexp.MustCompile(`(?i)<(?:meta|input)\b[^>]{0,1000}>`)
	nameIn  = regexp.MustCompile(`(?i)\bname\s*=\s*["']?([\w.-]+)`)
	valueIn = regexp.MustCompile(`(?i)\b(?:content|value)\s*=\s*["']([^"']{4,1000})["']`)
)

// csrfHeader is the header in which frameworks look for the token of that name.
func csrfHeader(name string) string {
	switch lower := strings.ToLower(name); {
	case strings.HasPrefix(lower, "csrftoken"), strings.HasPrefix(lower, "csrfmiddleware"):
		return http.CanonicalHeaderKey("X-CSRFToken") // Django
	case strings.Contains(lower, "xsrf"):
		return http.CanonicalHeaderKey("X-XSRF-TOKEN") // Angular, Laravel, Spring
	case lower == "__requestverificationtoken":
		return "Requestverificationtoken" // ASP.NET
	}
	return http.CanonicalHeaderKey("X-CSRF-Token") // Rails, Laravel, Spring
}
