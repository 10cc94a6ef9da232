package subject

import (
	"context"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/target"
)

// browser starts Chrome, once.
func (s *Session) browser() (*browser.Browser, error) {
	return s.chrome.Get(func() (*browser.Browser, error) {
		if s.Options.Browser != nil {
			return s.Options.Browser, nil
		}
		if s.Options.Launch != nil {
			b, err := s.Options.Launch()
			if err != nil {
				return nil, browserError{err}
			}
			return b, nil
		}
		b, err := Launch(s.Base, s.Target, s.Options)
		if err != nil {
			return nil, browserError{err}
		}
		s.onClose(b)
		return b, nil
	})
}

// Launch starts the Chrome that a target's pages are opened in.
func Launch(ctx context.Context, t target.Target, o Options) (*browser.Browser, error) {
	return browser.Launch(ctx, t.Chrome(browser.Options{
		Path: o.BrowserPath, URL: o.BrowserURL, Headed: o.Headed, UserAgentSuffix: o.userAgent(), Now: o.Now, Unresolved: o.Observed.Hosts(),
	}))
}

// A browserError is one of a Chrome that does not start.
type browserError struct{ error }

func (e browserError) Unwrap() error { return e.error }
