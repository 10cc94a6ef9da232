package token

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
)

// A Key is a public RSA key.
type Key struct {
	Name        string // as the caller calls it: a file name, "uploaded key"
	Public      *rsa.PublicKey
	Fingerprint string   // SHA-256 of the SPKI (DER), in lower-case hex
	Format      string   // "SPKI PEM", "PKCS#1 PEM"
	Notes       []string // oddities that were read all the same: "CRLF line ends"
}

// Caution says that stricter programs refuse the key's file, though it was read
// here, and why; "" if it is as openssl writes it.
func (k *Key) Caution() string { return k.caution("Kindly may") }

func (k *Key) caution(who string) string {
	var odd []string
	for _, note := range k.Notes {
		if !harmlessNotes[note] {
			odd = append(odd, note)
		}
	}
	if len(odd) == 0 {
		return ""
	}
	return k.title() + " was read, but openssl, Node or Python refuse such a key, and " + who + ": it has " + strings.Join(odd, ", ") +
		". Paste it as openssl writes it, with real line ends"
}

// NewKey describes a key that is not read from a PEM file.
func NewKey(name string, public *rsa.PublicKey) *Key {
	return &Key{Name: name, Public: public, Fingerprint: fingerprint(public)}
}

func fingerprint(public *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// WithPrivate returns the keys for Expect: the uploaded ones, and behind them
// the public half of a private key, so that it can be named where it signed.
func WithPrivate(uploaded []*Key, private *PrivateKey) []*Key {
	if private == nil || private.Public == nil {
		return uploaded
	}
	for _, k := range uploaded {
		if k != nil && k.Fingerprint == private.Fingerprint {
			return uploaded
		}
	}
	if len(uploaded) == 0 {
		uploaded = []*Key{nil} // none was uploaded
	}
	return append(slices.Clone(uploaded), &private.Key)
}

// title is how messages call the key.
func (k *Key) title() string {
	if k.Name == "" {
		return "the uploaded key"
	}
	return quote(k.Name)
}

// remarks is what a failure adds about the PEM file.
func (k *Key) remarks() string {
	if len(k.Notes) == 0 {
		return ""
	}
	return " (the key's file is unusual: " + strings.Join(k.Notes, ", ") + ")"
}

// A PrivateKey is an RSA key pair. Printed or logged, it shows its name and
// its public half only.
type PrivateKey struct {
	Key
	Private *rsa.PrivateKey `json:"-"`
}

// Caution is that of Key, of the program that signs.
func (k *PrivateKey) Caution() string { return k.caution("so may the program that signs with it") }

// String returns the name and the fingerprint.
func (k PrivateKey) String() string {
	return fmt.Sprintf("private key %s (fingerprint %s)", strconv.Quote(k.Name), k.Fingerprint)
}

// Format keeps the private half out of every fmt verb.
func (k PrivateKey) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(k.String())) // fmt.State reports no errors
}

// LogValue keeps the private half out of log/slog.
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// KeyError says why text is not the wanted key. It holds nothing of the text.
type KeyError struct {
	Name    string // as given to ParsePublicKey or ParsePrivateKey
	Problem string // "it is a private key"
	Hint    string // the way out
}

func (e *KeyError) Error() string {
	text := e.Problem + "; " + e.Hint
	if e.Name != "" {
		text = e.Name + ": " + text
	}
	return text
}

// ParsePublicKey reads the public RSA key from PEM text as it is met in the
// wild: SPKI or PKCS#1, also under each other's label, base64 on one line, any
// line ends (also written as \n, or lost), a byte order mark, UTF-16. What it
// had to forgive is in Key.Notes. For all else it returns a *KeyError that
// names what the text is.
func ParsePublicKey(name string, text []byte) (*Key, error) {
	blocks, notes, err := readPEM(text, publicHint)
	if err != nil {
		return nil, err.named(name)
	}
	b, err := onlyPublic(blocks)
	if err != nil {
		return nil, err.named(name)
	}
	public, format, note := parsePublicDER(b)
	if public == nil {
		return nil, explainPublic(b).named(name)
	}
	if public.N.BitLen() > maxBits {
		return nil, problem("its modulus is absurdly large", publicHint).named(name)
	}
	k := NewKey(name, public)
	k.Format, k.Notes = format, notes
	if note != "" {
		k.Notes = append(k.Notes, note)
	}
	return k, nil
}

// maxBits bounds the work that a hostile key can cause.
const maxBits = 16384

// onlyPublic picks the one block that is a public key.
func onlyPublic(blocks []block) (block, *KeyError) {
	var public []block
	for _, b := range blocks {
		if b.isPrivate() {
			return block{}, explainPrivate(b)
		}
		if b.label == labelSPKI || b.label == labelPKCS1Public {
			public = append(public, b)
		}
	}
	switch len(public) {
	case 0:
		return block{}, explainPublic(blocks[0])
	case 1:
		return public[0], nil
	}
	return block{}, problem(fmt.Sprintf("it holds %d public keys", len(public)),
		"keep the one that verifies your tokens: Kindly has room for one")
}

func parsePublicDER(b block) (public *rsa.PublicKey, format, note string) {
	if k, err := x509.ParsePKIXPublicKey(b.der); err == nil {
		if public, ok := k.(*rsa.PublicKey); ok {
			if b.label != labelSPKI {
				note = "SPKI body under a PKCS#1 label"
			}
			return public, "SPKI PEM", note
		}
		return nil, "", ""
	}
	public, err := x509.ParsePKCS1PublicKey(b.der)
	if err != nil {
		return nil, "", ""
	}
	if b.label != labelPKCS1Public {
		note = "PKCS#1 body under an SPKI label"
	}
	return public, "PKCS#1 PEM", note
}

// ParsePrivateKey reads an RSA private key from PEM text, PKCS#1 or PKCS#8,
// also under each other's label, and forgives what ParsePublicKey forgives.
// For all else it returns a *KeyError.
func ParsePrivateKey(name string, text []byte) (*PrivateKey, error) {
	blocks, notes, err := readPEM(text, privateHint)
	if err != nil {
		return nil, err.named(name)
	}
	b := blocks[0]
	for _, candidate := range blocks {
		if candidate.isPrivate() {
			b = candidate
			break
		}
	}
	private, format, note := parsePrivateDER(b)
	if private == nil {
		return nil, explainNotPrivate(b).named(name)
	}
	k := &PrivateKey{Key: *NewKey(name, &private.PublicKey), Private: private}
	k.Key.Format, k.Notes = format, notes
	if note != "" {
		k.Notes = append(k.Notes, note)
	}
	return k, nil
}

// maxPrivateDER is room for a key of maxBits. Reading one costs time, which
// grows with the cube of its size.
const maxPrivateDER = 10 << 10

func parsePrivateDER(b block) (private *rsa.PrivateKey, format, note string) {
	if len(b.der) > maxPrivateDER || b.encrypted {
		return nil, "", ""
	}
	if k, err := x509.ParsePKCS8PrivateKey(b.der); err == nil {
		if private, ok := k.(*rsa.PrivateKey); ok {
			if b.label == labelPKCS1Private {
				note = "PKCS#8 body under a PKCS#1 label"
			}
			return private, "PKCS#8 PEM", note
		}
		return nil, "", ""
	}
	private, err := x509.ParsePKCS1PrivateKey(b.der)
	if err != nil {
		return nil, "", ""
	}
	if b.label == labelPKCS8 {
		note = "PKCS#1 body under a PKCS#8 label"
	}
	return private, "PKCS#1 PEM", note
}
