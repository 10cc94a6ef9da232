package subject

import (
	"regexp"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// keptCookies are why browsers keep a session's cookie back, by DevTools' names, and
// what to do.
var keptCookies = []struct {
	reason *regexp.Regexp
	fix    string
}{
	{regexp.MustCompile(`EndsAtOnce`), "Let the cookie live: its Max-Age is 0 or below, or its Expires is past, so that browsers delete it as it comes. Max-Age counts seconds from now on; Expires is as wrong as the server's clock, or its time zone."},
	{regexp.MustCompile(`SameSiteNoneInsecure`), "Set the cookie with Secure, over https: browsers drop SameSite=None without it."},
	{regexp.MustCompile(`SecureOnly|SchemeMismatch`), "Serve the page over https: the cookie is Secure, and browsers take and send such a one over https only. (Over http, as in development, set it without Secure.)"},
	{regexp.MustCompile(`InvalidDomain|DomainMismatch`), "Set the cookie without Domain, or with one that the host belongs to: browsers drop a cookie that names another. (The staging system has another host than production: is the domain a setting?)"},
	{regexp.MustCompile(`InvalidPrefix`), "Set a cookie whose name begins with __Host- with Secure and Path=/, and without Domain; one with __Secure- with Secure: otherwise browsers drop it."},
	{regexp.MustCompile(`NameValuePairExceedsMaxSize`), "Keep less in the cookie: browsers drop one of more than 4096 bytes (a session, with a token or roles in it). Keep the session at the server, or split it (NextAuth and ASP.NET do, if nothing renames the parts)."},
	{regexp.MustCompile(`OverwriteSecure`), "Log in over https: the browser has a Secure cookie of that name, which a page over http may not replace."},
	{regexp.MustCompile(`ThirdParty|UserPreferences`), "Serve the endpoint from the page's own site, at best its own origin: browsers keep third parties' cookies back."},
	{regexp.MustCompile(`SameSite`), "Serve the endpoint from the page's own site (its own origin at best, through a proxy): to another site browsers send only cookies with SameSite=None; Secure, and some send none."},
	{regexp.MustCompile(`DisallowedCharacter|Syntax`), "Write the cookie without control characters, semicolons and line ends in its value: encode it."},
}

// FixOfKeptCookie is what to do where the browser has kept a session's cookie back.
func FixOfKeptCookie(reasons ...string) string {
	all := strings.Join(reasons, " ")
	for _, k := range keptCookies {
		if k.reason.MatchString(all) {
			return k.fix
		}
	}
	return ""
}

// CookieSet is a cookie as an answer has set it, name=value; "" if it has not.
func CookieSet(r browser.Request, name string) string {
	for _, line := range r.ResponseHeader.Values("Set-Cookie") {
		for cookie := range strings.SplitSeq(line, "\n") { // Chrome puts several into one
			pair, _, _ := strings.Cut(cookie, ";")
			if strings.HasPrefix(strings.TrimSpace(pair), name+"=") {
				return strings.TrimSpace(pair)
			}
		}
	}
	return ""
}
