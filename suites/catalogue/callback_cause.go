package catalogue

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

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
	inferred bool             // what was told last rests on the words of an answer alone
	is       func() string    // what it gives that is no string, in words
	send     func(title string, r wire.Request) (subject.Evidence, bool)
	lacks    func(url string) bool // a client certificate that a server wants
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

// fixFor is what to do about what was seen; what the page's own script threw is no
// server's message, though it reads like one.
func (c callbackCause) fixFor(seen, thrown string) string {
	for _, f := range c.closer {
		if f.seen.MatchString(seen) {
			return f.fix
		}
	}
	if c.id == "endpoint-behind-other" {
		for _, b := range subject.Befores() {
			if strings.Contains(seen, b.Who) {
				return b.Asked
			}
		}
	}
	if c.id == "callback-cookie-kept-back" {
		return subject.FixOfKeptCookie(seen)
	}
	if thrown != "" {
		seen = strings.ReplaceAll(seen, thrown, "")
	}
	return cmp.Or(subject.FixOfAnswer([]byte(seen)), c.fix)
}

// ofCORS are told by Chrome's sentence.
var ofCORS = []closerFix{
	{regexp.MustCompile(`contains multiple values`), "Two add Access-Control-Allow-Origin, mostly the app and a proxy before it: let one of them do it, for the preflight too."},
	{regexp.MustCompile(`does not have HTTP ok status`), "Answer the preflight (OPTIONS) with 204 and the headers, before anything looks for a session: browsers send no cookies and no tokens with it."},
	{regexp.MustCompile(`Request header field .*; the preflight's answer allows \*`), "Name that header in Access-Control-Allow-Headers: * stands for no header where cookies go along (credentials), and never for Authorization."},
	{regexp.MustCompile(`; the preflight is answered [^2]`), "Answer the preflight (OPTIONS) with 204 and the headers, before anything looks for a session: browsers send no cookies and no tokens with it."},
	{regexp.MustCompile(`Request header field \S+ is not allowed`), "Name that header in Access-Control-Allow-Headers of the preflight's answer."},
	{regexp.MustCompile(`Method \S+ is not allowed`), "Name that method in Access-Control-Allow-Methods of the preflight's answer."},
	{regexp.MustCompile(`has a value '[^']*' that is not equal`), "Answer the page's own origin to the letter: scheme, host and port, and no slash at the end."},
	{regexp.MustCompile(`wildcard '\*' when`), "Answer the page's own origin in Access-Control-Allow-Origin, for * does not go with cookies, and true in Access-Control-Allow-Credentials."},
	{regexp.MustCompile(`'Access-Control-Allow-Credentials' header`), "Answer true in Access-Control-Allow-Credentials, for the preflight too: the page sends cookies."},
	{regexp.MustCompile(`Redirect is not allowed for a preflight`), "Call the URL that answers: the endpoint redirects the preflight (to https, to a slash, to a login), and browsers don't follow."},
}

// ofSilence are told by Chrome's name for what failed.
var ofSilence = []closerFix{
	{regexp.MustCompile(`ERR_CERT_DATE_INVALID`), "Renew the endpoint's certificate: it has expired, or is not valid yet."},
	{regexp.MustCompile(`ERR_CERT_COMMON_NAME_INVALID`), "Get a certificate for the endpoint's host name, or call it by a name that its certificate has."},
	{regexp.MustCompile(`ERR_CERT_AUTHORITY_INVALID`), "The endpoint's certificate is self-signed, lacks the intermediate, or is of a private authority (--ca-file FILE, ca_file in kindlytest.yaml)."},
	{regexp.MustCompile(`CLIENT_AUTH_CERT|wants a client certificate`), "The endpoint's server wants a client certificate: " + subject.ClientCertificate + ", with the endpoint's origin among its origins."},
	{regexp.MustCompile(`ERR_SSL_|ERR_HTTP2_|ERR_INVALID_HTTP_RESPONSE`), "Is it http or https, and is the port the right one? The browser and what answers there don't understand each other."},
	{regexp.MustCompile(`https?://[\w-]+/\S*: net::ERR_NAME_NOT_RESOLVED`), "That URL's host is the first part of a path, or a name inside of your network. Two slashes at the beginning (\"/\" + \"/auth\") begin a host's name: write one."},
	{regexp.MustCompile(`ERR_NAME_NOT_RESOLVED`), "The host's name is unknown: is the URL right? A name inside of your network is none for a user's browser (resolve in kindlytest.yaml names its address here)."},
	{regexp.MustCompile(`://(?:localhost|127\.0\.0\.1|\[::1\])[:/].*ERR_CONNECTION_REFUSED`), "That is the visitor's own computer: name the server's address where the page is built, best of all as a path of the page's own origin. (On your machine: the endpoint does not run, or at another port.)"},
	{regexp.MustCompile(`mixed-content`), "Serve the endpoint over https: a page of https may ask nothing over http."},
}

// missingInURL is told by a URL in which a missing value was made text.
var missingInURL = closerFix{regexp.MustCompile(`/(?:undefined|null|NaN|%5Bobject%20Object%5D|\$%7B\w*%7D|process\.env\.\w+)(?:/\S*)?: (?:40|200)`), "A part of that URL is the text of a missing value: a variable of the build that is not set where it is built, or is read under another name (Next.js gives pages only those that begin with NEXT_PUBLIC_, Vite those with VITE_)."}

// ofRefusals are told by the status.
var ofRefusals = []closerFix{
	{regexp.MustCompile(`: 405\b.*(?i:nginx|apache|cloudfront|MethodNotAllowed)`), "It is no app that answers, but a server of files: the request does not get to the app. Let what stands before it pass the endpoint's path on (nginx: location /auth { proxy_pass …; })."},
	{regexp.MustCompile(`: 405\b`), "Let the endpoint take the method that the page uses (POST), or let the page use the endpoint's. Many frameworks want a function by the method's name (export POST in Next, SvelteKit, Astro; action in Remix; @app.post)."},
	missingInURL,
	{regexp.MustCompile(`admin-ajax\.php: (?:400|200)\b.*"0"`), "WordPress has no handler for that action: add_action(\"wp_ajax_ACTION\", …) for those who are logged in (wp_ajax_nopriv_ACTION for others), with the action's name to the letter, in code that runs in admin-ajax, too; and end it with wp_send_json."},
	{regexp.MustCompile(`: 404\b.*; the page's URL is relative`), "Begin the URL with a slash, or with the origin: a path without one counts from the page that the user is on, and is another one on each."},
	{regexp.MustCompile(`: 404\b`), "Compare the path with the route that the app serves: nothing may be there, or a proxy cuts a part off."},
	{regexp.MustCompile(`: 415\b`), `Say what the body is: headers: {"Content-Type": "application/json"}.`},
	{regexp.MustCompile(`: 429\b`), "The page asks too often, or the endpoint allows too little: Kindly asks once for each chat, and again before the token expires."},
}

// ofErrors are told by what was thrown, where the answer is as it should be.
var ofErrors = []closerFix{
	{regexp.MustCompile(`\[nuxt\]|requires access to the Nuxt instance|Must be called at the top of a .setup. function|inject\(\) (?:can only be used|must be called)|NG0203|[Ii]nvalid hook call|useContext|hooks? can only be called|called outside (?:of )?(?:a )?(?:component|setup)|Rendered (?:more|fewer) hooks|outside of (?:a |an )?(?:plugin|context|component|<?\w*Provider)`),
		"The callback is called by the chat, long after the component was set up: nothing of the framework may be called in it that wants a component around it (use…, inject). Call that where the component is set up and keep what it gives, or ask plainly with fetch (Nuxt: $fetch)."},
	{regexp.MustCompile(`No \.NET call dispatcher|JavaScript interop calls cannot be issued|There is no tracked object with id|circuit`),
		"Blazor has not started, or its circuit has ended, when the chat calls: ask the endpoint with fetch in JavaScript, which needs none, or wait for Blazor (Blazor.start().then(…)) before window.kindlyOptions is set and the chat client loaded."},
	{regexp.MustCompile(`dynamically imported module|Loading (?:CSS )?chunk \S+ failed|ChunkLoadError|Importing a module script failed`),
		"The file of code that it loads then is not there any more: a page that was open, or is cached, since before a deploy names files of before. Keep old files for a while, let HTML not be cached, and put the callback into the page's first script."},
	{regexp.MustCompile(`\b(?:done|callback|cb|resolve|next|success) is not a function`),
		"There is no second argument: getAuthToken gets the chat's id alone. Return the token, or a promise of it."},
	{regexp.MustCompile(`\[object Object\]|Unexpected token '?o'?,? `), "Leave JSON.parse out: response.json() and axios have parsed the answer, and JSON.parse makes a text of it first."},
	{regexp.MustCompile(`already read|body used already|already been (?:read|consumed)|body is (?:disturbed|locked)`), "Read the answer once, with response.json(): neither a second time nor for a log."},
	{regexp.MustCompile(`\.json is not a function`), "Leave json() out: axios and jQuery have parsed the answer (axios: response.data.token)."},
	{regexp.MustCompile(`GET/HEAD method cannot have body`), `Say method: "POST": without it fetch asks with GET, which takes no body.`},
	{regexp.MustCompile(`(?i)cannot read propert\w+ (?:of |'\w+' of )(?:undefined|null)|(?:undefined|null) is not an object|can't access property`),
		"What the callback reads is not there when the chat calls it: mostly another script (a login library, a store, a framework's `this`) has not come so far. Wait for it in the callback, or ask the endpoint by the session's cookie alone."},
	{regexp.MustCompile(`is not defined`), "Define that name where the callback can see it, or import it: it is called when the chat starts, maybe before other scripts have run."},
}

// ofAnswers are told by the answer that has no token.
var ofAnswers = []closerFix{
	{regexp.MustCompile(`"type":\s*"Buffer"`), "Write the token into the answer as text: token.toString()."},
	{regexp.MustCompile(`"\w*(?i:token|jwt)":\s*\{\}`), "Wait for the signing, which gives a promise (jose's sign(), util.promisify(jwt.sign)): {\"token\": await sign(…)}."},
	{regexp.MustCompile(`"\{\}"`), "See what is written into the answer: JSON leaves out what is undefined, as jwt.sign gives it where it is called with a callback."},
	{regexp.MustCompile(`: 20[45]\b`), "Answer 200 with a body, {\"token\": \"…\"}: 204 has none, and is what frameworks send where no body was set."},
}

// CallbackFix is what to do, in general, about a mistake by which a callback comes to
// give no token; "" for any other cause.
func CallbackFix(cause string) string {
	for _, c := range callbackCauses {
		if c.id == cause {
			return c.fix
		}
	}
	return ""
}

const fixBehindCORS = "See why the endpoint refuses the request, for that is what comes first: is the session known there, and is the request what it expects? And let it send its CORS headers with errors, too (nginx: add_header … always; else before whatever refuses), so that the page can tell what happened."

const fixOpensWindow = "Get the token in the page itself, by fetch and the session's cookie, and return null where nobody is logged in: the chat calls getAuthToken when nobody has clicked, and browsers block windows then."

// callbackCauses are looked at in this order: what happened first on the way of
// the token explains what came after it.
var callbackCauses = []callbackCause{
	{"callback-opens-window", fixOpensWindow, opensWindow, nil},
	{"callback-blocked-by-policy", "Allow the auth endpoint's origin in connect-src of the page's Content-Security-Policy.", blockedRequest, nil},
	{"callback-no-cors", "Leave mode: \"no-cors\" out: with it, scripts may read nothing of the answer. Let the endpoint allow the page's origin instead (Access-Control-Allow-Origin), or ask at the page's own origin.", withoutCORS, nil},
	{"callback-cookie-kept-back", "", cookieKeptBack, []closerFix{
		{regexp.MustCompile(`is for \S+ alone`), "Set the session's cookie with Path=/, or serve the endpoint below the cookie's path: browsers send it to no other."}}},
	{"callback-cookie-twice", "Set the cookie always with the same Domain and Path, and end the old one (Max-Age=0, with its own Domain and Path): browsers keep both, and send the one of the longer path, or the older one, first.", cookieTwice, nil},
	{"callback-without-credentials", `Fetch with credentials: "include", and let the endpoint allow the page's origin with credentials: without it, browsers send no cookies to another origin.`, withoutCredentials, nil},
	{"callback-endpoint-error", fixEndpointError, errorBehindCORS(500, 599), nil},
	{"callback-unauthorized", fixBehindCORS, errorBehindCORS(401, 403), nil},
	{"callback-endpoint-refuses", fixBehindCORS, errorBehindCORS(400, 499), nil},
	{"callback-cors", "Let the endpoint answer the page's own origin in Access-Control-Allow-Origin, and true in Access-Control-Allow-Credentials where cookies are sent; answer the preflight (OPTIONS) with 2xx, POST and content-type in the same way.", corsRefused, ofCORS},
	{"callback-without-accept", "Say what the page takes: headers: {\"Accept\": \"application/json\"}. Without it the framework takes it for a form of a page, and redirects.", withoutAccept, nil},
	{"callback-redirected-to-login", "Answer the auth endpoint's requests with 401 instead of a redirect: take it out of the middleware that guards pages. And see why it finds no session.", sentToLogin, nil},
	{"callback-redirected", "Call the URL that answers: a redirect of a POST loses the body or the method.", sentElsewhere, []closerFix{
		{regexp.MustCompile(`; there, GET \S+: 200 text/html`), "It leads to a page for people, and not to another address of the endpoint: so frameworks send back what they refuse (Laravel: a validation) where JSON is not asked for. Send Accept: application/json, and read what it says then."}}},
	{"callback-gives-up", "Give the endpoint some seconds, and see why it takes so long; abort for nothing else than a new call (a component that is taken off the page, an effect that runs anew).", givesUp, nil},
	{"callback-unreachable", "Is the endpoint running, and is its URL right? Open the page, and look at the Network panel.", unreachable, ofSilence},
	{"endpoint-behind-other", "", answeredBefore, nil},
	{"callback-csrf", "Send your framework's CSRF token with the request, as other forms and scripts of the page do (Django: the header X-CSRFToken; Laravel, Rails: X-CSRF-TOKEN from the meta tag; Angular, Spring: X-XSRF-TOKEN).", csrfRefused, []closerFix{
		{regexp.MustCompile(`admin-ajax\.php: 403\b.*"-1"`), "WordPress refuses the nonce: send the one that wp_create_nonce made for this action and this user, and let no page cache keep it."},
		{regexp.MustCompile(`rest_cookie_invalid_nonce|Cookie check failed`), "The nonce in the page is not this session's any more, mostly as the page comes from a cache: nonces live for a day at most. Take pages for members out of the cache, or fetch the nonce with a script."},
		{regexp.MustCompile(`HttpOnly`), "Let the page's scripts read the CSRF token: set that cookie without HttpOnly (it is no session), or write the token into a tag of the page, and send it in the header that the framework expects."}}},
	{"callback-without-content-type", `Say what the body is: headers: {"Content-Type": "application/json"}. Without it browsers say text/plain, and body parsers leave it alone.`, mendedBy("callback-without-content-type"), nil},
	{"callback-wrong-slash", "Call the path exactly as the server has it.", mendedBy("callback-wrong-slash"), nil},
	{"callback-chat-id-name", "Let the page send the chat id by the name that the endpoint reads, or let the endpoint read the page's.", mendedBy("callback-chat-id-name"), nil},
	{"callback-chat-id-bare", "Send what the endpoint reads, an object in JSON: headers: {\"Content-Type\": \"application/json\"}, body: JSON.stringify({chatId}).", mendedBy("callback-chat-id-bare"), nil},
	{"callback-without-header", "Send that header, too: headers: {\"X-Requested-With\": \"XMLHttpRequest\", …}, as the framework wants of scripts; or take that check off the endpoint.", mendedBy("callback-without-header"), nil},
	{"callback-endpoint-error", fixEndpointError, endpointError, nil},
	{"callback-bearer-missing", "See where the page keeps its session's token: the storage, the key's name, whether it is there yet when the chat starts.", bearerMissing, nil},
	{"callback-bearer-garbled", "Write `Authorization: \"Bearer \" + token`, with the token as the login gave it: without quotes (what was kept by JSON.stringify is read by JSON.parse), and with Bearer once.", bearerGarbled, nil},
	{"callback-unauthorized", "Find out why the endpoint does not know the session: does the cookie or header of the session reach it?", unauthorized, []closerFix{
		{regexp.MustCompile(`Authorization expired`), "Let the page get a new access token before it asks (getAccessTokenSilently, acquireTokenSilent, getIdToken(true), updateToken, refreshSession), instead of one that it has kept."},
		{regexp.MustCompile(`Authorization has iss`), "Compare iss and aud of the token that the page sends with those that the endpoint expects: mostly the page asks its identity provider for a token of another API (no audience or scope named), or sends the ID token for the access token."},
		{regexp.MustCompile(`its header says`), "The library that guards the endpoint takes the request for one without a session, whatever the status: let the page send the session along (its cookie, or its token in Authorization), and put the endpoint under the library's middleware."},
		{regexp.MustCompile(`no cookie and no Authorization`), "Let the page send the session along: a cookie of another site or origin does not go with fetch (serve the endpoint from the page's own origin, at best), and a token has to be put into Authorization."},
		{regexp.MustCompile(`: 403\b`), "Find out why the endpoint turns the user away: does the session reach it, may this user ask, and does the framework want a CSRF token for a POST (Spring answers 403 then, without a word)?"}}},
	{"callback-chat-id-not-sent", "Send the chat id that getAuthToken is called with, its one argument, a string: getAuthToken: async (chatId) => … body: JSON.stringify({chatId}). A value that is undefined is left out of JSON.", chatIDLeftOut, []closerFix{
		{regexp.MustCompile(`“\[object Object\]”`), "Write the body as JSON: body: JSON.stringify({chatId}). fetch makes \"[object Object]\" of an object."}}},
	{"callback-endpoint-refuses", "Send what the endpoint expects (URL, method, content type, name of the chat id), or let it take what the page sends.", refuses, ofRefusals},
	{"callback-no-return", "Return the promise: `return fetch(…)` (a function with braces returns nothing by itself), and return in each `then`, or use await.", notReturned, nil},
	{"callback-whole-answer", "Return the token alone: `return (await response.json()).token`.", wholeAnswer, nil},
	{"callback-encoded-twice", "Give the object to what writes JSON, and not a text: res.json({token}), not res.json(JSON.stringify({token})).", encodedTwice, nil},
	{"callback-not-awaited", "Wait for the answer's JSON: `const data = await response.json(); return data.token`. Without await it is a promise, which has no token.", notAwaited, []closerFix{
		{regexp.MustCompile(`at once`), "Return a promise of the token: what is returned at once is taken, and the answer comes later. `return fetch(…)` with then, or an async function with await; with XMLHttpRequest, new Promise(…) that its onload resolves."}}},
	{"callback-reads-text-as-json", "Read the answer as text, `return await response.text()`, or let the endpoint answer JSON, {\"token\": \"…\"}.", readsTextAsJSON, nil},
	{"callback-answer-mixed", "Let the endpoint write nothing but the JSON: warnings belong into a log (PHP: display_errors=0), and what guards JSON against other sites, `)]}',`, is taken off only by who knows of it.", mixedAnswer, nil},
	{"callback-no-return", "Return in each function: `.then((r) => r.json())`, or `{ return r.json() }`: one with braces returns nothing by itself, and the next gets undefined.", notReturnedWithin, nil},
	{"callback-member-name", "Read the token where the answer has it.", memberName, []closerFix{
		{regexp.MustCompile("has `token`"), "Read the token where the answer has it: `(await response.json()).token` with fetch, `response.data.token` with axios, and not one member more or less."},
		{regexp.MustCompile(`http\S+ has a token in its header`), "Let the endpoint name that header in Access-Control-Expose-Headers, for scripts of other origins may read few others; or give the token in the body, {\"token\": \"…\"}."}}},
	{"callback-html", "Let the endpoint answer JSON with the token. A page for people here is mostly the application's catch-all route, or a login page with status 200: is the URL right?", htmlAnswer, []closerFix{missingInURL}},
	{"callback-envelope", "Answer errors with their own status (401, 500), not 200, and mend what the message says.", envelope, nil},
	{"callback-unreadable", "Let Content-Encoding and Content-Length say what the body is: compressed by the app and by the proxy, or said to be and not, or of another length.", unreadableAnswer, nil},
	{"callback-answer-without-token", "Let the endpoint answer {\"token\": \"…\"}.", withoutToken, ofAnswers},
	{"callback-gives-object", "Return the token itself, a string, or a promise of it.", givesObject, []closerFix{
		{regexp.MustCompile(`an Observable`), "Make a promise of the Observable, which does nothing until somebody subscribes to it: getAuthToken: (chatId) => firstValueFrom(this.http.post<{token: string}>(url, {chatId})).then((answer) => answer.token)."},
		{regexp.MustCompile(`a ref\b`), "Return the ref's value: token.value."},
		{regexp.MustCompile(`a Response`), "Read the answer, and return the token in it: `return (await response.json()).token`."},
		{regexp.MustCompile(`a function`), "Call that function, and return what it gives."},
		{regexp.MustCompile(`members (?:.*, )?(?:data|body|result|error)\b`), "Return the token in it: what clients of HTTP give (axios, RTK Query, Apollo, $fetch.raw) holds the answer in a member, and that the token: `.data.token`."}}},
	{"callback-throws", "See where the callback throws, and return null where there is no token.", throws, ofErrors},
	{"callback-asks-nobody", "", asksNobody, []closerFix{
		{regexp.MustCompile(`^it gave (?:null|boolean|string): no token$`), "Does the login of kindlytest.yaml (page.login) still log in? If it does, see on which condition the callback gives nothing before it asks: a consent that has not been given yet, a user whom the page does not know yet when the chat starts, or whom a closure of the first render never gets to know. Decide when it is called, and leave it to the endpoint who is logged in. A consent or a step before the chat is told in kindlytest.yaml (page.steps)."}}},
}

const fixEndpointError = "Mend the endpoint: its own log has the error. What works elsewhere and fails here is mostly a key or a setting that this environment has not."

// diagnose says why a callback gave no token.
func diagnose(s *subject.Session, c *call) subject.Verdict {
	const expected = "a token, a string"
	evidence := c.evidence()
	var refused string // as a stranger is
	for _, cause := range callbackCauses {
		if refused != "" && !slices.Contains(ofWhatIsGiven, cause.id) {
			continue
		}
		text, more := cause.tell(c)
		switch {
		case text == "":
		case refused == "" && c.refusesStranger(cause.id):
			refused = text
		default:
			return subject.Violated(expected, text).Because(cause.id).Inferring(c.inferred).Fix(cause.fixFor(text, c.report.Error)).With(evidence...).With(more...)
		}
	}
	if refused != "" {
		return noLogin(s, "there is no token: "+c.answered(*c.asked)).With(evidence...)
	}
	return subject.Violated(expected, c.gave).With(evidence...)
}

// ofWhatIsGiven are mistakes that an endpoint's refusal does not excuse.
var ofWhatIsGiven = []string{"callback-no-return", "callback-gives-object"}

// refusesStranger says whether a cause is no mistake where nobody is logged in: the
// endpoint refuses whom it does not know, or sends them to the login.
func (c *call) refusesStranger(cause string) bool {
	switch cause {
	case "callback-unauthorized", "callback-bearer-missing", "callback-redirected-to-login":
		return !c.loggedIn
	case "callback-cors": // the login is at another origin
		toLogin, _ := sentToLogin(c)
		return !c.loggedIn && toLogin != ""
	}
	return false
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
	c.is = func() string { return s.Gives(ctx, v) }
	c.lacks = s.LacksCertificate
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
