// Command chromedp is the least that a Go program does to get a page's token:
// it opens the page with chromedp as it comes, and answers for Kindly's hosts.
// Nothing is recorded or judged.
//
//	chromedp CHROME URL [TIMES]
//
// It prints "token" when the page has given one. Then it opens the page TIMES
// more in a new tab each, and as often in a fresh browser context each, and
// prints the nanoseconds of each opening: "tab 95300000", "context 110200000".
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/chromedp"

	"github.com/kindlytest/kindlytest/mockkindly/widget"
)

func main() {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(os.Args[1]))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, closeTab := chromedp.NewContext(alloc)
	defer closeTab()
	open(ctx, os.Args[2])
	fmt.Println("token")
	if len(os.Args) < 4 {
		return
	}
	times, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	for range times {
		again(ctx, "tab")
		again(ctx, "context", chromedp.WithNewBrowserContext())
	}
}

// again opens the page once more, and closes it.
func again(ctx context.Context, what string, o ...chromedp.ContextOption) {
	start := time.Now()
	ctx, closeTab := chromedp.NewContext(ctx, o...)
	open(ctx, os.Args[2])
	closeTab()
	fmt.Println(what, time.Since(start).Nanoseconds())
}

// open opens the page and waits for its token.
func open(ctx context.Context, url string) {
	got := make(chan struct{})
	_, err := chromedp.Call(ctx, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: "https://*.kindly*"}}})
	if err != nil {
		log.Fatal(err)
	}
	err = chromedp.Listen(ctx, func(ev any) {
		if ev, ok := ev.(*fetch.EventRequestPaused); ok {
			go answer(ctx, ev, got)
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		log.Fatal(err)
	}
	<-got
}

// answer is Kindly's side.
func answer(ctx context.Context, ev *fetch.EventRequestPaused, got chan struct{}) {
	body := []byte(`{"id":"11111111-1111-4111-8111-111111111111"}`)
	switch {
	case strings.HasSuffix(ev.Request.URL, ".js"):
		body = widget.Script(nil)
	case strings.HasSuffix(ev.Request.URL, "/token"):
		defer close(got)
	}
	_, err := chromedp.Call(ctx, fetch.FulfillRequest, fetch.FulfillRequestParams{
		RequestID: ev.RequestID, ResponseCode: 200, Body: body,
		ResponseHeaders: []*fetch.HeaderEntry{{Name: "Access-Control-Allow-Origin", Value: "*"}},
	})
	if err != nil {
		log.Print(err)
	}
}
