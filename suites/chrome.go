package suites

import (
	"context"

	"github.com/kindlytest/kindlytest/suites/browser"
)

// browser starts Chrome, once.
func (s *Session) browser() (*browser.Browser, error) {
	return s.chrome.get(func() (*browser.Browser, error) {
		if s.opts.Browser != nil {
			return s.opts.Browser, nil
		}
		if s.opts.launch != nil {
			b, err := s.opts.launch()
			if err != nil {
				return nil, browserError{err}
			}
			return b, nil
		}
		b, err := launch(s.base, s.target, s.opts)
		if err != nil {
			return nil, browserError{err}
		}
		s.onClose(b)
		return b, nil
	})
}

// launch starts the Chrome that a target's pages are opened in.
func launch(ctx context.Context, t Target, o Options) (*browser.Browser, error) {
	return browser.Launch(ctx, browser.Options{
		Path: o.BrowserPath, URL: o.BrowserURL, Headed: o.Headed,
		UserAgentSuffix: o.userAgent(), Resolve: t.Resolve, RootCAs: t.Roots(),
	})
}

// A browserError is one of a Chrome that does not start.
type browserError struct{ error }

func (e browserError) Unwrap() error { return e.error }
