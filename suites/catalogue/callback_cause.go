package catalogue

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
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
	loggedIn bool             // a login was given
	token    bool             // its answer holds one
	gave     string           // what the callback gave or threw, in words
	mended   *subject.Mending // by which the same request brings a token
	send     func(title string, r wire.Request) (subject.Evidence, bool)
}

// A callbackCause is one mistake by which a callback comes to give no token.
type callbackCause struct {
	id  string
	fix string
	// tell says what was seen of it; "" if it is not this one. It may send a
	// request to make sure, and returns that as evidence.
	tell func(c *call) (string, []subject.Evidence)
	// closer are fixes for what was seen, where that says more.
	closer []closerFix
}

// A closerFix is what to do where what was seen fits a pattern.
type closerFix struct {
	seen *regexp.Regexp
	fix  string
}

func (c callbackCause) fixFor(seen string) string {
	for _, f := range c.closer {
		if f.seen.MatchString(seen) {
			return f.fix
		}
	}
	return c.fix
}

// ofCORS are told by Chrome's sentence.
var ofCORS = []closerFix{
	{regexp.MustCompile(`contains multiple values`), "Two add Access-Control-Allow-Origin, mostly the app and a proxy before it: let one of them do it, for the preflight too."},
	{regexp.MustCompile(`does not have HTTP ok status`), "Answer the preflight (OPTIONS) with 204 and the headers, before anything looks for a session: browsers send no cookies and no tokens with it."},
	{regexp.MustCompile(`Request header field \S+ is not allowed`), "Name that header in Access-Control-Allow-Headers of the preflight's answer."},
	{regexp.MustCompile(`Method \S+ is not allowed`), "Name that method in Access-Control-Allow-Methods of the preflight's answer."},
	{regexp.MustCompile(`has a value '[^']*' that is not equal`), "Answer the page's own origin to the letter: scheme, host and port, and no slash at the end."},
	{regexp.MustCompile(`wildcard '\*' when`), "Answer the page's own origin in Access-Control-Allow-Origin, for * does not go with cookies, and true in Access-Control-Allow-Credentials."},
	{regexp.MustCompile(`'Access-Control-Allow-Credentials' header`), "Answer true in Access-Control-Allow-Credentials, for the preflight too: the page sends cookies."},
	{regexp.MustCompile(`Redirect is not allowed for a preflight`), "Call the URL that answers: the endpoint redirects the preflight (to https, to a slash, to a login), and browsers don't follow."},
}

// ofRefusals are told by the status.
var ofRefusals = []closerFix{
	{regexp.MustCompile(`: 405\b`), "Let the endpoint take the method that the page uses (POST), or let the page use the endpoint's."},
	{regexp.MustCompile(`: 404\b`), "Compare the path with the route that the app serves: nothing may be there, or a proxy cuts a part off."},
	{regexp.MustCompile(`: 415\b`), `Say what the body is: headers: {"Content-Type": "application/json"}.`},
	{regexp.MustCompile(`: 429\b`), "The page asks too often, or the endpoint allows too little: Kindly asks once for each chat, and again before the token expires."},
}

// ofErrors are told by what was thrown, where the answer is as it should be.
var ofErrors = []closerFix{
	{regexp.MustCompile(`\[object Object\]|Unexpected token '?o'?,? `), "Leave JSON.parse out: response.json() and axios have parsed the answer, and JSON.parse makes a text of it first."},
	{regexp.MustCompile(`already read|body used already|already been (?:read|consumed)|body is (?:disturbed|locked)`), "Read the answer once, with response.json(): neither a second time nor for a log."},
	{regexp.MustCompile(`\.json is not a function`), "Leave json() out: axios and jQuery have parsed the answer (axios: response.data.token)."},
	{regexp.MustCompile(`is not defined`), "Define that name where the callback can see it, or import it: it is called when the chat starts, maybe before other scripts have run."},
}

// ofAnswers are told by the answer that has no token.
var ofAnswers = []closerFix{
	{regexp.MustCompile(`"type":\s*"Buffer"`), "Write the token into the answer as text: token.toString()."},
	{regexp.MustCompile(`"\w*(?i:token|jwt)":\s*\{\}`), "Wait for the signing, which gives a promise (jose's sign(), util.promisify(jwt.sign)): {\"token\": await sign(…)}."},
	{regexp.MustCompile(`"\{\}"`), "See what is written into the answer: JSON leaves out what is undefined, as jwt.sign gives it where it is called with a callback."},
	{regexp.MustCompile(`: 20[45]\b`), "Answer 200 with a body, {\"token\": \"…\"}: 204 has none, and is what frameworks send where no body was set."},
}

// callbackCauses are looked at in this order: what happened first on the way of
// the token explains what came after it.
var callbackCauses = []callbackCause{
	{"callback-blocked-by-policy", "Allow the auth endpoint's origin in connect-src of the page's Content-Security-Policy.", blockedRequest, nil},
	{"callback-cookie-kept-back", "", cookieKeptBack, []closerFix{
		{regexp.MustCompile(`SameSiteNoneInsecure`), "Set the cookie with Secure, over https: browsers drop SameSite=None without it."},
		{regexp.MustCompile(`SecureOnly|SchemeMismatch`), "Ask over https: the cookie is Secure, and the request is not."},
		{regexp.MustCompile(`ThirdParty|UserPreferences`), "Serve the endpoint from the page's own site, at best its own origin: browsers keep third parties' cookies back."},
		{regexp.MustCompile(`.`), "Serve the endpoint from the page's own site (its own origin at best, through a proxy): to another site browsers send only cookies with SameSite=None; Secure, and some send none."}}},
	{"callback-without-credentials", `Fetch with credentials: "include", and let the endpoint allow the page's origin with credentials: without it, browsers send no cookies to another origin.`, withoutCredentials, nil},
	{"callback-endpoint-error", fixEndpointError, errorBehindCORS, nil},
	{"callback-cors", "Let the endpoint answer the page's own origin in Access-Control-Allow-Origin, and true in Access-Control-Allow-Credentials where cookies are sent; answer the preflight (OPTIONS) with 2xx, POST and content-type in the same way.", corsRefused, ofCORS},
	{"callback-redirected-to-login", "Answer the auth endpoint's requests with 401 instead of a redirect: take it out of the middleware that guards pages. And see why it finds no session.", sentToLogin, nil},
	{"callback-redirected", "Call the URL that answers: a redirect of a POST loses the body or the method.", sentElsewhere, nil},
	{"callback-unreachable", "Is the endpoint running, and is its URL right? Open the page, and look at the Network panel.", unreachable, nil},
	{"callback-csrf", "Send your framework's CSRF token with the request, as other forms and scripts of the page do (Django: the header X-CSRFToken; Laravel, Rails: X-CSRF-TOKEN from the meta tag; Angular, Spring: X-XSRF-TOKEN).", csrfRefused, nil},
	{"callback-without-content-type", `Say what the body is: headers: {"Content-Type": "application/json"}. Without it browsers say text/plain, and body parsers leave it alone.`, mendedBy("callback-without-content-type"), nil},
	{"callback-wrong-slash", "Call the path exactly as the server has it.", mendedBy("callback-wrong-slash"), nil},
	{"callback-chat-id-name", "Let the page send the chat id by the name that the endpoint reads, or let the endpoint read the page's.", mendedBy("callback-chat-id-name"), nil},
	{"callback-endpoint-error", fixEndpointError, endpointError, nil},
	{"callback-bearer-missing", "See where the page keeps its session's token: the storage, the key's name, whether it is there yet when the chat starts.", bearerMissing, nil},
	{"callback-unauthorized", "Find out why the endpoint does not know the session: does the cookie or header of the session reach it?", unauthorized, []closerFix{
		{regexp.MustCompile(`: 403\b`), "Find out why the endpoint turns the user away: does the session reach it, may this user ask, and does the framework want a CSRF token for a POST (Spring answers 403 then, without a word)?"}}},
	{"callback-endpoint-refuses", "Send what the endpoint expects (URL, method, content type, name of the chat id), or let it take what the page sends.", refuses, ofRefusals},
	{"callback-no-return", "Return the promise: `return fetch(…)` (a function with braces returns nothing by itself), and return in each `then`, or use await.", notReturned, nil},
	{"callback-whole-answer", "Return the token alone: `return (await response.json()).token`.", wholeAnswer, nil},
	{"callback-encoded-twice", "Give the object to what writes JSON, and not a text: res.json({token}), not res.json(JSON.stringify({token})).", encodedTwice, nil},
	{"callback-not-awaited", "Wait for the answer's JSON: `const data = await response.json(); return data.token`. Without await it is a promise, which has no token.", notAwaited, nil},
	{"callback-member-name", "Read the token where the answer has it.", memberName, nil},
	{"callback-html", "Let the endpoint answer JSON with the token. A page for people here is mostly the application's catch-all route, or a login page with status 200: is the URL right?", htmlAnswer, nil},
	{"callback-envelope", "Answer errors with their own status (401, 500), not 200, and mend what the message says.", envelope, nil},
	{"callback-unreadable", "Let Content-Encoding and Content-Length say what the body is: compressed by the app and by the proxy, or said to be and not, or of another length.", unreadableAnswer, nil},
	{"callback-answer-without-token", "Let the endpoint answer {\"token\": \"…\"}.", withoutToken, ofAnswers},
	{"callback-throws", "See where the callback throws, and return null where there is no token.", throws, ofErrors},
	{"callback-asks-nobody", "", asksNobody, nil},
}

const fixEndpointError = "Mend the endpoint: its own log has the error. If the message is about the key, look at how it is read: a PEM in an environment variable often has \\n as two characters (key.replace(/\\\\n/g, \"\\n\"))."

// diagnose says why a callback gave no token.
func diagnose(c *call) subject.Verdict {
	const expected = "a token, a string"
	evidence := c.evidence()
	for _, cause := range callbackCauses {
		if text, more := cause.tell(c); text != "" {
			return subject.Violated(expected, text).Because(cause.id).Fix(cause.fixFor(text)).With(evidence...).With(more...)
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
	if e, err := s.Endpoint(); err == nil && !c.token {
		c.mended = e.Mended
	}
	return c
}

// readUnread makes a request again whose answer the page left unread, as it does
// with an error: then the browser has no body of it, and the body says why.
func (c *call) readUnread() {
	if c.asked == nil {
		return
	}
	r := c.last()
	if r.Status < 200 || r.Status == 204 || len(r.ResponseBody) > 0 || r.Duration > 0 || len(c.hops) > 0 {
		return
	}
	ev, token := c.send("the same request, made again to read the answer", subject.Resend(r))
	if ev.Exchange.Status() == r.Status {
		r.ResponseBody = ev.Exchange.Body()
		c.asked, c.token = &r, c.token || token
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

// cookieKeptBack tells a request without cookies that the browser has, or was
// given, and keeps to itself.
func cookieKeptBack(c *call) (string, []subject.Evidence) {
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
		if r.Kindly || subject.OriginOf(r.URL) != subject.OriginOf(c.asked.URL) {
			continue
		}
		if text := told(r.Refused, "has not stored"); text != "" {
			return text, nil
		}
	}
	return "", nil
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

// errorBehindCORS tells an error whose answer lacks the headers that others have:
// the browser speaks of CORS alone.
func errorBehindCORS(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.asked.CORSError != "MissingAllowOriginHeader" || len(c.hops) > 0 {
		return "", nil
	}
	ev, _ := c.send("the same request, made again to read the answer", subject.Resend(*c.asked))
	if ev.Exchange.Status() < 500 {
		return "", nil
	}
	return "the same request gets " + subject.WhatAnswered(ev.Exchange) + "; that answer has no CORS headers, so that the browser speaks only of those", []subject.Evidence{ev}
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

var csrfWords = regexp.MustCompile(`(?i)csrf|xsrf|authenticity.?token|request forgery|anti-?forgery|page expired`)

func csrfRefused(c *call) (string, []subject.Evidence) {
	if text, evidence := mendedBy("callback-csrf")(c); text != "" {
		return text, evidence
	}
	if c.asked == nil || !slices.Contains([]int{400, 401, 403, 419, 422}, c.last().Status) {
		return "", nil
	}
	r := c.last()
	if r.Status != 419 && !csrfWords.Match(r.ResponseBody) && !csrfWords.MatchString(fmt.Sprint(r.ResponseHeader)) {
		return "", nil
	}
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

var noBearer = regexp.MustCompile(`(?i)^(?:(?:bearer|token|jwt)\s*)?(null|undefined|none|nan|\[object \w+\]|\{\}|)$`)

// bearerMissing tells a request whose Authorization holds what a language makes of
// a value that is missing.
func bearerMissing(c *call) (string, []subject.Evidence) {
	text, _ := c.whereStatus(400, 403)
	if text == "" {
		return "", nil
	}
	for _, value := range c.asked.Header.Values("Authorization") {
		if m := noBearer.FindStringSubmatch(strings.TrimSpace(value)); m != nil {
			return fmt.Sprintf("%s; in the page's Authorization stands “%s” instead of a token", text, cmp.Or(m[1], "nothing")), nil
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

// encodedTwice tells an answer that is a JSON string, with the JSON in it.
func encodedTwice(c *call) (string, []subject.Evidence) {
	if c.asked == nil || !c.token {
		return "", nil
	}
	var text string
	if json.Unmarshal(c.last().ResponseBody, &text) != nil || tokenMember([]byte(text)) == "" {
		return "", nil
	}
	return "the answer of " + c.asks() + " is a text with JSON in it, not an object; " + c.gave, nil
}

// unawaited is an answer's JSON that is put somewhere without waiting for it.
var unawaited = regexp.MustCompile(`=\s*[\w.]+\.json\(\)`)

// notAwaited tells a page that reads a promise.
func notAwaited(c *call) (string, []subject.Evidence) {
	if c.asked == nil || !c.token || c.report.Outcome != "empty" || tokenMember(c.last().ResponseBody) != "token" || !pageHas(c.visit, unawaited) {
		return "", nil
	}
	return "it gave " + c.report.Type + ", though the answer of " + c.asks() + " has `token`, and the page reads that", nil
}

func memberName(c *call) (string, []subject.Evidence) {
	misses := c.report.Outcome == "empty" || readsNothing.MatchString(c.report.Error)
	if c.asked == nil || !c.token || !misses {
		return "", nil
	}
	name, at := tokenMember(c.last().ResponseBody), ""
	if c.report.Error != "" {
		return fmt.Sprintf("the answer of %s has `%s`: %s", c.asks(), name, c.gave), nil
	}
	if name == "" {
		return "it gave " + c.report.Type + ", though the answer of " + c.asks() + " holds a token", nil
	}
	if name != "token" && readsToken(c.visit) {
		at = ", the page reads `token`"
	}
	return fmt.Sprintf("the answer of %s has `%s`%s: it gave %s", c.asks(), name, at, c.report.Type), nil
}

// readsNothing is what browsers throw where a member is read of what is not there.
var readsNothing = regexp.MustCompile(`(?i)cannot read propert\w+ (?:of |'\w+' of )(?:undefined|null)|(?:undefined|null) is not an object|can't access property`)

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
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if found := memberWithToken(v[name], strings.TrimPrefix(path+"."+name, "."), depth-1); depth > 0 && found != "" {
				return found
			}
		}
	}
	return ""
}

var tokenRead = regexp.MustCompile(`\.token\b|\[["']token["']\]|[{,]\s*token\s*[},:]`)

// readsToken says whether the page's own code reads a member called token.
func readsToken(v *subject.Visit) bool { return pageHas(v, tokenRead) }

// pageHas says whether the page's own code has something.
func pageHas(v *subject.Visit, what *regexp.Regexp) bool {
	return slices.ContainsFunc(v.Record.Requests, func(r browser.Request) bool {
		return !r.Kindly && (r.ResourceType == "Document" || r.ResourceType == "Script") && what.Match(r.ResponseBody)
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
	members := slices.Sorted(maps.Keys(answer))
	return fmt.Sprintf("%s: the answer is an envelope {%s} without a token", c.answered(c.last()), strings.Join(members[:min(6, len(members))], ", ")), nil
}

// unreadableAnswer tells an answer that came and could not be read.
func unreadableAnswer(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.last().Status/100 != 2 || c.last().Error == "" || c.last().CORSError != "" {
		return "", nil
	}
	return c.answered(c.last()) + ": " + c.last().Error + "; " + c.gave, nil
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
