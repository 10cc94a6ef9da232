package causes

import "github.com/kindlytest/kindlytest/reports"

const strangers = "Every user is a stranger in the chat, and no webhook gets a token."

// page makes a cause that a probe of the page names.
func page(id, title, consequence string, explains ...string) Cause {
	return Cause{ID: id, Title: title, Severity: reports.High, Consequence: consequence, Owner: Page, Explains: append(explains, "PAGE-ERRORS")}
}

// client makes a cause that keeps the chat client out. All else is judged as if it
// did not.
func client(id, title, consequence string, explains ...string) Cause {
	return Cause{ID: id, Title: title, Severity: reports.High, Consequence: consequence, Owner: Page, Explains: append(explains, "PAGE-WIDGET*")}
}

// undefined makes a cause by which the chat client finds no callback. What the page
// asks for by itself meanwhile is no request of the callback's; the callback itself is
// judged as if it had been there, or not at all.
func undefined(id, title string) Cause {
	return page(id, title, strangers, "PAGE-CALLBACK-DEFINED", "AUTH-POST-TOKEN")
}

// fixed is a cause with a fix of its own.
func fixed(fix string, c Cause) Cause {
	c.Fix = fix
	return c
}

// ofPages are mistakes of the page and its callback.
var ofPages = []Cause{
	client("widget-missing", "The page does not load Kindly's chat client.", "There is no chat on the page."),
	client("widget-held-back", "A script tag holds the chat client back.", "There is no chat on the page, for anybody for whom the tag stays as it is."),
	client("widget-script-fails", "The page's script that is to load the chat client ends with an error.", "There is no chat on the page."),
	client("widget-integrity", "The script tag's integrity hash keeps the chat client out.", "There is no chat on the page since Kindly's file has changed, as it does without notice."),
	client("widget-not-run", "The script tag of the chat client is on the page, and no browser runs it.", "There is no chat on the page."),
	client("widget-host", "The chat client is loaded from elsewhere than Kindly.", "The chat does not start, or somebody else's code runs in its place."),
	client("widget-id", "The script tag of the chat client has not the id that Kindly looks for.", "The chat client does not find its settings."),
	client("widget-bot-key", "The chat client has no bot key, or another one.", "The chat does not start, or belongs to another bot."),
	client("widget-breaks", "The page's own code breaks the chat client.", "There is no chat on the page.", "PAGE-ERRORS"),
	client("csp-blocks-kindly", "The page's Content-Security-Policy blocks Kindly.", "The chat does not start, or can't talk to Kindly.", "PAGE-CSP"),
	{ID: "private-key-in-page", Title: "Your private key is in what the page loads.", Severity: reports.Critical, Owner: Page,
		Consequence: "Anybody can download it and sign tokens for any of your users, until you replace the key.", Explains: []string{"PAGE-PRIVATE-KEY"}},
	{ID: "secret-in-page", Title: "A webhook's secret is in what the page loads.", Severity: reports.Critical, Owner: Page,
		Consequence: "Anybody can download it and call the webhook as if they were Kindly, until you replace the secret.", Explains: []string{"PAGE-PRIVATE-KEY"}},
	{ID: "private-key-served", Title: "Your server gives the private key to whoever asks for its file.", Severity: reports.Critical, Owner: Page,
		Consequence: "Anybody can download it and sign tokens for any of your users, until you replace the key.", Explains: []string{"PAGE-PRIVATE-KEY"}},
	undefined("callback-no-function", "getAuthToken is not the function that Kindly calls, but something else."),
	undefined("callback-misnamed", "The page's function stands under a name that the chat client does not read."),
	undefined("callback-in-other-document", "The chat client runs in another document than getAuthToken."),
	undefined("callback-script-not-run", "The script that sets getAuthToken does not run, or not to its end."),
	undefined("callback-late", "getAuthToken is set after the chat client has started."),
	undefined("callback-overwritten", "window.kindlyOptions is written a second time, without getAuthToken."),
	undefined("callback-not-global", "kindlyOptions is a variable of the page's, not a member of window."),
	{ID: "callback-lost", Title: "getAuthToken disappears: window.kindlyOptions is written anew without it.", Severity: reports.Medium, Owner: Page,
		Consequence: "Users are known at first, and strangers after they have moved about the page.", Explains: []string{"PAGE-CALLBACK-*"}}, // it was there at first: an error then has another reason
	fixed("See what it waits for: a promise that nobody resolves, an event that had come before, an answer that never comes. Let it settle whatever happens, with null where there is no token.",
		page("callback-pending", "getAuthToken's promise never settles.", "The chat waits, and goes on without the user.", "PAGE-CALLBACK-*")),
	{ID: "callback-endpoint-silent", Title: "The auth endpoint does not answer the page.", Severity: reports.High, Owner: Endpoint,
		Consequence: "The chat waits, and goes on without the user.", Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN"},
		Fix: "See that each way through the endpoint ends with an answer: a handler that neither answers nor hands on (next()), a promise that never comes, a database or another service that is waited for without a limit."},
	page("callback-token-too-large", "getAuthToken gives something far too large for a token.", strangers, "PAGE-CALLBACK-*"),
	page("callback-blocked-by-policy", "The page's Content-Security-Policy blocks the request for the token.", strangers, "PAGE-CALLBACK-*", "PAGE-CSP"),
	page("callback-without-credentials", "The callback asks for the token without the user's session.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	{ID: "callback-cors", Title: "The browser keeps the endpoint's answer from the page (CORS).", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-CORS-PREFLIGHT"}},
	{ID: "callback-unreachable", Title: "The page can't reach the auth endpoint.", Severity: reports.High, Owner: Infrastructure, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN", "AUTH-CORS-PREFLIGHT"}},
	{ID: "callback-redirected-to-login", Title: "The auth endpoint redirects to the login.", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN"}},
	{ID: "callback-redirected", Title: "The auth endpoint redirects.", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN"}},
	{ID: "endpoint-behind-other", Title: "Something before the auth endpoint answers in its place.", Severity: reports.High, Owner: Infrastructure, Consequence: strangers,
		Fix:      "See what stands on the way (a gateway, a firewall, a login, a proxy), and let the page's requests through to the endpoint's path.",
		Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN", "AUTH-CORS-PREFLIGHT"}},
	page("callback-csrf", "The request for the token lacks the framework's CSRF token.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	{ID: "callback-endpoint-error", Title: "The auth endpoint fails with an error.", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN", "AUTH-CORS-PREFLIGHT"}},
	{ID: "callback-unauthorized", Title: "The auth endpoint does not know the user's session.", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN", "AUTH-CORS-PREFLIGHT"}},
	{ID: "callback-endpoint-refuses", Title: "The auth endpoint refuses what the page sends.", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN", "AUTH-CORS-PREFLIGHT"}},
	page("callback-cookie-kept-back", "The browser keeps the session's cookie from the auth endpoint.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-cookie-twice", "Two cookies of one name go to the auth endpoint, and it reads the wrong one.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-bearer-missing", "The page sends a missing value in the place of the user's session.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-bearer-garbled", "The page spoils the user's session on its way into Authorization.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-chat-id-not-sent", "The page asks for a token, and does not say for which chat.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-without-content-type", "The page does not say that it sends JSON.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-without-accept", "The page does not say that it takes JSON.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-wrong-slash", "The page calls the endpoint with a slash too many or too few.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-chat-id-name", "The page sends the chat id under another name than the endpoint reads.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-chat-id-bare", "The page sends the chat id in another form than the endpoint reads.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-without-header", "The page leaves out a header by which the endpoint tells its scripts from others.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-not-awaited", "The callback reads the token before the answer is there.", strangers, "PAGE-CALLBACK-*"),
	{ID: "callback-encoded-twice", Title: "The auth endpoint's answer is JSON in a JSON text.", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-FORM"}},
	{ID: "callback-unreadable", Title: "The browser can't read the auth endpoint's answer.", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN"}},
	page("callback-no-return", "The callback fetches a token, and returns nothing.", strangers, "PAGE-CALLBACK-*"),
	page("callback-no-cors", "The callback asks in a way in which no script may read the answer.", strangers, "PAGE-CALLBACK-*", "AUTH-POST-TOKEN"),
	page("callback-opens-window", "The callback opens a window to get the token.", strangers, "PAGE-CALLBACK-*"),
	page("callback-gives-up", "The page gives up before the auth endpoint has answered.", strangers, "PAGE-CALLBACK-*"),
	page("callback-reads-text-as-json", "The callback reads the token as JSON, and it is a text.", strangers, "PAGE-CALLBACK-*", "AUTH-FORM"),
	{ID: "callback-answer-mixed", Title: "Something else stands around the JSON of the auth endpoint's answer.", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN", "AUTH-CONTENT-TYPE", "AUTH-FORM"}},
	page("callback-whole-answer", "The callback returns the endpoint's whole answer instead of the token in it.", strangers, "PAGE-CALLBACK-*"),
	page("callback-member-name", "The callback reads the token under another name than the endpoint gives it.", strangers, "PAGE-CALLBACK-*"),
	{ID: "callback-html", Title: "The auth endpoint answers with a page for people.", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN"}},
	{ID: "callback-envelope", Title: "The auth endpoint answers 200 with an error in it.", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN"}},
	{ID: "callback-answer-without-token", Title: "The auth endpoint's answer has no token.", Severity: reports.High, Owner: Endpoint, Consequence: strangers, Explains: []string{"PAGE-CALLBACK-*", "PAGE-ERRORS", "AUTH-POST-TOKEN"}},
	page("callback-gives-object", "getAuthToken gives something else than a text.", strangers, "PAGE-CALLBACK-*"),
	page("callback-throws", "The callback throws.", strangers, "PAGE-CALLBACK-*"),
	page("callback-asks-nobody", "The callback gives no token, and asks nobody for one.", strangers, "PAGE-CALLBACK-*"),
	{ID: "token-made-before-chat", Title: "The page's token is made before there is a chat, so that it is for none.", Severity: reports.High, Owner: Page,
		Consequence: "Kindly refuses it, or one token is good for every chat; and whoever stays on the page has one that has expired.",
		Fix:         "Ask the endpoint in getAuthToken, with the chat's id that it is called with: getAuthToken: async (chatId) => (await (await fetch(\"/auth\", {method: \"POST\", headers: {\"Content-Type\": \"application/json\"}, body: JSON.stringify({chatId})})).json()).token. When the page is rendered or loads, its chat is not there yet.",
		Explains:    []string{"TOK-CHAT", "TOK-CHAT-ID", "PAGE-CALLBACK-FRESH", "PAGE-CALLBACK-RENEW", "AUTH-FRESH", "AUTH-METHOD"}},
	{ID: "page-remembers-token", Title: "The page remembers a token, and gives it again for other chats.", Severity: reports.High, Owner: Page,
		Consequence: "A user's second chat gets the first one's token: Kindly refuses it, or it expires in the middle of the talk.",
		Fix:         "Fetch a token for the chat id that the callback is given; if tokens are kept, keep them by chat id, and drop them 30 s before exp. A page that does fetch each time has the answer from the browser's cache or a service worker: Cache-Control: no-store, POST, and the path left out of the worker.",
		When:        []string{"PAGE-CALLBACK-FRESH", "PAGE-CALLBACK-RENEW"}, Unless: []string{"AUTH-BIND-CHAT"}, // else it is given one again
		Explains: []string{"PAGE-CALLBACK-FRESH", "PAGE-CALLBACK-RENEW"}},
	{ID: "page-stores-token", Title: "The page keeps the token in a cookie, or in the browser's storage.", Severity: reports.High, Owner: Page,
		Consequence: "Every script of the page can take it, a cookie goes along with every request, and a later chat gets a token that is not its own.",
		Fix:         "Keep the token in a variable at most, by its chat id, and fetch one for each chat id that getAuthToken is given.",
		Explains:    []string{"PAGE-TOKEN-LEAK", "PAGE-CALLBACK-FRESH", "PAGE-CALLBACK-RENEW"}},
}
