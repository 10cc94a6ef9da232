package token

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // HS384 and the like, to name what was used instead
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
)

func judgeSignature(s *state) verdict {
	expected := "an RS256 signature that " + s.key.title() + " verifies"
	switch {
	case !s.signature.exists:
		return bad(expected, "the token has no signature")
	case s.signature.cut:
		return bad(expected, "the signature "+oddLength).as(CutOff)
	case !s.signature.ok:
		return bad(expected, "the signature is not base64url")
	case len(s.signature.bytes) == 0 && s.saysNone():
		return bad(expected, "the signature is empty").as(Unsigned)
	case len(s.signature.bytes) == 0:
		return bad(expected, "the signature is empty")
	}
	digest := sha256.Sum256([]byte(s.signed))
	err := verifyRS256(s.key, digest[:], s.signature.bytes)
	switch {
	case err == nil:
		s.signedBy = s.key
		return held
	case !errors.Is(err, rsa.ErrVerification):
		return unknown("nothing can be verified with this key: " + err.Error())
	}
	who, mistake := s.whoSigned(digest[:])
	return bad(expected, who+s.key.remarks()).as(mistake)
}

func verifyRS256(k *Key, digest, signature []byte) error {
	return rsa.VerifyPKCS1v15(k.Public, crypto.SHA256, digest, signature)
}

func (s *state) saysNone() bool { return strings.EqualFold(s.token.Algorithm(), "none") }

// whoSigned says as much as can be told about a signature that the uploaded
// key does not verify, and sets signedBy if it is a known key.
func (s *state) whoSigned(digest []byte) (who string, mistake Diagnosis) {
	if text, ok := s.otherKnownKey(digest); ok {
		return text, OtherKnownKey
	}
	text, d := s.describeSigner(digest)
	if (d == UnknownKey || d == HMAC || d == OtherKeyType) && s.isForAnotherService() {
		return text + ", and the token names no chat", ForAnotherService
	}
	return text, d
}

func (s *state) describeSigner(digest []byte) (string, Diagnosis) {
	alg := s.token.Algorithm()
	switch {
	case isHMAC(alg):
		return s.describeHMAC(alg)
	case s.saysNone():
		return "it says alg none, and what stands for the signature is none of this key", Unsigned
	case isOtherKeyType(alg):
		return "it has an elliptic curve signature (" + clip.Text(alg, maxShown) + "), which an RSA key cannot verify", OtherKeyType
	case s.signedWithOtherRSA(s.key, alg):
		return "the right key signed it, but with " + alg + " instead of RS256", OtherAlgorithm
	}
	return s.describeMismatch(digest)
}

// claimsOfProviders are in the access and ID tokens of identity providers (RFC 9068, RFC
// 8693, OpenID Connect, and what Entra, Okta, Auth0, Cognito, Supabase, Firebase, Passport
// and Simple JWT add). What is made for Kindly may have one too, but names a chat.
var claimsOfProviders = []string{"scope", "scp", "scopes", "azp", "appid", "client_id", "cid", "token_use", "token_type", "gty", "at_hash", "auth_time", "nonce",
	"aal", "amr", "oid", "tid", "firebase"}

// isForAnotherService says whether the token has a provider's claims, and nothing of a
// chat, by whatever name.
func (s *state) isForAnotherService() bool {
	return !slices.ContainsFunc(s.token.Claims.Members(), func(m Member) bool {
		var buf [40]byte
		return strings.HasPrefix(lookalikes[string(foldName(&buf, m.Name))], "chat")
	}) && slices.ContainsFunc(claimsOfProviders, func(name string) bool { return s.claim(name).Exists() })
}

// otherKnownKey looks for another of the keys that are known.
func (s *state) otherKnownKey(digest []byte) (text string, ok bool) {
	alg := s.token.Algorithm()
	for _, k := range s.Keys[1:] {
		if k == nil || k.Public == nil || verifyRS256(k, digest, s.signature.bytes) != nil && !s.signedWithOtherRSA(k, alg) {
			continue
		}
		s.signedBy = k
		text = "it is signed by another key: " + k.title()
		if where, ok := s.published(k); ok {
			text += ", " + where
		}
		return text, true
	}
	return "", false
}

// isOtherKeyType names the algorithms of other keys than RSA (RFC 7518, RFC 8037).
func isOtherKeyType(alg string) bool { return strings.HasPrefix(alg, "ES") || alg == "EdDSA" }

var hmacHashes = map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512}

func isHMAC(alg string) bool { return hmacHashes[strings.ToUpper(alg)] != 0 }

func (s *state) describeHMAC(alg string) (string, Diagnosis) {
	if s.keyedWithPublicKey(alg) {
		return "it is an HMAC (" + alg + "), keyed with the public key: anyone can make one", HMACPublicKey
	}
	return "it is an HMAC (" + alg + ") by a shared secret, which a public key cannot verify", HMAC
}

// keyedWithPublicKey tells whether the signature is an HMAC whose secret is the
// uploaded key.
func (s *state) keyedWithPublicKey(alg string) bool {
	h := hmacHashes[strings.ToUpper(alg)]
	if h == 0 || s.key == nil || !s.signature.ok {
		return false
	}
	for _, secret := range publicKeyAsSecret(s.key.Public) {
		mac := hmac.New(h.New, secret)
		mac.Write([]byte(s.signed))
		if hmac.Equal(mac.Sum(nil), s.signature.bytes) {
			return true
		}
	}
	return false
}

// publicKeyAsSecret returns the bytes that a confused verifier, and so a
// confused signer, may take for an HMAC secret.
func publicKeyAsSecret(public *rsa.PublicKey) [][]byte {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	secrets := [][]byte{spki, pkcs1}
	for _, block := range []*pem.Block{{Type: labelSPKI, Bytes: spki}, {Type: labelPKCS1Public, Bytes: pkcs1}} {
		text := pem.EncodeToMemory(block)
		secrets = append(secrets, text, bytes.TrimSpace(text), bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")))
	}
	return secrets
}

// otherRSA is the hash of the RSA algorithms beside RS256 (RFC 7518).
func otherRSA(alg string) crypto.Hash {
	switch alg {
	case "PS256":
		return crypto.SHA256
	case "RS384", "PS384":
		return crypto.SHA384
	case "RS512", "PS512":
		return crypto.SHA512
	}
	return 0
}

// signedWithOtherRSA tries the other RSA algorithms, if alg names one.
func (s *state) signedWithOtherRSA(k *Key, alg string) bool {
	h := otherRSA(alg)
	if h == 0 {
		return false
	}
	digest := h.New()
	digest.Write([]byte(s.signed))
	if strings.HasPrefix(alg, "PS") {
		return rsa.VerifyPSS(k.Public, h, digest.Sum(nil), s.signature.bytes, nil) == nil
	}
	return rsa.VerifyPKCS1v15(k.Public, h, digest.Sum(nil), s.signature.bytes) == nil
}
