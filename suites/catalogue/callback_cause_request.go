package catalogue

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// givesUp tells a page that ends the request before it is answered.
// opensWindow tells a callback that asks nobody itself, but lets a window do so.
func opensWindow(c *call) (string, []subject.Evidence) {
	if c.visit.Record.Windows == 0 || c.asked != nil {
		return "", nil
	}
	return "the page opens a window when it is asked for a token, and asks for none itself; " + c.gave, nil
}

func givesUp(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.last().Status != 0 || c.last().Error != "net::ERR_ABORTED" || !aborted.MatchString(c.report.Error) && c.report.Outcome != "empty" {
		return "", nil
	}
	text := fmt.Sprintf("the page ends %s after %d ms, before the answer is there; %s", c.asks(), c.last().Duration.Milliseconds(), c.gave)
	ev, token := c.send("the same request, with more patience", subject.Resend(c.last()))
	switch {
	case token:
		text += fmt.Sprintf("; the same request brings a token after %d ms", ev.Exchange.Duration.Milliseconds())
	case c.report.Outcome == "empty": // it may be another that has ended it
		return "", nil
	}
	return text, []subject.Evidence{ev}
}

// aborted is what browsers throw of a request that the page itself has ended.
var aborted = regexp.MustCompile(`AbortError|TimeoutError|signal (?:is aborted|timed out)|(?i)user aborted|operation was aborted`)

// cookieOfPath tells a session's cookie that is for another path, by sending it along.
func cookieOfPath(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || !slices.Contains([]int{301, 302, 303, 307, 308, 401, 403}, c.asked.Status) {
		return "", nil
	}
	sent := wire.HeaderValue(c.asked.Header, "Cookie")
	for _, cookie := range c.visit.State.Cookies {
		everywhere := cookie
		everywhere.Path = "/"
		pair := subject.CookiesFor([]browser.StoredCookie{everywhere}, c.asked.URL)
		if pair == "" || subject.CookiesFor([]browser.StoredCookie{cookie}, c.asked.URL) != "" {
			continue
		}
		again := subject.Resend(*c.asked)
		again.Header.Set("Cookie", strings.TrimPrefix(sent+"; "+pair, "; "))
		if ev, token := c.send("the same request with the cookie of another path", again); token {
			return fmt.Sprintf("%s; the cookie %s is for %s alone, and with it the same request brings a token", c.answered(*c.asked), subject.Bound(cookie.Name, 60), subject.Bound(cookie.Path, 60)), []subject.Evidence{ev}
		}
	}
	return "", nil
}

// refusedAtLogin tells a session's cookie that the login set, and the browser did not
// take, by sending it along; or, where the page asks nobody, as the browser has
// nothing else by which somebody could be known.
func refusedAtLogin(c *call) (string, []subject.Evidence) {
	if c.token || c.asked != nil && c.asked.Status/100 == 2 {
		return "", nil
	}
	for _, r := range c.visit.LoginRefused() {
		for _, k := range r.Refused {
			seen := fmt.Sprintf("at the login, %s of %s", k, redact.URL(r.URL))
			switch pair := subject.CookieSet(r, k.Name); {
			case c.asked == nil && c.report.Outcome == "empty" && c.visit.Bare(k.Name):
				return c.gave + "; " + seen, nil
			case c.asked == nil || pair == "" || strings.Contains(wire.HeaderValue(c.asked.Header, "Cookie"), k.Name+"="):
			default:
				again := subject.Resend(*c.asked)
				again.Header.Set("Cookie", strings.TrimPrefix(wire.HeaderValue(c.asked.Header, "Cookie")+"; "+pair, "; "))
				if ev, token := c.send("the same request with the cookie that the login set", again); token {
					return c.answered(*c.asked) + "; " + seen + ", and with it the same request brings a token", []subject.Evidence{ev}
				}
			}
		}
	}
	return "", nil
}

// cookieKeptBack tells a request without cookies that the browser has, or was
// given, and keeps to itself.
func cookieKeptBack(c *call) (string, []subject.Evidence) {
	if text, evidence := cookieOfPath(c); text != "" {
		return text, evidence
	}
	if text, evidence := refusedAtLogin(c); text != "" {
		return text, evidence
	}
	if c.asked == nil || c.token || !slices.Contains([]int{301, 302, 303, 307, 308, 401, 403}, c.asked.Status) || wire.HeaderValue(c.asked.Header, "Cookie") != "" {
		return "", nil
	}
	told := func(kept []browser.KeptBack, what string) string {
		for _, k := range kept {
			return fmt.Sprintf("%s; the browser %s the cookie %s (%s)", c.answered(*c.asked), what, k.Name, strings.Join(k.Reasons, ", "))
		}
		return ""
	}
	if text := told(c.asked.Withheld, "has not sent"); text != "" {
		return text, nil
	}
	for _, r := range c.visit.Record.Requests {
		if r.Kindly || wire.OriginOf(r.URL) != wire.OriginOf(c.asked.URL) {
			continue
		}
		if text := told(r.Refused, "has not stored"); text != "" {
			return text, nil
		}
	}
	return "", nil
}

// withoutCredentials tells a request that lacks the cookies that the browser has
// for it by sending it once more with them. Where the refusal lacks CORS headers, so that
// the browser speaks of those alone, the token must come with them.
func withoutCredentials(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || c.last().Status >= 500 {
		return "", nil
	}
	unsaid := c.asked.CORSError == "MissingAllowOriginHeader"
	if !unsaid && (c.asked.Status == 0 || c.asked.CORSError != "") {
		return "", nil
	}
	cookies := subject.CookiesFor(c.visit.State.Cookies, c.asked.URL)
	if cookies == "" || wire.HeaderValue(c.asked.Header, "Cookie") != "" || !strings.HasPrefix(c.asked.URL, "http") {
		return "", nil
	}
	again := subject.Resend(*c.asked)
	again.Header.Set("Cookie", cookies)
	ev, token := c.send("the same request with the browser's cookies", again)
	if !token || unsaid && !allowsCredentials(ev, wire.HeaderValue(c.asked.Header, "Origin")) {
		return "", nil
	}
	return c.answered(*c.asked) + "; it was sent without the session's cookies, and with them the same request brings a token", []subject.Evidence{ev}
}

// allowsCredentials says whether a page of an origin may read an answer to its cookies.
func allowsCredentials(ev subject.Evidence, origin string) bool {
	h := ev.Exchange.Response.Header
	return origin != "" && h.Get("Access-Control-Allow-Origin") == origin && h.Get("Access-Control-Allow-Credentials") == "true"
}

func withoutFragment(raw string) string { before, _, _ := strings.Cut(raw, "#"); return before }

func unreachable(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.last().Status != 0 {
		return "", nil
	}
	text := c.answered(c.last())
	if why := c.last().BlockedReason; why != "" {
		text += " (" + why + ")"
	}
	if c.lacks(c.last().URL) {
		text += ", as the server wants a client certificate"
	}
	return text + "; " + c.gave, nil
}

// withoutAccept tells a request that is redirected unless it asks for JSON.
func withoutAccept(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || c.asked.Status/100 != 3 || strings.Contains(wire.HeaderValue(c.asked.Header, "Accept"), "json") {
		return "", nil
	}
	again := subject.Resend(*c.asked)
	again.Header.Set("Accept", "application/json")
	ev, token := c.send("the same request with Accept: application/json", again)
	if !token {
		return "", nil
	}
	return c.answered(*c.asked) + "; with Accept: application/json, the same request brings a token", []subject.Evidence{ev}
}

func sentToLogin(c *call) (string, []subject.Evidence) {
	text, _ := sentElsewhere(c)
	if text == "" {
		return "", nil
	}
	if !leadsToLogin(c.asked.URL, c.asked.ResponseHeader.Get("Location")) {
		return "", nil
	}
	return text, nil
}

func sentElsewhere(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || c.asked.Status/100 != 3 {
		return "", nil
	}
	text := c.answered(*c.asked)
	if len(c.hops) > 0 {
		text += "; there, " + c.answered(c.last())
	}
	return text, nil
}

// answeredBefore tells an answer of what stands before the endpoint.
func answeredBefore(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || c.mended != nil {
		return "", nil
	}
	if b := subject.BeforeOf(c.last()); b != nil && signedOut(c.last().ResponseHeader) == "" {
		c.inferred = true
		return c.answered(c.last()) + "; that is " + b.Who, nil
	}
	return "", nil
}

var csrfWords = regexp.MustCompile(`(?i)csrf|xsrf|authenticity.?token|request forgery|anti-?forgery|page expired|invalid_nonce|cookie check failed|unable to verify your data submission|(?:form|security) token (?:is |was |has )?(?:invalid|missing|expired|mismatch)|invalid (?:form|security) token|token mismatch`)

// saysCSRF says whether an answer is what frameworks say to a wrong CSRF token: 419 is
// Laravel's, -1 that of WordPress.
func saysCSRF(status int, body []byte) bool {
	return status == 419 || string(bytes.TrimSpace(body)) == "-1" || csrfWords.Match(body)
}

func csrfRefused(c *call) (string, []subject.Evidence) {
	if text, evidence := mendedBy("callback-csrf")(c); text != "" {
		for _, cookie := range c.visit.State.Cookies {
			if cookie.HTTPOnly && strings.Contains(text, "of the cookie "+cookie.Name+",") {
				text += "; that cookie is HttpOnly, which no script can read"
			}
		}
		return text, evidence
	}
	if c.asked == nil || c.mended != nil || !slices.Contains([]int{400, 401, 403, 419, 422}, c.last().Status) {
		return "", nil // words prove less than a request that brings a token
	}
	r := c.last()
	if !saysCSRF(r.Status, r.ResponseBody) && !csrfWords.MatchString(fmt.Sprint(r.ResponseHeader)) {
		return "", nil
	}
	c.inferred = true
	return c.answered(r), nil
}

// mendedBy tells what was confirmed by a request that brings a token.
func mendedBy(cause string) func(*call) (string, []subject.Evidence) {
	return func(c *call) (string, []subject.Evidence) {
		if c.asked == nil || c.mended == nil || c.mended.Cause != cause || c.last().Status/100 == 2 {
			return "", nil
		}
		return c.answered(c.last()) + "; with " + c.mended.What + ", the same request brings a token", nil
	}
}

// chatIDLeftOut tells a request that is refused and has no chat id in it.
func chatIDLeftOut(c *call) (string, []subject.Evidence) {
	text, _ := c.whereStatus(400, 422)
	if text == "" || slices.Contains([]int{401, 403, 404, 405, 415, 419}, c.last().Status) || c.visit.ChatID == "" {
		return "", nil
	}
	if c.visit.Carries(*c.asked) {
		return "", nil
	}
	body := "no body"
	if len(c.asked.Body) > 0 {
		body = "the body “" + subject.Quote(c.asked.Body, wire.HeaderValue(c.asked.Header, "Content-Type"), 80) + "”"
	}
	return text + "; the page sends " + body + ", and the chat's id nowhere", nil
}

// cookieTwice tells a request with two cookies of one name, by leaving one of them out.
func cookieTwice(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || !slices.Contains([]int{301, 302, 303, 307, 308, 401, 403}, c.asked.Status) {
		return "", nil
	}
	pairs := strings.Split(wire.HeaderValue(c.asked.Header, "Cookie"), "; ")
	name := func(pair string) string { before, _, _ := strings.Cut(pair, "="); return before }
	for i, pair := range pairs {
		if !slices.ContainsFunc(slices.Delete(slices.Clone(pairs), i, i+1), func(p string) bool { return name(p) == name(pair) }) {
			continue
		}
		again := subject.Resend(*c.asked)
		again.Header.Set("Cookie", strings.Join(slices.Delete(slices.Clone(pairs), i, i+1), "; "))
		if ev, token := c.send("the same request without one of two cookies of a name", again); token {
			return fmt.Sprintf("%s; two cookies called %s went with it, and without one of them the same request brings a token", c.answered(*c.asked), subject.Bound(name(pair), 60)), []subject.Evidence{ev}
		}
	}
	return "", nil
}

func endpointError(c *call) (string, []subject.Evidence) { return c.whereStatus(500, 599) }

func unauthorized(c *call) (string, []subject.Evidence) {
	text, _ := c.whereStatus(401, 401)
	if text == "" {
		text, _ = c.whereStatus(403, 403)
	}
	if text == "" && c.asked != nil && signedOut(c.last().ResponseHeader) != "" {
		text, _ = c.whereStatus(400, 499)
	}
	if text == "" {
		return "", nil
	}
	if why := signedOut(c.last().ResponseHeader); why != "" {
		text += "; its header says " + why
	}
	if why := subject.RefusedFor(c.last().ResponseHeader); why != "" && !strings.Contains(text, why) {
		text += "; WWW-Authenticate says “" + why + "”"
	}
	if what := c.ofBearer(); what != "" {
		return text + "; " + what, nil
	}
	if text != "" && c.loggedIn && wire.HeaderValue(c.asked.Header, "Cookie") == "" && wire.HeaderValue(c.asked.Header, "Authorization") == "" {
		text += "; no cookie and no Authorization went with it"
	}
	if text != "" && !c.loggedIn {
		text += "; no login was given (page.login in kindlytest.yaml)"
	}
	return text, nil
}

// signedOut is what an answer's header says of a session that is none.
func signedOut(h http.Header) string {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if value := wire.HeaderValue(h, name); authStatus.MatchString(name) && noSession.MatchString(value) {
			text := name + ": " + subject.Bound(value, 60)
			if why := wire.HeaderValue(h, authStatus.ReplaceAllString(name, "${1}Reason")); why != "" {
				text += " (" + subject.Bound(why, 100) + ")"
			}
			return text
		}
	}
	return ""
}

func refuses(c *call) (string, []subject.Evidence) {
	text, evidence := c.whereStatus(400, 499)
	if text != "" && c.last().Status == 404 && c.asksRelatively() {
		text += "; the page's URL is relative"
	}
	return text, evidence
}

// asksRelatively says whether the page writes what it asks for as a path from its own.
func (c *call) asksRelatively() bool {
	page, err := url.Parse(c.visit.State.URL)
	if err != nil {
		return false
	}
	folder := wire.OriginOf(c.visit.State.URL) + page.EscapedPath()
	folder = folder[:strings.LastIndex(folder, "/")+1]
	rest, below := strings.CutPrefix(c.asked.URL, folder)
	rest, _, _ = strings.Cut(rest, "?")
	return below && rest != "" && page.EscapedPath() != "/" && pageHas(c.visit, regexp.MustCompile("[\"'`](?:\\./)?"+regexp.QuoteMeta(rest)+"[\"'`?]"))
}

func (c *call) whereStatus(from, to int) (string, []subject.Evidence) {
	if c.asked == nil || c.last().Status < from || c.last().Status > to {
		return "", nil
	}
	return c.answered(c.last()), nil
}
