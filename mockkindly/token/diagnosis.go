package token

// A Diagnosis is the mistake by which a token came to break a rule, where that
// can be told. One mistake often breaks several rules; its ID is the same in all.
type Diagnosis struct {
	ID    string // "token-milliseconds"; stable, never reused
	Title string // what is wrong, in the customer's words
	Fix   string // the way out; it takes the place of the rule's
}

// Mistakes in how a token is handed on.
var (
	WithBearer = Diagnosis{"token-with-bearer", `"Bearer" is given along with the token`,
		`Return the token alone: "Bearer" belongs to the Authorization header, which Kindly writes.`}
	WithSpace = Diagnosis{"token-white-space", "The token has white space or line ends in it",
		"Cut off what a file or a command's output ends in (trim, strip), and fold no lines: a token is one line."}
	InQuotes = Diagnosis{"token-wrapped-quotes", "The token is wrapped in quotes",
		"Read the answer as JSON (response.json(), not response.text()), and write the string into it once: it was made JSON twice."}
	PythonBytes = Diagnosis{"token-wrapped-python-bytes", "The token is a Python bytes literal, b'…'",
		`Decode the bytes: token.decode("ascii"). str() of bytes writes the b and the quotes along; PyJWT before 2.0 gives bytes.`}
	InJSON = Diagnosis{"token-wrapped-json", "The whole JSON answer is given instead of the token in it",
		"Return the member, not the object: const { token } = await response.json(); return token."}
	Base64Twice = Diagnosis{"token-base64-twice", "The token is encoded in base64 once more",
		"Return what the library gives: a JWT is base64url already. Nothing is to be encoded around it."}
	PercentEncoded = Diagnosis{"token-url-encoded", "The token is URL-encoded",
		"Return it as it is; what comes out of a cookie or a query must be decoded once (decodeURIComponent)."}
	HTMLForToken = Diagnosis{"token-html", "There is an HTML page in place of the token",
		"A login page, an error page or the app's index answered. Send the session's cookie along, ask the endpoint's own address, and check response.ok before the body is read."}
	TextForToken = Diagnosis{"token-text", "There is some other text in place of the token",
		"Look at the request for the token: it was answered by a message, perhaps of an error. Check response.ok before the body is read."}
	NotAwaited = Diagnosis{"token-not-awaited", "An object was made text in place of the token",
		`Return the string itself: await the promise, and take the member out of the object. "[object …]" is what JavaScript writes for either.`}
	MissingMadeText = Diagnosis{"token-missing-made-text", "A missing value was made text in place of the token",
		"Read the token by the name that the endpoint's answer gives it: the member that is read is not there. Return null where nobody is logged in."}
	Opaque = Diagnosis{"token-opaque", "It is no JWT, but a session id, an API key or a token of another kind",
		"Return a JWT that is made for this chat, and signed with RS256: no session id, and no access token of another service."}
	Encrypted = Diagnosis{"token-encrypted", "The token is encrypted (JWE), not only signed",
		"Sign it, and don't encrypt it: a JWS in compact form, RS256."}
	HandMadeBase64 = Diagnosis{"token-hand-made-base64", "The token is encoded by hand, in base64 instead of base64url",
		"Let a JWT library write the token; by hand it is base64url without padding: - for +, _ for /, and no =."}
)

// Mistakes in how it is signed.
var (
	Unsigned = Diagnosis{"token-unsigned", "The token is not signed: alg is none",
		"Sign with RS256 and your RSA private key, also in tests: anyone can write a token that nobody signs."}
	HMAC = Diagnosis{"token-hmac", "The token is signed with a shared secret (HMAC), not with a private key",
		`Sign with RS256 and your RSA private key: { algorithm: "RS256" } in jsonwebtoken, algorithm="RS256" in PyJWT. Libraries take HS256 if they are not told.`}
	HMACPublicKey = Diagnosis{"token-hmac-public-key", "The public key serves as a shared secret: anyone can sign",
		"Sign with RS256 and your RSA private key. The public key is no secret: with it anyone makes an HMAC like this one."}
	OtherAlgorithm = Diagnosis{"token-wrong-algorithm", "The token is signed with another algorithm than RS256",
		"Sign with RS256: the key may stay, only the name of the algorithm changes."}
	OtherKeyType = Diagnosis{"token-wrong-key-type", "The token is signed with a key that is not RSA",
		"Sign with RS256, which takes an RSA key: openssl genrsa -out private.pem 2048. Then upload its public half."}
	OtherKnownKey = Diagnosis{"token-other-key", "The token is signed with another of your keys than the one that Kindly has",
		"Sign with the private half of the uploaded key, or upload the public half of the key that signs."}
	UnknownKey = Diagnosis{"token-unknown-key", "The token is signed with a key whose public half Kindly does not have",
		"Upload the public half of the key that signs: openssl rsa -in private.pem -pubout -out public.pem. See which key the server runs with: of staging, or an old one."}
	ForAnotherService = Diagnosis{"token-of-another-service", "The token is one of an identity provider or for another service, not made for this chat",
		"Sign a token of your own at the endpoint. The provider's only says who is logged in: verify it there, or take the session, and add chat.id and webhook_domains."}
	ChangedAfterSigning = Diagnosis{"token-changed-after-signing", "The right key signed, but something else than what the token says",
		"Let a JWT library write the token, and change nothing afterwards: the signature covers header.payload as it is encoded, byte for byte."}
	HandMadeSignature = Diagnosis{"token-hand-made-signature", "The right key signed, but not as RS256 does",
		`Let a JWT library sign, or openssl dgst -sha256 -sign, crypto.createSign("RSA-SHA256"): over the text header.payload, hashed once, nothing behind it. To encrypt a hash is something else.`}
	SignatureInHex = Diagnosis{"token-signature-hex", "The signature is written in hex or base64, not in base64url",
		"Take the signature as bytes, and write those in base64url without padding."}
	CutOff = Diagnosis{"token-cut-off", "The token is cut off",
		"Look where it is kept or sent: a cookie (4 KB), a column of a table or a header is too short for it."}
	Compressed = Diagnosis{"token-compressed", "The token's payload is compressed",
		"Take the compression out (jjwt: compressWith, the header zip): what is signed must be JSON, as Kindly reads it."}
)

// Mistakes in times.
var (
	Milliseconds = Diagnosis{"token-milliseconds", "Times are in milliseconds, not in seconds",
		"Divide by 1000 and cut off the fraction: Math.floor(Date.now() / 1000), System.currentTimeMillis() / 1000. Go: Unix(), not UnixNano(); .NET: ToUnixTimeSeconds(), not Ticks."}
	TimeAsText = Diagnosis{"token-time-as-text", "Times are text, not numbers",
		"Write whole seconds since 1970 as a number, without quotes: Math.floor(Date.now() / 1000), int(time.time())."}
	TimeWithFraction = Diagnosis{"token-time-fraction", "Times have a fraction",
		"Cut the fraction off: int(time.time()), Math.floor(Date.now() / 1000)."}
	TimeIsNull = Diagnosis{"token-time-null", "A time in the token is null",
		"See what it is computed of: a number that is none (NaN) becomes null in JSON, mostly because the lifetime is a variable of the environment that is not set there."}
	DurationForInstant = Diagnosis{"token-duration-for-instant", "A duration stands where a point in time is meant",
		"Write the point in time, in seconds since 1970 (exp = iat + 300). Libraries take a lifetime in another place, such as expiresIn."}
	LifetimeAsText = Diagnosis{"token-lifetime-as-text", "The lifetime was read as milliseconds, so that the token ends as it begins",
		`Write the lifetime as a number (expiresIn: 300) or with its unit ("5m"): jsonwebtoken reads the text "300" as milliseconds.`}
	LifetimeInMilliseconds = Diagnosis{"token-lifetime-milliseconds", "The lifetime is in milliseconds, and was read as seconds",
		"Give the lifetime in seconds: 300 for five minutes, 900 at most."}
	ExpiryBeforeIssue = Diagnosis{"token-exp-before-iat", "The token ends before it begins",
		"Set exp to iat plus the lifetime, of one reading of the clock."}
	TimeZone = Diagnosis{"token-timezone", "Times are those of a time zone, not UTC",
		"Count in UTC: int(time.time()), Math.floor(Date.now() / 1000); in Python datetime.now(timezone.utc), neither utcnow() nor a naive now(). The clock itself is right."}
	ClockAhead = Diagnosis{"token-clock", "The clock of the server that signs is ahead",
		"Set the clock of the server that signs (NTP)."}
	ClockOrKept = Diagnosis{"token-clock-or-kept", "The clock of the server that signs is behind, or it hands out a token that it made before",
		"Make a new token on each call. If it does, set the clock of the server that signs (NTP)."}
)

// Mistakes in what it says.
var (
	SubjectElsewhere = Diagnosis{"token-sub-elsewhere", "The user's id stands in another claim than sub",
		"Name the claim sub, and write the id as a string (.NET: JwtRegisteredClaimNames.Sub, where ClaimTypes.NameIdentifier writes a URL)."}
	SubjectAsNumber = Diagnosis{"token-sub-number", "The user's id is a number, not a string",
		"Write it as a string: String(user.id), str(user.id)."}
	ClaimsNested = Diagnosis{"token-claims-nested", "The claims stand within another claim",
		"Give the library the claims themselves: jwt.sign(claims, …), not jwt.sign({data: claims}, …)."}
	NamesInCapitals = Diagnosis{"token-names-capitals", "Names in the token begin with capitals",
		"Write the names as Kindly reads them, letter by letter: chat, id, webhook_domains (Go: `json:\"chat\"` behind the field, C#: [JsonPropertyName(\"chat\")])."}
	ChatElsewhere = Diagnosis{"token-chat-flat", "The chat id stands beside chat, not within it",
		`Put it into an object: "chat": {"id": …}.`}
	ChatIDMisnamed = Diagnosis{"token-chat-id-misnamed", "The chat id stands under a name that Kindly does not read",
		`Name it id, within chat: "chat": {"id": …}.`}
	DomainsElsewhere = Diagnosis{"token-domains-misnamed", "The list of webhook domains stands under a name that Kindly does not read",
		`Name it webhook_domains, within chat: "chat": {"id": …, "webhook_domains": […]}.`}
	ChatIDNotRead = Diagnosis{"token-chat-id-not-read", "The endpoint did not find the chat id in the request",
		"Read it by the name that the page sends (chatId or chat_id), and parse the body as JSON also as text/plain: that is what browsers say without a Content-Type."}
	ChatIDChanged = Diagnosis{"token-chat-id-changed", "The chat id was changed on its way into the token",
		"Copy the chat id as it came: no other letter case, no trimming, no reading as a UUID and writing again."}
)

// Diagnoses returns all that Check can make.
func Diagnoses() []Diagnosis {
	return []Diagnosis{
		WithBearer, WithSpace, InQuotes, PythonBytes, InJSON, Base64Twice, PercentEncoded, HTMLForToken, TextForToken, NotAwaited, MissingMadeText,
		Opaque, Encrypted, HandMadeBase64,
		Unsigned, HMAC, HMACPublicKey, OtherAlgorithm, OtherKeyType, OtherKnownKey, UnknownKey, ForAnotherService, ChangedAfterSigning, HandMadeSignature,
		SignatureInHex, CutOff, Compressed,
		Milliseconds, TimeAsText, TimeWithFraction, TimeIsNull, DurationForInstant, LifetimeAsText, LifetimeInMilliseconds, ExpiryBeforeIssue,
		TimeZone, ClockAhead, ClockOrKept,
		SubjectElsewhere, SubjectAsNumber, ClaimsNested, NamesInCapitals, ChatElsewhere, ChatIDMisnamed, DomainsElsewhere, ChatIDNotRead, ChatIDChanged,
	}
}

// as says which mistake a violation comes from.
func (v verdict) as(d Diagnosis) verdict {
	v.diagnosis, v.fix = d, d.Fix
	return v
}
