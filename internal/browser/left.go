package browser

import (
	"context"
	"maps"

	"github.com/chromedp/cdproto/storage"
)

// Left is a login that makes another user what the steps of this one's have made
// them, without steps: with the cookies and the storage that they have left. It is
// there if [Login.Keep] asked for it; what is kept otherwise, as in IndexedDB, is not
// in it.
func (u *User) Left() (Login, bool) {
	if u.left == nil {
		return Login{}, false
	}
	return *u.left, true
}

// keepLeft notes what the steps have left, before any page of the user's opens.
func (u *User) keepLeft(ctx context.Context, local tabStorage) {
	got, err := call(ctx, u.browser.conn.root, storage.GetCookies, storage.GetCookiesParams{BrowserContextID: u.id})
	if err != nil {
		return // nothing is kept, and the login has succeeded
	}
	l := u.login
	l.Steps, l.Keep, l.Secret, l.Cookies = nil, false, nil, nil
	for _, c := range u.login.Cookies {
		if c.Domain == "" { // it may wait for its origin still
			l.Cookies = append(l.Cookies, c)
		}
	}
	for _, c := range got.Cookies {
		l.Cookies = append(l.Cookies, storedCookie(c).Cookie)
	}
	l.Storage = maps.Clone(map[string]map[string]string(local))
	l.Tabs = maps.Clone(map[string]map[string]string(u.tabs))
	u.left = &l
}
