package token

import (
	"bytes"
	"crypto"
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"math/big"
	"strings"
)

// describeMismatch explains a signature that says to be RS256, or nothing.
func (s *state) describeMismatch(digest []byte) (string, Diagnosis) {
	got, want := len(s.signature.bytes), s.key.Public.Size()
	switch {
	case s.keyedWithPublicKey("HS256"):
		return "it is an HMAC, keyed with the public key: anyone can make one", HMACPublicKey
	case got == sha256.Size:
		return "the signature has 32 bytes, as an HMAC has (HS256), not an RSA signature", HMAC
	case s.writtenTwice(want):
		return "the signature is written in hex or base64, and then in base64url", SignatureInHex
	case got < want && !isWholeSize(got):
		return fmt.Sprintf("the signature has %d bytes, one by this key has %d: it is cut off", got, want), CutOff
	case got != want:
		return fmt.Sprintf("the signature has %d bytes, one by this key has %d: another key signed", got, want), UnknownKey
	}
	return s.describeOpened(digest)
}

// isWholeSize says whether a signature of so many bytes may be whole: by an RSA key, an
// HMAC, or of an elliptic curve (RFC 7518, and as DER).
func isWholeSize(n int) bool { return n%64 == 0 || n == 96 || n == 132 || n >= 70 && n <= 72 }

// writtenTwice tells whether what the signature's base64url holds, or is, is
// hex or base64 of a signature by this key.
func (s *state) writtenTwice(size int) bool {
	decoded := s.signature.bytes
	text := []byte(base64.RawURLEncoding.EncodeToString(decoded)) // it may be hex that was never base64url
	for _, t := range [][]byte{decoded, text} {
		if len(t) == hex.EncodedLen(size) && isHex(t) {
			return true
		}
	}
	b, err := base64.StdEncoding.DecodeString(string(decoded))
	return err == nil && len(b) == size
}

func isHex(text []byte) bool {
	_, err := hex.DecodeString(string(text))
	return err == nil
}

// describeOpened opens the signature with the uploaded key. If the padding of
// PKCS #1 v1.5 appears, this key made it, and what it signed can be told.
func (s *state) describeOpened(digest []byte) (string, Diagnosis) {
	signed, ok := s.open()
	switch {
	case !ok && rsa.VerifyPSS(s.key.Public, crypto.SHA256, digest, s.signature.bytes, nil) == nil:
		return "the right key signed it as PS256 does, with another padding than that of RS256", HandMadeSignature
	case !ok:
		return "another, unknown key signed it", UnknownKey
	case bytes.Equal(signed, digest), string(signed) == hex.EncodeToString(digest), string(signed) == s.signed:
		return "the right key signed it, but without the name of the hash (DigestInfo) that RS256 has", HandMadeSignature
	case bytes.HasSuffix(signed, digest):
		return "the right key signed it, but names another hash than SHA-256", HandMadeSignature
	}
	for _, other := range []struct {
		name string
		hash hash.Hash
	}{{"SHA-1", sha1.New()}, {"SHA-384", sha512.New384()}, {"SHA-512", sha512.New()}, {"MD5", md5.New()}} {
		other.hash.Write([]byte(s.signed))
		if bytes.HasSuffix(signed, other.hash.Sum(nil)) {
			return "the right key signed it with " + other.name + ", and RS256 is with SHA-256", HandMadeSignature
		}
	}
	hexDigest := hex.EncodeToString(digest)
	for _, part := range []struct {
		what string
		text []byte
	}{
		{"the hash of header.payload, which was hashed a second time (AWS KMS: MessageType DIGEST for a hash, RAW for what is to be hashed)", digest},
		{"the hash of header.payload in hex, which was hashed a second time", []byte(hexDigest)},
		{"the hash of header.payload in base64, which was hashed a second time", []byte(base64.StdEncoding.EncodeToString(digest))},
		{"header.payload and a line end behind it (printf %s writes none, echo does)", []byte(s.signed + "\n")},
		{"header.payload and a line end behind it", []byte(s.signed + "\r\n")},
		{"header.payload and a dot behind it", []byte(s.signed + ".")},
		{"the header only", []byte(base64.RawURLEncoding.EncodeToString(s.header.bytes))},
		{"header and payload in base64 that is broken into lines, which the token is no longer (openssl base64 -A and base64 -w0 write one line)", s.inLines(64)},
		{"header and payload in base64 that is broken into lines, which the token is no longer (openssl base64 -A and base64 -w0 write one line)", s.inLines(76)},
		{"header and payload in padded base64", []byte(base64.StdEncoding.EncodeToString(s.header.bytes) + "." + base64.StdEncoding.EncodeToString(s.payload.bytes))},
		{"the payload only", []byte(base64.RawURLEncoding.EncodeToString(s.payload.bytes))},
		{"the payload's JSON only", s.payload.bytes},
		{"the JSON of header and payload, before they were encoded", bytes.Join([][]byte{s.header.bytes, s.payload.bytes}, []byte("."))},
	} {
		if sum := sha256.Sum256(part.text); bytes.HasSuffix(signed, sum[:]) {
			return "the right key signed " + part.what, HandMadeSignature
		}
	}
	return "the right key signed something else: the token was changed after signing, or the signature is that of another", ChangedAfterSigning
}

// inLines is header.payload, each broken into lines of so many letters, as command lines
// write base64.
func (s *state) inLines(letters int) []byte {
	var out []byte
	for i, c := range []byte(s.signed) {
		start := 0
		if dot := strings.IndexByte(s.signed, '.'); i > dot {
			start = dot + 1
		}
		if i > start && (i-start)%letters == 0 && c != '.' {
			out = append(out, '\n')
		}
		out = append(out, c)
	}
	return out
}

// open returns what is under the padding of PKCS #1 v1.5.
func (s *state) open() (signed []byte, ok bool) {
	n := s.key.Public.N
	c := new(big.Int).SetBytes(s.signature.bytes)
	if c.Cmp(n) >= 0 {
		return nil, false
	}
	block := c.Exp(c, big.NewInt(int64(s.key.Public.E)), n).FillBytes(make([]byte, s.key.Public.Size()))
	rest, ok := bytes.CutPrefix(block, []byte{0, 1})
	signed = bytes.TrimLeft(rest, "\xff")
	if !ok || len(rest)-len(signed) < 8 || len(signed) == 0 || signed[0] != 0 {
		return nil, false
	}
	return signed[1:], true
}
