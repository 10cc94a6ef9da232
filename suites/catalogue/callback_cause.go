package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// A call is one call of the page's callback that gave no token, and what the
// page asked for meanwhile.
type call struct {
	report mockkindly.CallbackReport
	visit  *subject.Visit
	// asked is the request that the token was to come from, and hops what
	// redirects made of it; none if the callback asked nobody.
	asked    *browser.Request
	hops     []browser.Request
	loggedIn bool   // a login was given
	token    bool   // its answer holds one
	gave     string // what the callback gave or threw, in words
	send     func(title string, r wire.Request) (subject.Evidence, bool)
}

// A callbackCause is one mistake by which a callback comes to give no token.
type callbackCause struct {
	id  string
	fix string
	// tell says what was seen of it; "" if it is not this one. It may send a
	// request to make sure, and returns that as evidence.
	tell func(c *call) (string, []subject.Evidence)
}

// callbackCauses are looked at in this order: what happened first on the way of
// the token explains what came after it.
var callbackCauses = []callbackCause{
	{"callback-blocked-by-policy", "Allow the auth endpoint's origin in connect-src of the page's Content-Security-Policy.", blockedRequest},
	{"callback-without-credentials", `Fetch with credentials: "include", and let the endpoint allow the page's origin with credentials: without it, browsers send no cookies to another origin.`, withoutCredentials},
	{"callback-cors", "Let the endpoint answer the page's own origin in Access-Control-Allow-Origin, and true in Access-Control-Allow-Credentials where cookies are sent; answer the preflight (OPTIONS) with 2xx, POST and content-type in the same way.", corsRefused},
	{"callback-unreachable", "Is the endpoint running, and is its URL right? Open the page, and look at the Network panel.", unreachable},
	{"callback-redirected-to-login", "Answer the auth endpoint's requests with 401 instead of a redirect: take it out of the middleware that guards pages. And see why it finds no session.", sentToLogin},
	{"callback-redirected", "Call the URL that answers: a redirect of a POST loses the body or the method.", sentElsewhere},
	{"callback-csrf", "Send your framework's CSRF token with the request, as other forms and scripts of the page do (Django: the header X-CSRFToken; Laravel, Rails: X-CSRF-TOKEN from the meta tag; Angular, Spring: X-XSRF-TOKEN).", csrfRefused},
	{"callback-endpoint-error", "Mend the endpoint: its own log has the error. If the message is about the key, look at how it is read: a PEM in an environment variable often has \\n as two characters (key.replace(/\\\\n/g, \"\\n\")).", endpointError},
	{"callback-unauthorized", "Find out why the endpoint does not know the session: does the cookie or header of the session reach it?", unauthorized},
	{"callback-endpoint-refuses", "Send what the endpoint expects (URL, method, content type, name of the chat id), or let it take what the page sends.", refuses},
	{"callback-no-return", "Return the promise: `return fetch(…)` (a function with braces returns nothing by itself), and return in each `then`, or use await.", notReturned},
	{"callback-whole-answer", "Return the token alone: `return (await response.json()).token`.", wholeAnswer},
	{"callback-member-name", "Read the token where the answer has it.", memberName},
	{"callback-html", "Let the endpoint answer JSON with the token. A page for people here is mostly the application's catch-all route, or a login page with status 200: is the URL right?", htmlAnswer},
	{"callback-envelope", "Answer errors with their own status (401, 500), not 200, and mend what the message says.", envelope},
	{"callback-answer-without-token", "Let the endpoint answer {\"token\": \"…\"}.", withoutToken},
	{"callback-throws", "Handle the errors of the callback; return null where there is no token.", throws},
	{"callback-asks-nobody", "", asksNobody},
}

// diagnose says why a callback gave no token.
func diagnose(c *call) subject.Verdict {
	const expected = "a token, a string"
	evidence := c.evidence()
	for _, cause := range callbackCauses {
		if text, more := cause.tell(c); text != "" {
			return subject.Violated(expected, text).Because(cause.id).Fix(cause.fix).With(evidence...).With(more...)
		}
	}
	return subject.Violated(expected, c.gave).With(evidence...)
}

// newCall looks for what a visit's callback asked for.
func newCall(ctx context.Context, s *subject.Session, v *subject.Visit) *call {
	c := &call{report: *v.Callback, visit: v, loggedIn: s.Target.Login != nil, gave: describeCallback(*v.Callback, s.Target.Login != nil)}
	all := v.Asked()
	for i, r := range all {
		if c.asked == nil || r.ID != c.asked.ID {
			c.asked, c.hops = &all[i], nil
		} else {
			c.hops = append(c.hops, r)
		}
		if found(r) {
			c.token = true
			break
		}
	}
	c.send = func(title string, r wire.Request) (subject.Evidence, bool) {
		ev, raw := s.Ask(ctx, title, r)
		return ev, raw != "" && ev.Exchange.Status()/100 == 2
	}
	c.readUnread()
	return c
}

// readUnread makes a request again whose answer the page left unread, as it does
// with an error: then the browser has no body of it, and the body says why.
func (c *call) readUnread() {
	if c.asked == nil {
		return
	}
	r := c.last()
	if r.Status < 300 || len(r.ResponseBody) > 0 || r.Duration > 0 || len(c.hops) > 0 {
		return
	}
	ev, _ := c.send("the same request, made again to read the answer", subject.Resend(r))
	if ev.Exchange.Status() == r.Status {
		r.ResponseBody = ev.Exchange.Body()
		c.asked = &r
	}
}

// found says whether an answer brought a token.
func found(r browser.Request) bool {
	return r.Status/100 == 2 && subject.HoldsToken(subject.RequestEvidence("", r).Exchange)
}

func (c *call) evidence() []subject.Evidence {
	var out []subject.Evidence
	if c.asked != nil {
		for _, r := range append([]browser.Request{*c.asked}, c.hops...) {
			out = append(out, subject.RequestEvidence("what the callback asked for, and the answer", r))
		}
	}
	return out[:min(len(out), 4)]
}

// last is the request that was answered in the end.
func (c *call) last() browser.Request {
	if len(c.hops) > 0 {
		return c.hops[len(c.hops)-1]
	}
	return *c.asked
}

func (c *call) answered(r browser.Request) string { return subject.Answered(r, c.visit.ChatURL()) }

func blockedRequest(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.asked.BlockedReason != "csp" {
		return "", nil
	}
	return "the page's own Content-Security-Policy keeps it from asking " + subject.SafeURL(c.asked.URL) + " for the token", nil
}

// withoutCredentials tells a request that lacks the cookies that the browser has
// for it by sending it once more with them.
func withoutCredentials(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || c.asked.Status == 0 || c.asked.CORSError != "" || c.last().Status >= 500 {
		return "", nil
	}
	cookies := subject.CookiesFor(c.visit.State.Cookies, c.asked.URL)
	if cookies == "" || wire.HeaderValue(c.asked.Header, "Cookie") != "" || !strings.HasPrefix(c.asked.URL, "http") {
		return "", nil
	}
	again := subject.Resend(*c.asked)
	again.Header.Set("Cookie", cookies)
	ev, token := c.send("the same request with the browser's cookies", again)
	if !token {
		return "", nil
	}
	return c.answered(*c.asked) + "; it was sent without the session's cookies, and with them the same request brings a token", []subject.Evidence{ev}
}

func corsRefused(c *call) (string, []subject.Evidence) {
	if c.asked == nil {
		return "", nil
	}
	for _, r := range append([]browser.Request{*c.asked}, c.hops...) {
		if sentence := corsSentence(c.visit.Record, r); sentence != "" {
			return sentence, nil
		}
		if r.CORSError != "" {
			return c.answered(r) + " (CORS: " + r.CORSError + ")", nil
		}
	}
	return "", nil
}

// maxSentence is longer than Chrome's longest sentence, but for its URLs.
const maxSentence = 1200

// corsSentence is what Chrome says of a request that CORS forbade, whole: the
// cause stands at its end.
func corsSentence(record browser.Record, r browser.Request) string {
	for _, e := range record.Console {
		if strings.Contains(e.Text, "CORS policy") && strings.Contains(e.Text, "'"+withoutFragment(r.URL)+"'") {
			return subject.Bound(e.Text, maxSentence)
		}
	}
	return ""
}

func withoutFragment(raw string) string { before, _, _ := strings.Cut(raw, "#"); return before }

func unreachable(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.last().Status != 0 {
		return "", nil
	}
	return c.answered(c.last()) + "; " + c.gave, nil
}

func sentToLogin(c *call) (string, []subject.Evidence) {
	text, _ := sentElsewhere(c)
	if text == "" {
		return "", nil
	}
	to, err := url.Parse(c.asked.ResponseHeader.Get("Location"))
	if err != nil || !loginPath.MatchString(to.Path) {
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

var csrfWords = regexp.MustCompile(`(?i)csrf|xsrf|authenticity.?token|request forgery|anti-?forgery|page expired`)

// csrfHeaders are how frameworks want the CSRF token that stands in a cookie.
var csrfHeaders = map[string]string{"csrftoken": "X-CSRFToken", "XSRF-TOKEN": "X-XSRF-TOKEN", "csrf-token": "X-CSRF-Token", "_csrf": "X-CSRF-Token"}

func csrfRefused(c *call) (string, []subject.Evidence) {
	if c.asked == nil || !slices.Contains([]int{400, 401, 403, 419, 422}, c.last().Status) {
		return "", nil
	}
	r := c.last()
	if c.last().Status != 419 && !csrfWords.Match(r.ResponseBody) && !csrfWords.MatchString(fmt.Sprint(r.ResponseHeader)) {
		return "", nil
	}
	text := c.answered(r)
	for _, k := range c.visit.State.Cookies {
		header := csrfHeaders[k.Name]
		if header == "" {
			continue
		}
		again := subject.Resend(*c.asked)
		value, err := url.QueryUnescape(k.Value)
		if err != nil {
			value = k.Value
		}
		again.Header.Set(header, value)
		if ev, token := c.send("the same request with the CSRF token of the cookie "+k.Name, again); token {
			return text + fmt.Sprintf("; with the cookie %s in the header %s, the same request brings a token", k.Name, header), []subject.Evidence{ev}
		}
	}
	return text, nil
}

func endpointError(c *call) (string, []subject.Evidence) { return c.whereStatus(500, 599) }

func unauthorized(c *call) (string, []subject.Evidence) {
	text, _ := c.whereStatus(401, 401)
	if text == "" {
		text, _ = c.whereStatus(403, 403)
	}
	if text != "" && !c.loggedIn {
		text += "; no login was given (page.login in kindlytest.yaml)"
	}
	return text, nil
}

func refuses(c *call) (string, []subject.Evidence) { return c.whereStatus(400, 499) }

func (c *call) whereStatus(from, to int) (string, []subject.Evidence) {
	if c.asked == nil || c.last().Status < from || c.last().Status > to {
		return "", nil
	}
	return c.answered(c.last()), nil
}

// notReturned tells a callback that did not wait for what it had asked for.
func notReturned(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.report.Outcome != "empty" || c.report.Type != "undefined" {
		return "", nil
	}
	early := c.report.Sync || c.report.Elapsed < time.Millisecond || c.report.Elapsed < c.last().Duration/2
	switch {
	case c.token && early:
		return "it gave undefined though " + c.asks() + " brought a token", nil
	case c.report.Sync:
		return "it gave undefined at once, while " + c.asks() + " was on its way", nil
	}
	return "", nil
}

func (c *call) asks() string {
	text, _, _ := strings.Cut(c.answered(*c.asked), ": ")
	return text
}

func wholeAnswer(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.report.Outcome != "not-a-string" || !c.token {
		return "", nil
	}
	return c.gave + "; the token is in the answer of " + c.asks(), nil
}

func memberName(c *call) (string, []subject.Evidence) {
	if c.asked == nil || !c.token || c.report.Outcome != "empty" {
		return "", nil
	}
	name, at := tokenMember(c.last().ResponseBody), ""
	if name == "" {
		return "it gave " + c.report.Type + ", though the answer of " + c.asks() + " holds a token", nil
	}
	if name != "token" && readsToken(c.visit) {
		at = ", the page reads `token`"
	}
	return fmt.Sprintf("the answer of %s has `%s`%s: it gave %s", c.asks(), name, at, c.report.Type), nil
}

// compact is what a token looks like.
var compact = regexp.MustCompile(`^ey[\w-]+\.[\w-]+\.[\w-]*$`)

// tokenMember is the path of the member of a JSON answer that holds a token.
func tokenMember(body []byte) string {
	var answer any
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return memberWithToken(answer, "", 4)
}

func memberWithToken(v any, path string, depth int) string {
	switch v := v.(type) {
	case string:
		if compact.MatchString(v) {
			return path
		}
	case map[string]any:
		for _, name := range sortedKeys(v) {
			if found := memberWithToken(v[name], strings.TrimPrefix(path+"."+name, "."), depth-1); depth > 0 && found != "" {
				return found
			}
		}
	}
	return ""
}

func sortedKeys(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

var tokenRead = regexp.MustCompile(`\.token\b|\[["']token["']\]|[{,]\s*token\s*[},:]`)

// readsToken says whether the page's own code reads a member called token.
func readsToken(v *subject.Visit) bool {
	return slices.ContainsFunc(v.Record.Requests, func(r browser.Request) bool {
		return !r.Kindly && (r.ResourceType == "Document" || r.ResourceType == "Script") && tokenRead.Match(r.ResponseBody)
	})
}

func htmlAnswer(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || c.last().Status/100 != 2 || !subject.IsHTML(c.last()) {
		return "", nil
	}
	return c.answered(c.last()), nil
}

func envelope(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || c.last().Status/100 != 2 {
		return "", nil
	}
	var answer map[string]any
	if json.Unmarshal(c.last().ResponseBody, &answer) != nil {
		return "", nil
	}
	status, _ := answer["statusCode"].(float64)
	if n, ok := answer["status"].(float64); ok && status == 0 {
		status = n
	}
	failed := answer["success"] == false || answer["ok"] == false
	for _, name := range []string{"error", "errors"} {
		failed = failed || answer[name] != nil && answer[name] != false && answer[name] != ""
	}
	if _, inBody := answer["body"]; status < 400 && !failed && !(inBody && status != 0) {
		return "", nil
	}
	members := sortedKeys(answer)
	return fmt.Sprintf("%s: the answer is an envelope {%s} without a token", c.answered(c.last()), strings.Join(members[:min(6, len(members))], ", ")), nil
}

func withoutToken(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || c.last().Status/100 != 2 {
		return "", nil
	}
	return c.answered(c.last()) + ": the answer holds no token; " + c.gave, nil
}

func throws(c *call) (string, []subject.Evidence) {
	if c.report.Outcome != "threw" && c.report.Outcome != "rejected" {
		return "", nil
	}
	return c.gave, nil
}

func asksNobody(c *call) (string, []subject.Evidence) {
	if c.asked != nil {
		return "", nil
	}
	return c.gave, nil
}
