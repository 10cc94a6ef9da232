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
	Passwords      int               // fields that can be seen and ask for one
	Replaced       []string          // built-in functions that the page has put its own in place of, at most 20
	LocalStorage   map[string]string // at most 500 entries of at most 64 KB each
	SessionStorage map[string]string
	Cookies        []StoredCookie // all of the user's
}

// A Script is a script element of the document, shadow trees excluded.
type Script struct {
	ID, Src, Type string
	BotKey        string            // data-bot-key
	NoModule      bool              // today's browsers skip it
	Integrity     string            // the hash that it must have
	Template      bool              // it stands in a template, where it does nothing
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
	// A function that is the browser's own says so. What a page wraps still works
	// mostly; it is of interest where something else does not.
	const replaced = () => {
		const own = (f) => { try { return /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(f)); } catch { return false; } };
		const out = [];
		const look = (name, o, keys) => {
			for (const k of keys) {
				const d = o && Object.getOwnPropertyDescriptor(o, k);
				if (d && typeof d.value === "function" && !own(d.value) && out.length < 20) out[out.length] = name + k;
			}
		};
		for (const c of ["Array", "String", "Function", "Object", "Promise", "Map", "Set", "RegExp", "Date"]) {
			const f = window[c];
			if (f?.prototype) look(c + ".prototype.", f.prototype, Object.getOwnPropertyNames(f.prototype));
			if (f) look(c + ".", f, Object.getOwnPropertyNames(f));
		}
		for (const [name, o] of [["JSON.", JSON], ["Reflect.", Reflect], ["crypto.", Object.getPrototypeOf(crypto)], ["document.", Document.prototype], ["Node.prototype.", Node.prototype], ["Element.prototype.", Element.prototype]])
			look(name, o, Object.getOwnPropertyNames(o));
		look("", window, ["fetch", "setTimeout", "clearTimeout", "queueMicrotask", "MutationObserver", "CustomEvent", "URL", "Symbol", "Promise", "Map", "Set"]);
		return out;
	};
	const all = [...document.querySelectorAll("script")].map((s) => [s, false]);
	for (const t of document.querySelectorAll("template")) for (const s of t.content.querySelectorAll("script")) all[all.length] = [s, true];
	return {
		Passwords: [...document.querySelectorAll("input[type=password]")].filter((i) => i.getClientRects().length > 0).length,
		Replaced: replaced(),
		URL: location.href, Title: cut(document.title),
		Scripts: all.slice(0, MAX).map(([s, inTemplate]) => ({
			ID: cut(s.id), Src: cut(s.src), Type: cut(s.type), BotKey: cut(s.dataset.botKey),
			NoModule: s.noModule === true, Integrity: cut(s.integrity), Template: inTemplate,
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
