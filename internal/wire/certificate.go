package wire

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"sync/atomic"
)

// ErrCertificate says that a server asked for a client certificate, got none, and
// ended the connection.
var ErrCertificate = errors.New("the server wants a client certificate, and there is none for it")

// certificateWords are how servers ask for a certificate in HTTP: nginx, Apache and
// IIS take the handshake without one, and answer an error.
var certificateWords = regexp.MustCompile(`(?i)no required ssl certificate|client certificate (is )?(required|missing|needed)|requires? (a )?client certificate`)

// AsksForCertificate says whether an answer is that of a server that wants a client
// certificate. text is what it says: a title, or a body.
func AsksForCertificate(status int, text string) bool {
	return status/100 == 4 && certificateWords.MatchString(text)
}

type askedKey struct{}

// noticeCertificate is for a handshake without a client certificate: it notes that
// the server asked for one.
func noticeCertificate(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if asked, ok := info.Context().Value(askedKey{}).(*atomic.Bool); ok {
		asked.Store(true)
	}
	return &tls.Certificate{}, nil
}

// watchCertificate returns a context in which handshakes are watched, and what
// names the reason if a request failed for the lack of a certificate.
func watchCertificate(ctx context.Context) (context.Context, func(error) error) {
	asked := new(atomic.Bool)
	return context.WithValue(ctx, askedKey{}, asked), func(err error) error {
		if asked.Load() {
			return OrCertificate(err)
		}
		return err
	}
}

// OrCertificate is an error on a connection whose server asked for a certificate, got
// none, and has not answered yet: the lack of it, if the server has ended the
// connection. TLS 1.3 says so after the handshake, and that is lost where the request
// is cut off before.
func OrCertificate(err error) error {
	var broken *net.OpError // crypto/tls has no type for what the other side says
	if errors.As(err, &broken) && (broken.Op == "remote error" || broke(broken)) && !broken.Timeout() && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return err
}

// tlsConfig is what connections are made with, presenting a certificate or none.
func tlsConfig(base *tls.Config, own *tls.Certificate) *tls.Config {
	c := cmp.Or(base, &tls.Config{}).Clone()
	if own == nil {
		c.GetClientCertificate = noticeCertificate
	} else {
		c.Certificates = []tls.Certificate{*own}
	}
	return c
}
