package browser

import (
	"fmt"

	"github.com/chromedp/cdproto/page"
	"github.com/kindlytest/kindlytest/internal/clip"
)

// A Dialog is one that the page opened, and that was answered at once: whether to leave,
// or whether it is so ("Are you over 18?"), with OK, as a visitor does who goes on; the
// same question again, and all others, with Cancel.
type Dialog struct {
	Type    string // "alert", "confirm", "prompt", "beforeunload"
	Message string
	URL     string // of the document
}

const maxDialogs = 100

func (r *recorder) dialog(ev page.EventJavascriptDialogOpening) {
	r.dialogsSeen++
	d := Dialog{Type: string(ev.Type), Message: clip.Text(ev.Message, maxText), URL: clip.Text(ev.URL, maxURL)}
	if len(r.dialogs) < maxDialogs {
		r.dialogs = append(r.dialogs, d)
	} else {
		r.dropped++
	}
}

// repeats says whether the page has asked the same before.
func (r *recorder) repeats(message string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	times := 0
	for _, d := range r.dialogs {
		if d.Message == clip.Text(message, maxText) {
			times++
		}
	}
	return times > 1 || r.dialogsSeen > maxDialogs
}

// manyDialogs is from when on dialogs are a page's way to keep everybody waiting.
const manyDialogs = 3

// amongDialogs names, in the error of something that took too long, the dialogs
// that the page kept opening meanwhile.
func (r *recorder) amongDialogs(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dialogsSeen < manyDialogs {
		return err
	}
	first := r.dialogs[0]
	return fmt.Errorf("the page keeps opening dialogs, %d so far, such as this %s: %q: %w", r.dialogsSeen, first.Type, clip.Text(first.Message, maxErrorText), err)
}
