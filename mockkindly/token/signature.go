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
	"fmt"
	"strings"
)

func judgeSignature(s *state) verdict {
	expected := "an RS256 signature that " + s.key.title() + " verifies"
	switch {
	case !s.signature.exists:
		return bad(expected, "the token has no signature")
	case !s.signature.ok:
		return bad(expected, "the signature is not base64url")
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
	return bad(expected, s.whoSigned(digest[:])+s.key.remarks())
}

func verifyRS256(k *Key, digest, signature []byte) error {
	return rsa.VerifyPKCS1v15(k.Public, crypto.SHA256, digest, signature)
}

// whoSigned says as much as can be told about a signature that the uploaded
// key does not verify, and sets signedBy if it is a known key.
func (s *state) whoSigned(digest []byte) string {
	for _, k := range s.Keys[1:] {
		if k == nil || k.Public == nil || verifyRS256(k, digest, s.signature.bytes) != nil {
			continue
		}
		s.signedBy = k
		text := "it is signed by another key: " + k.title()
		if where, ok := s.published(k); ok {
			text += ", " + where
		}
		return text
	}
	alg := s.token.Algorithm()
	switch {
	case isHMAC(alg):
		return s.describeHMAC(alg)
	case strings.EqualFold(alg, "none"):
		return "it says alg none, and what stands for the signature is none of this key"
	case strings.HasPrefix(alg, "ES"), alg == "EdDSA":
		return "it has an elliptic curve signature (" + shorten(alg) + "), which an RSA key cannot verify"
	case s.signedWithOtherRSA(alg):
		return "the right key signed it, but with " + alg + " instead of RS256"
	}
	return s.describeMismatch()
}

// describeMismatch explains a signature that claims to be RSA.
func (s *state) describeMismatch() string {
	got, want := len(s.signature.bytes), s.key.Public.Size()
	switch {
	case s.hmacKeyedWithPublicKey(crypto.SHA256):
		return "it is an HMAC, keyed with the public key: anyone can make one"
	case got == sha256.Size:
		return "the signature has 32 bytes, as an HMAC has (HS256), not an RSA signature"
	case got != want:
		return fmt.Sprintf("the signature has %d bytes, one by this key has %d: another key signed, or it is cut off", got, want)
	}
	return "another, unknown key signed it, or it was changed after signing"
}

var hmacHashes = map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512}

func isHMAC(alg string) bool { return hmacHashes[strings.ToUpper(alg)] != 0 }

func (s *state) describeHMAC(alg string) string {
	if s.hmacKeyedWithPublicKey(hmacHashes[strings.ToUpper(alg)]) {
		return "it is an HMAC (" + alg + "), keyed with the public key: anyone can make one"
	}
	return "it is an HMAC (" + alg + ") by a shared secret, which a public key cannot verify"
}

func (s *state) hmacKeyedWithPublicKey(h crypto.Hash) bool {
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

// signedWithOtherRSA tries the other RSA algorithms of RFC 7518, if alg names
// one.
func (s *state) signedWithOtherRSA(alg string) bool {
	h, ok := map[string]crypto.Hash{
		"RS384": crypto.SHA384, "RS512": crypto.SHA512,
		"PS256": crypto.SHA256, "PS384": crypto.SHA384, "PS512": crypto.SHA512,
	}[alg]
	if !ok {
		return false
	}
	digest := h.New()
	digest.Write([]byte(s.signed))
	if strings.HasPrefix(alg, "PS") {
		return rsa.VerifyPSS(s.key.Public, h, digest.Sum(nil), s.signature.bytes, nil) == nil
	}
	return rsa.VerifyPKCS1v15(s.key.Public, h, digest.Sum(nil), s.signature.bytes) == nil
}
