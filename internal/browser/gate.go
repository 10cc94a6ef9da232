package browser

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// addsHeaders says whether requests of the user's pages get headers, so that
// Chrome must ask about all of them.
func (u *User) addsHeaders() bool {
	if len(u.login.Headers) > 0 || proxyAsks(u.browser.proxy) {
		return true
	}
	for _, g := range u.browser.gates {
		if g.URL == "" && (len(g.Header) > 0 || g.User != "") {
			return true
		}
	}
	return false
}

// setGateCookies puts the gates' cookies into the user's jar: they are there
// whoever is logged in.
func (u *User) setGateCookies(ctx context.Context) error {
	var params []*network.CookieParam
	for _, g := range u.browser.gates {
		for _, origin := range g.Origins {
			for name, value := range g.Cookies {
				params = append(params, &network.CookieParam{Name: name, Value: value, URL: origin + "/", Path: "/", HTTPOnly: true, Secure: strings.HasPrefix(origin, "https:")})
			}
		}
	}
	if len(params) == 0 {
		return nil
	}
	_, err := call(ctx, u.browser.conn.root, storage.SetCookies, storage.SetCookiesParams{Cookies: params, BrowserContextID: u.id})
	if err != nil {
		return fmt.Errorf("setting the cookies of the gate: %w", err)
	}
	return nil
}

// withHeaders are the headers to send instead: with those of the login and of
// the gates that are for the request's origin, without those that are not and
// came along with a redirect; nil leaves them as they are.
func (p *Page) withHeaders(ev fetch.EventRequestPaused) []*fetch.HeaderEntry {
	gates, login := p.user.browser.gates.Headers(ev.Request.URL), map[string]string{}
	if origin, err := originOf(ev.Request.URL); err == nil && origin == p.opts.origin && p.user.owns(origin) {
		login = p.user.login.Headers
	}
	redirected := ev.RedirectedRequestID != "" && p.user.addsHeaders()
	if len(gates)+len(login) == 0 && !redirected {
		return nil
	}
	header := httpHeader(ev.Request.Headers)
	if redirected {
		p.takeOff(header)
	}
	for name, values := range gates {
		if header.Get(name) == "" || wire.Replaces(name) { // an Authorization of the page's own stays
			header[name] = values
		}
	}
	for name, value := range login {
		header.Set(name, value)
	}
	return entries(header)
}

// takeOff removes what was added for another origin.
func (p *Page) takeOff(header http.Header) {
	drop := func(name, value string) {
		switch {
		case header.Get(name) != value:
		case name == "User-Agent":
			header.Set(name, p.user.browser.userAgent)
		default:
			header.Del(name)
		}
	}
	for name, value := range p.user.login.Headers {
		drop(name, value)
	}
	for _, g := range p.user.browser.gates {
		for _, origin := range g.Origins {
			for name, values := range p.user.browser.gates.Headers(origin) {
				drop(name, values[0])
			}
		}
	}
}
