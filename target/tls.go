package target

import (
	"crypto/tls"
	"crypto/x509"
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
