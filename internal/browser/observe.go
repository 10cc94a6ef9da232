package browser

import (
	"context"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// ObserveBinding is the function by which the script of Observe tells. The script
// finds it in its global object, and should take it from there before the page sees it.
const ObserveBinding = "kindlytestObserved"

// maxObserved bounds how often a script tells.
const maxObserved = 10_000

// Observe opens a page like Visit, but nobody answers in Kindly's place: with a
// Browser of Options.RealKindly its requests go where they go for everybody. script
// runs in the page and its frames of the same site before anything else, and calls
// told, which must not block, by ObserveBinding.
func (u *User) Observe(ctx context.Context, rawURL, script string, told func(payload string)) (*Page, error) {
	origin, err := originOf(rawURL)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", withoutQuery(rawURL), err)
	}
	if err := u.seed(ctx, origin); err != nil {
		return nil, err
	}
	p, err := u.newPage(ctx, pageOptions{origin: origin, real: true})
	if err != nil {
		return nil, err
	}
	n := 0 // events come one after the other
	p.tells(ObserveBinding, func(payload string) {
		if n++; n <= maxObserved {
			told(payload)
		}
	})
	_, err = call(ctx, p.session, runtime.AddBinding, runtime.AddBindingParams{Name: ObserveBinding})
	if err == nil {
		_, err = call(ctx, p.session, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	}
	if err == nil {
		err = p.navigate(ctx, rawURL)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", withoutQuery(rawURL), err), p.Close())
	}
	return p, nil
}
