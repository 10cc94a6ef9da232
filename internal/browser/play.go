package browser

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/chromedp/cdproto/emulation"
)

// Evaluate runs a JavaScript expression in the page, as a developer does in
// Chrome's console, and decodes its value, or what its promise resolves to, into
// out (which may be nil). The page's Content-Security-Policy does not apply. It is for
// tests of pages of our own: a customer's page is only watched.
func (p *Page) Evaluate(ctx context.Context, js string, out any) error {
	raw, err := evaluate[json.RawMessage](ctx, p, "async () => (await ("+js+")) ?? null")
	if err != nil {
		return fmt.Errorf("evaluating in the page: %w", err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("decoding what the page gave: %w", err)
	}
	return nil
}

// A Screen is what a page is shown on.
type Screen struct {
	Width, Height int  // in CSS pixels
	Dark          bool // the user prefers dark colours
}

// Show moves the page to another screen.
func (p *Page) Show(ctx context.Context, s Screen) error {
	size := emulation.SetDeviceMetricsOverrideParams{Width: int64(s.Width), Height: int64(s.Height), DeviceScaleFactor: 1, Mobile: false}
	if _, err := call(ctx, p.session, emulation.SetDeviceMetricsOverride, size); err != nil {
		return fmt.Errorf("changing the screen's size: %w", err)
	}
	scheme := "light"
	if s.Dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := call(ctx, p.session, emulation.SetEmulatedMedia, media); err != nil {
		return fmt.Errorf("changing the colour scheme: %w", err)
	}
	return nil
}

// Type presses keys where the focus is: names as in KeyboardEvent.key ("Enter",
// "ArrowDown"), or single characters.
func (p *Page) Type(ctx context.Context, keys ...string) error {
	for _, k := range keys {
		if err := p.press(ctx, k); err != nil {
			return fmt.Errorf("pressing %q: %w", k, err)
		}
	}
	return nil
}
