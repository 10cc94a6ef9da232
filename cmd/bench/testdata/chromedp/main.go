// Command chromedp is the least that a Go program does to get a page's token:
// it opens the page with chromedp as it comes, answers for Kindly's hosts, and
// prints "token" when the page has given one. Nothing is recorded or judged.
//
//	chromedp CHROME URL
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

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
	if err := chromedp.Do(ctx, chromedp.Navigate(os.Args[2])); err != nil {
		log.Fatal(err)
	}
	<-got
	fmt.Println("token")
}

// answer is Kindly's side.
func answer(ctx context.Context, ev *fetch.EventRequestPaused, got chan struct{}) {
	body := []byte(`{"id":"11111111-1111-4111-8111-111111111111"}`)
	switch {
	case strings.HasSuffix(ev.Request.URL, ".js"):
		body = widget.Script()
	case strings.HasSuffix(ev.Request.URL, "/token"):
		close(got)
	}
	_, err := chromedp.Call(ctx, fetch.FulfillRequest, fetch.FulfillRequestParams{
		RequestID: ev.RequestID, ResponseCode: 200, Body: body,
		ResponseHeaders: []*fetch.HeaderEntry{{Name: "Access-Control-Allow-Origin", Value: "*"}},
	})
	if err != nil {
		log.Print(err)
	}
}
