package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/server"
)

// minAdminToken is how many characters a token must have that keeps other machines
// out: fewer can be guessed.
const minAdminToken = 16

// maxConnections bounds what the mock serves at a time.
const maxConnections = 1024

// A listener is where the mock listens, and who may call it there.
type listener struct {
	net.Listener
	base  string // its URL, without a slash at the end
	here  string // the same on this machine, where that is another; "" otherwise
	token string // that was made for this run; empty if none is wanted, or it is given
}

// listen opens the port, before anything else takes time, and says in o who may
// use the mock's own side. flag is the one that says where.
func (a *app) listen(flag string, f *serveFlags, o *server.Options) (*listener, error) {
	inner, err := net.Listen("tcp", f.listen)
	if err != nil {
		return nil, listenError(flag, f.listen, err)
	}
	l := &listener{Listener: inner}
	address := inner.Addr().(*net.TCPAddr) // of "tcp" it always is
	var host string
	l.base, l.here, host = urlsOf(address, f.listen)
	o.AdminToken = a.env(adminTokenVariable)
	if address.IP.IsLoopback() {
		o.Hosts = append([]string{"127.0.0.1", "localhost", "::1", host}, f.hosts...)
		return l, nil
	}
	// With a token no name is to be trusted, so that any will do, and o.Hosts stays empty.
	if n := len(o.AdminToken); n > 0 && n < minAdminToken {
		err := hint.Errorf("openssl rand -hex 16 makes one; without the variable, kindlytest does",
			"%s has %s, and other machines can reach %s: it must have at least %d", adminTokenVariable, plural(n, "character"), f.listen, minAdminToken)
		return nil, errors.Join(err, inner.Close())
	}
	if o.AdminToken == "" {
		if l.token, err = randomToken(); err != nil {
			return nil, errors.Join(err, inner.Close())
		}
		o.AdminToken = l.token
	}
	return l, nil
}

// urlsOf are the URL by which others call who listens at an address, the one on this
// machine where that is another, and the host of the first. What was asked for may
// be a name.
func urlsOf(address *net.TCPAddr, asked string) (base, here, host string) {
	host, _, _ = net.SplitHostPort(asked)
	at := func(host string) string { return "http://" + net.JoinHostPort(host, fmt.Sprint(address.Port)) }
	if host == "" || address.IP.IsUnspecified() {
		host = "127.0.0.1"
		if own := ownAddress(); own != "" { // who listens on all addresses wants others to call
			here, host = at(host), own
		}
	}
	return at(host), here, host
}

// ownAddress is the one by which other machines reach this one, as far as its routes
// tell; "" if there is none. Nothing is sent: a socket of UDP is only prepared.
func ownAddress() string {
	conn, err := net.Dial("udp4", "192.0.2.1:9") // an address that is nobody's (RFC 5737)
	if err != nil {
		return ""
	}
	defer conn.Close() // nothing was written
	address, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok || address.IP.IsLoopback() || address.IP.IsUnspecified() {
		return ""
	}
	return address.IP.String()
}

func listenError(flag, address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return hint.Errorf("end what listens there, another kindlytest perhaps; or take another port: "+flag+" 127.0.0.1:0 finds a free one",
			"%s is in use", address)
	}
	return hint.Errorf("an example: "+flag+" 127.0.0.1:8484", "%s: %w", flag, err)
}

func randomToken() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// A mockServer serves a mock over HTTP.
type mockServer struct {
	http   *http.Server
	failed chan error
}

func startServer(l net.Listener, h http.Handler) *mockServer {
	s := &mockServer{failed: make(chan error, 1), http: &http.Server{
		Handler:           inTime(h, bodyTime, maxBodies),
		ReadHeaderTimeout: 10 * time.Second,
		// Of a whole request. No answer may take longer, but the live stream,
		// which takes its own time.
		ReadTimeout:    3 * time.Minute,
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: 64 << 10,
	}}
	s.serve(netutil.LimitListener(l, maxConnections))
	return s
}

func (s *mockServer) serve(l net.Listener) {
	go func() { s.failed <- s.http.Serve(l) }()
}

// watch returns a context that ends when there is nothing to serve any more.
func (s *mockServer) watch(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		select {
		case err := <-s.failed:
			s.failed <- err // for stop
		case <-ctx.Done():
		}
	}()
	return ctx
}

// stop ends the mock and then the server: streams end with the mock.
func (s *mockServer) stop(k *mockkindly.Kindly) error {
	return errors.Join(k.Close(), s.end())
}

// end lets what is under way come to its end, for a moment.
func (s *mockServer) end() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		err = errors.Join(err, s.http.Close())
	}
	if failed := <-s.failed; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	return err
}

// introduceMock says what there is, and what to do next.
func (a *app) introduceMock(l *listener, c *config.Config, f *serveFlags) {
	var b strings.Builder
	here := ""
	if l.here != "" {
		here = "on this machine also at " + l.here + "; "
	}
	fmt.Fprintf(&b, "Kindly is at %s (%sCtrl-C ends it).\n\n", l.base, here)
	fmt.Fprintf(&b, "  console  %s/\n  inbox    %s/inbox\n  checks   %s/checks\n  API      %s/openapi.yaml\n\n", l.base, l.base, l.base, l.base)
	if f.open == "" {
		fmt.Fprintf(&b, "In your page, in place of Kindly's script:\n\n"+
			"  <script id=\"kindly-chat\" src=\"%s/kindly-chat.js\" data-bot-key=\"%s\" defer></script>\n\n"+
			"Or leave the page as it is, and add: --open URL\n", l.base, printable(htmlAttribute(botKeyOf(c))))
	} else {
		fmt.Fprintf(&b, "Chrome shows %s, and takes this mock for Kindly.\n", printable(f.open))
	}
	fmt.Fprint(a.stdout, b.String())
	if len(c.Target.PublicKeys) == 0 {
		fmt.Fprintln(a.stderr, "note: without --public-key no token can be checked, and every one is refused")
	}
	if len(c.Target.Webhooks)+len(c.Dialogues) == 0 {
		fmt.Fprintln(a.stderr, "note: without --webhook, and without dialogues in kindlytest.yaml, messages go nowhere")
	}
	if l.token != "" {
		// A fragment is sent nowhere, and is in no log.
		fmt.Fprintf(a.stderr, "note: other machines can reach this address, so that console and API want a token. Open:\n  %s/#token=%s\n", l.base, l.token)
	}
}

func botKeyOf(c *config.Config) string {
	if c.Target.BotKey != "" {
		return c.Target.BotKey
	}
	return "YOUR-BOT-KEY"
}

func htmlAttribute(s string) string {
	return strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;").Replace(s)
}
