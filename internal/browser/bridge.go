package browser

import (
	"bufio"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A bridge lets Chrome trust certificate authorities that the system does not
// know. Chrome takes no file of them, and its switches that forgive errors look
// at a certificate's key, not at who signed for whom, so that anybody on the way
// could satisfy them. So its https connections lead to the bridge, a proxy on
// this machine that verifies the server's certificate as Go does (name, time,
// chain) and hands the bytes on. Between the two there is TLS with a key that is
// made for this bridge, the only one that Chrome forgives; it never sees another.
//
// Any process of this machine can call it, as Chrome can tell a proxy no secret.
// It takes TLS and WebSockets only, as many at a time as a browser needs.
type bridge struct {
	listener net.Listener
	roots    *x509.CertPool
	resolve  map[string]string
	gates    wire.Gates
	through  func(*url.URL) (*url.URL, error) // the proxy for a URL
	real     bool                             // Kindly's hosts are called too
	own      tls.Certificate
	pin      string // of own's key, as Chrome wants it

	life context.Context
	end  context.CancelFunc
	work sync.WaitGroup

	slots chan struct{} // one for each connection

	mu     sync.Mutex
	failed map[string]error // by host:port: why it could not be reached, last
	order  []string         // of failed, the oldest first
}

const (
	bridgeTimeout  = 30 * time.Second // of a connection's beginning
	maxConnect     = 64 << 10         // bytes of Chrome's request for one
	maxConnections = 256              // at a time; Chrome itself opens fewer through a proxy
	maxFailed      = 1000             // hosts whose errors are remembered
)

// startBridge listens on loopback.
func startBridge(o Options) (*bridge, error) {
	own, pin, err := bridgeKey()
	if err != nil {
		return nil, fmt.Errorf("making a key for the browser's connections: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the browser's connections: %w", err)
	}
	b := &bridge{listener: l, roots: o.RootCAs, own: own, pin: pin, resolve: map[string]string{}, failed: map[string]error{},
		slots: make(chan struct{}, maxConnections), gates: o.Gates, through: proxyExceptResolved(o).Func(), real: o.RealKindly}
	for host, to := range o.Resolve {
		b.resolve[strings.ToLower(host)] = to
	}
	b.life, b.end = context.WithCancel(context.Background())
	b.work.Go(b.accept)
	return b, nil
}

// bridgeKey makes a certificate that is good for nothing but its key.
func bridgeKey() (own tls.Certificate, pin string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return own, "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"kindlytest.invalid"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return own, "", err
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return own, "", err
	}
	sum := sha256.Sum256(spki)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, base64.StdEncoding.EncodeToString(sum[:]), nil
}

// flags make Chrome use the bridge for https, on this machine too.
func (b *bridge) flags(o Options) []string {
	return append(proxyFlags(o, b.listener.Addr().String()), "--ignore-certificate-errors-spki-list="+b.pin)
}

// close ends all connections, and waits for them.
func (b *bridge) close() {
	b.end()
	b.listener.Close()
	b.work.Wait()
}

func (b *bridge) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return // closed
		}
		select {
		case b.slots <- struct{}{}:
		default:
			conn.Close()
			continue
		}
		b.work.Go(func() {
			defer func() { <-b.slots }()
			defer context.AfterFunc(b.life, func() { conn.Close() })()
			defer conn.Close()
			b.serve(conn)
		})
	}
}

// serve answers one request of Chrome to be connected.
func (b *bridge) serve(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(bridgeTimeout)) // fails on a closed connection only
	limited := &io.LimitedReader{R: conn, N: maxConnect}
	reader := bufio.NewReader(limited)
	req, err := http.ReadRequest(reader)
	if err != nil || req.Method != http.MethodConnect {
		return
	}
	host, _, err := net.SplitHostPort(req.Host)
	if err != nil || KindlyHost(host) && !b.real {
		_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\n\r\n")
		return
	}
	ctx, cancel := context.WithTimeout(b.life, bridgeTimeout)
	defer cancel()
	server, err := b.dial(ctx, req.Host)
	if err != nil {
		b.note(req.Host, err)
		_, _ = io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	defer server.Close()
	defer context.AfterFunc(b.life, func() { server.Close() })()
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	b.join(ctx, readConn{conn, reader, limited}, server, req.Host)
}

// join connects Chrome with a server: over TLS, or as it is for a WebSocket
// without, which Chrome sends to the same proxy. All else is refused.
func (b *bridge) join(ctx context.Context, chrome readConn, server net.Conn, hostPort string) {
	const handshake = 0x16
	first, err := chrome.r.Peek(1)
	if err != nil {
		return
	}
	if first[0] != handshake {
		joinWebSocket(chrome, server)
		return
	}
	chrome.limit.N = noLimit
	host, _, _ := net.SplitHostPort(hostPort) // serve has seen to it
	var verified *serverConn
	inner := tls.Server(chrome, &tls.Config{
		// The server chooses the protocol among those that Chrome offers.
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			var err error
			verified, err = b.verify(ctx, server, hostPort, &tls.Config{RootCAs: b.roots, ServerName: host, NextProtos: hello.SupportedProtos})
			if err != nil {
				b.note(hostPort, err)
				return nil, err
			}
			c := &tls.Config{Certificates: []tls.Certificate{b.own}}
			if p := verified.ConnectionState().NegotiatedProtocol; p != "" {
				c.NextProtos = []string{p}
			}
			return c, nil
		},
	})
	if err := inner.HandshakeContext(ctx); err != nil {
		return // Chrome tells the page
	}
	_ = chrome.SetDeadline(time.Time{})
	pipe(inner, verified)
}

// joinWebSocket passes on a request to upgrade to a WebSocket, and what follows.
func joinWebSocket(chrome readConn, server net.Conn) {
	req, err := http.ReadRequest(chrome.r)
	if err != nil || req.Method != http.MethodGet || !strings.EqualFold(req.Header.Get("Upgrade"), "websocket") {
		return
	}
	_ = server.SetDeadline(time.Now().Add(bridgeTimeout)) // fails on a closed connection only
	if req.Write(server) != nil {
		return
	}
	chrome.limit.N = noLimit
	_ = chrome.SetDeadline(time.Time{})
	_ = server.SetDeadline(time.Time{})
	pipe(chrome, server)
}

func (b *bridge) note(hostPort string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	hostPort = strings.ToLower(hostPort)
	if _, known := b.failed[hostPort]; !known {
		b.order = append(b.order, hostPort)
	}
	b.failed[hostPort] = err
	if len(b.order) > maxFailed {
		delete(b.failed, b.order[0])
		b.order = b.order[1:]
	}
}

// ConnectionError is why the host of a URL could not be reached over https, or
// why its certificate is not trusted; nil where nothing is known. Chrome itself
// knows less where Options.RootCAs are given.
func (b *Browser) ConnectionError(rawURL string) error {
	u, err := url.Parse(rawURL)
	if err != nil || b.bridge == nil {
		return nil
	}
	b.bridge.mu.Lock()
	defer b.bridge.mu.Unlock()
	return b.bridge.failed[net.JoinHostPort(strings.ToLower(u.Hostname()), cmp.Or(u.Port(), "443"))]
}

// A readConn is a connection of which a part has been read.
type readConn struct {
	net.Conn
	r     *bufio.Reader
	limit *io.LimitedReader // what r reads from
}

// noLimit is for the page's traffic.
const noLimit = 1 << 62

func (c readConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// pipe copies both ways until both sides have said all.
func pipe(a, b net.Conn) {
	var both sync.WaitGroup
	copyTo := func(to, from net.Conn) {
		if _, err := io.Copy(to, from); err != nil {
			a.Close()
			b.Close()
			return
		}
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // the other way may be closed already
			return
		}
		to.Close()
	}
	both.Go(func() { copyTo(a, b) })
	both.Go(func() { copyTo(b, a) })
	both.Wait()
}
