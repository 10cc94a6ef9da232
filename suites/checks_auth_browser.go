package suites

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/wire"
	"github.com/kindlytest/kindlytest/suites/browser"
)

// What the endpoint tells browsers: CORS, cookies, and requests from elsewhere.

// noPage is the reason where nothing is known about the page's origin.
const noPage = "the page's origin is unknown: the endpoint was configured, not found by watching a page"

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-CORS-FOREIGN", Level: rule.Must, Fidelity: rule.Documented, Source: "https://fetch.spec.whatwg.org/#http-cors-protocol",
		Text: "A foreign Origin (https://evil.example, a look-alike, null, the http form of an https page) is neither reflected nor answered * with credentials.",
		Fix:  "Compare Origin with a fixed list, as a whole; never reflect it, and never allow null."},
	Needs: NeedEndpoint, Hostile: true,
	Probe: onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		var verdicts []Verdict
		for _, origin := range foreignOrigins(e) {
			r := e.withChat(s.newChatID())
			r.Header.Set("Origin", origin)
			ev := s.do(ctx, "from the origin "+origin, r)
			verdicts = append(verdicts, judgeForeign(origin, ev))
			r.Method, r.Body = http.MethodOptions, nil
			r = withoutCredentials(r)
			r.Header.Set("Access-Control-Request-Method", http.MethodPost)
			r.Header.Set("Access-Control-Request-Headers", "content-type")
			verdicts = append(verdicts, judgeForeign(origin, s.do(ctx, "preflight from the origin "+origin, r)))
		}
		return worst(rule.Must, verdicts...)
	}),
})

// foreignOrigins are origins that are not the page's, some of them so alike
// that a careless comparison takes them for it.
func foreignOrigins(e *endpoint) []string {
	own := e.pageOrigin
	if own == "" {
		own = e.origin()
	}
	out := []string{"https://evil.example", "null"}
	u, err := url.Parse(own)
	if err != nil || u.Host == "" {
		return out
	}
	out = append(out, u.Scheme+"://"+u.Hostname()+".evil.example", u.Scheme+"://evil-"+u.Host)
	if u.Scheme == "https" {
		out = append(out, "http://"+u.Host)
	}
	return out
}

func judgeForeign(origin string, ev Evidence) Verdict {
	const expected = "no Access-Control-Allow-Origin for it"
	if ev.Exchange.Response == nil {
		return Holds("%s: %s", ev.Title, describe(ev.Exchange))
	}
	allowed := ev.Exchange.Response.Header.Get("Access-Control-Allow-Origin")
	credentials := strings.EqualFold(ev.Exchange.Response.Header.Get("Access-Control-Allow-Credentials"), "true")
	switch {
	case allowed == origin && credentials:
		return Violated(expected, ev.Title+": it is allowed, with credentials").With(ev)
	case allowed == origin:
		return Violated(expected, ev.Title+": it is allowed").With(ev)
	case allowed == "*" && credentials:
		return Violated(expected, ev.Title+": * with credentials").With(ev)
	}
	return Holds("%s: not allowed", ev.Title)
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-CORS-PREFLIGHT", Level: rule.Must, Fidelity: rule.Documented, Source: "https://fetch.spec.whatwg.org/#http-cors-protocol",
		Text: "The preflight from the page's origin allows POST and content-type (and credentials if the callback sends them).",
		Fix:  "Answer OPTIONS with Access-Control-Allow-Origin: <the page's origin>, -Methods: POST, -Headers: content-type, and -Credentials: true if the session is a cookie."},
	Needs: NeedEndpoint | NeedCross,
	Probe: onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		if !e.cross() {
			return Missing("%s", sameOrigin(e))
		}
		r := withoutCredentials(e.withChat(s.newChatID()))
		headers := e.customHeaders()
		r.Method, r.Body = http.MethodOptions, nil
		r.Header.Set("Origin", e.pageOrigin)
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		r.Header.Set("Access-Control-Request-Headers", strings.Join(headers, ","))
		ev := s.do(ctx, "the preflight", r)
		return judgePreflight(e, headers, ev).With(ev)
	}),
})

func sameOrigin(e *endpoint) string {
	if e.pageOrigin == "" {
		return noPage
	}
	return "the page and its endpoint have the same origin"
}

// customHeaders are the headers that a preflight asks for: content-type, and
// those that the page's own script set.
func (e *endpoint) customHeaders() []string {
	out := []string{"content-type"}
	for name := range e.request.Header {
		if (!browserHeaders.MatchString(name) || name == "X-Requested-With") && name != "Cookie" {
			out = append(out, strings.ToLower(name))
		}
	}
	return out
}

func judgePreflight(e *endpoint, headers []string, ev Evidence) Verdict {
	if ev.Exchange.Response == nil {
		return Violated("an answer", "OPTIONS: "+describe(ev.Exchange))
	}
	h := ev.Exchange.Response.Header
	credentials := e.request.Header.Get("Cookie") != ""
	origin := h.Get("Access-Control-Allow-Origin")
	methods, allowed := h.Values("Access-Control-Allow-Methods"), h.Values("Access-Control-Allow-Headers")
	switch st := ev.Exchange.Status(); {
	case st < 200 || st > 299:
		return Violated("a 2xx status", describe(ev.Exchange))
	case origin != e.pageOrigin && (origin != "*" || credentials):
		return Violated("Access-Control-Allow-Origin: "+e.pageOrigin, fmt.Sprintf("%q", origin))
	case credentials && h.Get("Access-Control-Allow-Credentials") != "true":
		return Violated("Access-Control-Allow-Credentials: true, as the callback sends a cookie", "it is not there")
	case len(methods) > 0 && !hasDirective(methods, "POST") && !hasDirective(methods, "*"):
		return Violated("Access-Control-Allow-Methods with POST", strings.Join(methods, ", "))
	}
	for _, name := range headers {
		if !hasDirective(allowed, name) && (credentials || !hasDirective(allowed, "*")) {
			return Violated("Access-Control-Allow-Headers with "+name, fmt.Sprintf("%q", strings.Join(allowed, ", ")))
		}
	}
	return Holds("it allows the page's request")
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-CORS-VARY", Level: rule.Should, Fidelity: rule.Documented, Source: "https://fetch.spec.whatwg.org/#http-cors-protocol",
		Text: "Where the allowed origin varies, the answer says Vary: Origin.",
		Fix:  "Set Vary: Origin wherever Access-Control-Allow-Origin depends on the request."},
	Needs: NeedEndpoint | NeedCross,
	Probe: onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		if !e.cross() {
			return Missing("%s", sameOrigin(e))
		}
		own := s.do(ctx, "from the page's origin", e.withChat(s.newChatID()))
		r := e.withChat(s.newChatID())
		r.Header.Set("Origin", "https://evil.example")
		foreign := s.do(ctx, "from another origin", r)
		if own.Exchange.Response == nil || foreign.Exchange.Response == nil {
			return CouldNotRun(errNoAnswer)
		}
		const name = "Access-Control-Allow-Origin"
		h := own.Exchange.Response.Header
		if h.Get(name) == foreign.Exchange.Response.Header.Get(name) {
			return Holds("the allowed origin does not vary")
		}
		if !hasDirective(h.Values("Vary"), "origin") && !hasDirective(h.Values("Vary"), "*") {
			return Violated("Vary: Origin", fmt.Sprintf("Vary: %q, though the allowed origin depends on the request", h.Get("Vary"))).With(own, foreign)
		}
		return Holds("Vary: %s", h.Get("Vary"))
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-CSRF", Level: rule.Should, Fidelity: rule.Assumed, Source: "https://owasp.org/www-community/attacks/csrf",
		Text: "A cross-site simple request (text/plain, Sec-Fetch-Site: cross-site, foreign Origin, session cookie) gives no token.",
		Fix:  "Refuse requests whose Origin is not your page's, or whose Sec-Fetch-Site is cross-site; or require application/json."},
	Needs: NeedEndpoint | NeedLogin, Hostile: true,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		if e.request.Header.Get("Cookie") == "" {
			return Missing("the session is no cookie, so other sites can't use it")
		}
		r := e.withChat(s.newChatID())
		for _, name := range e.customHeaders() {
			r.Header.Del(name) // a simple request carries none
		}
		r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Referer", "https://evil.example/")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "no-cors")
		v := gaveNone("a cross-site request", s.do(ctx, "a cross-site request", r))
		if v.kind == violated && s.heldBack(ctx, e) {
			v.actual += "; but browsers hold the session cookie back from such a request (SameSite), unless it comes from another page of your site"
			v = v.at(rule.Info)
		}
		return v
	}),
})

// heldBack says whether browsers leave the session cookie out of cross-site
// requests. Where that is not known, they don't.
func (s *Session) heldBack(ctx context.Context, e *endpoint) bool {
	session, err := s.sessionCookies(ctx, e)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(session, func(c browser.StoredCookie) bool {
		return !strings.EqualFold(c.SameSite, "Lax") && !strings.EqualFold(c.SameSite, "Strict")
	})
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-COOKIE-FLAGS", Level: rule.Should, Fidelity: rule.Assumed, Source: "https://www.rfc-editor.org/rfc/rfc6265",
		Text: "The session cookie is HttpOnly and SameSite, and Secure outside loopback.",
		Fix:  "Set-Cookie: …; HttpOnly; Secure; SameSite=Lax"},
	Needs: NeedEndpoint | NeedLogin,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		session, err := s.sessionCookies(ctx, e)
		if err != nil {
			return CouldNotRun(err)
		}
		var verdicts []Verdict
		for _, c := range session {
			verdicts = append(verdicts, judgeCookie(c, isLoopback(e.request.URL)))
		}
		return worst(rule.Should, verdicts...)
	}),
})

// sessionCookies are those without which the endpoint gives no token: other
// cookies (a theme, analytics) may be read by scripts.
func (s *Session) sessionCookies(ctx context.Context, e *endpoint) ([]browser.StoredCookie, error) {
	v, err := s.visitFirst()
	if err != nil {
		return nil, err
	}
	sent := map[string]bool{}
	for _, pair := range strings.Split(e.request.Header.Get("Cookie"), ";") {
		name, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
		sent[name] = true
	}
	var out []browser.StoredCookie
	for _, c := range v.state.Cookies {
		if !sent[c.Name] || isCSRFCookie(c, e.request) {
			continue
		}
		r := e.withChat(s.newChatID())
		r.Header.Set("Cookie", withoutCookie(r.Header.Get("Cookie"), c.Name))
		if ev, raw := s.ask(ctx, "without the cookie "+c.Name, r); refusedBy(ev.Exchange) && raw == "" {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return nil, missingError("the session is no cookie")
	}
	return out, nil
}

// refusedBy says whether an answer turns somebody away, or sends them to log in;
// an error or a rate limit does not.
func refusedBy(ex wire.Exchange) bool {
	return ex.Response != nil && ex.Status() < 500 && ex.Status() != http.StatusTooManyRequests
}

// isCSRFCookie says whether a cookie is one that the page's script must read, to
// send it a second time (Django, Angular, Spring, Laravel).
func isCSRFCookie(c browser.StoredCookie, r wire.Request) bool {
	if isCSRFName(c.Name) {
		return true
	}
	if len(c.Value) < minSecret {
		return false
	}
	for name, values := range r.Header {
		if name != "Cookie" && name != "Authorization" && strings.Contains(strings.Join(values, "\n"), c.Value) {
			return true
		}
	}
	return bytes.Contains(r.Body, []byte(c.Value))
}

func isCSRFName(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "csrf") || strings.Contains(name, "xsrf")
}

func withoutCookie(header, name string) string {
	var kept []string
	for _, pair := range strings.Split(header, ";") {
		if n, _, _ := strings.Cut(strings.TrimSpace(pair), "="); n != name {
			kept = append(kept, strings.TrimSpace(pair))
		}
	}
	return strings.Join(kept, "; ")
}

func judgeCookie(c browser.StoredCookie, loopback bool) Verdict {
	var lacking []string
	if !c.HTTPOnly {
		lacking = append(lacking, "HttpOnly")
	}
	if !c.Secure && !loopback {
		lacking = append(lacking, "Secure")
	}
	if c.SameSite == "" || strings.EqualFold(c.SameSite, "None") && !c.Secure {
		lacking = append(lacking, "SameSite")
	}
	if len(lacking) > 0 {
		return Violated("HttpOnly, SameSite, and Secure outside loopback", fmt.Sprintf("the cookie %q lacks %s", c.Name, strings.Join(lacking, ", ")))
	}
	return Holds("the cookie %q has them", c.Name)
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-NOSNIFF", Level: rule.Info, Fidelity: rule.Assumed, Source: "https://fetch.spec.whatwg.org/#x-content-type-options-header",
		Text: "The answer says X-Content-Type-Options: nosniff.",
		Fix:  "Set X-Content-Type-Options: nosniff."},
	Needs: NeedEndpoint,
	Probe: onTokenAnswer(func(_ *endpoint, ev Evidence) Verdict {
		if got := ev.Exchange.Response.Header.Get("X-Content-Type-Options"); !strings.EqualFold(got, "nosniff") {
			return Violated("X-Content-Type-Options: nosniff", fmt.Sprintf("%q", got))
		}
		return Holds("nosniff")
	}),
})
