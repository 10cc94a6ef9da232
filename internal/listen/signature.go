package listen

import (
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// The verdicts about signatures that are no mistake's ID.
const (
	right    = "right"
	wrong    = "wrong"
	missing  = "missing"
	unjudged = "unjudged"
)

// signatureOf judges Kindly-HMAC. Where it is wrong, the known mistakes are
// tried: what they would make of the body is what came, if it is one of them.
func signatureOf(secret, url string, lines []recording.Header, body []byte, size int) mockkindly.Signature {
	var mac, algorithm string
	count := 0
	for _, h := range lines {
		switch {
		case strings.EqualFold(h.Name, webhook.HeaderHMAC):
			mac = h.Value
			count++
		case strings.EqualFold(h.Name, webhook.HeaderHMACAlgorithm):
			algorithm = h.Value
		}
	}
	switch {
	case mac == "":
		return mockkindly.Signature{Verdict: missing, Text: "The request is not signed: there is no " + webhook.HeaderHMAC + ".",
			Fix: "Set the secret at the webhook in Kindly's settings. Until then anybody can send what Kindly sends."}
	case secret == "":
		return mockkindly.Signature{Verdict: unjudged, Text: "The request is signed; without the secret nobody can say whether rightly.",
			Fix: "Give the secret: KINDLYTEST_HMAC_SECRET, or hmac_secret in kindlytest.yaml."}
	case size > len(body):
		return mockkindly.Signature{Verdict: unjudged, Text: "The body is not known whole: it is too long, or the app has answered before it came."}
	case count > 1:
		return mockkindly.Signature{Verdict: wrong, Text: "There is more than one " + webhook.HeaderHMAC + "."}
	case webhook.Verify(secret, body, mac):
		if algorithm != webhook.Algorithm {
			return mockkindly.Signature{Verdict: wrong, Text: "The signature is right, but " + webhook.HeaderHMACAlgorithm + " is not " + webhook.Algorithm + ".",
				Fix: "Kindly may have changed it: a webhook that compares it exactly refuses this request."}
		}
		return mockkindly.Signature{Verdict: right, Text: "The signature is right."}
	}
	for _, m := range append(forge.SignatureMistakes(), forge.TextMistakes()...) {
		if m.Sign(secret, url, body) == mac {
			return mockkindly.Signature{Verdict: m.ID, Text: "The signature is wrong, and fits " + m.Name + ".",
				Fix: "Whoever signed does this otherwise than Kindly documents. If it was Kindly: the secret there and here may differ in just that."}
		}
	}
	return mockkindly.Signature{Verdict: wrong, Text: "The signature is wrong, and by none of the known mistakes.",
		Fix: "Compare the secret here with the one in Kindly's settings. If they are equal, something on the way (a tunnel, a gateway) has changed the body, or it was not Kindly who sent it."}
}
