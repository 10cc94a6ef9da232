package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// The signature's headers, spelled as documented, and the only algorithm. A
// receiver has to compare the algorithm exactly.
const (
	HeaderHMAC          = "Kindly-HMAC"
	HeaderHMACAlgorithm = "Kindly-HMAC-algorithm"
	Algorithm           = "HMAC-SHA-256 (base64 encoded)"
)

// Sign returns the value of Kindly-HMAC: the HMAC-SHA-256 of the raw body in
// standard base64 with padding. The secret is the bytes of the string. Only
// the body is covered.
//
// Source: https://docs.kindly.ai/hmac
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Verify is true if header is the signature of body, in exactly the form that
// Sign gives it. It takes the same time wherever the two differ.
func Verify(secret string, body []byte, header string) bool {
	return hmac.Equal([]byte(Sign(secret, body)), []byte(header))
}

// SetSignature replaces the signature in h by the one of body, or only removes
// it if there is no secret. The names go out as documented: http.Header's own
// methods would spell them Kindly-Hmac, and don't find them either.
func SetSignature(h http.Header, secret string, body []byte) {
	for name := range h {
		if strings.EqualFold(name, HeaderHMAC) || strings.EqualFold(name, HeaderHMACAlgorithm) {
			delete(h, name)
		}
	}
	if secret == "" {
		return
	}
	h[HeaderHMAC] = []string{Sign(secret, body)}
	h[HeaderHMACAlgorithm] = []string{Algorithm}
}

// Signature reads both headers, however they are spelled in h.
func Signature(h http.Header) (hmac, algorithm string) {
	for name, values := range h {
		switch {
		case len(values) == 0:
		case strings.EqualFold(name, HeaderHMAC):
			hmac = values[0]
		case strings.EqualFold(name, HeaderHMACAlgorithm):
			algorithm = values[0]
		}
	}
	return hmac, algorithm
}
