package browser

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A serverConn is the bridge's connection with a server. It notices if the
// server ends it for the lack of a client certificate, which TLS 1.3 says only
// when the first answer is read.
type serverConn struct {
	*tls.Conn
	asked bool // for a certificate that there is not
	note  func(error)
}

// verify begins TLS with a server, presenting the certificate of a gate.
func (b *bridge) verify(ctx context.Context, conn net.Conn, hostPort string, c *tls.Config) (*serverConn, error) {
	s := &serverConn{note: func(err error) { b.note(hostPort, err) }}
	own := b.gates.Certificate("https://" + hostPort)
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if own == nil {
			s.asked = true
			return &tls.Certificate{}, nil
		}
		return own, nil
	}
	s.Conn = tls.Client(conn, c)
	if err := s.HandshakeContext(ctx); err != nil {
		return nil, s.explain(err)
	}
	return s, nil
}

func (s *serverConn) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if why := s.explain(err); errors.Is(why, wire.ErrCertificate) {
		s.note(why)
	}
	return n, err
}

func (s *serverConn) explain(err error) error {
	var alert *net.OpError // crypto/tls has no type for what the other side says
	if s.asked && errors.As(err, &alert) && alert.Op == "remote error" {
		return fmt.Errorf("%w: %w", wire.ErrCertificate, err)
	}
	return err
}
