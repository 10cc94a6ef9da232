package token

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"strings"
)

const (
	publicHint  = "make the public half anew with: openssl rsa -in private.pem -pubout -out public.pem"
	privateHint = "give the RSA private key in PEM, as openssl genrsa writes it"
	rsaHint     = "Kindly takes RSA only: openssl genrsa -out private.pem 2048"
	uploadHint  = "upload only the public half; make it with: openssl rsa -in private.pem -pubout -out public.pem"
	decryptHint = "take its password off first: openssl rsa -in private.pem -out plain.pem"
)

func problem(text, hint string) *KeyError { return &KeyError{Problem: text, Hint: hint} }

func (e *KeyError) named(name string) error {
	e.Name = name
	return e
}

// explainNoPEM says what text without a BEGIN line is.
func explainNoPEM(data []byte, text, hint string) *KeyError {
	switch lower := strings.ToLower(text); {
	case text == "":
		return problem("it is empty", hint)
	case strings.HasPrefix(text, "ssh-ed25519"), strings.HasPrefix(text, "ecdsa-sha2-"):
		return problem("it is an SSH public key, and not an RSA one", rsaHint)
	case strings.HasPrefix(text, "---- BEGIN SSH2"):
		return problem("it is an SSH public key (RFC 4716)",
			"convert an RSA one with: ssh-keygen -i -f key.pub > openssh.pub; then ssh-keygen -e -m PKCS8 -f openssh.pub > public.pem")
	case strings.HasPrefix(text, "ssh-"):
		return problem("it is an SSH public key",
			"convert an RSA one with: ssh-keygen -e -m PKCS8 -f key.pub > public.pem")
	case strings.HasPrefix(text, "PuTTY-User-Key-File"):
		return problem("it is a key of PuTTY (.ppk)",
			"convert an RSA one with: puttygen key.ppk -O private-openssh -o key; then ssh-keygen -p -m PEM -f key, and ssh-keygen -e -m PKCS8 -f key > public.pem")
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return explainJSON(text)
	case strings.HasPrefix(text, "<"):
		return problem("it is HTML or XML, not a key: perhaps a login page was saved", hint)
	case isDER(data):
		return problem("it is binary (DER), not PEM",
			"convert it with: openssl rsa -pubin -inform DER -in FILE -out public.pem (without -pubin for a private key); take it out of a .p12 or .pfx with: openssl pkcs12 -in FILE -nodes -nocerts, or -clcerts -nokeys | openssl x509 -noout -pubkey")
	case strings.Contains(lower, "begin ") && strings.Contains(lower, " key"):
		return problem("the dashes of its BEGIN line are damaged", "there must be five plain hyphens on either side of BEGIN and END lines")
	case bareDER(text) != nil && hint == privateHint:
		return problem("its BEGIN and END lines are missing", "copy the whole file, with both lines")
	case bareDER(text) != nil:
		return explainBare(bareDER(text), "base64 -d < FILE")
	case strings.HasSuffix(lower, ".pem"), strings.HasSuffix(lower, ".key"), strings.HasSuffix(lower, ".pub"):
		return problem("it looks like the name of a file, not its content", "give the content of the file")
	}
	return problem("it is no PEM: there is no BEGIN line", hint)
}

func explainJSON(text string) *KeyError {
	const hint = "convert it to PEM, for example with node: " +
		"crypto.createPublicKey({key: jwk, format: 'jwk'}).export({type: 'spki', format: 'pem'})"
	v, err := parseJSON(text)
	switch {
	case err == nil && v.Get("keys").Exists():
		return problem("it is a JWK set (JSON), not PEM", hint)
	case err == nil && v.Get("d").Exists():
		return problem("it is a private JWK (JSON), not PEM", hint)
	case err == nil && v.Get("kty").Exists():
		return problem("it is a JWK (JSON), not PEM", hint)
	case err == nil && v.Get("private_key").Exists():
		return problem("it is a service account file (JSON) with a private key in it, not PEM", uploadHint)
	}
	for _, name := range []string{"PublicKey", "public_key"} { // of AWS KMS, of Keycloak
		if value, ok := v.Get(name).Text(); ok && bareDER(value) != nil {
			e := explainBare(bareDER(value), "jq -r ."+name+" FILE | base64 -d")
			e.Problem = "it is JSON, and of its member " + name + ": " + e.Problem
			return e
		}
	}
	return problem("it is JSON, not PEM", publicHint)
}

func isDER(data []byte) bool {
	var v asn1.RawValue
	rest, err := asn1.Unmarshal(data, &v)
	return err == nil && len(rest) == 0 && v.Tag == asn1.TagSequence
}

// bareDER is what base64 without BEGIN and END lines holds; nil where text is none.
func bareDER(text string) []byte {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || !isDER(der) {
		return nil
	}
	return der
}

// explainBare says what a key is that a service gave out in base64 alone, given as a
// public one; decode is the command that gives its DER.
func explainBare(der []byte, decode string) *KeyError {
	const bare = ", without BEGIN and END lines"
	b := block{label: labelSPKI, der: der}
	public, format, _ := parsePublicDER(b)
	_, noCertificate := x509.ParseCertificate(der)
	switch {
	case isPrivateDER(der):
		return problem("it is a private key"+bare, uploadHint)
	case noCertificate == nil:
		return problem("it is a certificate"+bare, "take the key out of it: "+decode+" | openssl x509 -inform DER -noout -pubkey > public.pem")
	case public == nil:
		return explainPublic(b)
	case format == "PKCS#1 PEM":
		return problem("it is a public key"+bare, "write them with: "+decode+" | openssl rsa -RSAPublicKey_in -inform DER -pubout -out public.pem")
	}
	return problem("it is a public key"+bare, "write them with: "+decode+" | openssl rsa -pubin -inform DER -out public.pem")
}

// explainPrivate says that b, given as a public key, is a private one.
func explainPrivate(b block) *KeyError {
	switch {
	case b.encrypted, b.label == "ENCRYPTED PRIVATE KEY":
		return problem("it is an encrypted private key", uploadHint)
	case strings.HasPrefix(b.label, "EC "), strings.HasPrefix(b.label, "DSA "):
		return problem("it is a private key, and not an RSA one", rsaHint)
	case b.label == "OPENSSH PRIVATE KEY":
		return problem("it is a private key of OpenSSH",
			"take the public half of an RSA one with: ssh-keygen -e -m PKCS8 -f key > public.pem; better make a key for this alone: openssl genrsa -out private.pem 2048")
	}
	return problem("it is a private key", uploadHint)
}

// rsaPSS is the OID of keys that may sign with RSASSA-PSS only, as in DER.
var rsaPSS = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a}

// explainPublic says why b is no public RSA key.
func explainPublic(b block) *KeyError {
	switch {
	case strings.HasSuffix(b.label, "CERTIFICATE"):
		return problem("it is a certificate", "take the key out of it: openssl x509 -in cert.pem -noout -pubkey")
	case strings.HasSuffix(b.label, "CERTIFICATE REQUEST"):
		return problem("it is a certificate request", "take the key out of it: openssl req -in request.pem -noout -pubkey")
	case strings.HasPrefix(b.label, "EC "):
		return problem("it is of an elliptic curve", rsaHint)
	case strings.HasPrefix(b.label, "PGP "):
		return problem("it is a PGP key", rsaHint)
	case isPrivateDER(b.der):
		return problem("it is a private key, under the label of a public one", uploadHint)
	case bytes.Contains(b.der, rsaPSS):
		return problem("it is a key for RSA-PSS only, which RS256 cannot use", rsaHint)
	}
	if k, err := x509.ParsePKIXPublicKey(b.der); err == nil {
		return problem("it is "+kindOfKey(k)+", not RSA", rsaHint)
	}
	if _, err := x509.ParseCertificate(b.der); err == nil {
		return problem("it is a certificate, under the label of a key",
			"take the key out of it: openssl x509 -in cert.pem -noout -pubkey")
	}
	if b.label != labelSPKI && b.label != labelPKCS1Public {
		return problem("it is "+quote(b.label)+", not a public key", publicHint)
	}
	return problem("what its base64 holds is no public key", publicHint)
}

func isPrivateDER(der []byte) bool {
	if len(der) > maxPrivateDER {
		return false
	}
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return true
	}
	_, err := x509.ParsePKCS1PrivateKey(der)
	return err == nil
}

// explainNotPrivate says why b is no private RSA key.
func explainNotPrivate(b block) *KeyError {
	switch {
	case b.encrypted, b.label == "ENCRYPTED PRIVATE KEY":
		return problem("it is an encrypted private key", decryptHint)
	case b.label == "OPENSSH PRIVATE KEY":
		return problem("it is a private key of OpenSSH", "convert an RSA one with: ssh-keygen -p -m PEM -f key")
	case b.label == labelSPKI, b.label == labelPKCS1Public:
		return problem("it is a public key", "give the private one, that your server signs with")
	case strings.HasSuffix(b.label, "CERTIFICATE"):
		return problem("it is a certificate", "give the private key, that your server signs with")
	case strings.HasPrefix(b.label, "EC "), strings.HasPrefix(b.label, "DSA "):
		return problem("it is a private key, but not an RSA one", rsaHint)
	}
	if len(b.der) <= maxPrivateDER {
		if k, err := x509.ParsePKCS8PrivateKey(b.der); err == nil {
			return problem("it is "+kindOfKey(k)+", not RSA", rsaHint)
		}
	}
	if bytes.Contains(b.der, rsaPSS) {
		return problem("it is a key for RSA-PSS only, which RS256 cannot use", rsaHint)
	}
	return problem("what its base64 holds is no RSA private key, or a damaged one", privateHint)
}

func kindOfKey(k any) string {
	switch k.(type) {
	case *ecdsa.PublicKey, *ecdsa.PrivateKey:
		return "an elliptic curve key (ECDSA)"
	case ed25519.PublicKey, ed25519.PrivateKey:
		return "an Ed25519 key"
	case *rsa.PublicKey, *rsa.PrivateKey:
		return "an RSA key"
	default:
		return "another kind of key"
	}
}
