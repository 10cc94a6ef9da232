package catalogue

import (
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/target"
)

// Signature lists the checks of an area. What a webhook must make of the signature of Kindly's requests.
var Signature = []Check{
	{
		Requirement: rule.Rule{ID: "SIG-VALID", Level: rule.Must, Fidelity: rule.Documented, Code: "signature", Source: rule.HMAC,
			Text:   "A correctly signed request is accepted.",
			Broken: "The webhook refuses what Kindly signs.",
			Why:    "If a right signature is refused, every dialogue that uses the webhook is silent. The usual causes are another secret, or a body that was parsed before it was verified.",
			Fix:    "Compute base64(HMAC-SHA256(raw body, secret)) over the bytes that came, and compare it with Kindly-HMAC in constant time."},
		Needs: target.NeedWebhook | target.NeedHMAC,
		Probe: sigValid,
	},
	{
		Requirement: rule.Rule{ID: "SIG-MISSING", Level: rule.Must, Fidelity: rule.Documented, Code: "signature", Source: rule.HMAC,
			Text:   "Without the two headers it is refused with a 4xx, alive.",
			Broken: "The webhook answers a request that nobody signed.",
			Why:    "The URL of a webhook is no secret. Without the signature anyone can call it, as if they were Kindly, with any user id and text.",
			Fix:    "Answer 401 where Kindly-HMAC is missing, before anything else is looked at."},
		Needs: target.NeedWebhook | target.NeedHMAC, Hostile: true,
		Probe: sigMissing,
	},
	{
		Requirement: rule.Rule{ID: "SIG-WRONG", Level: rule.Must, Fidelity: rule.Documented, Code: "signature", Source: rule.HMAC,
			Text:   "Signed with another secret, or none, it is refused.",
			Broken: "The webhook answers a request that was signed with another secret.",
			Why:    "A webhook that looks only whether there is a signature takes any: a header with the letter x in it will do.",
			Fix:    "Compare the signature, not only its presence."},
		Needs: target.NeedWebhook | target.NeedHMAC, Hostile: true,
		Probe: sigWrong,
	},
	{
		Requirement: rule.Rule{ID: "SIG-BODY", Level: rule.Must, Fidelity: rule.Documented, Code: "signature", Source: rule.HMAC,
			Text:   "A body changed after signing is refused.",
			Broken: "The webhook answers a request that was changed after it was signed.",
			Why:    "An attacker takes a request that they have seen, with its signature, and writes something else into it.",
			Fix:    "Compute the HMAC over the whole raw body."},
		Needs: target.NeedWebhook | target.NeedHMAC, Hostile: true,
		Probe: sigBody,
	},
	{
		Requirement: rule.Rule{ID: "SIG-RAW-BODY", Level: rule.Must, Fidelity: rule.Documented, Code: "webhook", Source: rule.HMAC,
			Text:   `Unusual but valid JSON (spacing, \u00e6 and æ, \/, key order, trailing newline), signed over its raw bytes, is accepted.`,
			Broken: "The webhook refuses some bodies, though they are signed rightly.",
			Why:    "JSON that is parsed and written again has other bytes. It works until the first æ, emoji or blank, and then fails for those users only.",
			Fix:    "Keep the bytes of the body as they came, and verify those: writing the parsed JSON again gives others."},
		Needs: target.NeedWebhook | target.NeedHMAC,
		Probe: sigRawBody,
	},
	{
		Requirement: rule.Rule{ID: "SIG-ENCODING", Level: rule.Must, Fidelity: rule.Documented, Code: "signature", Source: rule.HMAC,
			Text:   "Hex, base64url where it differs, truncated, prefixed, with trailing bytes, or empty: refused.",
			Broken: "The webhook takes a broken signature for the right one.",
			Why:    "A comparison that stops early or takes an empty value can be guessed byte by byte, or skipped. A decoder that is only lenient gives nothing away, and is a warning.",
			Fix:    "Compare with the expected value as a whole, in standard base64 and in constant time; never only as many bytes as came."},
		Needs: target.NeedWebhook | target.NeedHMAC, Hostile: true,
		Probe: sigEncoding,
	},
	{
		Requirement: rule.Rule{ID: "SIG-ALGORITHM", Level: rule.Must, Fidelity: rule.Documented, Code: "signature", Source: rule.HMAC,
			Text:   "A missing or different Kindly-HMAC-algorithm is refused with a 4xx, alive.",
			Broken: "The webhook does not look at the signature's algorithm.",
			Why:    "If the day comes on which Kindly adds another algorithm, code that ignores the name verifies the wrong thing, or nothing.",
			Fix:    `Compare Kindly-HMAC-algorithm exactly with "HMAC-SHA-256 (base64 encoded)", and answer 401 to anything else.`},
		Needs: target.NeedWebhook | target.NeedHMAC, Hostile: true,
		Probe: sigAlgorithm,
	},
	{
		Requirement: rule.Rule{ID: "SIG-TWICE", Level: rule.Should, Fidelity: rule.Assumed, Code: "signature", Source: rule.HMAC,
			Text:   "Two Kindly-HMAC headers, one wrong: refused.",
			Broken: "The webhook takes a request with two signatures, one of them wrong.",
			Why:    "A proxy reads the first of two headers, your code the last. Whoever can add one chooses which of them is looked at.",
			Fix:    "Refuse a request that has Kindly-HMAC more than once: whoever reads the other one is fooled."},
		Needs: target.NeedWebhook | target.NeedHMAC, Hostile: true,
		Probe: sigTwice,
	},
	{
		Requirement: rule.Rule{ID: "SIG-ECHO", Level: rule.Must, Fidelity: rule.Assumed, Code: "signature", Source: rule.HMAC,
			Text:   "The answer to a wrong signature does not hold the right one.",
			Broken: "The webhook tells the right signature to whoever sends a wrong one.",
			Why:    "Whoever sends a wrong signature is told the right one, sends the same body again with it, and is Kindly as far as the webhook can tell.",
			Fix:    "Answer 401 with a fixed text. What was expected belongs into a log at most."},
		Needs: target.NeedWebhook | target.NeedHMAC, Hostile: true, Reads: true,
		Probe: sigEcho,
	},
	{
		Requirement: rule.Rule{ID: "SIG-UNCHECKED", Level: rule.Should, Fidelity: rule.Documented, Code: "signature", Source: rule.HMAC,
			Text:   "Where no secret is configured: an unsigned request is refused.",
			Broken: "Anybody who knows the webhook's URL can call it.",
			Why:    "Anyone who knows the URL can call it. What it says to strangers is then public, and what it does can be done by anybody.",
			Fix:    "Set a secret at Kindly, verify Kindly-HMAC, and give kindlytest the secret (KINDLYTEST_HMAC_SECRET)."},
		Needs: target.NeedWebhook,
		Probe: sigUnchecked,
	},
}
