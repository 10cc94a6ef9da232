package browser

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/fetch"
	"golang.org/x/net/proxy"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// proxyExceptResolved is the proxy for all but the hosts whose address is given.
func proxyExceptResolved(o Options) wire.Proxy {
	return o.Proxy.Except(slices.Sorted(maps.Keys(o.Resolve))...)
}

// proxyFlags make Chrome call through the proxy, and for https through the
// bridge if there is one. Passwords are no arguments: see answerProxy.
func proxyFlags(o Options, bridge string) []string {
	var servers, direct []string
	if server := withoutUser(o.Proxy.HTTP); server != "" {
		servers = append(servers, "http="+server)
	}
	switch server := withoutUser(o.Proxy.HTTPS); {
	case bridge != "":
		servers = append(servers, "https="+bridge)
		// The bridge decides for https, on this machine too.
		direct = append(direct, "<-loopback>", "http://localhost", "http://*.localhost", "http://127.0.0.1", "http://[::1]")
	case server != "":
		servers = append(servers, "https="+server)
	}
	if len(servers) == 0 {
		return nil
	}
	for host := range strings.SplitSeq(proxyExceptResolved(o).None, ",") {
		direct = append(direct, bypass(strings.TrimSpace(host), bridge != "")...)
	}
	flags := []string{"--proxy-server=" + strings.Join(servers, ";")}
	if len(direct) > 0 {
		flags = append(flags, "--proxy-bypass-list="+strings.Join(direct, ";"))
	}
	return flags
}

// bypass are Chrome's rules for an entry of NO_PROXY; a network can't be told
// for http alone.
func bypass(host string, httpOnly bool) []string {
	var rules []string
	_, err := netip.ParsePrefix(host)
	switch {
	case host == "":
		return nil
	case err == nil && httpOnly:
		return nil
	case err == nil:
		return []string{host}
	case strings.HasPrefix(host, "."):
		rules = []string{"*" + host}
	case host == "*" || strings.HasPrefix(host, "*."):
		rules = []string{host}
	default:
		rules = []string{host}
		if net.ParseIP(strings.Trim(host, "[]")) == nil {
			rules = append(rules, "*."+host)
		}
	}
	if httpOnly {
		for i := range rules {
			rules[i] = "http://" + rules[i]
		}
	}
	return rules
}

func withoutUser(proxyURL string) string {
	u, err := url.Parse(proxyURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// answers says whether proxies ask for a password, which Chrome must be told.
func proxyAsks(p wire.Proxy) bool { return len(p.Secrets()) > 0 }

// answerProxy gives the proxy that asks its name and password. What a server
// asks is left to the page.
func (p *Page) answerProxy(s *session, ev fetch.EventAuthRequired) {
	answer := &fetch.AuthChallengeResponse{Response: fetch.AuthChallengeResponseResponseDefault}
	if c := ev.AuthChallenge; c != nil && c.Source == fetch.AuthChallengeSourceProxy {
		answer.Response = fetch.AuthChallengeResponseResponseCancelAuth
		given := p.user.browser.proxy
		for _, raw := range []string{given.HTTPS, given.HTTP} {
			u, err := url.Parse(raw)
			if err == nil && u.User != nil && wire.OriginOf(raw) == wire.OriginOf(c.Origin) && !p.answered(ev.RequestID) {
				answer.Response = fetch.AuthChallengeResponseResponseProvideCredentials
				answer.Username = u.User.Username()
				answer.Password, _ = u.User.Password()
				break
			}
		}
	}
	tell(p.life, s, fetch.ContinueWithAuth, fetch.ContinueWithAuthParams{RequestID: ev.RequestID, AuthChallengeResponse: answer})
}

// answered notes that a request's proxy was given its password; true if it was
// given before, and not taken.
func (p *Page) answered(id fetch.RequestID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked == nil {
		p.asked = map[fetch.RequestID]bool{}
	}
	before := p.asked[id]
	if len(p.asked) < maxRequests {
		p.asked[id] = true
	}
	return before
}

// dial connects the bridge with host:port, through the proxy if there is one.
func (b *bridge) dial(ctx context.Context, hostPort string) (net.Conn, error) {
	through, err := b.through(&url.URL{Scheme: "https", Host: hostPort})
	if err != nil {
		return nil, err
	}
	if through == nil {
		return (&net.Dialer{}).DialContext(ctx, "tcp", wire.ResolveAddress(b.resolve, hostPort))
	}
	if strings.HasPrefix(through.Scheme, "socks5") {
		return dialSocks(ctx, through, hostPort)
	}
	conn, err := dialProxy(ctx, through, b)
	if err != nil {
		return nil, fmt.Errorf("the proxy %s: %w", through.Host, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	tunnel, err := connectThrough(conn, through, hostPort)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("the proxy %s: %w", through.Host, err)
	}
	return tunnel, nil
}

func dialSocks(ctx context.Context, through *url.URL, hostPort string) (net.Conn, error) {
	var auth *proxy.Auth
	if through.User != nil {
		password, _ := through.User.Password()
		auth = &proxy.Auth{User: through.User.Username(), Password: password}
	}
	d, err := proxy.SOCKS5("tcp", hostWithPort(through, "1080"), auth, proxy.Direct)
	if err != nil {
		return nil, err
	}
	in, ok := d.(proxy.ContextDialer)
	if !ok {
		return nil, errors.New("the SOCKS proxy can't be called")
	}
	return in.DialContext(ctx, "tcp", hostPort)
}

func dialProxy(ctx context.Context, through *url.URL, b *bridge) (net.Conn, error) {
	if through.Scheme == "https" {
		d := tls.Dialer{Config: &tls.Config{RootCAs: b.roots, ServerName: through.Hostname()}}
		return d.DialContext(ctx, "tcp", hostWithPort(through, "443"))
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", hostWithPort(through, "80"))
}

func hostWithPort(u *url.URL, port string) string {
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
}

// connectThrough asks the proxy to connect. The server says nothing before it is
// spoken to, so that nothing is read too far.
func connectThrough(conn net.Conn, through *url.URL, hostPort string) (net.Conn, error) {
	_ = conn.SetDeadline(time.Now().Add(bridgeTimeout)) // fails on a closed connection only
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: hostPort}, Host: hostPort, Header: http.Header{}}
	if through.User != nil {
		password, _ := through.User.Password()
		pair := through.User.Username() + ":" + password
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: conn, N: maxConnect}
	reader := bufio.NewReader(limited)
	res, err := http.ReadResponse(reader, req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	}
	_ = conn.SetDeadline(time.Time{})
	limited.N = noLimit
	return readConn{conn, reader, limited}, nil
}
