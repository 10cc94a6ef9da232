package forge

import (
	"encoding/hex"
	"net/http"

	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// A Label is where a webhook may look for what Kindly signs with, other than where
// it stands: the name of a header, or of the algorithm.
type Label struct {
	ID, Name, Fix string
	// Set writes it beside what Kindly sends.
	Set func(http.Header)
}

// headerNames are how other services call the header of the signature, and how
// Kindly's is misspelt. Servers such as nginx drop names with underscores.
var headerNames = []string{"X-Kindly-HMAC", "X-Kindly-Signature", "Kindly-Signature", "X-Kindly-HMAC-SHA256", "X-Signature", "X-Hub-Signature-256", "X-Hub-Signature",
	"X-HMAC", "X-HMAC-Signature", "X-HMAC-SHA256", "X-Webhook-Signature", "HMAC", "Signature", "X-Signature-256", "Kindly_HMAC", "KindlyHMAC", "Kindly-HMAC-SHA256"}

// algorithmNames are how others call what Kindly calls "HMAC-SHA-256 (base64
// encoded)".
var algorithmNames = []string{"sha256", "SHA256", "SHA-256", "HMAC-SHA256", "HMAC-SHA-256", "hmac-sha256", "HMACSHA256", "HmacSHA256", "HS256", "hmac-sha-256",
	"HMAC-SHA256 (base64 encoded)", "hmac-sha-256 (base64 encoded)", "HMAC-SHA-256 (Base64 encoded)", "HMAC-SHA-256 (base64)", "HMAC-SHA-256 (hex encoded)", "base64"}

// Labels are those of a signed body. What is in one group can be sent at once: if
// nothing of it helps, none of them does alone.
func Labels(secret string, body []byte) [][]Label {
	digest := hs256(secret, body)
	var out [][]Label
	for _, value := range []string{b64std(digest), hex.EncodeToString(digest), "sha256=" + hex.EncodeToString(digest)} {
		var group []Label
		for _, name := range headerNames {
			group = append(group, Label{ID: "hmac-header-name", Name: "the signature in the header " + name, Fix: "Read it from " + webhook.HeaderHMAC + ", in whatever case: that is where Kindly puts it.",
				Set: func(h http.Header) { h[name] = []string{value} }})
		}
		out = append(out, group)
	}
	for _, name := range algorithmNames {
		out = append(out, []Label{{ID: "hmac-algorithm-name", Name: webhook.HeaderHMACAlgorithm + ": " + name, Fix: "Compare " + webhook.HeaderHMACAlgorithm + " with the very text \"" + webhook.Algorithm + "\".",
			Set: func(h http.Header) { h[webhook.HeaderHMACAlgorithm] = []string{name} }}})
	}
	return out
}
