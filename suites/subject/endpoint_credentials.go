package subject

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// What in a request is the session, and what only opens the gate before it.

// BrowserHeaders are those that browsers send of themselves.
var BrowserHeaders = regexp.MustCompile(`(?i)^(Accept.*|Content-.*|User-Agent|Origin|Referer|Sec-.*|Cache-Control|Pragma|Dnt|Priority|Upgrade-Insecure-Requests|X-Requested-With|Te)$`)

// frameworkHeaders are those by which frameworks mark the requests of their scripts.
var frameworkHeaders = regexp.MustCompile(`(?i)^(Next-Action|Next-Router-.*|Next-Url|Rsc|Trpc-.*|X-Trpc-.*|Apollo-.*|X-Apollo-.*|Connect-.*|Grpc-.*|X-Grpc-.*|Soapaction|X-Sveltekit-.*|X-Inertia.*|Turbo-.*|Api-Version|X-Api-Version|Hx-.*|X-Livewire|Traceparent|Tracestate|Baggage|Sentry-Trace|X-Request-Id|X-Correlation-Id)$`)

// mayBeSession says whether a header of this name may carry a session.
func mayBeSession(name string) bool {
	return !BrowserHeaders.MatchString(name) && !frameworkHeaders.MatchString(name)
}

// gateHeaders and gateCookies open what stands before staging systems, and say
// nothing of who is logged in.
var (
	gateHeaders = regexp.MustCompile(`(?i)^(x-vercel-protection-bypass|x-vercel-set-bypass-cookie|cf-access-client-id|cf-access-client-secret|ngrok-skip-browser-warning|bypass-tunnel-reminder|x-goog-iap-jwt-assertion)$`)
	gateCookies = regexp.MustCompile(`^(_vercel_jwt|CF_Authorization|CF_AppSession|GCP_IAP_UID|__Host-GCP_IAP_AUTH_TOKEN.*|AppServiceAuthSession|_oauth2_proxy.*)$`)
)

// gateKeys are the names of the headers that a login sends besides the way by
// which it logs in: they are for a gate.
func gateKeys(l *browser.Login) map[string]bool {
	out := map[string]bool{}
	if l == nil || len(l.Steps) == 0 && len(l.Cookies) == 0 && len(l.LocalStorage) == 0 {
		return out
	}
	for name := range l.Headers {
		if name = http.CanonicalHeaderKey(name); name != "Cookie" {
			out[name] = true
		}
	}
	return out
}

// opensGate says whether a header is for a gate. Basic authorization is, wherever
// the session stands elsewhere.
func (e *Endpoint) opensGate(name, value string) bool {
	if e.gate[name] || gateHeaders.MatchString(name) || e.public[name] || e.shared != nil && e.shared()[name] {
		return true
	}
	return name == "Authorization" && strings.HasPrefix(strings.ToLower(value), "basic ") && e.hasOtherSession()
}

// BasicSession says whether users log in with a name and a password that browsers send
// with each request.
func (e *Endpoint) BasicSession() bool {
	value := e.Request.Header.Get("Authorization")
	return strings.HasPrefix(strings.ToLower(value), "basic ") && !e.opensGate("Authorization", value)
}

// sharedHeaders are those, and the cookies, that the pages of two users send alike: a version, a
// client's name, a key of the gateway. None of them is a session.
func (s *Session) sharedHeaders(e *Endpoint) map[string]bool {
	first, err := s.VisitMended()
	if err != nil {
		return nil
	}
	second, err := s.SecondEndpoint()
	if err != nil {
		return nil
	}
	other, err := s.visitSecond()
	if err != nil || !differentPeople(first.Token, other.Token) {
		return nil
	}
	out := map[string]bool{}
	for name, values := range e.Request.Header {
		out[name] = name != "Cookie" && slices.Equal(values, second.Request.Header[name])
	}
	theirs := cookiePairs(second.Request.Header["Cookie"])
	for _, pair := range cookiePairs(e.Request.Header["Cookie"]) {
		key, _, _ := strings.Cut(pair, "=")
		out[cookieNamed(key)] = slices.Contains(theirs, pair)
	}
	return out
}

// cookieNamed is the name of a cookie among those of headers.
func cookieNamed(key string) string { return "Cookie: " + key }

// openedBy says whether a cookie only opens a gate before the endpoint. A gate that
// asks people who they are logs them in to the app as well, where nothing else can
// be the session.
func (e *Endpoint) openedBy(cookie string) bool {
	if !gateCookies.MatchString(cookie) || cookie == "_vercel_jwt" { // which is the same for a whole team
		return gateCookies.MatchString(cookie)
	}
	auth := strings.ToLower(e.Request.Header.Get("Authorization"))
	return auth != "" && !strings.HasPrefix(auth, "basic ") || e.hasOtherSession()
}

func differentPeople(a, b token.Raw) bool {
	first, err := token.Decode(a)
	if err != nil {
		return false
	}
	second, err := token.Decode(b)
	return err == nil && first.Claims.Get("sub").JSON() != second.Claims.Get("sub").JSON()
}

// hasOtherSession says whether something else than Authorization may be the session.
func (e *Endpoint) hasOtherSession() bool {
	for name, values := range e.Request.Header {
		switch {
		case name == "Authorization" || !mayBeSession(name) || IsCSRFName(name) || e.gate[name] || gateHeaders.MatchString(name):
		case name != "Cookie":
			return true
		default:
			for _, pair := range cookiePairs(values) {
				key, _, _ := strings.Cut(pair, "=")
				if couldBeSession(key) && !gateCookies.MatchString(key) && !e.ChatCookie(key) && !slices.Contains(e.everybodys, pair) && !(e.shared != nil && e.shared()[cookieNamed(key)]) {
					return true
				}
			}
		}
	}
	return false
}

// noSession are cookies of load balancers, of what tells bots from people, of analytics, and
// settings: visitors have their own, and no app knows a user by them.
var noSession = regexp.MustCompile(`(?i)^(ARRAffinity(SameSite)?|AWSALB(TG)?(CORS)?|AWSELB(CORS)?|GCLB|BIGipServer.*|__cf_bm|_cfuvid|cf_clearance|__cflb|__cfruid|incap_ses_.*|visid_incap_.*|ak_bmsc|bm_s[vz]|_abck|datadome|_ga(_[0-9A-Z]+)?|_gid|_gat(_.*)?|_gcl_(au|aw|dc)|_fb[pc]|_hj(session.*|id|firstseen)|_pk_(id|ses|ref)\..*|_clck|_clsk|hubspotutk|__hs(tc|sc|src)|_dd_s|ai_user|theme|lang|language|locale|NEXT_LOCALE|currency|timezone|tz|consent|cookie_?consent|OptanonConsent|CookieConsent)$`)

// couldBeSession says whether a cookie may be what the app knows a user by.
func couldBeSession(name string) bool { return !IsCSRFName(name) && !noSession.MatchString(name) }

// MinOpaque is the length from which on a text may be a credential, in bytes.
const MinOpaque = 16

// WithoutCredentials drops the session: cookies, Authorization, and every header
// that browsers don't send of themselves, but what carries the chat id or opens
// the gate before the endpoint.
func (e *Endpoint) WithoutCredentials(r wire.Request) wire.Request {
	return e.without(r, func(string) bool { return false })
}

// WithoutSession is WithoutCredentials, but keeps what protects from CSRF: a
// request that is refused for the lack of that says nothing about the session.
func (e *Endpoint) WithoutSession(r wire.Request) wire.Request { return e.without(r, IsCSRFName) }

func (e *Endpoint) without(r wire.Request, kept func(name string) bool) wire.Request {
	out := withoutLeaves(e.withoutHeaders(r, kept), e.Bearers())
	return madeBy(out, func(st step) wire.Request {
		return withoutLeaves(e.withoutHeaders(st.request, kept), st.bearers)
	})
}

// withoutLeaves is a request without the values at some places.
func withoutLeaves(r wire.Request, leaves []param.Leaf) wire.Request {
	for _, l := range leaves {
		var instead any = param.Drop
		if l.Place == param.InPath { // without it, it would be another path
			instead = reversed(l.Text())
		}
		if less, err := WithLeaf(r, l, instead); err == nil {
			r = less
		}
	}
	return r
}

// withoutHeaders is without, but what is the session besides headers stays.
func (e *Endpoint) withoutHeaders(r wire.Request, kept func(name string) bool) wire.Request {
	out := r.Clone()
	for name, values := range r.Header {
		switch {
		case !mayBeSession(name) || kept(name) || e.sendsChat(name) || e.takes(name):
		case name == "Cookie":
			pairs := slices.DeleteFunc(cookiePairs(values), func(pair string) bool {
				key, _, _ := strings.Cut(pair, "=")
				return !kept(key) && !e.openedBy(key) && !e.ChatCookie(key) && !slices.Contains(e.everybodys, pair)
			})
			if len(pairs) == 0 {
				delete(out.Header, name)
			} else {
				out.Header[name] = []string{strings.Join(pairs, "; ")}
			}
		case len(values) > 0 && e.opensGate(name, values[0]):
		default:
			delete(out.Header, name)
		}
	}
	return out
}

// sendsChat says whether a header of the request carries the chat id.
func (e *Endpoint) sendsChat(name string) bool {
	return name != "Cookie" && name != "Authorization" &&
		param.HoldsID(strings.Join(e.Request.Header[name], "\n"), e.ChatID)
}

// ChatCookie says whether a cookie of that name is the chat's: it holds its id.
func (e *Endpoint) ChatCookie(name string) bool {
	return slices.ContainsFunc(cookiePairs(e.Request.Header["Cookie"]), func(pair string) bool {
		key, value, _ := strings.Cut(pair, "=")
		return key == name && param.HoldsID(value, e.ChatID)
	})
}

// EditSession changes the value of every cookie and credential header but those
// that protect from CSRF or open a gate, and whatever else is the session, and says
// whether there was one. Broken, they would be what the request is refused for.
func (e *Endpoint) EditSession(r wire.Request, change func(string) string) (wire.Request, bool) {
	edited := func(r wire.Request, bearers []param.Leaf) (wire.Request, bool) {
		r = r.Clone()
		found := e.editSession(r.Header, func(_, value string) string { return change(value) })
		for _, l := range bearers {
			if edited, err := WithLeaf(r, l, change(l.Text())); err == nil {
				r, found = edited, true
			}
		}
		return r, found
	}
	r, found := edited(r, e.Bearers())
	if e.way != nil {
		for _, st := range e.way.steps {
			_, also := edited(st.request, st.bearers)
			found = found || also
		}
	}
	return madeBy(r, func(st step) wire.Request {
		broken, _ := edited(st.request, st.bearers)
		return broken
	}), found
}

// editSession is EditSession by the names of cookies and headers.
func (e *Endpoint) editSession(h http.Header, change func(name, value string) string) bool {
	found := false
	for name, values := range h {
		if !mayBeSession(name) || IsCSRFName(name) || e.sendsChat(name) || e.takes(name) {
			continue
		}
		for i, v := range values {
			if name != "Cookie" && e.opensGate(name, v) {
				continue
			}
			values[i] = editCredential(name, v, func(part, value string) string {
				if name == "Cookie" && (e.ChatCookie(part) || e.openedBy(part) || slices.Contains(e.everybodys, part+"="+value)) {
					return value
				}
				return change(part, value)
			})
			found = found || values[i] != v
		}
	}
	return found
}

func editCredential(name, v string, change func(name, value string) string) string {
	switch name {
	case "Cookie":
		pairs := cookiePairs([]string{v})
		for i, p := range pairs {
			if key, value, ok := strings.Cut(p, "="); ok && !IsCSRFName(key) {
				pairs[i] = key + "=" + change(key, value)
			}
		}
		return strings.Join(pairs, "; ")
	case "Authorization":
		if scheme, credential, ok := strings.Cut(v, " "); ok {
			return scheme + " " + change(name, credential)
		}
	}
	return change(name, v)
}

// Afterwards is the endpoint for a browser that has asked it before: with the cookies that
// the answer has set, in which a session may remember what was asked. It is not ok where
// that has set none, or none anew.
func (e *Endpoint) Afterwards(answer Evidence) (*Endpoint, bool) {
	if answer.Exchange.Response == nil || len(e.Request.Header["Cookie"]) == 0 {
		return nil, false
	}
	pairs := cookiePairs(e.Request.Header["Cookie"])
	before := slices.Clone(pairs)
	for _, c := range cookiesOf(answer.Exchange) {
		if slices.Contains(before, c.Name+"="+c.Value) {
			continue
		}
		pairs = slices.DeleteFunc(pairs, func(pair string) bool { return strings.HasPrefix(pair, c.Name+"=") })
		if c.MaxAge >= 0 && (c.Expires.IsZero() || c.Expires.After(answer.Exchange.At)) {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	if slices.Equal(pairs, before) {
		return nil, false
	}
	again := *e
	again.Request = e.Request.Clone()
	again.Request.Header["Cookie"] = []string{strings.Join(pairs, "; ")}
	return &again, true
}

// cookiePairs are the name=value pairs of a Cookie header.
func cookiePairs(values []string) []string {
	var out []string
	for _, v := range values {
		for pair := range strings.SplitSeq(v, ";") {
			if pair = strings.TrimSpace(pair); pair != "" {
				out = append(out, pair)
			}
		}
	}
	return out
}

// EditReadable changes the texts that the session's cookies and headers hold as
// anybody could read and write them: plain, in JSON, in base64, escaped for a URL.
// The name is the member's, or the cookie's or header's; "" for a text in which
// something else may be written. It says whether edit has named one.
func (e *Endpoint) EditReadable(h http.Header, edit func(name, text string) (string, bool)) bool {
	found := false
	e.editSession(h, func(name, value string) string {
		plain, err := url.QueryUnescape(value)
		escaped := err == nil && plain != value
		if !escaped {
			plain = value
		}
		changed := editReadable(name, plain, func(name, text string) (string, bool) {
			out, ok := edit(name, text)
			found = found || ok
			return out, ok
		})
		switch {
		case changed == plain:
			return value
		case escaped:
			return url.QueryEscape(changed)
		}
		return changed
	})
	return found
}

// editReadable edits a text, the members of the JSON that it is, or what it is in base64.
func editReadable(name, text string, edit func(name, text string) (string, bool)) string {
	if text == "" { // in base64, too
		return ""
	}
	if out, ok := edit("", text); ok {
		return out
	}
	if _, ok := param.JSONIn(text); !ok {
		if plain, encoding, ok := param.DecodeBase64(text); ok && utf8.ValidString(plain) {
			if changed := editReadable("", plain, edit); changed != plain {
				return encoding.EncodeToString([]byte(changed))
			}
			return text
		}
	}
	out, _ := param.WalkText(text, param.Leaf{}, func(l param.Leaf) any {
		changed, ok := edit(cmp.Or(l.Name(), name), l.Text())
		switch {
		case !ok:
			return param.Keep
		case isNumber(l.Value) && wholeNumber.MatchString(changed):
			return json.Number(changed)
		}
		return changed
	})
	return out
}

func isNumber(v any) bool {
	_, ok := v.(json.Number)
	return ok
}

var wholeNumber = regexp.MustCompile(`^(?:0|[1-9][0-9]{0,17})$`)
