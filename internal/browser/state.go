package browser

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
)

// A State is what the page's document, storage and cookies are now.
type State struct {
	URL, Title     string
	Scripts        []Script
	LocalStorage   map[string]string // at most 500 entries of at most 64 KB each
	SessionStorage map[string]string
	Cookies        []StoredCookie // all of the user's
}

// A Script is a script element of the document, shadow trees excluded.
type Script struct {
	ID, Src, Type string
	BotKey        string // data-bot-key
	Async, Defer  bool
	Data          map[string]string // all data- attributes, by their JavaScript names
}

// A StoredCookie is a cookie as the browser keeps it.
type StoredCookie struct {
	Cookie
	Session bool // it ends with the browser
}

const readState = `() => {
	const MAX = 500, LONG = 65536;
	const cut = (s) => String(s ?? "").slice(0, LONG);
	const items = (name) => {
		try {
			const s = window[name];
			return Object.fromEntries(Object.keys(s).slice(0, MAX).map((k) => [cut(k), cut(s.getItem(k))]));
		} catch { return {}; } // an opaque origin has none
	};
	return {
		URL: location.href, Title: cut(document.title),
		Scripts: [...document.querySelectorAll("script")].slice(0, MAX).map((s) => ({
			ID: cut(s.id), Src: cut(s.src), Type: cut(s.type), BotKey: cut(s.dataset.botKey), Async: s.async === true, Defer: s.defer === true,
			Data: Object.fromEntries(Object.entries(s.dataset).slice(0, 50).map(([k, v]) => [k, cut(v)])),
		})),
		LocalStorage: items("localStorage"), SessionStorage: items("sessionStorage"),
	};
}`

// State reads what the page looks like now.
func (p *Page) State(ctx context.Context) (State, error) {
	s, err := evaluate[State](ctx, p, readState)
	for range 5 { // a page may go elsewhere meanwhile, or reload without end
		if !isLeft(err) {
			break
		}
		s, err = evaluate[State](ctx, p, readState)
	}
	if err != nil {
		return State{}, fmt.Errorf("reading the page's state: %w", err)
	}
	got, err := call(ctx, p.user.browser.conn.root, storage.GetCookies, storage.GetCookiesParams{BrowserContextID: p.user.id})
	if err != nil {
		return State{}, fmt.Errorf("reading the cookies: %w", err)
	}
	for _, c := range got.Cookies {
		s.Cookies = append(s.Cookies, storedCookie(c))
	}
	return s, nil
}

// isLeft tells whether a call failed since the document that it asked went away.
func isLeft(err error) bool {
	var e *cdproto.Error
	return errors.As(err, &e) && strings.Contains(e.Message, "navigated or closed")
}

func storedCookie(c *network.Cookie) StoredCookie {
	out := StoredCookie{Session: c.Session, Cookie: Cookie{
		Name: c.Name, Value: c.Value, Domain: c.Domain, Path: c.Path,
		Secure: c.Secure, HTTPOnly: c.HTTPOnly, SameSite: string(c.SameSite),
	}}
	if !c.Session {
		out.Expires = unixTime(c.Expires)
	}
	return out
}
