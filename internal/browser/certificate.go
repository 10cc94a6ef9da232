package browser

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A serverConn is the bridge's connection with a server. It notices if the
// server ends it for the lack of a client certificate, which TLS 1.3 says only
// when the first answer is read.
type serverConn struct {
	*tls.Conn
	asked    bool // for a certificate that there is not
	answered atomic.Bool
	note     func(error)
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
	if n > 0 {
		s.answered.Store(true)
	}
	return n, s.explain(err)
}

func (s *serverConn) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	return n, s.explain(err)
}

// explain names the reason if the server has ended the connection for the lack of a
// certificate, and notes it.
func (s *serverConn) explain(err error) error {
	if !s.asked || s.answered.Load() {
		return err
	}
	if err = wire.OrCertificate(err); errors.Is(err, wire.ErrCertificate) {
		s.note(err)
	}
	return err
}
