package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"net/http"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/browser"
)

// openTimeout bounds login and the first load of the page.
const openTimeout = time.Minute

// openPage shows the page until the mock ends or its tab is closed; Chrome would
// live on without a window. When only the browser is gone, the mock goes on.
func (a *app) openPage(ctx context.Context, kindly http.Handler, c *config.Config, f *serveFlags) error {
	b, err := browser.Launch(ctx, c.Target.Chrome(browser.Options{Path: f.browser, Headed: !f.headless}))
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return hint.Errorf("with --headless there is no window; without --open you open the page yourself", "--open: %w", err)
	}
	defer b.Close() // it ends with the process in any case
	page, err := visit(ctx, b, kindly, c, f.open)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("--open: %w", err)
	}
	select {
	case <-ctx.Done():
	case <-page.Gone():
	case <-b.Done():
	}
	if ctx.Err() == nil {
		fmt.Fprintln(a.stderr, "note: the browser is closed; the mock goes on")
	}
	return nil
}

// visit opens the page, logged in as kindlytest.yaml says. The page stays open
// with the browser.
func visit(ctx context.Context, b *browser.Browser, kindly http.Handler, c *config.Config, url string) (*browser.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	var login browser.Login
	if c.Target.Login != nil {
		login = *c.Target.Login
	}
	user, err := b.NewUser(ctx, login)
	if err != nil {
		return nil, err
	}
	page, err := user.Visit(ctx, url, kindly)
	if err != nil {
		return nil, err
	}
	if nav := page.Record().Navigation; nav.Error != "" {
		return nil, hint.Errorf("is it running? open it in your own browser to see", "%s: %w", url, errors.New(nav.Error))
	}
	return page, nil
}
