package forge

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// An Attacker holds a key of 2048 bits that nobody should trust. It is made when
// it is first needed, and is safe for concurrent use; keep one for the whole
// process, since making it takes a tenth of a second or more.
type Attacker struct {
	key func() (*rsa.PrivateKey, error)
}

// NewAttacker returns an attacker with a key of its own.
func NewAttacker() *Attacker {
	return &Attacker{key: sync.OnceValues(func() (*rsa.PrivateKey, error) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("making an attacker's key: %w", err)
		}
		return key, nil
	})}
}

// Mint makes a token that only its signature speaks against.
func (a *Attacker) Mint(m Minting) (Secret, error) {
	key, err := a.key()
	if err != nil {
		return "", err
	}
	m.Key = key
	return m.Token()
}

// attackerKid names the attacker's key where a token can choose its key.
const attackerKid = "kindlytest-attacker"

// A Document is what the listener must serve, so that a webhook that does
// fetch a key finds one that fits.
type Document struct {
	Path        string // below Material.Listener: "/jwks.json"
	ContentType string
	Body        []byte
}

// Paths below the listener.
const (
	jwksPath = "/jwks.json"
	certPath = "/cert.pem"
)

// Documents returns what jku and x5u point at: a JWK set (RFC 7517 §5) and a
// PEM certificate (RFC 7515 §4.1.5), valid around now.
func (a *Attacker) Documents(now time.Time) ([]Document, error) {
	key, err := a.key()
	if err != nil {
		return nil, err
	}
	der, err := a.certificate(now)
	if err != nil {
		return nil, err
	}
	return []Document{
		{jwksPath, "application/jwk-set+json", []byte(`{"keys":[` + jwk(&key.PublicKey, attackerKid).String() + `]}`)},
		{certPath, "application/x-pem-file", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})},
	}, nil
}

// certificate returns a self-signed certificate of the key, as DER.
func (a *Attacker) certificate(now time.Time) ([]byte, error) {
	key, err := a.key()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.Unix()),
		Subject:      pkix.Name{CommonName: attackerKid},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("making an attacker's certificate: %w", err)
	}
	return der, nil
}

// jwk returns a public key as a JWK (RFC 7518 §6.3); kid may be empty.
func jwk(key *rsa.PublicKey, kid string) object {
	e := big.NewInt(int64(key.E)).Bytes()
	o := object{{"kty", `"RSA"`}, {"n", quote(b64(key.N.Bytes()))}, {"e", quote(b64(e))}}
	if kid != "" {
		o = append(o, member{"kid", quote(kid)}, member{"alg", `"RS256"`}, member{"use", `"sig"`})
	}
	return o
}

func b64[T string | []byte](data T) string { return base64.RawURLEncoding.EncodeToString([]byte(data)) }
