package causes

import "github.com/kindlytest/kindlytest/reports"

const silent = "It refuses what Kindly sends: every dialogue with this webhook is silent."

// valid are the checks that send what Kindly sends: where that is not answered as
// it should be, they say so. The others tell nothing then, or speak of what was
// seen all the same.
var valid = []string{"FWD-DELIVERED", "FWD-REDIRECT", "HOOK-VALID", "HOOK-ANONYMOUS", "SIG-VALID", "RESP-STATUS", "RESP-JSON"}

// ofTime are the checks of webhooks about a token's times.
var ofTime = []string{"FWD-DELIVERED", "HOOK-VALID", "HOOK-EXPIRED", "HOOK-NBF", "HOOK-IAT"}

// ofSignatures are mistakes of a webhook about Kindly-HMAC, confirmed by the
// request that it accepts.
var ofSignatures = []Cause{
	signature("hmac-hex", "The webhook expects the signature in hex."),
	signature("hmac-hex-upper", "The webhook expects the signature in hex, in capitals."),
	signature("hmac-base64url", "The webhook expects the signature in base64url."),
	signature("hmac-unpadded", "The webhook expects the signature without its padding."),
	signature("hmac-base64url-unpadded", "The webhook expects the signature in base64url, without padding."),
	signature("hmac-prefix", "The webhook expects something before the signature."),
	signature("hmac-twice-encoded", "The webhook encodes the digest twice."),
	signature("hmac-sha1", "The webhook computes the signature with SHA-1."),
	signature("hmac-sha512", "The webhook computes the signature with SHA-512."),
	signature("hmac-sha384", "The webhook computes the signature with SHA-384."),
	signature("hmac-md5", "The webhook computes the signature with MD5."),
	signature("hmac-plain-hash", "The webhook computes a plain hash of secret and body, which is no HMAC."),
	signature("hmac-swapped", "The webhook gives body and secret to the HMAC in the wrong order."),
	signature("hmac-secret-line-end", "The webhook's secret ends in a line end."),
	{ID: "hmac-secret-trimmed", Title: "The secret has white space around it here, and none at the webhook.", Severity: reports.Medium, Owner: Configuration,
		Consequence: "Nothing can be said of the webhook's signature until the secret is the same on both sides.", Explains: []string{"SIG-VALID", "SIG-RAW-BODY"}},
	signature("hmac-secret-decoded", "The webhook decodes the secret before it uses it."),
	signature("hmac-secret-quoted", "The webhook's secret stands in quotation marks."),
	{ID: "hmac-secret-missing", Title: "The webhook computes the signature without its secret.", Severity: reports.Critical, Owner: Webhook,
		Consequence: "It refuses what Kindly sends, and takes what anybody signs who knows that there is no secret.", Explains: []string{"SIG-VALID", "SIG-RAW-BODY", "SIG-ENCODING", "SIG-WRONG"}},
	signature("hmac-utf16", "The webhook computes the signature over text in UTF-16."),
	signature("hmac-header-name", "The webhook reads the signature from another header than Kindly-HMAC."),
	signature("hmac-algorithm-name", "The webhook expects another name of the signature's algorithm."),
	signatureOver("hmac-body-base64", "The webhook computes the signature over the base64 of the body."),
	signatureOver("hmac-body-rewritten", "The webhook parses the body and writes it again before it computes the signature."),
	signatureOver("hmac-body-empty", "The webhook computes the signature over an empty body: a parser has read it before."),
	signatureOver("hmac-body-object", "The webhook computes the signature over a parsed object, not over the body."),
	signature("hmac-url", "The webhook computes the signature over the URL too."),
	signatureOver("hmac-latin1", "The webhook computes the signature over the body as Latin-1."),
	signatureOver("hmac-ascii", "The webhook computes the signature over the body as ASCII."),
	signatureOver("hmac-mojibake", "The webhook reads the body as Latin-1 and computes the signature over what that gives."),
	{ID: "hmac-check-throws", Title: "The webhook fails with an error when it checks the signature.", Severity: reports.High, Owner: Webhook, Consequence: silent, Explains: valid,
		Fix: "Look into its log. Mostly a JSON parser has run before, and the HMAC gets an object instead of the body's bytes: take the raw body (express.raw, the verify hook of the JSON parser)."},
	{ID: "hmac-refused", Title: "The webhook refuses what Kindly signs, as it refuses what nobody has signed.", Severity: reports.High, Owner: Webhook, Consequence: silent, Explains: valid,
		Fix: "Is it the webhook that answers, or a gateway before it? If the webhook: compare the two secrets, then log what it computes: base64(HMAC-SHA256(raw body, secret)), over the body's bytes alone. Kindly sends no time stamp and no URL along."},
	{ID: "hmac-compare-throws", Title: "The webhook fails with an error where the signature is missing or odd.", Severity: reports.Medium, Owner: Webhook,
		Consequence: "Strangers fill your logs with errors, and your alarms ring for requests that should be turned away.",
		Fix:         "Answer 401 where Kindly-HMAC is missing or has another length, before you compare: crypto.timingSafeEqual and its like throw on texts of different lengths.",
		Explains:    []string{"LIVE-HOOK-HEADERS"}},
	{ID: "webhook-refuses-politely", Title: "The webhook answers 200 to those whose signature it does not believe.", Severity: reports.Low, Owner: Webhook,
		Consequence: "Kindly tells your users what was meant for strangers, and nobody sees in a log that the signature is wrong.",
		Fix:         "Answer 401 where Kindly-HMAC differs or is missing, and look at nothing else.", Explains: []string{"SIG-TWICE"}},
	{ID: "webhook-checks-no-hmac", Title: "The webhook does not check who calls it.", Severity: reports.High, Owner: Webhook,
		Consequence: "Anybody who knows the URL can call it as if they were Kindly.",
		Fix:         "Compute base64(HMAC-SHA256(raw body, secret)), compare it with Kindly-HMAC in constant time, and answer 401 where it differs or is missing.",
		When:        []string{"SIG-MISSING", "SIG-WRONG"}, Explains: []string{"SIG-MISSING", "SIG-WRONG", "SIG-BODY", "SIG-ENCODING", "SIG-ALGORITHM", "SIG-TWICE"}},
	{ID: "webhook-compares-no-hmac", Title: "The webhook wants a signature, and takes any.", Severity: reports.High, Owner: Webhook,
		Consequence: "Anybody who knows the URL can call it as if they were Kindly: they write any signature.",
		Fix:         "Compute base64(HMAC-SHA256(raw body, secret)), and compare it with Kindly-HMAC in constant time.",
		When:        []string{"SIG-WRONG", "SIG-BODY"}, Unless: []string{"SIG-MISSING"}, Explains: []string{"SIG-WRONG", "SIG-BODY", "SIG-ENCODING", "SIG-RAW-BODY", "SIG-TWICE"}},
	{ID: "webhook-checks-hmac-if-there", Title: "The webhook checks the signature only where there is one.", Severity: reports.High, Owner: Webhook,
		Consequence: "Anybody who knows the URL can call it: they leave the signature out.",
		Fix:         "Answer 401 where Kindly-HMAC is missing, before anything else is looked at.",
		When:        []string{"SIG-MISSING"}, Unless: []string{"SIG-WRONG"}, Explains: []string{"SIG-MISSING", "SIG-ALGORITHM"}},
}

func signature(id, title string) Cause {
	return Cause{ID: id, Title: title, Severity: reports.High, Owner: Webhook, Consequence: silent, Explains: []string{"SIG-VALID", "SIG-RAW-BODY", "SIG-ENCODING"}}
}

// signatureOver is a signature over something else than the body: what is lost on
// the way can be changed unseen.
func signatureOver(id, title string) Cause {
	c := signature(id, title)
	c.Explains = append(c.Explains, "SIG-BODY", "LIVE-HOOK-BODY")
	return c
}

// forged are the checks that a webhook fails which does not verify tokens.
var forged = []string{"HOOK-TAMPERED", "HOOK-SIGNATURE", "HOOK-ALG-*", "HOOK-KEY-CONFUSION", "HOOK-WRONG-KEY", "HOOK-EMBEDDED-KEY", "HOOK-REMOTE-KEY", "HOOK-KID-INJECTION",
	"HOOK-ECDSA-ZERO", "HOOK-SEGMENTS", "HOOK-GARBAGE", "HOOK-SCHEME", "HOOK-EXPIRED", "HOOK-EXP-*", "HOOK-LIFETIME", "HOOK-NBF", "HOOK-IAT", "HOOK-NO-CHAT", "HOOK-CHAT-TYPE",
	"HOOK-SUB-TYPE", "HOOK-CRIT", "HOOK-OTHER-CHAT", "HOOK-UNVERIFIED", "LIVE-HOOK-HEADERS"}

// ofWebhooks are mistakes of a webhook about tokens, answers and what is before it.
var ofWebhooks = []Cause{
	{ID: "webhook-verifies-nothing", Title: "The webhook reads tokens without verifying them.", Severity: reports.Critical, Owner: Webhook,
		Consequence: "Anybody can be any of your users there: they write a name into a token of their own.",
		Fix:         "Verify the signature with your public key before you read any claim (jwt.verify, not jwt.decode), and accept RS256 only.",
		When:        []string{"HOOK-WRONG-KEY", "HOOK-TAMPERED", "HOOK-SIGNATURE"}, Explains: forged},
	{ID: "webhook-trusts-any-key", Title: "The webhook verifies tokens with whatever key fits.", Severity: reports.Critical, Owner: Webhook,
		Consequence: "Anybody signs with a key of their own, and is any of your users.",
		Fix:         "Verify with your own public key only, never with one that the token brings or names.",
		When:        []string{"HOOK-WRONG-KEY"}, Explains: []string{"HOOK-WRONG-KEY", "HOOK-EMBEDDED-KEY", "HOOK-REMOTE-KEY", "HOOK-KID-INJECTION"}},
	{ID: "webhook-trusts-brought-keys", Title: "The webhook verifies tokens with a key that they bring along.", Severity: reports.Critical, Owner: Webhook,
		Consequence: "Anybody signs with a key of their own, writes it into the token, and is any of your users.",
		Fix:         "Verify with your own public key only: take no notice of jwk, x5c and jku in the token's header.",
		When:        []string{"HOOK-EMBEDDED-KEY"}, Explains: []string{"HOOK-EMBEDDED-KEY", "HOOK-REMOTE-KEY"}},
	{ID: "webhook-skips-signature", Title: "The webhook takes tokens without a valid signature.", Severity: reports.Critical, Owner: Webhook,
		Consequence: "Anybody can be any of your users there: they leave the signature out, or keep an old one.",
		Fix:         "Verify the signature over the received bytes, and refuse what does not verify, also where it is missing.",
		When:        []string{"HOOK-SIGNATURE"}, Explains: []string{"HOOK-SIGNATURE", "HOOK-TAMPERED", "HOOK-ALG-NONE", "HOOK-ALG-MALFORMED", "HOOK-SEGMENTS", "HOOK-KEY-CONFUSION"}},
	{ID: "webhook-lets-token-choose", Title: "The webhook lets the token choose the algorithm.", Severity: reports.Critical, Owner: Webhook,
		Consequence: "Anybody signs with an algorithm for which they have the key: none at all, or your public key.",
		Fix:         `Tell the JWT library the one algorithm that you accept: algorithms: ["RS256"].`,
		When:        []string{"HOOK-ALG-NONE"}, Explains: []string{"HOOK-ALG-*", "HOOK-KEY-CONFUSION", "HOOK-ECDSA-ZERO"}},
	{ID: "webhook-ignores-chat", Title: "The webhook does not compare the token's chat with the request's.", Severity: reports.High, Owner: Webhook,
		Consequence: "One token that gets into the wrong hands opens every chat.",
		Fix:         "Require chat.id to be a non-empty string, and equal to the request's chat_id.",
		When:        []string{"HOOK-OTHER-CHAT"}, Explains: []string{"HOOK-OTHER-CHAT", "HOOK-NO-CHAT", "HOOK-CHAT-TYPE"}},
	{ID: "webhook-ignores-expiry", Title: "The webhook does not check when tokens expire.", Severity: reports.High, Owner: Webhook,
		Consequence: "A token from a log or a screenshot works for ever.",
		Fix:         "Require exp, and let the JWT library check it, with a leeway of a minute at most.",
		When:        []string{"HOOK-EXPIRED"}, Explains: []string{"HOOK-EXPIRED", "HOOK-EXP-*", "HOOK-LIFETIME", "HOOK-IAT", "HOOK-NBF"}},
	{ID: "webhook-believes-names", Title: "The webhook believes whoever names a user.", Severity: reports.Critical, Owner: Webhook,
		Consequence: "Anybody reads any user's data, by writing that user's id or name. No token is needed.",
		Fix:         "Take the user from the verified token only; user_id, context and message are what anybody may have written.",
		When:        []string{"HOOK-USER-ID"}, Explains: []string{"HOOK-USER-ID", "HOOK-ANONYMOUS", "HOOK-DISTINGUISHES"}},
	{ID: "webhook-knows-no-strangers", Title: "The webhook does not treat those who bring no token as strangers.", Severity: reports.High, Owner: Webhook,
		Consequence: "Visitors who are not logged in get an error, or what belongs to somebody else.",
		Fix:         "Answer whoever brings no token as a stranger, and keep nothing of a user beyond the request.",
		When:        []string{"HOOK-ANONYMOUS"}, Unless: []string{"HOOK-USER-ID"}, Explains: []string{"HOOK-ANONYMOUS", "HOOK-SCHEME", "HOOK-DISTINGUISHES"}},
	{ID: "webhook-takes-hmac-tokens", Title: "The webhook takes tokens that are signed with a secret instead of your key.", Severity: reports.Critical, Owner: Webhook,
		Consequence: "The secret is one that anybody knows, such as the public key or nothing at all: anybody can be any of your users.",
		Fix:         `Tell the JWT library the one algorithm that you accept: algorithms: ["RS256"].`,
		When:        []string{"HOOK-KEY-CONFUSION"}, Explains: []string{"HOOK-KEY-CONFUSION", "HOOK-KID-INJECTION"}},
	{ID: "webhook-takes-missing-alg", Title: "The webhook takes a token without a proper alg for one that needs no signature.", Severity: reports.Critical, Owner: Webhook,
		Consequence: "Anybody can be any of your users there: they leave the algorithm out.",
		Fix:         `Tell the JWT library the one algorithm that you accept: algorithms: ["RS256"].`,
		When:        []string{"HOOK-ALG-MALFORMED"}, Explains: []string{"HOOK-ALG-MALFORMED", "HOOK-GARBAGE"}},
	{ID: "webhook-follows-key-ids", Title: "The webhook looks up whatever key a token names.", Severity: reports.High, Owner: Webhook,
		Consequence: "Anybody makes it fail, or look where it should not.",
		Fix:         "Take the key from your configuration. If you must use kid, compare it with a fixed list, and refuse what is not in it.",
		When:        []string{"HOOK-KID-INJECTION"}, Explains: []string{"HOOK-KID-INJECTION", "HOOK-REMOTE-KEY"}},
	{ID: "webhook-fails-on-odd-tokens", Title: "The webhook fails on what is no token.", Severity: reports.Medium, Owner: Webhook,
		Consequence: "Strangers fill your logs with errors, and find the one that does more harm.",
		Fix:         "Catch whatever the JWT library throws, and answer 401.",
		When:        []string{"HOOK-GARBAGE"}, Explains: []string{"HOOK-GARBAGE", "HOOK-SEGMENTS"}, Besides: []string{"LIVE-HOOK-HEADERS"}}, // one of them has two tokens
	{ID: "webhook-trusts-chat-type", Title: "The webhook reads the claim chat without looking at its type.", Severity: reports.High, Owner: Webhook,
		Consequence: "Tokens whose chat is something odd make it fail, or are good for every chat.",
		Fix:         "Require chat to be an object whose id is a non-empty string, and answer 401 otherwise.",
		When:        []string{"HOOK-CHAT-TYPE"}, Explains: []string{"HOOK-CHAT-TYPE", "HOOK-NO-CHAT"}},
	{ID: "webhook-without-tls", Title: "A webhook is called without TLS.", Severity: reports.High, Owner: Infrastructure,
		Consequence: "Whoever is on the way reads tokens and messages. Kindly may send no token there at all.",
		Fix:         "Serve the webhook over https, and register that URL.",
		When:        []string{"FWD-HTTPS"}, Explains: []string{"FWD-HTTPS", "FWD-COVERED"}},
	{ID: "token-does-not-arrive", Title: "The token does not seem to reach the webhook.", Severity: reports.High, Owner: Infrastructure,
		Consequence: "Every user is a stranger to the webhook.", Explains: []string{"HOOK-DISTINGUISHES", "HOOK-BEARER-CASE"}, Unless: []string{"HOOK-USER-ID"}},
	{ID: "webhook-clock", Title: "The clock of the webhook's server is wrong.", Severity: reports.High, Owner: Infrastructure, Consequence: "It refuses fresh tokens: users are strangers to it, or get an error.", Explains: ofTime},
	{ID: "webhook-time-zone", Title: "The webhook takes local time for UTC when it checks the token.", Severity: reports.High, Owner: Webhook, Consequence: "It refuses valid tokens, or takes expired ones for hours.", Explains: ofTime},
	{ID: "webhook-misreads-bearer", Title: "The webhook reads the token wrongly from the Authorization header.", Severity: reports.High, Owner: Webhook,
		Consequence: "It refuses every valid token.", Explains: []string{"FWD-DELIVERED", "HOOK-VALID", "HOOK-SCHEME", "HOOK-BEARER-CASE"}},
	{ID: "webhook-wants-milliseconds", Title: "The webhook takes the seconds in tokens for milliseconds.", Severity: reports.High, Owner: Webhook,
		Consequence: "It refuses every valid token.", Explains: []string{"FWD-DELIVERED", "HOOK-VALID"}},
	{ID: "webhook-changes-chat", Title: "The webhook changes one chat id before it compares it with the other.", Severity: reports.High, Owner: Webhook,
		Consequence: "It refuses every valid token.", Explains: []string{"FWD-DELIVERED", "HOOK-VALID"}},
	{ID: "webhook-misses-chat", Title: "The webhook looks for the chat id under another name.", Severity: reports.High, Owner: Webhook,
		Consequence: "It refuses every valid token.", Explains: []string{"FWD-DELIVERED", "HOOK-VALID"}},
	{ID: "webhook-wants-algorithm", Title: "The webhook accepts another algorithm than RS256.", Severity: reports.High, Owner: Webhook,
		Consequence: "It refuses every valid token.", Explains: []string{"FWD-DELIVERED", "HOOK-VALID", "HOOK-ALG-OTHER"}},
	{ID: "webhook-verifies-with-secret", Title: "The webhook verifies tokens with the webhook's secret instead of your public key.", Severity: reports.High, Owner: Webhook,
		Consequence: "It refuses every valid token.", Explains: []string{"FWD-DELIVERED", "HOOK-VALID"}},
	{ID: "webhook-wants-issuer", Title: "The webhook expects another issuer than the endpoint writes.", Severity: reports.High, Owner: Webhook,
		Consequence: "It refuses every valid token.", Explains: []string{"FWD-DELIVERED", "HOOK-VALID"}},
	{ID: "webhook-refuses-audience", Title: "The webhook refuses tokens that say who they are for.", Severity: reports.High, Owner: Webhook,
		Consequence: "It refuses valid tokens.", Explains: []string{"FWD-DELIVERED", "HOOK-VALID"}},
	{ID: "webhook-wants-audience", Title: "The webhook requires a claim that Kindly does not ask for.", Severity: reports.High, Owner: Webhook, Consequence: "It refuses valid tokens.", Explains: []string{"FWD-DELIVERED", "HOOK-VALID"}},
	{ID: "token-too-large", Title: "The token is too long for a header.", Severity: reports.High, Owner: Token, Consequence: "Servers refuse the request, and the user gets no answer.",
		Fix: "Keep only the claims that Kindly and your webhooks read.", When: []string{"TOK-SIZE"}, Explains: []string{"TOK-SIZE", "HOOK-VALID"}},
	{ID: "webhook-fails-on-everything", Title: "The webhook fails with an error on every request.", Severity: reports.High, Owner: Webhook, Consequence: silent, Explains: valid,
		Fix: "Look into its log. Mostly a JSON parser has run before, and the HMAC gets an object instead of the body's bytes (take express.raw, or the verify hook of the JSON parser); or a secret or a key is not set there."},
	{ID: "webhook-refuses-everybody", Title: "The webhook refuses whoever calls, with a valid token and without one.", Severity: reports.High, Owner: Webhook,
		Consequence: "Every user gets an error in the place of an answer.",
		Fix:         "Log what Authorization holds there: a gateway may put a token of its own in its place. If it is Kindly's token, see which key and which claims it is verified by: the public half of the key that the endpoint signs with, and the request's chat_id.", Explains: valid},
	{ID: "webhook-refuses-valid-tokens", Title: "The webhook refuses valid tokens.", Severity: reports.High, Owner: Webhook,
		Consequence: "Whoever is logged in gets an error, or is taken for a stranger.",
		Fix:         "Verify with the public half of the key that the endpoint signs with, and compare chat.id with the request's chat_id. If that is done, log why it refuses: the clock, the algorithm, or a claim that Kindly's tokens need not have.",
		When:        []string{"HOOK-VALID"}, Explains: valid},
	{ID: "webhook-fails-on-tokens", Title: "The webhook fails on every token, and works without.", Severity: reports.High, Owner: Webhook,
		Consequence: "Whoever is logged in gets no answer.", Explains: append([]string{"LIVE-HOOK-HEADERS"}, valid...), // one of them has two tokens
		Fix: "Look into its log: mostly the public key can't be read (a PEM in an environment variable often has \\n as two characters), or the JWT library is missing."},
	{ID: "gateway-without-service", Title: "A gateway answers in the webhook's place: nothing is behind it.", Severity: reports.High, Owner: Infrastructure,
		Consequence: "Every dialogue with this webhook is silent.", Fix: "Start the app behind the gateway, and look at where the gateway sends requests.", Explains: valid},
	{ID: "gateway-refuses", Title: "Something before the webhook turns Kindly away.", Severity: reports.High, Owner: Infrastructure,
		Consequence: "The webhook never sees what Kindly sends: every dialogue with it is silent.", Explains: valid},
	{ID: "gateway-takes-token", Title: "A gateway before the webhook takes Kindly's token for one of its own kind.", Severity: reports.High, Owner: Infrastructure,
		Consequence: "Whoever is logged in gets no answer.", Explains: valid},
	{ID: "webhook-behind-password", Title: "The webhook is behind a password.", Severity: reports.High, Owner: Infrastructure,
		Consequence: "Kindly has none: every dialogue with this webhook is silent.", Explains: valid},
	{ID: "webhook-wants-csrf", Title: "The framework's CSRF check refuses what Kindly sends.", Severity: reports.High, Owner: Webhook, Consequence: silent, Explains: valid},
	{ID: "webhook-not-found", Title: "Nothing is served at the webhook's URL.", Severity: reports.High, Owner: Configuration,
		Consequence: "Every dialogue with this webhook is silent.", Explains: valid,
		Fix: "Compare the path with the route that the app serves: with its prefix (/api), its letters, and what a proxy cuts off. Then see that this version of the app is deployed."},
	{ID: "webhook-takes-no-post", Title: "The webhook's URL takes no POST.", Severity: reports.High, Owner: Webhook, Consequence: silent, Explains: valid,
		Fix: "Let the webhook's path take POST."},
	{ID: "webhook-misses-input", Title: "The webhook does not find in the request what it looks for.", Severity: reports.High, Owner: Webhook, Consequence: silent, Explains: valid,
		Fix: "See what its answer says. Read the body as JSON (not as a form), by the names that Kindly uses: message, chat_id, user_id, exchange, context; and require none that is not always there."},
	{ID: "webhook-hangs-up", Title: "The webhook closes the connection before it has answered.", Severity: reports.High, Owner: Webhook, Consequence: silent, Explains: valid,
		Fix: "Look into its log, and into that of the proxy before it: something ends the request, with an error that nobody answers or in the midst of the answer. Is the port the right one, for http or https?"},
	{ID: "webhook-answers-a-page", Title: "A page for people answers in the webhook's place.", Severity: reports.High, Owner: Infrastructure,
		Consequence: "Kindly can't read the answer: every dialogue with this webhook is silent.", Explains: valid},
	{ID: "webhook-redirects", Title: "The webhook redirects.", Severity: reports.High, Owner: Infrastructure, Consequence: "Kindly does not follow: every dialogue with this webhook is silent.",
		Fix: "Register the final URL with Kindly.", Explains: valid},
	{ID: "webhook-redirects-to-login", Title: "The webhook redirects to a login.", Severity: reports.High, Owner: Infrastructure, Consequence: "Kindly can't log in: every dialogue with this webhook is silent.", Explains: valid},
	{ID: "webhook-cold-start", Title: "The webhook sleeps until it is called.", Severity: reports.Medium, Owner: Infrastructure, Consequence: "The first user after a pause gets no answer.", Explains: []string{"RESP-TIME"}},
	{ID: "webhook-wants-slash", Title: "The webhook is served with a slash at the end of its URL.", Severity: reports.High, Owner: Configuration, Consequence: silent, Explains: []string{"RESP-STATUS", "FWD-REDIRECT"}},
	{ID: "webhook-wants-no-slash", Title: "The webhook is served without a slash at the end of its URL.", Severity: reports.High, Owner: Configuration, Consequence: silent, Explains: []string{"RESP-STATUS", "FWD-REDIRECT"}},
	{ID: "webhook-wants-content-type", Title: "The webhook takes JSON only with a charset.", Severity: reports.High, Owner: Webhook, Consequence: silent, Explains: []string{"RESP-STATUS"}},
	{ID: "webhook-wants-accept", Title: "The webhook answers only those who say that they take JSON.", Severity: reports.High, Owner: Webhook, Consequence: silent, Explains: []string{"RESP-STATUS"}},
	{ID: "answer-under-another-name", Title: "The webhook writes its answer under a name that Kindly does not read.", Severity: reports.High, Owner: Webhook,
		Consequence: "The user sees nothing: Kindly reads reply, and finds none.",
		When:        []string{"RESP-FIELD-NAMES", "RESP-EMPTY"}, Explains: []string{"RESP-FIELD-NAMES", "RESP-EMPTY"},
		Fix: "Call the answer's text reply."},
	unheard("answer-nested", "The webhook's answer stands within something else."),
	unheard("answer-encoded-twice", "The webhook's answer is JSON in a JSON text."),
	unheard("answer-mixed", "The webhook prints something else along with its JSON."),
	unheard("answer-cut-off", "The webhook's answer is cut off."),
	unheard("answer-not-utf8", "The webhook's answer is not in UTF-8."),
	unheard("answer-compressed", "The webhook's answer is compressed, and does not say so."),
	{ID: "answer-is-an-envelope", Title: "The webhook's answer is a gateway's envelope, not what is in it.", Severity: reports.High, Owner: Infrastructure,
		Consequence: "The user sees nothing: Kindly looks for reply, and finds statusCode and body.",
		Fix:         "Turn on the gateway's proxy integration (AWS: Lambda proxy), or return what is in body alone.", Explains: []string{"RESP-EMPTY"}},
}

// unheard is an answer that Kindly can't read, or finds nothing in.
func unheard(id, title string) Cause {
	return Cause{ID: id, Title: title, Severity: reports.High, Owner: Webhook, Consequence: "The user sees nothing of what the webhook has to say.",
		Explains: []string{"RESP-JSON", "RESP-EMPTY", "RESP-FIELDS", "RESP-FIELD-NAMES", "HOOK-DISTINGUISHES"}}
}

// processes are those that end one.
var processes = []Cause{
	{ID: "process-dies", Title: "One request ends the process.", Severity: reports.Critical, Owner: Webhook,
		Consequence: "Anybody turns the service off for all users, as often as they like.",
		Fix:         "Catch what that request throws, also in what runs after the answer, and answer 400 or 401.",
		Everywhere:  true, Explains: []string{"LIVE-PROCESS"}},
}
