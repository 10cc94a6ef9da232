package subject

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

const PrivateAuthority = "Does the certificate come from a private authority? --ca-file FILE (ca_file in kindlytest.yaml) names the authority's certificate."

const ClientCertificate = "gate in kindlytest.yaml gives one: client_certificate: {cert: client.pem, key: client.key}"

// ThroughProxy is the way out where the proxy refuses, or is not there.
const ThroughProxy = "The proxy does not let it through: proxy in kindlytest.yaml, else HTTPS_PROXY, HTTP_PROXY and NO_PROXY."

const unknownName = "This machine does not know the host's name: resolve in kindlytest.yaml (--resolve HOST=ADDRESS) names its address."

// Untrusted says whether a connection failed for the server's certificate.
func Untrusted(err error) bool {
	var v *tls.CertificateVerificationError
	return errors.As(err, &v)
}

// Refuted is what to do about a certificate that no authority would make right: it
// has expired, or is for another name. It is "" where a connection failed of
// something else.
func Refuted(err error) string {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		return "The certificate is not valid before " + invalid.Cert.NotBefore.Format("2 January 2006") + ", or this machine's clock is behind. Kindly and browsers refuse it too."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "Renew the certificate: it was valid until " + invalid.Cert.NotAfter.Format("2 January 2006") + ". See why it was not renewed by itself, and that the server has loaded the new one. Kindly and browsers refuse it too."
	case errors.As(err, &name):
		return "The certificate is " + namesOf(name.Certificate) + ", and not for " + name.Host + ": get one with that name, or see whether another server answers there. Kindly and browsers refuse it too. A server on this machine is reached by its real name with --resolve HOST=ADDRESS."
	}
	return ""
}

// namesOf says which names a certificate is for.
func namesOf(c *x509.Certificate) string {
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	const most = 3
	switch {
	case len(names) == 0:
		return "for no name"
	case len(names) > most:
		return "for " + strings.Join(names[:most], ", ") + " and others"
	}
	return "for " + strings.Join(names, ", ")
}

// WayOut is the way out of a failed connection: the one given, unless it
// failed for the proxy, a certificate or the name.
func WayOut(err error, otherwise string) string {
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.Is(err, wire.ErrProxy):
		return ThroughProxy
	case wire.IsUnknownName(err):
		return unknownName
	case errors.Is(err, wire.ErrCertificate):
		return ClientCertificate
	case errors.As(err, &unknown):
		return "It is self-signed, or lacks the intermediate certificate, or nobody knows its authority: where that is so at the public address, Kindly and browsers refuse it too. " + PrivateAuthority
	case Untrusted(err):
		return cmp.Or(Refuted(err), "The certificate must be valid today, for this host name; kindlytest accepts no other.")
	}
	return otherwise
}
