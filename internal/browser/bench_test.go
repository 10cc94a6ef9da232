package browser_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/chromedp"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/widget"
)

// tokenWaiter is the stub, and says when it has a token.
func tokenWaiter() (http.Handler, chan struct{}) {
	k, got := &stubKindly{}, make(chan struct{}, 64)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.ServeHTTP(w, r)
		if len(r.URL.Path) > 6 && r.URL.Path[len(r.URL.Path)-6:] == "/token" {
			got <- struct{}{}
		}
	}), got
}

func benchSite(b *testing.B) string {
	return newSite(b, map[string]string{
		"/":      optionsPage(`kindlyOptions = {getAuthToken: async () => (await fetch("/token")).text()}`),
		"/token": fakeToken,
	}).URL
}

// BenchmarkStartToToken is from nothing to the page's token, and back.
func BenchmarkStartToToken(b *testing.B) {
	needChrome(b)
	url := benchSite(b)
	for b.Loop() {
		kindly, got := tokenWaiter()
		c, err := browser.Launch(b.Context(), browser.Options{Path: chromePath, TempDir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		u := newUser(b, c, browser.Login{})
		if _, err := u.Visit(withTimeout(b), url, kindly); err != nil {
			b.Fatal(err)
		}
		<-got
		b.StopTimer()
		c.Close()
		b.StartTimer()
	}
}

// BenchmarkNewUserToToken is what one more logged-in user costs.
func BenchmarkNewUserToToken(b *testing.B) {
	c, url := chrome(b), benchSite(b)
	kindly, got := tokenWaiter()
	for b.Loop() {
		u, err := c.NewUser(b.Context(), browser.Login{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := u.Visit(b.Context(), url, kindly); err != nil {
			b.Fatal(err)
		}
		<-got
		u.Close()
	}
}

// BenchmarkNextVisit is what one more opening of the page by the same user costs.
func BenchmarkNextVisit(b *testing.B) {
	c, url := chrome(b), benchSite(b)
	kindly, got := tokenWaiter()
	u := newUser(b, c, browser.Login{})
	for b.Loop() {
		p, err := u.Visit(b.Context(), url, kindly)
		if err != nil {
			b.Fatal(err)
		}
		<-got
		p.Close()
	}
}

// BenchmarkNextChat is what one more token of an open page costs.
func BenchmarkNextChat(b *testing.B) {
	kindly, _ := tokenWaiter()
	p := visit(b, benchSite(b), kindly)
	for b.Loop() {
		if r, err := p.Call(b.Context(), "c"); err != nil || r.Outcome != browser.OutcomeToken {
			b.Fatal(r, err)
		}
	}
}

// BenchmarkPlainChromedp is BenchmarkStartToToken with chromedp's own tabs and
// nothing recorded: the least that such a program can do.
func BenchmarkPlainChromedp(b *testing.B) {
	needChrome(b)
	url := benchSite(b)
	path := chromePath
	if path == "" {
		path, _ = browser.Find()
	}
	for b.Loop() {
		plainChromedp(b, path, url)
	}
}

func plainChromedp(b *testing.B, path, url string) {
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Env("TMPDIR="+b.TempDir()))
	alloc, cancel := chromedp.NewExecAllocator(b.Context(), opts...)
	ctx, cancelTab := chromedp.NewContext(alloc)
	got := make(chan struct{})
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: "https://*.kindly*"}}})
		return err
	}))
	if err != nil {
		b.Fatal(err)
	}
	err = chromedp.Listen(ctx, func(ev any) {
		if ev, ok := ev.(*fetch.EventRequestPaused); ok {
			go answerPlainly(ctx, ev, got)
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		b.Fatal(err)
	}
	select {
	case <-got:
	case <-time.After(20 * time.Second):
		b.Fatal("no token")
	}
	b.StopTimer()
	cancelTab()
	cancel()
	b.StartTimer()
}

func answerPlainly(ctx context.Context, ev *fetch.EventRequestPaused, got chan struct{}) {
	body := []byte(`{"id":"` + chatID + `1"}`)
	url := ev.Request.URL
	switch {
	case url[len(url)-3:] == ".js":
		body = widget.Script(nil)
	case url[len(url)-6:] == "/token":
		close(got)
	}
	_, _ = chromedp.Call(ctx, fetch.FulfillRequest, fetch.FulfillRequestParams{
		RequestID: ev.RequestID, ResponseCode: 200, Body: body,
		ResponseHeaders: []*fetch.HeaderEntry{{Name: "Access-Control-Allow-Origin", Value: "*"}},
	})
}
