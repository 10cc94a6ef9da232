package keyscan

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
)

// isPrivate says whether DER begins with a private key. What follows it does not
// matter: a label, or the rest of a script.
func isPrivate(der []byte) bool {
	if bytes.HasPrefix(der, []byte("openssh-key-v1\x00")) {
		return len(der) > 100
	}
	var whole asn1.RawValue
	if _, err := asn1.Unmarshal(der, &whole); err != nil || whole.Tag != asn1.TagSequence || whole.Class != asn1.ClassUniversal {
		return false
	}
	der = whole.FullBytes
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return true
	}
	if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return true
	}
	if _, err := x509.ParseECPrivateKey(der); err == nil {
		return true
	}
	return isEncrypted(der)
}

// pkcs5 is the beginning of the names of passwords' ciphers (RFC 8018), pkcs12 of
// older ones (RFC 7292).
var (
	pkcs5  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5}
	pkcs12 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1}
)

// isEncrypted says whether DER is a private key under a password: that is all
// that stands between anybody and the key.
func isEncrypted(der []byte) bool {
	var key struct {
		Algorithm struct {
			Name       asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Data []byte
	}
	rest, err := asn1.Unmarshal(der, &key)
	if err != nil || len(rest) > 0 || len(key.Data) < 32 {
		return false
	}
	name := key.Algorithm.Name
	return len(name) > len(pkcs5) && name[:len(pkcs5)].Equal(pkcs5) || len(name) > len(pkcs12) && name[:len(pkcs12)].Equal(pkcs12)
}
