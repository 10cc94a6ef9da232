package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// What the endpoint tells browsers: CORS, cookies, and requests from elsewhere.

// noPage is the reason where nothing is known about the page's origin.
const noPage = "the page's origin is unknown: the endpoint was configured, not found by watching a page"

var authCorsForeign = onEndpoint(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	if e.Pushed { // whoever asks for a stream waits for its end
		return subject.Missing("%s", s.OnlyInPage())
	}
	var verdicts []subject.Verdict
	for _, origin := range foreignOrigins(e, s.Target.Webhooks) {
		r := e.WithChat(s.NewChatID())
		r.Header.Set("Origin", origin)
		ev := s.Do(ctx, "from the origin "+origin, r)
		verdicts = append(verdicts, judgeForeign(e, origin, ev))
		verdicts = append(verdicts, judgeForeign(e, origin, s.Do(ctx, "preflight from the origin "+origin, preflight(s, e, origin))))
	}
	slices.SortStableFunc(verdicts, func(a, b subject.Verdict) int { return strings.Compare(b.Cause, a.Cause) }) // what is grave speaks
	return subject.Worst(rule.Must, verdicts...)
})

// foreignOrigins are origins that are not the page's, some of them so alike
// that a careless comparison takes them for it, or for another of the team's.
func foreignOrigins(e *subject.Endpoint, webhooks []target.Webhook) []string {
	own := e.PageOrigin
	if own == "" {
		own = e.Origin()
	}
	out := []string{"https://evil.example", "null"}
	u, err := url.Parse(own)
	if err != nil || u.Host == "" {
		return out
	}
	alike := *u
	if site := wire.SiteOf(own); site != "" { // a name below it would be the team's own
		alike.Host = strings.Replace(u.Host, u.Hostname(), site, 1)
	}
	out = append(out, u.Scheme+"://"+u.Hostname()+".evil.example", u.Scheme+"://evil-"+alike.Host)
	if u.Scheme == "https" {
		out = append(out, "http://"+u.Host)
	}
	if u.Port() != "" { // no browser has such an origin, but it has where there is no port, as in production
		out = append(out, own+".evil.example")
	}
	for _, h := range webhooks {
		if site := wire.SiteOf(h.URL); site != "" && !slices.Contains(out, "https://evil"+site) {
			out = append(out, "https://evil"+site, "https://"+site+".evil.example")
		}
	}
	return out
}

// sentByBrowsers says whether the session is what a browser sends of itself, and not what the
// page's script knows.
func sentByBrowsers(e *subject.Endpoint) bool {
	authorization := strings.ToLower(e.Request.Header.Get("Authorization"))
	return strings.HasPrefix(authorization, "basic ") || e.Request.Header.Get("Cookie") != "" && authorization == "" && len(e.Bearers()) == 0
}

// judgeForeign says whether an origin is allowed that is not the page's. What browsers send of
// themselves, such as a cookie, they send to be read only where credentials are allowed.
func judgeForeign(e *subject.Endpoint, origin string, ev subject.Evidence) subject.Verdict {
	const expected = "no Access-Control-Allow-Origin for it"
	if ev.Exchange.Response == nil {
		return noAnswer(ev.Title, ev)
	}
	allowed := ev.Exchange.Response.Header.Get("Access-Control-Allow-Origin")
	credentials := strings.EqualFold(ev.Exchange.Response.Header.Get("Access-Control-Allow-Credentials"), "true")
	open := func(v subject.Verdict) subject.Verdict {
		if credentials && sentByBrowsers(e) {
			return v.With(ev).Because("endpoint-open-to-sites")
		}
		return v.With(ev).Says("The auth endpoint allows origins that are not the page's.",
			"What needs no cookie, any website can ask and read. The day the session is one, and credentials are allowed, it reads your users' tokens.")
	}
	switch {
	case allowed == origin && credentials:
		return open(subject.Violated(expected, ev.Title+": it is allowed, with credentials"))
	case allowed == origin:
		return open(subject.Violated(expected, ev.Title+": it is allowed"))
	case allowed == "*" && credentials:
		return open(subject.Violated(expected, ev.Title+": * with credentials"))
	}
	if v := refused(ev.Title, ev); v.Kind != subject.Held {
		return v
	}
	return subject.Holds("%s: not allowed", ev.Title)
}

var authCorsPreflight = onLasting(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	if !e.Cross() {
		return subject.Missing("%s", sameOrigin(e))
	}
	r := e.WithChat(s.NewChatID())
	r.Header.Set("Origin", e.PageOrigin)
	real := s.Do(ctx, "the request from the page's origin", r)
	verdicts := []subject.Verdict{judgeShared(e, real).With(real)}
	if needsPreflight(e) {
		asked := s.Do(ctx, "the preflight", preflight(s, e, e.PageOrigin))
		verdicts = append(verdicts, judgePreflight(e, customHeaders(e), asked).With(asked))
	}
	v := subject.Worst(rule.Must, verdicts...)
	if v.Kind == subject.Broken && e.CORSError != "" {
		v.Actual += "; Chrome says " + e.CORSError
	}
	return v
})

// preflight is what a browser asks before it sends the page's request from an origin.
func preflight(s *subject.Session, e *subject.Endpoint, origin string) wire.Request {
	headers := customHeaders(e)
	r := e.WithoutCredentials(e.WithChat(s.NewChatID()))
	for _, name := range headers {
		r.Header.Del(name)
	}
	r.Method, r.Body = http.MethodOptions, nil
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", e.Request.Method)
	r.Header.Set("Access-Control-Request-Headers", strings.Join(headers, ","))
	return r
}

// needsPreflight says whether browsers ask before they send such a request. A body
// of JSON counts, though the documented sample sends it as text/plain: the next
// page will say what it is.
func needsPreflight(e *subject.Endpoint) bool {
	method := e.Request.Method
	simple := method == http.MethodGet || method == http.MethodHead || method == http.MethodPost
	return !simple || param.BodyKind(e.Request) == "JSON" || len(customHeaders(e)) > 0
}

// judgeShared judges whether the page may read the answer to its own request.
func judgeShared(e *subject.Endpoint, ev subject.Evidence) subject.Verdict {
	if ev.Exchange.Response == nil {
		return noAnswer(ev.Title, ev)
	}
	h := ev.Exchange.Response.Header
	credentials := e.Credentialed
	origin := h.Get("Access-Control-Allow-Origin")
	switch {
	case origin == "*" && credentials:
		return subject.Violated("Access-Control-Allow-Origin: "+e.PageOrigin, `the answer has "*", which browsers refuse where the page sends credentials`)
	case origin != e.PageOrigin && origin != "*":
		return subject.Violated("Access-Control-Allow-Origin: "+e.PageOrigin, fmt.Sprintf("the answer has %q", origin))
	case credentials && h.Get("Access-Control-Allow-Credentials") != "true":
		return subject.Violated("Access-Control-Allow-Credentials: true, as the callback sends a cookie", "the answer does not have it")
	}
	return subject.Holds("the page may read the answer")
}

// allowsMethod says whether a preflight's answer allows a method. GET and HEAD need never be
// listed (Fetch standard, CORS-preflight fetch); POST not, unless others are: who lists
// methods and forgets it has not thought of it.
func allowsMethod(listed []string, method string, credentials bool) bool {
	if hasDirective(listed, method) || !credentials && hasDirective(listed, "*") {
		return true
	}
	return method == http.MethodGet || method == http.MethodHead || len(listed) == 0 && method == http.MethodPost
}

func sameOrigin(e *subject.Endpoint) string {
	if e.PageOrigin == "" {
		return noPage
	}
	return "the page and its endpoint have the same origin"
}

// customHeaders are the headers that a preflight asks for: content-type of JSON,
// and those that the page's own script set.
func customHeaders(e *subject.Endpoint) []string {
	var out []string
	if param.BodyKind(e.Request) == "JSON" {
		out = append(out, "content-type")
	}
	for name := range e.Request.Header {
		if (!subject.BrowserHeaders.MatchString(name) || name == "X-Requested-With") && name != "Cookie" {
			out = append(out, strings.ToLower(name))
		}
	}
	slices.Sort(out)
	return out
}

func judgePreflight(e *subject.Endpoint, headers []string, ev subject.Evidence) subject.Verdict {
	if ev.Exchange.Response == nil {
		return subject.Violated("an answer", "OPTIONS: "+subject.Describe(ev.Exchange))
	}
	h := ev.Exchange.Response.Header
	credentials := e.Credentialed
	origin := h.Get("Access-Control-Allow-Origin")
	methods, allowed := h.Values("Access-Control-Allow-Methods"), h.Values("Access-Control-Allow-Headers")
	switch st := ev.Exchange.Status(); {
	case st < 200 || st > 299:
		return subject.Violated("a 2xx status", subject.Describe(ev.Exchange))
	case origin == "*" && credentials:
		return subject.Violated("Access-Control-Allow-Origin: "+e.PageOrigin, `the preflight's answer has "*", which browsers refuse where the page sends credentials`)
	case origin != e.PageOrigin && origin != "*":
		return subject.Violated("Access-Control-Allow-Origin: "+e.PageOrigin, fmt.Sprintf("%q", origin))
	case credentials && h.Get("Access-Control-Allow-Credentials") != "true":
		return subject.Violated("Access-Control-Allow-Credentials: true, as the callback sends a cookie", "it is not there")
	case !allowsMethod(methods, e.Request.Method, credentials):
		return subject.Violated("Access-Control-Allow-Methods with "+e.Request.Method, fmt.Sprintf("%q", strings.Join(methods, ", ")))
	}
	for _, name := range headers {
		switch {
		case hasDirective(allowed, name):
		case credentials || !hasDirective(allowed, "*"):
			return subject.Violated("Access-Control-Allow-Headers with "+name, fmt.Sprintf("%q", strings.Join(allowed, ", ")))
		case name == "authorization" && strings.HasPrefix(strings.ToLower(e.Request.Header.Get(name)), "bearer "): // else it is a gate's, perhaps; Fetch standard, CORS non-wildcard request-header name
			return subject.Violated("Access-Control-Allow-Headers with "+name, `"*", which does not stand for authorization: Chrome takes it for now, and Firefox and Safari refuse the page's request`).At(rule.Should)
		}
	}
	return subject.Holds("it allows the page's request")
}

var authCorsVary = onEndpoint(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	if !e.Cross() {
		return subject.Missing("%s", sameOrigin(e))
	}
	own := s.Do(ctx, "from the page's origin", e.WithChat(s.NewChatID()))
	r := e.WithChat(s.NewChatID())
	r.Header.Set("Origin", "https://evil.example")
	foreign := s.Do(ctx, "from another origin", r)
	if own.Exchange.Response == nil || foreign.Exchange.Response == nil {
		return subject.CouldNotRun(subject.ErrNoAnswer)
	}
	const name = "Access-Control-Allow-Origin"
	h := own.Exchange.Response.Header
	if h.Get(name) == foreign.Exchange.Response.Header.Get(name) {
		return subject.Holds("the allowed origin does not vary")
	}
	if !hasDirective(h.Values("Vary"), "origin") && !hasDirective(h.Values("Vary"), "*") {
		return subject.Violated("Vary: Origin", fmt.Sprintf("Vary: %q, though the allowed origin depends on the request", h.Get("Vary"))).With(own, foreign)
	}
	return subject.Holds("Vary: %s", h.Get("Vary"))
})

var authCsrf = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	if e.Request.Header.Get("Cookie") == "" {
		return subject.Missing("the session is no cookie, so other sites can't use it")
	}
	if len(e.Bearers()) > 0 {
		return subject.Missing("the session is in the request itself (%s), and other sites don't know it", e.Bearers()[0])
	}
	if method := e.Request.Method; method != http.MethodGet && method != http.MethodPost || e.SendsChatIn(param.InHeader) {
		return subject.Missing("other sites can't send such a request (%s) without asking first (see AUTH-CORS-FOREIGN)", e)
	}
	r, guarded := e.WithOtherCSRF(e.WithChat(s.NewChatID()), false)
	for _, name := range customHeaders(e) {
		r.Header.Del(name) // a simple request carries none
	}
	if param.BodyKind(r) == "JSON" {
		r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Referer", "https://evil.example/")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Sec-Fetch-Mode", "no-cors")
	v := gaveNone(s, "a cross-site request", s.Do(ctx, "a cross-site request", r))
	if form, ok := asForm(r); ok && v.Kind == subject.Held {
		const what = "a cross-site form" // what is no JSON for the endpoint's parser may be one
		v = gaveNone(s, what, s.Do(ctx, what, form))
	}
	if v.Kind != subject.Broken {
		return v
	}
	if guarded != "" {
		v.Actual += ", with another value of " + guarded
	}
	switch held, known := heldBack(ctx, s, e); {
	case !known:
		v.Actual += "; whether browsers hold the session cookie back from such a request (SameSite) is not known without a page"
		return v.At(rule.Info)
	case held:
		v.Actual += "; but browsers hold the session cookie back from such a request (SameSite), unless it comes from another page of your site"
		return v.At(rule.Info)
	}
	return v
})

// asForm is a request with the members of its JSON as the fields of a form, which any site
// can send; not ok where they are nested, or there are none.
func asForm(r wire.Request) (wire.Request, bool) {
	var members map[string]any
	if json.Unmarshal(r.Body, &members) != nil || len(members) == 0 {
		return r, false
	}
	fields := url.Values{}
	for name, value := range members {
		switch value.(type) {
		case map[string]any, []any:
			return r, false
		}
		fields.Set(name, param.Text(value))
	}
	r = r.Clone()
	r.Body = []byte(fields.Encode())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r, true
}

// heldBack says whether browsers leave the session cookie out of cross-site
// requests, if that is known.
func heldBack(ctx context.Context, s *subject.Session, e *subject.Endpoint) (held, known bool) {
	session, err := sessionCookies(ctx, s, e)
	if err != nil {
		return false, s.Target.PageURL != ""
	}
	return !slices.ContainsFunc(session, func(c browser.StoredCookie) bool {
		return !strings.EqualFold(c.SameSite, "Lax") && !strings.EqualFold(c.SameSite, "Strict")
	}), true
}

var authNosniff = onTokenAnswer(func(_ *subject.Endpoint, ev subject.Evidence) subject.Verdict {
	if got := ev.Exchange.Response.Header.Get("X-Content-Type-Options"); !strings.EqualFold(got, "nosniff") {
		return subject.Violated("X-Content-Type-Options: nosniff", fmt.Sprintf("%q", got))
	}
	return subject.Holds("nosniff")
})
