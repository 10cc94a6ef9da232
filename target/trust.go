package target

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Roots are the authorities that the target's certificates may come from; nil
// where those of the system are meant.
func (t Target) Roots() *x509.CertPool {
	if len(t.Authorities) == 0 {
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil { // there is none: those of the target are left
		pool = x509.NewCertPool()
	}
	for _, c := range t.Authorities {
		pool.AddCert(c)
	}
	return pool
}

// TLS is how https is spoken with the target; nil for the usual way.
func (t Target) TLS() *tls.Config {
	if roots := t.Roots(); roots != nil {
		return &tls.Config{RootCAs: roots}
	}
	return nil
}

const PrivateAuthority = "Does the certificate come from a private authority? --ca-file FILE (ca_file in kindlytest.yaml) names the authority's certificate."

const ClientCertificate = "gate in kindlytest.yaml gives one: client_certificate: {cert: client.pem, key: client.key}"

const unknownName = "This machine does not know the host's name: resolve in kindlytest.yaml (--resolve HOST=ADDRESS) names its address."

// Untrusted says whether a connection failed for the server's certificate.
func Untrusted(err error) bool {
	var v *tls.CertificateVerificationError
	return errors.As(err, &v)
}

// WayToTrust is the way out of a failed connection: the one given, unless it
// failed for the certificate or for the name.
func WayToTrust(err error, otherwise string) string {
	var unknown x509.UnknownAuthorityError
	switch {
	case wire.IsUnknownName(err):
		return unknownName
	case errors.Is(err, wire.ErrCertificate):
		return ClientCertificate
	case errors.As(err, &unknown):
		return PrivateAuthority
	case Untrusted(err):
		return "The certificate must be valid today, for this host name; kindlytest accepts no other."
	}
	return otherwise
}
