package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// A Proxy says through whom a URL is called, as HTTP_PROXY, HTTPS_PROXY and
// NO_PROXY do: this machine is always called directly. The zero value is none.
// A URL may hold a name and a password.
type Proxy struct {
	HTTP, HTTPS string // URLs
	None        string // hosts, domains and networks that are called directly
}

// ErrProxy says that a request did not get past the proxy: nothing is known of whom it
// was for.
var ErrProxy = errors.New("the proxy does not let it through")

// orProxy is why a request failed: the proxy, if it was on the way to it or there.
func orProxy(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "proxyconnect" || strings.HasPrefix(op.Op, "socks")) {
		return fmt.Errorf("%w: %w", ErrProxy, err)
	}
	return err
}

// connected is an error unless a proxy has made the connection that it was asked for.
func connected(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return refusedByProxy(answer)
	}
	return nil
}

func refusedByProxy(answer *http.Response) error {
	return fmt.Errorf("%w: it answers %d %s", ErrProxy, answer.StatusCode, http.StatusText(answer.StatusCode))
}

// String leaves the URLs out.
func (p Proxy) String() string {
	if p.IsZero() {
		return "no proxy"
	}
	return "a proxy"
}

// GoString is String.
func (p Proxy) GoString() string { return p.String() }

// IsZero says that there is none.
func (p Proxy) IsZero() bool { return p.HTTP == "" && p.HTTPS == "" }

// Func returns what says through whom a URL is called; nil is directly.
func (p Proxy) Func() func(*url.URL) (*url.URL, error) {
	find := (&httpproxy.Config{HTTPProxy: p.HTTP, HTTPSProxy: p.HTTPS, NoProxy: p.None}).ProxyFunc()
	return func(u *url.URL) (*url.URL, error) {
		through, err := find(u)
		if err != nil { // it quotes the proxy's password
			return nil, errors.New("the URL of the proxy is not valid")
		}
		return through, nil
	}
}

// Except is the proxy for all but some more hosts.
func (p Proxy) Except(hosts ...string) Proxy {
	if !p.IsZero() && len(hosts) > 0 {
		p.None = strings.Trim(p.None+","+strings.Join(hosts, ","), ",")
	}
	return p
}

// Secrets are the passwords in the URLs.
func (p Proxy) Secrets() []string {
	var out []string
	for _, raw := range []string{p.HTTP, p.HTTPS} {
		if u, err := url.Parse(raw); err == nil && u.User != nil {
			if password, ok := u.User.Password(); ok {
				out = append(out, password, u.User.String())
			}
		}
	}
	return out
}
