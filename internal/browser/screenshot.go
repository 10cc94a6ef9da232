package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/kindlytest/kindlytest/internal/clip"
)

//go:embed screenshot.js
var screenshotScript string

// MaxScreenshot bounds a screenshot, in bytes.
const MaxScreenshot = 220_000

// errRestless is about a page on which secrets turn up as fast as they are covered.
var errRestless = errors.New("the page changes too fast to cover what is secret in it")

// Screenshot returns what the tab shows, as a JPEG of at most MaxScreenshot
// bytes. What is typed into fields is never shown, nor are frames; of the other
// texts of the page those are covered for which secret says so. The page does
// not notice. It is an error if not everything could be looked through.
func (p *Page) Screenshot(ctx context.Context, secret func(text string) bool) (jpeg []byte, err error) {
	w, err := p.newWorld(ctx)
	if err != nil {
		return nil, fmt.Errorf("taking a screenshot: %w", err)
	}
	for range 3 {
		var done bool
		if jpeg, done, err = w.shoot(ctx, secret); err != nil {
			return nil, fmt.Errorf("taking a screenshot: %w", err)
		}
		if done {
			return jpeg, nil
		}
	}
	return nil, fmt.Errorf("taking a screenshot: %w", errRestless)
}

// Picture returns what the tab shows, as a PNG in which nothing is covered: for pages
// that are our own.
func (p *Page) Picture(ctx context.Context) ([]byte, error) {
	shot, err := call(ctx, p.session, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng})
	if err != nil {
		return nil, fmt.Errorf("taking a picture: %w", err)
	}
	return shot.Data, nil
}

// A world runs scripts beside those of the page, which it shares the document
// with, and nothing else.
type world struct {
	page *Page
	id   runtime.ExecutionContextID
}

func (p *Page) newWorld(ctx context.Context) (*world, error) {
	made, err := call(ctx, p.session, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{
		FrameID: cdp.FrameID(p.target), WorldName: "kindlytest",
	})
	if err != nil {
		return nil, err
	}
	w := &world{page: p, id: made.ExecutionContextID}
	return w, w.evaluate(ctx, screenshotScript, nil)
}

func (w *world) evaluate(ctx context.Context, expression string, result any) error {
	res, err := call(ctx, w.page.session, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: w.id,
		ReturnByValue: new(true), AwaitPromise: new(true), Silent: new(true),
	})
	switch {
	case err != nil:
		return err
	case res.ExceptionDetails != nil:
		return errors.New("the page threw: " + clip.Text(exceptionText(res.ExceptionDetails), maxErrorText))
	case result == nil:
		return nil
	}
	return json.Unmarshal(res.Result.Value, result)
}

// texts are the texts of a page, in its order.
type texts struct {
	Complete bool // false: there are more
	Texts    []struct {
		Text    string
		Long    bool // Text is only its beginning
		Covered bool
	}
}

// shoot covers, takes the picture, and looks again. done is false where
// something secret has turned up meanwhile.
func (w *world) shoot(ctx context.Context, secret func(string) bool) (jpeg []byte, done bool, err error) {
	before, err := w.look(ctx)
	if err != nil {
		return nil, false, err
	}
	places := []int{}
	for i, t := range before.Texts {
		if t.Long || secret(t.Text) {
			places = append(places, i)
		}
	}
	list, err := json.Marshal(places)
	if err != nil {
		return nil, false, err
	}
	if err := w.evaluate(ctx, "cover("+string(list)+")", nil); err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, w.evaluate(ctx, "uncover()", nil)) }()
	if jpeg, err = w.page.capture(ctx); err != nil {
		return nil, false, err
	}
	after, err := w.look(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, t := range after.Texts {
		if !t.Covered && (t.Long || secret(t.Text)) {
			return nil, false, nil
		}
	}
	return jpeg, true, nil
}

func (w *world) look(ctx context.Context) (texts, error) {
	var t texts
	if err := w.openShadows(ctx); err != nil {
		return t, err
	}
	if err := w.evaluate(ctx, "look()", &t); err != nil {
		return t, err
	}
	if !t.Complete {
		return t, errors.New("the page has too many texts to look through")
	}
	return t, nil
}

// capture takes the picture, in the best quality that fits.
func (p *Page) capture(ctx context.Context) ([]byte, error) {
	for _, quality := range []int64{75, 45, 20} {
		shot, err := call(ctx, p.session, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Format: page.CaptureScreenshotFormatJpeg, Quality: new(quality),
		})
		if err != nil {
			return nil, err
		}
		if len(shot.Data) <= MaxScreenshot {
			return shot.Data, nil
		}
	}
	return nil, fmt.Errorf("it would be larger than %d KB", MaxScreenshot/1000)
}
