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
	ifSignature = " If your own check of the signature says so, compare the two secrets."
	fixNoKey    = "The key is not there where it is used: the variable is not set in this environment, or is read by another name, or the key is fetched and not waited for (await)."
	fixPEM      = `The library can't read the key as it got it. Mostly a variable has \n as two characters (key.replace(/\\n/g, "\n")), or holds the PEM's first line only, or the file's path, or the key is of another form: openssl pkcs8 -topk8 -nocrypt writes PKCS #8 (BEGIN PRIVATE KEY), openssl rsa -pubout the public half (BEGIN PUBLIC KEY).`
)

// readsMissing is what languages say where something is read that is not there.
var readsMissing = regexp.MustCompile(`KeyError|Undefined (?:array key|index|property)|NoMethodError|undefined method|NullReferenceException|NullPointerException|ArgumentNullException|nil pointer dereference|Sequence contains no|(?i:cannot read propert\w+ (?:of |'\w+' of )(?:undefined|null))|'NoneType' object|(?:\w\(\)|property "?\w+"?) on null\b`)

// messages are those of the libraries that sign, verify and parse, the narrowest
// first. Sources: their code (jsonwebtoken, jose, PyJWT, firebase/php-jwt, jjwt,
// golang-jwt, .NET, OpenSSL, Express and its parsers).
var messages = []message{
	{regexp.MustCompile(`should not be used as an HMAC secret|IDX10720|IDX10653|HS\d\d\d algorithm requires|secret key byte array cannot be null|WeakKeyException[^<]{0,80}HMAC`),
		`The library signs or verifies with a shared secret (HS256), mostly because it was not told otherwise. Name the algorithm, and give it the RSA key: algorithm="RS256" (PyJWT), new RsaSecurityKey(rsa) with SecurityAlgorithms.RsaSha256 (.NET).`},
	{regexp.MustCompile(`RSA (?:verify|sign) expects`),
		"The key is bytes or text where the library wants an RSA key: return jwt.ParseRSAPublicKeyFromPEM(pem) from the keyfunc (and sign with jwt.ParseRSAPrivateKeyFromPEM)."},
	{regexp.MustCompile("undefined method [`']verify'|given key is a String"),
		`The key is a text where the library wants an RSA key: JWT.decode(token, OpenSSL::PKey::RSA.new(pem), true, algorithm: "RS256").`},
	{regexp.MustCompile(`SecretKeySpec may not be used`),
		"A text as key is taken for a shared secret. Make the public key of the PEM: KeyFactory.getInstance(\"RSA\").generatePublic(new X509EncodedKeySpec(…)), of the base64 between its BEGIN and END lines."},
	{regexp.MustCompile(`\$keyOrKeyArray must be|JWT::decode\(\): Argument #`),
		`Since version 6, firebase/php-jwt wants key and algorithm in one: JWT::decode($token, new Key($pem, "RS256")).`},
	{regexp.MustCompile(`Received an instance of Uint8Array`),
		`Bytes are a key for HMAC. For RS256 import the PEM: await importSPKI(pem, "RS256") to verify, importPKCS8 to sign.`},
	{regexp.MustCompile(`\bInvalidKeyFormat\b`),
		"Read the PEM as what it is: DecodingKey::from_rsa_pem(pem), EncodingKey::from_rsa_pem(pem). from_secret is for HMAC."},
	{regexp.MustCompile(`"msg"\s*:\s*"The specified alg value is not allowed`),
		`flask-jwt-extended takes HS256 unless it is told: JWT_ALGORITHM = "RS256" and JWT_PUBLIC_KEY. It is made for its own tokens; PyJWT alone verifies Kindly's: jwt.decode(token, key, algorithms=["RS256"]).`},
	{regexp.MustCompile(`specified alg value is not allowed`), `Name the algorithm by which tokens for Kindly are signed: jwt.decode(token, key, algorithms=["RS256"]).`},
	{regexp.MustCompile(`Expected a different algorithm|An algorithm must be specified`), `Name the algorithm by which tokens for Kindly are signed: JWT.decode(token, key, true, algorithm: "RS256"). Without it ruby-jwt takes HS256.`},
	{regexp.MustCompile(`\bInvalidAlgorithm\b`), "Name the algorithm by which tokens for Kindly are signed: Validation::new(Algorithm::RS256), with DecodingKey::from_rsa_pem. Validation::default() takes HS256."},
	{regexp.MustCompile(`Incorrect key for this algorithm|Algorithm not (?:allowed|supported)`), `Name the algorithm by which tokens for Kindly are signed: new Key($pem, "RS256") (firebase/php-jwt).`},
	{regexp.MustCompile(`\binvalid algorithm\b|signing method \w+ is invalid|[Uu]nexpected signing method`), `It does not accept RS256, by which tokens for Kindly are signed. Name that, with the public key: algorithms: ["RS256"] (jsonwebtoken), jwt.WithValidMethods([]string{"RS256"}) (Go).`},
	{regexp.MustCompile(`module 'jwt' has no attribute|cannot import name '\w+' from 'jwt'`),
		"What Python imports as jwt is not PyJWT: another package (pip uninstall jwt; pip install pyjwt[crypto]), or a file of your own by the name jwt.py."},
	{regexp.MustCompile(`'str' object has no attribute 'decode'`),
		"It decodes what is a text already: jwt.encode gives text since PyJWT 2. Leave .decode() out."},
	{regexp.MustCompile(`"kid" (?:empty|invalid), unable to lookup`),
		`The library got a list of keys, and looks for one by the token's kid, which Kindly's tokens need not have. Give it the one key: new Key($pem, "RS256").`},
	{regexp.MustCompile(`cannot unmarshal \w+ into Go struct field \w*\.?chat\b|Claims\["chat"\]|(?i:deserialize[^<]{0,120}["'\[.]chat\b)`),
		"The claim chat is an object, with id and webhook_domains in it: read it as one, and compare its id with the request's chat_id."},
	{regexp.MustCompile(`maxAge exceeded`),
		`maxAge is over as soon as the token is made: jsonwebtoken reads the text "300" as milliseconds. Write a number of seconds (300) or a unit ("5m").`},
	{regexp.MustCompile(`Digest already called|ERR_CRYPTO_HASH_FINALIZED`),
		`One Hmac object is used for more than one request, and it is spent after the first. Make it where the request is handled: createHmac("sha256", secret).update(rawBody).digest("base64").`},
	{regexp.MustCompile(`unsupported operand types?\(s\) or combination of types: '\w+' and '\w+'|a bytes-like object is required, not 'str'|expected bytes or bytearray, but got 'str'|(?:Strings|Unicode-objects) must be encoded before hashing|can't concat str to bytes`),
		"Python keeps text and bytes apart. The secret and the body go into hmac.new as bytes (secret.encode()), and what is compared with the header is text: base64.b64encode(digest).decode()."},
	{regexp.MustCompile(`Missing required (?:parameter|argument) 'digestmod'`), "Name the hash: hmac.new(secret, body, hashlib.sha256)."},
	{regexp.MustCompile(`"buf\d" argument must be an instance of`),
		"crypto.timingSafeEqual compares bytes, and not text: make a Buffer of both, compare their lengths first, and answer 401 where they differ or the header is missing."},
	{regexp.MustCompile(`Unable to use this key to (?:verify|sign)|(?i:key[^<]{0,40}usages? (?:do(?:es)? not|permit|allow)|not support the .?(?:verify|sign).? (?:operation|usage))`),
		`The key was imported for another use: importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]) for subtle.verify, ["sign"] for subtle.sign.`},
	{regexp.MustCompile(`Zero-length key is not supported|Imported HMAC key length \(0\)`), fixNoKey},
	{regexp.MustCompile(`disposed object\.?\s+Object name: .RSA|RSA\w*\.ThrowIfDisposed|[Ss]afe handle has been closed`),
		"The RSA key was disposed of (using), while .NET keeps the signer that it made of it: the first token is signed, and no other one. Keep one RSA for the life of the app, or set CryptoProviderFactory's CacheSignatureProviders to false."},
	{regexp.MustCompile(`Expected 200 OK from the JSON Web Key Set|JWKSTimeout|IDX20803|IDX20804|Unable to (?:obtain|retrieve) (?:configuration|document)[^<]{0,20}|Failed to (?:fetch|retrieve|get) (?:the )?(?:JWKS|keys|signing keys)|Error fetching (?:JWKS|keys)|Couldn't retrieve remote JWK set`),
		"It fetches the keys from an address that does not give them (JWKS, Authority, issuer-uri): that is the way of identity providers. Give it the public key itself, whose private half the endpoint signs with."},
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
	{regexp.MustCompile(`secretOrP\w+ must be an asymmetric key|DECODER routines|PEM routines|no start line|cannot be coerced into a (?:private|public) key|Could not (?:parse|deserialize)[^<]{0,30}key|Unable to load PEM|must be a PEM encoded|No supported key formats|InvalidKeySpec|OpenSSL unable to (?:sign|validate)|InvalidKeyError|not possible to parse your key|asn1 encoding routines`), fixPEM},
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
	{regexp.MustCompile(`Token has no (?:type|id)|Missing claim: |Token type is incorrect|Unable to find key "?\w+"? in the token payload|typ(?:e)? claim|Wrong token type|Only (?:non-)?(?:access|refresh) tokens? (?:is|are) allowed|Missing ["']?\w+["']? claim`),
		"It takes tokens of its own only, with claims that Kindly's tokens have not: that is the check of your own login. Take it off the webhook, and verify Kindly's token there by a JWT library, with your public key; the user is in sub."},
	{regexp.MustCompile(`"data" argument must be of type string[^<]*Received undefined`),
		"The HMAC gets no body: nobody has kept it (rawBody is undefined). Keep the bytes where the body is read (the verify hook of express.json, koa-body's includeUnparsed, fastify-raw-body), and hash those."},
	{regexp.MustCompile(`ENOENT|FileNotFoundError|no such file or directory|failed to open stream`),
		"A file is not there where it runs: see that it is deployed, and take its path from the program's own place, not from the working directory."},
	{regexp.MustCompile(`(?i)not allowed by CORS`),
		"The CORS check throws where there is no Origin, or another than it lists: servers such as Kindly send none. Let requests without Origin through, and leave the check off what is not for browsers."},
	{regexp.MustCompile(`of ['"]?(?:req|request|ctx\.request)\.body['"]?|properties of undefined \(reading '(?:chat_?[iI]d|message|user_?[iI]d|exchange)'\)|property '\w+' of undefined`),
		"The request's body was not parsed: put the JSON parser before the route (app.use(express.json())), for the content type that is sent (application/json)."},
	{regexp.MustCompile(`RawPostDataException|cannot access body after reading`), "The body is read twice, and is gone the second time: read request.body first, for the HMAC, and request.data or request.POST after it."},
	{regexp.MustCompile(`get(?:InputStream|Reader)\(\) has already been called|[Rr]equired request body is missing`), "The body is read twice, and is gone the second time: let the filter wrap the request with a copy of its bytes, and take the HMAC and the JSON from those."},
	{regexp.MustCompile(`[Nn]on-empty request body is required`), "The body is read twice, and is gone the second time: Request.EnableBuffering() before it is read for the HMAC, and Body.Position = 0 after."},
	{regexp.MustCompile(`stream is not readable|body used already|Body is unusable|request body has already been`),
		"The body is read twice. Keep its bytes where it is read first (the verify hook of express.json; await req.text() once, then JSON.parse), and take the HMAC and the JSON from them."},
	{regexp.MustCompile(`request entity too large|PayloadTooLargeError`), "The parser's limit is too low for what is sent: raise it (express.json({limit: \"1mb\"}))."},
	{regexp.MustCompile(`must have the same (?:byte )?length|timingSafeEqual`), "Compare lengths first, and answer 401 where they differ: crypto.timingSafeEqual throws there."},
	{regexp.MustCompile(`(?i)\bkid["']?\s+(?:(?:is|was|header|claim)\s+)*(?:missing|not found|required|unknown|null|undefined)|\b(?:no|missing|unknown|without|find)\s+(?:a |the )?(?:matching )?["']?kid\b|Unable to find a signing key|JWKSNoMatchingKey|no applicable key found`),
		"It looks for a key by the token's kid. Take the one public key from the configuration, or let the endpoint write the kid that is looked for: Kindly's tokens need none."},
	{regexp.MustCompile(`(?i)option the payload already has an|for string payload|Expected "payload" to be a plain object|"(?:iat|expiresIn)" should be`),
		"Give the library a plain object and the lifetime in one place: as expiresIn in seconds (a number), or as the claim exp, not both."},
	{regexp.MustCompile(`not JSON serializable|circular structure to JSON|BigInt`), "What is written as JSON is no plain value: write the token as text, and numbers as numbers."},
	{readsMissing,
		"It reads something that is not there, and its error names it: mostly a field that the request has not (Kindly sends message, chat_id, user_id, exchange, context, and more), a setting, or a row of a table. Require none that is not always there."},
}

// logins are messages of a login to those who have none, those of one library first.
var logins = []message{
	{regexp.MustCompile(`"message"\s*:\s*"Unauthenticated\."`), "So says Laravel's login of whoever has none: take the webhook's route out of the group with auth:sanctum or auth:api, which reads Kindly's Bearer token as its own."},
	{regexp.MustCompile(`"rest_forbidden"|"rest_not_logged_in"`), "So says WordPress where permission_callback is not true: \"permission_callback\" => \"__return_true\" in register_rest_route, for the webhook checks the signature itself."},
	{regexp.MustCompile(`Authentication credentials were not provided`), "So says Django REST framework of whoever is not logged in: authentication_classes = [] and permission_classes = [AllowAny] on the webhook's view."},
	{regexp.MustCompile(`need to sign in or sign up`), "So says Devise of whoever is not logged in: skip_before_action :authenticate_user! in the webhook's controller."},
	{regexp.MustCompile(`^\s*\{\s*"detail"\s*:\s*"Not authenticated"\s*\}`), "So says FastAPI's HTTPBearer or OAuth2 scheme of whoever brings no login: take it off the webhook's route, and off the router or app that it is in."},
	{regexp.MustCompile(`^\s*\{\s*"message"\s*:\s*"Unauthorized"\s*,\s*"statusCode"\s*:\s*401\s*\}`), "So says a guard of NestJS. Is it a global one (APP_GUARD, useGlobalGuards), the app's login? Let it pass the webhook's route (@Public())."},
	{regexp.MustCompile(`Full authentication is required to access this resource`), "So says Spring Security of whoever is not logged in: permitAll for the webhook's path, and no CSRF check there."},
	{regexp.MustCompile(`"error"\s*:\s*"Unauthorized"\s*,\s*"message"\s*:\s*"(?:Missing authentication|No Authorization was found)|"FST_JWT_NO_AUTHORIZATION`), "So says the app's JWT plugin (Fastify, hapi) of whoever brings no login of its own: let the hook that checks it (onRequest, auth: false) leave out the webhook's route."},
	{regexp.MustCompile(`No authorization token was found|credentials_required`), "So says express-jwt of whoever brings no login of the app's: exclude the webhook's path (.unless({path: […]})), or put its route before that middleware."},
	{regexp.MustCompile(`could not verify that you are authorized to access the URL`), "So says Flask of whoever is not logged in: leave @login_required off the webhook's route, and out of a before_request of all."},
	{regexp.MustCompile(`(?i)(?:not|n't|un)[ -]?(?:logged|signed)[ -]?in\b|\bun-?authenticated\b|\bnot-?_?authenticated\b|\b(?:must|need to|please|have to)(?: be)? (?:log|logged|sign|signed)[ -]?(?:in|on)\b|\b(?:login|log-in|authentication)[ _](?:is )?required\b|\bmissing authentication\b`),
		"So says a login of whoever has none: take the webhook's route out of the middleware, guard or filter that the app's own pages and API have. Kindly has no session and no account."},
}

// ofLogin says whether an answer is what logins say to those who have none: that is what
// stands before a webhook which believes no session.
func ofLogin(body []byte) bool { return said(logins, body) != nil }

// FixOfAnswer is what to do where an answer has the known message of a library, in
// HTML, in JSON or as it is; "" where it has none.
func FixOfAnswer(body []byte) string {
	if m := said(messages, body); m != nil {
		return m.fix
	}
	if m := said(logins, body); m != nil {
		return m.fix + ifSignature
	}
	return ""
}

// said is the first of the messages that an answer has.
func said(all []message, body []byte) *message {
	const enough = 16 << 10
	text := strings.ReplaceAll(html.UnescapeString(string(body[:min(len(body), enough)])), `\"`, `"`)
	for i := range all {
		if all[i].says.MatchString(text) {
			return &all[i]
		}
	}
	return nil
}
