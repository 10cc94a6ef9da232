package browser

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
)

// A Login is what makes a user logged in, in any combination. Its values are
// secrets: they are in no error and in no printed form. What Steps leave in a
// tab's session storage is in each tab of the user when it opens.
type Login struct {
	Steps   []Step
	Cookies []Cookie
	// Headers are added to requests to Origin only: never to another origin,
	// also not after a redirect, and never to Kindly.
	Headers map[string]string
	// LocalStorage is there before any script of a page of Origin runs.
	LocalStorage map[string]string
	// Origin, scheme://host[:port], is whom Headers, LocalStorage and cookies
	// without a domain are for. Empty: each page's own, and while the steps run
	// that of the first Goto.
	Origin string
	// Storage is more local storage, by origin, as another browser left it.
	Storage map[string]map[string]string
	// Tabs is what each new tab has in its session storage, by origin.
	Tabs map[string]map[string]string
	// Keep looks at what the steps leave, for [User.Left].
	Keep bool
	// Stored is the file that cookies and storage come from, for whoever has to tell
	// that they have expired; "" if there is none.
	Stored string
	// Secret says which texts are covered in the picture of a login that failed;
	// nil makes none.
	Secret func(text string) bool
}

// A Step is one action; exactly one field is set.
type Step struct {
	Goto    string        // open this URL and wait for the document
	Fill    []Field       // put values into fields, in order
	Click   string        // click on the element, and wait for what comes of it
	WaitFor string        // wait until the element is visible
	Press   string        // press a key where the focus is: "Enter", "Tab", "a"
	Scroll  string        // to "top", to "bottom", or to an element
	Idle    time.Duration // do nothing for so long
}

// A Field is a form field and the value to put in.
type Field struct {
	Selector string // CSS
	Value    string
	// Code makes the value when it is typed, instead of Value: a one-time code.
	Code func(now time.Time) string
}

// A Cookie is set before the first page. Without a Domain it is for the login's
// origin, host only.
type Cookie struct {
	Name, Value, Domain, Path string
	Secure, HTTPOnly          bool
	SameSite                  string // "Strict", "Lax", "None" or empty
	Expires                   time.Time
}

// String leaves the values out.
func (l Login) String() string {
	return fmt.Sprintf("Login{%d steps, %d cookies, headers %v, local storage %v}", len(l.Steps), len(l.Cookies),
		slices.Sorted(maps.Keys(l.Headers)), slices.Sorted(maps.Keys(l.LocalStorage)))
}

// GoString is String.
func (l Login) GoString() string { return l.String() }

// String leaves the value out.
func (f Field) String() string { return f.Selector + "=<value removed>" }

// GoString is String.
func (f Field) GoString() string { return f.String() }

// String leaves the value out.
func (c Cookie) String() string { return c.Name + "=<value removed>" }

// GoString is String.
func (c Cookie) GoString() string { return c.String() }

func (c Cookie) param(origin string) *network.CookieParam {
	p := &network.CookieParam{
		Name: c.Name, Value: c.Value, Domain: c.Domain, Path: c.Path,
		Secure: c.Secure, HTTPOnly: c.HTTPOnly, SameSite: network.CookieSameSite(c.SameSite),
	}
	if c.Domain == "" {
		p.URL = origin + "/"
	}
	if p.Path == "" {
		p.Path = "/"
	}
	if !c.Expires.IsZero() {
		p.Expires = cdp.TimeSinceEpoch(float64(c.Expires.UnixMilli()) / 1000)
	}
	return p
}

// runSteps performs the steps in a tab of their own.
func (u *User) runSteps(ctx context.Context) error {
	origin := u.login.Origin
	for _, s := range u.login.Steps {
		if origin == "" && s.Goto != "" {
			origin, _ = originOf(s.Goto) // a bad URL fails in its step
		}
	}
	left, local := tabStorage{}, tabStorage{}
	p, err := u.newPage(ctx, pageOptions{origin: origin})
	if err != nil {
		return err
	}
	defer p.Close()
	for i, step := range u.login.Steps {
		action, selector, err := p.perform(ctx, step)
		followed := i+1 < len(u.login.Steps) && u.login.Steps[i+1].Goto == ""
		if err != nil && !(followed && p.asksWho(ctx, err)) {
			return p.stepError(&StepError{Of: "login", Number: i + 1, Action: action, Selector: selector, Err: err}, u.login.Secret)
		}
		_ = left.take(ctx, p) // the next step may leave the origin; the last look counts
		if u.login.Keep {
			_ = local.takeFrom(ctx, p, "localStorage")
		}
	}
	if err := left.take(ctx, p); err != nil {
		return err
	}
	u.tabs = left
	u.ended = Ended{Showing: p.show(ctx, "", u.login.Secret), Refused: p.Record().refusals()}
	u.ended.URL, _ = p.whereabouts()
	if u.login.Keep {
		u.keepLeft(ctx, local)
	}
	return nil
}

func (p *Page) perform(ctx context.Context, s Step) (action, about string, err error) {
	switch {
	case s.actions() != 1:
		return "step", "", fmt.Errorf("it has %d actions; give it exactly one of goto, fill, click, wait_for, press, scroll, idle", s.actions())
	case s.Goto != "":
		return "goto", withoutQuery(s.Goto), p.open(ctx, s.Goto)
	case s.Click != "":
		return "click", s.Click, p.settled(ctx, func() error { return p.click(ctx, s.Click) })
	case s.WaitFor != "":
		return "wait_for", s.WaitFor, p.waitVisible(ctx, s.WaitFor)
	case s.Press != "":
		return "press", s.Press, p.settled(ctx, func() error { return p.press(ctx, s.Press) })
	case s.Scroll != "":
		return "scroll", s.Scroll, p.scroll(ctx, s.Scroll)
	case s.Idle > 0:
		return "idle", s.Idle.String(), p.idle(ctx, s.Idle)
	}
	for _, f := range s.Fill {
		if err := p.fill(ctx, f); err != nil {
			return "fill", f.Selector, err
		}
	}
	return "fill", "", nil
}

func (s Step) actions() int {
	n := 0
	for _, set := range []bool{s.Goto != "", len(s.Fill) > 0, s.Click != "", s.WaitFor != "", s.Press != "", s.Scroll != "", s.Idle > 0} {
		if set {
			n++
		}
	}
	return n
}

// open is a goto: the document must come.
func (p *Page) open(ctx context.Context, rawURL string) error {
	origin, err := originOf(rawURL)
	if err != nil {
		return err
	}
	if err := p.user.seed(ctx, origin); err != nil {
		return err
	}
	if err := p.navigate(ctx, rawURL); err != nil {
		return err
	}
	nav := p.record.navigation()
	switch {
	case nav.Error != "":
		if err := p.user.browser.ConnectionError(nav.URL); err != nil { // Chrome itself knows less
			return noDocument{err}
		}
		return noDocument{errors.New(nav.Error)}
	case nav.Status >= 400:
		return refusal(nav.Status)
	}
	return nil
}

// refusal is the status of a document that did not come.
type refusal int

func (r refusal) Error() string { return fmt.Sprintf("the server answered %d", int(r)) }

// asksWho says whether a goto was refused to who is not logged in, and shows what they log
// in at.
func (p *Page) asksWho(ctx context.Context, err error) bool {
	if !errors.Is(err, refusal(http.StatusUnauthorized)) && !errors.Is(err, refusal(http.StatusForbidden)) {
		return false
	}
	p.Settle(ctx)
	asks, err := evaluate[bool](ctx, p, `() => [...document.querySelectorAll("input")].some((e) =>
		["email", "password", "text", "tel", "number"].includes(e.type) && !e.disabled && e.getClientRects().length > 0)`)
	return err == nil && asks
}

// noDocument is why the document of a goto did not come.
type noDocument struct{ error }

func (e noDocument) Unwrap() error { return e.error }

// withoutQuery cuts off what may hold secrets.
func withoutQuery(rawURL string) string {
	if i := strings.IndexAny(rawURL, "?#"); i >= 0 {
		return rawURL[:i]
	}
	return rawURL
}
