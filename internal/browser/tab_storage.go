package browser

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
)

// tabStorage is session storage by origin. It belongs to a tab: what the login
// steps left in theirs is copied into each later tab of the user, as the browser
// does for a tab that is opened from another. It holds sessions.
type tabStorage map[string]map[string]string

// Bounds of what is copied. Chrome itself allows 5 Mi characters an origin.
const (
	maxTabStorage = 8 << 20 // bytes, of one origin
	maxTabOrigins = 16
)

// SessionStorage is what the login's steps left in their tab, one map an origin,
// and what each new tab of the user starts with. It holds credentials.
func (u *User) SessionStorage() []map[string]string {
	return slices.Collect(maps.Values(u.tabs))
}

const readTabStorage = `(name, max) => {
	const out = {Origin: location.origin, Items: {}, TooLarge: false};
	let size = 0;
	try {
		for (const [k, v] of Object.entries(window[name])) {
			size += k.length + v.length;
			if (size > max) return {Origin: out.Origin, Items: {}, TooLarge: true};
			out.Items[k] = v;
		}
	} catch {} // an opaque origin has none
	return out;
}`

// take reads the session storage of the document that the tab shows, in place
// of what was read of its origin before.
func (s tabStorage) take(ctx context.Context, p *Page) error {
	return s.takeFrom(ctx, p, "sessionStorage")
}

// takeFrom is take for one of the two storages, by the name that scripts have for it.
func (s tabStorage) takeFrom(ctx context.Context, p *Page, name string) error {
	got, err := evaluate[struct {
		Origin   string
		Items    map[string]string
		TooLarge bool
	}](ctx, p, readTabStorage, name, maxTabStorage)
	if err != nil {
		return fmt.Errorf("reading the %s that the login left: %w", name, err)
	}
	origin, err := originOf(got.Origin)
	switch {
	case err != nil:
		return nil // about:blank, or an error page
	case got.TooLarge:
		return fmt.Errorf("the login left more than %d MB in the %s of %s", maxTabStorage>>20, name, origin)
	case len(got.Items) == 0:
		delete(s, origin)
	case s[origin] == nil && len(s) == maxTabOrigins:
		return fmt.Errorf("the login left %s in more than %d origins", name, maxTabOrigins)
	default:
		s[origin] = got.Items
	}
	return nil
}

// fill writes session storage into a new tab, in empty documents that are
// answered here: it is there before any script of the page, once, so that a page
// that removes it does not get it again. A session of its own does it, of which
// the tab's record sees nothing.
func (s tabStorage) fill(ctx context.Context, u *User, tab target.ID) error {
	if len(s) == 0 {
		return nil
	}
	p, err := u.attach(ctx, tab, pageOptions{blank: true})
	if err != nil {
		return err
	}
	defer p.letGo()
	// Else a worker of the site may answer instead.
	_, err = call(ctx, p.session, network.SetBypassServiceWorker, network.SetBypassServiceWorkerParams{Bypass: true})
	for origin, items := range s {
		if err == nil {
			err = p.fillTabStorage(ctx, origin, items)
		}
	}
	if err == nil {
		err = p.forget(ctx)
	}
	if err != nil {
		return fmt.Errorf("copying the login's session storage: %w", err)
	}
	return nil
}

func (p *Page) fillTabStorage(ctx context.Context, origin string, items map[string]string) error {
	if err := p.navigate(ctx, origin+"/"); err != nil {
		return err
	}
	_, err := evaluate[struct{}](ctx, p, `(origin, items) => {
		if (location.origin !== origin) throw new Error("it is at another origin");
		for (const [k, v] of Object.entries(items)) sessionStorage.setItem(k, v);
		return {};
	}`, origin, items)
	return err
}

// forget leaves the tab as a new one, with no history, and lets go of it.
func (p *Page) forget(ctx context.Context) error {
	if err := p.navigate(ctx, "about:blank"); err != nil {
		return err
	}
	_, err := call(ctx, p.session, page.ResetNavigationHistory, cdp.Empty{})
	_, gone := call(ctx, p.user.browser.conn.root, target.DetachFromTarget, target.DetachFromTargetParams{SessionID: p.session.id})
	return errors.Join(err, gone)
}
