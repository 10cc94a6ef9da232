package wire

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// A Gate opens what stands before a system that is not public: a header, a
// password, a cookie, or a client certificate. It goes with each request to its
// origins, whoever is logged in, and to nobody else.
type Gate struct {
	Origins     []string // scheme://host[:port]
	URL         string   // if not empty, this URL only, instead of the origins
	Header      map[string]string
	User        string // of Basic authorization; none if empty
	Password    string
	Cookies     map[string]string
	Certificate *tls.Certificate // presented to servers that ask for one
}

// String leaves the values out.
func (g Gate) String() string {
	return fmt.Sprintf("Gate{%v, headers %v, basic %t, cookies %v, certificate %t}", g.Origins,
		slices.Sorted(maps.Keys(g.Header)), g.User != "", slices.Sorted(maps.Keys(g.Cookies)), g.Certificate != nil)
}

// GoString is String.
func (g Gate) GoString() string { return g.String() }

// opens says whether the gate stands before a URL.
func (g Gate) opens(rawURL string) bool {
	if g.URL != "" {
		return g.URL == rawURL
	}
	origin := OriginOf(rawURL)
	return origin != "" && slices.ContainsFunc(g.Origins, func(o string) bool { return OriginOf(o) == origin })
}

// Gates are all that stand before a target.
type Gates []Gate

// Headers are what goes with a request to a URL. Cookies are apart.
func (gates Gates) Headers(rawURL string) http.Header {
	out := http.Header{}
	for _, g := range gates {
		if !g.opens(rawURL) {
			continue
		}
		for name, value := range g.Header {
			out.Set(name, value)
		}
		if g.User != "" {
			r := http.Request{Header: out}
			r.SetBasicAuth(g.User, g.Password)
		}
	}
	return out
}

// Cookies are those that go with a request to a URL, in the order of their names.
func (gates Gates) Cookies(rawURL string) []*http.Cookie {
	var out []*http.Cookie
	for _, g := range gates {
		if !g.opens(rawURL) {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(g.Cookies)) {
			out = append(out, &http.Cookie{Name: name, Value: g.Cookies[name]})
		}
	}
	return out
}

// Certificate is the one for the server of a URL, or nil.
func (gates Gates) Certificate(rawURL string) *tls.Certificate {
	for _, g := range gates {
		if g.Certificate != nil && g.opens(rawURL) {
			return g.Certificate
		}
	}
	return nil
}

// Placeholders are the header lines that open the gates before a URL, with a shell's
// variable in place of each value: for commands that are shown.
func (gates Gates) Placeholders(rawURL string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(gates.Headers(rawURL))) {
		if v := gateVariable(name); v != "" {
			out = append(out, name+": "+v)
		}
	}
	var cookies []string
	for _, c := range gates.Cookies(rawURL) {
		if v := gateVariable(c.Name); v != "" {
			cookies = append(cookies, c.Name+"="+v)
		}
	}
	if len(cookies) > 0 {
		out = append(out, "Cookie: "+strings.Join(cookies, "; "))
	}
	return out
}

// gateVariable is "" for a name that a shell would read something into.
func gateVariable(name string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r == '-', r == '_':
			return '_'
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
	if len(plain) != len(name) {
		return ""
	}
	return "$GATE_" + strings.ToUpper(plain)
}

// Secrets are the values that must not be shown.
func (gates Gates) Secrets() []string {
	var out []string
	for _, g := range gates {
		for name, value := range g.Header {
			out = append(out, value)
			if _, credential, ok := strings.Cut(value, " "); ok && strings.EqualFold(name, "Authorization") {
				out = append(out, strings.TrimSpace(credential))
			}
		}
		for _, value := range g.Cookies {
			out = append(out, value)
		}
		if g.User != "" {
			r := http.Request{Header: http.Header{}}
			r.SetBasicAuth(g.User, g.Password)
			out = append(out, g.Password, strings.TrimPrefix(r.Header.Get("Authorization"), "Basic "))
		}
	}
	return out
}

// Replaces says whether a gate's header takes the place of one that is there: who calls
// is in each request, whether somebody chose it or not.
func Replaces(name string) bool {
	return strings.EqualFold(name, "User-Agent") || strings.EqualFold(name, "Accept-Language")
}

// pass adds to a request what opens the gates before its URL. What the request
// brings itself stays: an Authorization of its own above all.
func (gates Gates) pass(req *http.Request, rawURL string) {
	for name, values := range gates.Headers(rawURL) {
		if !has(req.Header, name) || Replaces(name) {
			req.Header[name] = values
		}
	}
	for _, c := range gates.Cookies(rawURL) {
		if _, err := req.Cookie(c.Name); err != nil {
			addCookie(req.Header, c.Name+"="+c.Value)
		}
	}
}

// Without is a header without what opens the gates before a URL, as a browser sent
// it: it goes with every request anyway, and is nobody's session.
func (gates Gates) Without(h http.Header, rawURL string) http.Header {
	out := h.Clone()
	for name, values := range gates.Headers(rawURL) {
		if out.Get(name) == values[0] {
			out.Del(name)
		}
	}
	theirs := gates.Cookies(rawURL)
	if len(theirs) == 0 {
		return out
	}
	var rest []string
	for _, c := range (&http.Request{Header: out}).Cookies() {
		if !slices.ContainsFunc(theirs, func(t *http.Cookie) bool { return t.Name == c.Name && t.Value == c.Value }) {
			rest = append(rest, c.Name+"="+c.Value)
		}
	}
	out.Del("Cookie")
	if len(rest) > 0 {
		out.Set("Cookie", strings.Join(rest, "; "))
	}
	return out
}

// addCookie adds a pair to the Cookie header, however that is spelled.
func addCookie(h http.Header, pair string) {
	for name, values := range h {
		if strings.EqualFold(name, "Cookie") && len(values) > 0 {
			values[0] += "; " + pair
			return
		}
	}
	h.Set("Cookie", pair)
}

// SiteOf is the domain of a URL that somebody has registered, in lower case; "" where
// there is none, as of an address or a bare name.
func SiteOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || net.ParseIP(u.Hostname()) != nil {
		return ""
	}
	site, _ := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(u.Hostname())) // "" with an error
	return site
}

// OriginOf is scheme://host[:port] of a URL, in lower case and without the
// scheme's own port; "" where it has none.
func OriginOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return ""
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}
