// Package browser opens a customer's page in a real Chrome, answers what the
// page asks of Kindly in this process, and keeps what the page did as a value.
//
//	b, err := browser.Launch(ctx, browser.Options{})
//	if err != nil { … } // *NotFoundError: how to install one
//	defer b.Close()
//	user, err := b.NewUser(ctx, browser.Login{Steps: []browser.Step{
//		{Goto: "https://shop.example/login"},
//		{Fill: []browser.Field{{Selector: "#user", Value: name}, {Selector: "#password", Value: password}}},
//		{Click: "button[type=submit]"},
//	}})
//	page, err := user.Visit(ctx, "https://shop.example/", kindly) // kindly is an http.Handler
//	defer page.Close()
//	page.Settle(ctx)
//	for _, r := range page.Record().Requests { … }
//
// The page runs as it is. Only requests for Kindly's hosts are intercepted, with
// the DevTools Fetch domain, below the page's Content-Security-Policy and above
// the network: no name is resolved, no certificate is needed, and nothing ever
// reaches Kindly. (A Chrome that was started here also cannot resolve those
// names, so that what slips past an interception fails.)
//
// A Browser is one Chrome; a User is one browser context in it (its own cookies
// and storage); a Page is one tab. All are safe for concurrent use.
//
// The package speaks DevTools over chromedp's transports with sessions of its
// own, because a page is more than one session: frames of other sites and
// workers have their own, must be intercepted and recorded before they run, and
// their events must be seen in the order in which Chrome sent them.
package browser
