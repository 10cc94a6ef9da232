package subject

import (
	"html"
	"regexp"
	"strings"
)

// A message is what libraries say of a mistake: known words, and what to do.
type message struct {
	says *regexp.Regexp
	fix  string
}

const (
	fixNoKey = "The key is not there where it is used: the variable is not set in this environment, or is read by another name, or the key is fetched and not waited for (await)."
	fixPEM   = `The library can't read the key as it got it. Mostly a variable has \n as two characters (key.replace(/\\n/g, "\n")), or holds the file's path, or the key is of another form: openssl pkcs8 -topk8 -nocrypt writes PKCS #8 (BEGIN PRIVATE KEY), openssl rsa -pubout the public half (BEGIN PUBLIC KEY).`
)

// messages are those of the libraries that sign, verify and parse, the narrowest
// first. Sources: their code (jsonwebtoken, jose, PyJWT, firebase/php-jwt, jjwt,
// golang-jwt, .NET, OpenSSL, Express and its parsers).
var messages = []message{
	{regexp.MustCompile(`secretOrP\w+ must have a value|secret or public key must be provided|Key may not be empty|[kK]ey (?:argument )?cannot be (?:null|empty)|Expecting a PEM-formatted key|"key" argument must be[^<]*Received (?:undefined|null)|key must be one of type[^<]*Received undefined`), fixNoKey},
	{regexp.MustCompile(`secretOrP\w+ is not valid key material|[kK]ey[^<]{0,80}Received (?:an instance of Promise|type string)`),
		"The library gets something else than a key: a promise (await it), an object, or a text where it wants an imported key (jose: importPKCS8, importSPKI)."},
	{regexp.MustCompile(`"pkcs8" must be PKCS#8|algid parse error|"spki" must be SPKI`),
		"The key has another form than the one that is read: BEGIN RSA PRIVATE KEY is PKCS #1. openssl pkcs8 -topk8 -nocrypt -in key.pem writes PKCS #8 (BEGIN PRIVATE KEY), openssl rsa -in key.pem -pubout the public half (BEGIN PUBLIC KEY)."},
	{regexp.MustCompile(`Illegal base64 character`),
		"Take the lines BEGIN and END and all line ends out before you decode a PEM from base64, or let a library read it."},
	{regexp.MustCompile(`(?i)minimum key size|key'?s? size is \d+ bits which is not`), "Make a key of 2048 bits or more (kindlytest keygen), and upload its public half."},
	{regexp.MustCompile(`(?i)bad decrypt|passphrase required|interrupted or cancelled|private key is encrypted`),
		"The key is encrypted: give its passphrase to what reads it, or take it off (openssl pkcs8 -topk8 -nocrypt)."},
	{regexp.MustCompile(`secretOrP\w+ must be an asymmetric key|DECODER routines|PEM routines|no start line|cannot be coerced into a (?:private|public) key|Could not (?:parse|deserialize)[^<]{0,30}key|Unable to load PEM|must be a PEM encoded|No supported key formats|InvalidKeySpec|OpenSSL unable to (?:sign|validate)|InvalidKeyError|key is of invalid type|asn1 encoding routines`), fixPEM},
	{regexp.MustCompile(`Do you have cryptography installed|Cannot find module|ModuleNotFoundError|No module named|Class "[^"<]+" not found`),
		"A library is missing where it runs: install it there (for PyJWT and RS256: pyjwt[crypto]), and deploy anew."},
	{regexp.MustCompile(`[Ee]dge [Rr]untime|nodejs_compat|\[unenv\]`),
		"There is no Node in that runtime: sign and verify with Web Crypto (the library jose does), or let the route run in Node (Next.js: export const runtime = \"nodejs\"; Cloudflare: the flag nodejs_compat)."},
	{regexp.MustCompile(`Worker threw exception|error code: 1101`),
		"The Worker threw: `wrangler tail` shows what. Mostly a secret is not bound to it (wrangler secret put; env.NAME, not process.env), or it uses a module of Node's."},
	{regexp.MustCompile(`Route \[login\] not defined`),
		"Laravel finds nobody logged in, and no route called login to redirect to. Let the page send Accept: application/json (then it gets 401), and see why there is no session: the route's middleware (web, auth:sanctum), the cookie, the guard."},
	{regexp.MustCompile(`extract timestamp and signatures from header|signatures found matching the expected signature|[Ss]tripe-[Ss]ignature|WebhookVerificationError|(?i)\bsvix-|x-hub-signature|x-shopify-hmac`),
		"That is the check of another service's webhooks (Stripe, Svix, GitHub, Shopify), which sign in ways of their own. Compare Kindly-HMAC with base64(HMAC-SHA256(raw body, secret)): Kindly signs the body alone, with no time stamp and no prefix."},
	{regexp.MustCompile(`value for the "algorithms" argument`), `Name the algorithm: jwt.decode(token, key, algorithms=["RS256"]). PyJWT wants it since version 2.`},
	{regexp.MustCompile(`IDX1050[0-9]|IDX10517|signature key was not found|No security keys were provided`),
		"It has not the key: an Authority makes .NET fetch keys from an identity provider, and look for the token's kid. Give it the public key itself: IssuerSigningKey = new RsaSecurityKey(rsa), with no Authority."},
	{regexp.MustCompile(`(?i)["']?\baud\b["']? (?:claim|is|was|header|value)|[Ii]nvalid audience|audience (?:is )?(?:invalid|mismatch|doesn't match)|The audience '|IDX10214|IDX10206|IDX10208`),
		"It wants an audience (aud) that the token has not. Take that out of what the webhook requires (ValidateAudience = false, no audience option), or let the endpoint write the very aud: Kindly needs none."},
	{regexp.MustCompile(`(?i)jwt issuer invalid|invalid issuer|unexpected "iss"|["']iss["'] claim|The issuer '|IDX10205|IDX10211`),
		"It wants another issuer (iss) than the endpoint writes, to the letter: a slash or a scheme more is another one. Let both say the same."},
	{regexp.MustCompile(`"data" argument must be of type string[^<]*Received undefined`),
		"The HMAC gets no body: nobody has kept it (rawBody is undefined). Keep the bytes where the body is read (the verify hook of express.json, koa-body's includeUnparsed, fastify-raw-body), and hash those."},
	{regexp.MustCompile(`KeyError|Undefined (?:array key|index|property)|NoMethodError|undefined method|NullReferenceException|NullPointerException`),
		"It reads something that is not there, and its error names it: mostly a field that the request has not (Kindly sends message, chat_id, user_id, exchange, context, and more), a setting, or a row of a table. Require none that is not always there."},
	{regexp.MustCompile(`ENOENT|FileNotFoundError|no such file or directory|failed to open stream`),
		"A file is not there where it runs: see that it is deployed, and take its path from the program's own place, not from the working directory."},
	{regexp.MustCompile(`(?i)not allowed by CORS`),
		"The CORS check throws where there is no Origin, or another than it lists: servers such as Kindly send none. Let requests without Origin through, and leave the check off what is not for browsers."},
	{regexp.MustCompile(`of ['"]?(?:req|request|ctx\.request)\.body['"]?|properties of undefined \(reading '(?:chat_?[iI]d|message|user_?[iI]d|exchange)'\)|property '\w+' of undefined`),
		"The request's body was not parsed: put the JSON parser before the route (app.use(express.json())), for the content type that is sent (application/json)."},
	{regexp.MustCompile(`stream is not readable|body used already|Body is unusable|getInputStream\(\) has already been called|request body has already been`),
		"The body is read twice. Keep its bytes where it is read first (the verify hook of express.json), and take the HMAC and the JSON from them."},
	{regexp.MustCompile(`request entity too large|PayloadTooLargeError`), "The parser's limit is too low for what is sent: raise it (express.json({limit: \"1mb\"}))."},
	{regexp.MustCompile(`must have the same (?:byte )?length|timingSafeEqual`), "Compare lengths first, and answer 401 where they differ: crypto.timingSafeEqual throws there."},
	{regexp.MustCompile(`(?i)\bkid["']?\s+(?:(?:is|was|header|claim)\s+)*(?:missing|not found|required|unknown|null|undefined)|\b(?:no|missing|unknown|without|find)\s+(?:a |the )?(?:matching )?["']?kid\b|Unable to find a signing key|JWKSNoMatchingKey|no applicable key found`),
		"It looks for a key by the token's kid. Take the one public key from the configuration, or let the endpoint write the kid that is looked for: Kindly's tokens need none."},
	{regexp.MustCompile(`(?i)option the payload already has an|for string payload|Expected "payload" to be a plain object|"(?:iat|expiresIn)" should be`),
		"Give the library a plain object and the lifetime in one place: as expiresIn in seconds (a number), or as the claim exp, not both."},
	{regexp.MustCompile(`not JSON serializable|circular structure to JSON|BigInt`), "What is written as JSON is no plain value: write the token as text, and numbers as numbers."},
}

// FixOfAnswer is what to do where an answer has the known message of a library, in
// HTML, in JSON or as it is; "" where it has none.
func FixOfAnswer(body []byte) string {
	const enough = 16 << 10
	text := strings.ReplaceAll(html.UnescapeString(string(body[:min(len(body), enough)])), `\"`, `"`)
	for _, m := range messages {
		if m.says.MatchString(text) {
			return m.fix
		}
	}
	return ""
}
