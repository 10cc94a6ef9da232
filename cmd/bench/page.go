package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/figures"
)

// aPage is one that gives a token, which its endpoint hands out.
const aPage = `<!doctype html><title>Shop</title><h1>Shop</h1>
<script>window.kindlyOptions = {getAuthToken: async () => (await fetch("/token", {method: "POST"})).text()}</script>
<script id="kindly-chat" src="https://chat.kindlycdn.com/kindly-chat.js" data-bot-key="shop" defer></script>`

func newSite() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, aPage)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "e30.e30.e30") })
	return httptest.NewServer(mux)
}

// measurePage is about the time from exec to the page's token, and that of
// further ones in a browser that runs.
func measurePage(ctx context.Context, b *bench) error {
	chrome, err := browser.Find()
	if err != nil {
		return err
	}
	site := newSite()
	defer site.Close()
	took, err := takeTurns(ctx, 11,
		func(ctx context.Context) (float64, error) { return b.chromedpToken(ctx, chrome, site.URL) },
		func(ctx context.Context) (float64, error) { return b.ourToken(ctx, chrome, site.URL) })
	if err != nil {
		return err
	}
	b.table.AtMost(1.1, "×", "from exec to the page's token, of a minimal chromedp program", took[1]/took[0], "%.0f and %.0f ms", took[1], took[0])

	return b.measureMoreChats(ctx, chrome, site.URL)
}

// measureMoreChats is about chats in a browser that runs.
func (b *bench) measureMoreChats(ctx context.Context, chrome, url string) error {
	series := map[string][]float64{} // ms, by what was timed
	for range 3 {
		if err := b.chromedpAgain(ctx, chrome, url, series); err != nil {
			return err
		}
		all, err := goBench(ctx, "./internal/browser", "^Benchmark(NextChat|NextVisit|NewUserToToken)$", "15x")
		if err != nil {
			return err
		}
		for name, got := range all {
			series[name] = append(series[name], got["ns/op"]/1e6)
		}
	}
	of := func(name string) float64 { return median(series[name]) }
	b.table.AtMost(30, "ms", "one more chat of the same user, its page open", of("NextChat"), "")
	b.table.AtMost(30, "ms", "the same in a new tab", of("NextVisit"),
		"a minimal chromedp program %.0f ms: %.2f ×", of("tab"), of("NextVisit")/of("tab"))
	b.table.AtMost(80, "ms", "one chat of a new user, in a fresh context", of("NewUserToToken"),
		"a minimal chromedp program %.0f ms: %.2f ×", of("context"), of("NewUserToToken")/of("context"))
	return nil
}

// chromedpAgain adds what further tabs and contexts take in a chromedp program.
func (b *bench) chromedpAgain(ctx context.Context, chrome, url string, series map[string][]float64) error {
	text, err := figures.Output(ctx, b.path("chromedp"), chrome, url, "15")
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		if what, ns, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			n, err := strconv.ParseFloat(ns, 64)
			if err != nil {
				return fmt.Errorf("the chromedp program said %q: %w", line, err)
			}
			series[what] = append(series[what], n/1e6)
		}
	}
	return nil
}

func (b *bench) chromedpToken(ctx context.Context, chrome, url string) (float64, error) {
	cmd := exec.CommandContext(ctx, b.path("chromedp"), chrome, url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if _, err := io.ReadFull(out, make([]byte, len("token"))); err != nil {
		return 0, fmt.Errorf("the chromedp program got no token: %w, %w", err, cmd.Wait())
	}
	took := time.Since(start)
	return milliseconds(took), cmd.Wait()
}

// ourToken is the same with kindlytest serve --open, which journals the token.
func (b *bench) ourToken(ctx context.Context, chrome, url string) (float64, error) {
	start := time.Now()
	s, err := serve(ctx, nil, b.path("kindlytest"), "serve", "--listen", "ADDRESS", "--open", url, "--headless", "--browser", chrome)
	if err != nil {
		return 0, err
	}
	// Without a key the token is refused; what counts is that it came.
	if err := s.answered(ctx, "/mock/v1/wait?kind=token.refused&timeout_ms=20000"); err != nil {
		return 0, err
	}
	took := time.Since(start)
	return milliseconds(took), s.stop()
}
