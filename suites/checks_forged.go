package suites

import "github.com/kindlytest/kindlytest/mockkindly/rule"

// What a webhook makes of forged tokens: forge holds the attacks of each row.

var _ = check(attack(rule.Rule{ID: "HOOK-TAMPERED", Level: rule.Must, Fidelity: rule.Documented, Source: rule.RFC7515,
	Text: "Claims changed under the old signature are refused.",
	Fix:  "Verify the signature over the received bytes before you read any claim.",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-SIGNATURE", Level: rule.Must, Fidelity: rule.Documented, Source: rule.RFC7515,
	Text: "A removed, emptied, shortened or foreign signature is refused.",
	Fix:  "Verify the signature with your public key, and refuse what does not verify.",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-ALG-NONE", Level: rule.Must, Fidelity: rule.Documented, Source: rule.RFC8725,
	Text: "none, in every spelling, with and without a signature, is refused.",
	Fix:  "Tell the JWT library the one algorithm that you accept: RS256. Never take it from the token.",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-ALG-MALFORMED", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.RFC8725,
	Text: "A forged token whose alg is missing, null, a number, a list, rs256, or under the key ALG, is refused.",
	Fix:  "Accept alg only if it is exactly the string RS256, and answer 401 to anything else.",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-KEY-CONFUSION", Level: rule.Must, Fidelity: rule.Documented, Source: rule.RFC8725,
	Text: "HS256, HS384, HS512 keyed with the public key (PEM with and without its last line end, CRLF, PKCS#1, DER, JWK) or nothing are refused.",
	Fix:  `Pass algorithms: ["RS256"] to the verifying function: otherwise the public key is taken for an HMAC secret that everybody knows.`,
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-WRONG-KEY", Level: rule.Must, Fidelity: rule.Documented, Source: rule.RFC7515,
	Text: "RS256 by an unrelated key is refused.",
	Fix:  "Verify with your own public key, not with one that came along or is cached from elsewhere.",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-EMBEDDED-KEY", Level: rule.Must, Fidelity: rule.Documented, Source: rule.RFC8725,
	Text: "A key brought along in jwk or x5c is not trusted.",
	Fix:  "Ignore jwk and x5c: verify with your own public key only.",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-REMOTE-KEY", Level: rule.Must, Fidelity: rule.Documented, Source: rule.RFC8725,
	Text: "jku and x5u are not trusted, nor fetched (a listener counts).",
	Fix:  "Ignore jku and x5u: never fetch a URL that a token names.",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-KID-INJECTION", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.RFC8725,
	Text: "A forged token whose kid is empty, a path, SQL, a command or a list is refused, and does nothing.",
	Fix:  "Use kid only to choose from a fixed set of keys, by equality; never in a path, a query or a command.",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-ECDSA-ZERO", Level: rule.Must, Fidelity: rule.Documented, Source: "https://nvd.nist.gov/vuln/detail/CVE-2022-21449",
	Text: "ES256 with a zero signature is refused.",
	Fix:  "Accept RS256 only, and keep the runtime patched (Java 15 to 18 took a zero ECDSA signature for valid).",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-SEGMENTS", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.RFC7515,
	Text: "1, 2, 4, 5 segments, .., and thousands of dots are refused, alive.",
	Fix:  "Refuse what is not three segments before anything else, and answer 401 to whatever the library throws.",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-GARBAGE", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.RFC7515,
	Text: "A header or payload that is no JSON, null, a list, deeply nested or 64 KB long is refused, alive.",
	Fix:  "Catch every error of the JWT library and answer 401; bound the length of headers.",
}, NeedWebhook))

var _ = check(attack(rule.Rule{ID: "HOOK-SCHEME", Level: rule.Should, Fidelity: rule.Documented, Source: "https://www.rfc-editor.org/rfc/rfc6750",
	Text: "The token under Basic, bare, in the query or a cookie is refused.",
	Fix:  "Read the token from Authorization: Bearer only. Queries end up in logs, and cookies are sent by other sites.",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-BEARER-CASE", Level: rule.Info, Fidelity: rule.Assumed, Source: "https://www.rfc-editor.org/rfc/rfc6750",
	Text: "bearer works like Bearer.",
	Fix:  "Compare the scheme without regard to letter case (RFC 9110, section 11.1).",
}, NeedWebhook|NeedToken))

var _ = check(attack(rule.Rule{ID: "HOOK-EXP-MISSING", Level: rule.Must, Fidelity: rule.Documented, Source: rule.RFC7519,
	Text: "A token without exp, or with one that is null, 0, negative, a string, boolean or object, is refused.",
	Fix:  "Require exp to be there and to be a number: many libraries skip the test where it is missing.",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-EXP-HUGE", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.RFC7519,
	Text: "exp of 1e300, 2^63, or in milliseconds is refused.",
	Fix:  "Refuse an exp that is more than 15 minutes ahead.",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-LIFETIME", Level: rule.Should, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
	Text: "A lifetime over 15 minutes is refused: Kindly would never have let it through.",
	Fix:  "Refuse a token whose exp is more than 900 s after its iat.",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-NBF", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.RFC7519,
	Text: "An nbf in the future is refused.",
	Fix:  "Let the library check nbf, with a leeway of a minute at most.",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-IAT", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.RFC7519,
	Text: "iat missing, in the future, in milliseconds or a string is refused.",
	Fix:  "Require iat to be a number of seconds that is not in the future.",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-NO-CHAT", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
	Text: "A token without chat.id is refused, also when the request has no chat_id.",
	Fix:  "Require chat.id to be a non-empty string and equal to the request's chat_id; two missing values are not equal.",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-CHAT-TYPE", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
	Text: "chat null, a string, a list, or with a numeric id is refused, alive.",
	Fix:  "Check the type of chat and of chat.id before you read them.",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-SUB-TYPE", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
	Text: "sub missing, empty, null, a number or an object is refused.",
	Fix:  "Require sub to be a non-empty string.",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-ALG-OTHER", Level: rule.Should, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
	Text: "RS384, RS512, PS256 with the right key are refused.",
	Fix:  "Accept RS256 only: Kindly accepts nothing else.",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-CRIT", Level: rule.Should, Fidelity: rule.Documented, Source: rule.RFC7515,
	Text: "An unknown crit extension is refused.",
	Fix:  "Refuse tokens whose header has crit, unless you understand every name in it (RFC 7515, section 4.1.11).",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-DUPLICATE-CLAIMS", Level: rule.Info, Fidelity: rule.Assumed, Source: rule.RFC8725,
	Text: "What duplicate exp, sub or chat, and EXP beside exp, do: many JSON parsers cannot tell, and only the key's holder can make them.",
	Fix:  "Nothing to do, unless two parsers in your system disagree: then make them refuse duplicate members.",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-UNVERIFIED", Level: rule.Should, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
	Text: `email_verified: "true" does not count as verified: judged by the e-mail's marker in the answer, not by acceptance.`,
	Fix:  "Treat an address as verified only if email_verified is the boolean true.",
}, NeedWebhook|NeedKey))

var _ = check(attack(rule.Rule{ID: "HOOK-ESCAPES", Level: rule.Should, Fidelity: rule.Documented, Source: rule.Webhooks,
	Text: "Markup in name comes back escaped, if it comes back.",
	Fix:  "Escape claims before you put them into a reply: Kindly's client renders simple HTML.",
}, NeedWebhook|NeedKey))
