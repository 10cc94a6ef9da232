package browser

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/cdproto/target"
)

// A User is a browser context: cookies and storage of its own, shared by its
// pages and by nobody else.
type User struct {
	browser *Browser
	id      cdp.BrowserContextID
	login   Login
	tabs    tabStorage // what the login's steps left; not changed after NewUser
	left    *Login     // the same as a login, if that is asked for
	ended   Ended      // what the login's steps came to; not changed after NewUser

	mu     sync.Mutex
	seeded map[string]bool // origins that got the login's cookies and local storage

	pagesMu sync.Mutex
	pages   []*Page // open, the newest last
}

// String leaves out how they are logged in.
func (u *User) String() string { return "user " + string(u.id) }

// GoString is String.
func (u *User) GoString() string { return u.String() }

// NewUser makes a fresh user and logs them in: cookies first, then the steps in
// a tab of its own, each bounded by ctx. A step that fails gives a *StepError.
// Cookies without a domain and local storage wait for the origin that they are
// for: Login.Origin, else that of the first page.
func (b *Browser) NewUser(ctx context.Context, login Login) (*User, error) {
	made, err := call(ctx, b.conn.root, target.CreateBrowserContext, target.CreateBrowserContextParams{DisposeOnDetach: new(true)})
	if err != nil {
		return nil, fmt.Errorf("making a fresh user: %w", err)
	}
	u := &User{browser: b, id: made.BrowserContextID, login: login, seeded: map[string]bool{}, tabs: tabStorage{}}
	b.addUser(u)
	if err := u.prepare(ctx); err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

func (u *User) prepare(ctx context.Context) error {
	_, err := call(ctx, u.browser.conn.root, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorDeny, BrowserContextID: u.id,
	})
	if err != nil {
		return fmt.Errorf("denying downloads: %w", err)
	}
	if err := u.setGateCookies(ctx); err != nil {
		return err
	}
	if err := u.setCookies(ctx, func(c Cookie) bool { return c.Domain != "" }, ""); err != nil {
		return err
	}
	if u.login.Origin != "" {
		if err := u.seed(ctx, u.login.Origin); err != nil {
			return err
		}
	}
	for origin, items := range u.login.Storage {
		if err := u.fillStorage(ctx, origin, items); err != nil {
			return err
		}
	}
	if len(u.login.Steps) == 0 {
		maps.Copy(u.tabs, u.login.Tabs)
		return nil
	}
	return u.runSteps(ctx)
}

// Close disposes of the user with all pages, cookies and storage.
func (u *User) Close() error {
	u.browser.dropUser(u)
	ctx, cancel := u.browser.farewell()
	defer cancel()
	_, err := call(ctx, u.browser.conn.root, target.DisposeBrowserContext, target.DisposeBrowserContextParams{BrowserContextID: u.id})
	if errors.Is(err, ErrClosed) {
		return nil // the browser took it along
	}
	return err
}

// farewell is the context of a command that cleans up: it does not depend on a
// caller's, which may be done, and is bounded.
func (b *Browser) farewell() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.life, 5*time.Second)
}

func (u *User) addPage(p *Page) {
	u.pagesMu.Lock()
	defer u.pagesMu.Unlock()
	u.pages = append(u.pages, p)
}

func (u *User) dropPage(p *Page) {
	u.pagesMu.Lock()
	defer u.pagesMu.Unlock()
	u.pages = slices.DeleteFunc(u.pages, func(q *Page) bool { return q == p })
}

func (u *User) newestPage() *Page {
	u.pagesMu.Lock()
	defer u.pagesMu.Unlock()
	if len(u.pages) == 0 {
		return nil
	}
	return u.pages[len(u.pages)-1]
}

// seed gives an origin the cookies and the local storage that wait for it, once.
func (u *User) seed(ctx context.Context, origin string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.seeded[origin] || !u.owns(origin) {
		return nil
	}
	u.seeded[origin] = true
	if err := u.setCookies(ctx, func(c Cookie) bool { return c.Domain == "" }, origin); err != nil {
		return err
	}
	if len(u.login.LocalStorage) == 0 {
		return nil
	}
	return u.fillStorage(ctx, origin, u.login.LocalStorage)
}

// owns reports whether the login's headers, storage and domainless cookies are
// for this origin.
func (u *User) owns(origin string) bool {
	return u.login.Origin == "" || u.login.Origin == origin
}

func (u *User) setCookies(ctx context.Context, which func(Cookie) bool, origin string) error {
	var params []*network.CookieParam
	for _, c := range u.login.Cookies {
		if which(c) {
			params = append(params, c.param(origin))
		}
	}
	if len(params) == 0 {
		return nil
	}
	_, err := call(ctx, u.browser.conn.root, storage.SetCookies, storage.SetCookiesParams{Cookies: params, BrowserContextID: u.id})
	if err != nil {
		return fmt.Errorf("setting the login's cookies (a Secure cookie needs https; a name starting with __Host- needs Secure and no domain): %w", err)
	}
	return nil
}

// fillStorage writes local storage in an empty document of the origin that is
// answered here, so that it is there before any script of the page, and the
// page's server sees nothing of it.
func (u *User) fillStorage(ctx context.Context, origin string, items map[string]string) error {
	p, err := u.newPage(ctx, pageOptions{blank: true})
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.navigate(ctx, origin+"/"); err != nil {
		return fmt.Errorf("setting local storage for %s: %w", origin, err)
	}
	_, err = evaluate[struct{}](ctx, p, `(items) => { for (const [k, v] of Object.entries(items)) localStorage.setItem(k, v); return {}; }`, items)
	if err != nil {
		return fmt.Errorf("setting local storage for %s: %w", origin, err)
	}
	return nil
}

// originOf is scheme://host[:port] of a URL that a page can have.
func originOf(rawURL string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", errors.New("it is not a URL") // url.Error repeats it, with what secrets it has
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", errors.New("it is not an absolute http or https URL")
	}
	return u.Scheme + "://" + u.Host, nil
}
