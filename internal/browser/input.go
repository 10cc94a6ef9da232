package browser

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp/kb"
)

// pollInterval is how often a page is asked whether an element is there. Asking
// anew survives navigations, which a promise in the page would not.
const pollInterval = 25 * time.Millisecond

// shutEvery is how often it is asked before closed shadow trees are looked into, for
// which all of the document has to be read.
const shutEvery = 8

// element is what the page tells about the element of a selector.
type element struct {
	Problem string  // why it cannot be used yet; "" if it can
	Invalid bool    // the selector will never match
	X, Y    float64 // its middle
	Native  bool    // it is done: by a script of ours, and not by typing or clicking
}

// findElement looks for a visible element: `use` is a JavaScript function that
// gets it (and args) and returns an element value.
func (p *Page) findElement(ctx context.Context, selector, use string, args ...any) (element, error) {
	js := `function (...args) {` + querying + `
		if (!visible(this)) return {Problem: "the element is not visible"};
		return (` + use + `)(this, ...args);
	}`
	problem := "no answer from the page"
	for i := 0; ; i++ {
		found, err := p.useElement(ctx, selector, i%shutEvery == 1, js, args...)
		var missing errNotThere
		switch {
		case err == nil && found.Problem == "":
			return found, nil
		case err == nil && found.Invalid:
			return found, errors.New(found.Problem)
		case err == nil:
			problem = found.Problem
		case errors.As(err, &missing) && missing.never:
			return element{}, err
		case errors.As(err, &missing):
			problem = missing.what
		case errors.Is(err, ErrClosed):
			return element{}, err
		}
		// Other errors: the document went away while we asked.
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			looking, cancel := context.WithTimeout(p.life, looking)
			defer cancel()
			return element{}, fmt.Errorf("%s%s: %w", problem, p.elsewhere(looking, selector), context.Cause(ctx))
		}
	}
}

// useElement calls a function on an element; shut says whether to look into closed
// shadow trees, too.
func (p *Page) useElement(ctx context.Context, selector string, shut bool, function string, args ...any) (element, error) {
	s, found, err := p.locate(ctx, selector, shut)
	if err != nil {
		return element{}, err
	}
	defer tell(ctx, s, runtime.ReleaseObject, runtime.ReleaseObjectParams{ObjectID: found})
	return callOn[element](ctx, s, found, function, args...)
}

func (p *Page) waitVisible(ctx context.Context, selector string) error {
	_, err := p.findElement(ctx, selector, `() => ({})`)
	return err
}

// middle scrolls the element into view and says where to click; it waits for an
// element that is disabled, or covered by another, such as a spinner.
const middle = `(e) => {
	if (e.matches(":disabled")) return {Problem: "the element is disabled"};
	e.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
	const b = e.getBoundingClientRect();
	const at = {X: b.x + b.width / 2, Y: b.y + b.height / 2};
	const top = e.getRootNode().elementFromPoint(at.X, at.Y);
	if (top && top !== e && !e.contains(top) && !top.contains(e) && !e.labels?.length) return {Problem: "another element covers it"};
	return at;
}`

// clickHere clicks as a script does: what is in a frame has its middle elsewhere in
// the window than in its document.
const clickHere = `(e) => {
	if (e.matches(":disabled")) return {Problem: "the element is disabled"};
	e.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
	e.focus?.();
	for (const type of ["pointerdown", "mousedown", "pointerup", "mouseup"])
		e.dispatchEvent(new (type[0] === "p" ? PointerEvent : MouseEvent)(type, {bubbles: true, cancelable: true, composed: true, view: window}));
	e.click();
	return {Native: true};
}`

func (p *Page) click(ctx context.Context, selector string) error {
	use := middle
	if strings.Contains(selector, into) {
		use = `(e) => window === top ? (` + middle + `)(e) : (` + clickHere + `)(e)`
	}
	at, err := p.findElement(ctx, selector, use)
	if err != nil || at.Native {
		return err
	}
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMouseMoved, input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		ev := input.DispatchMouseEventParams{Type: kind, X: at.X, Y: at.Y}
		if kind != input.DispatchMouseEventTypeMouseMoved {
			ev.Button, ev.ClickCount = input.MouseButtonLeft, 1
		}
		if _, err := call(ctx, p.session, input.DispatchMouseEvent, ev); err != nil {
			return err
		}
	}
	return nil
}

// prepareField focuses a text field and selects what is in it. Fields that are
// not typed into, or stand in a frame, get their value as a script would set it, with the events that
// frameworks listen for.
const prepareField = `(e, value) => {
	if (e.matches(":disabled") || e.readOnly) return {Problem: "the field is disabled or read-only"};
	e.focus();
	const typed = e.isContentEditable || e.tagName === "TEXTAREA" ||
		e.tagName === "INPUT" && ["text", "search", "url", "tel", "email", "password", "number"].includes(e.type);
	if (typed && window === top) {
		if (e.isContentEditable) getSelection().selectAllChildren(e); else e.select();
		return {};
	}
	if (!("value" in e)) return {Problem: "the element is not a field", Invalid: true};
	if (e.type === "checkbox" || e.type === "radio") {
		const want = !["", "false", "0", "off", "no"].includes(value);
		if (e.checked !== want) e.click();
		return {Native: true};
	}
	Object.getOwnPropertyDescriptor(Object.getPrototypeOf(e), "value").set.call(e, value);
	e.dispatchEvent(new Event("input", {bubbles: true}));
	e.dispatchEvent(new Event("change", {bubbles: true}));
	return e.value === value ? {Native: true} : {Problem: "the field does not take the value", Invalid: true};
}`

func (p *Page) fill(ctx context.Context, f Field) error {
	if f.Code != nil {
		f.Value = f.Code(p.user.browser.now())
	}
	field, err := p.findElement(ctx, f.Selector, prepareField, f.Value)
	if err != nil || field.Native {
		return err
	}
	_, err = call(ctx, p.session, input.InsertText, input.InsertTextParams{Text: f.Value})
	return err
}

// keys are the names of keys, as in KeyboardEvent.key.
var keys = map[string]string{
	"Enter": kb.Enter, "Tab": kb.Tab, "Escape": kb.Escape, "Backspace": kb.Backspace, "Delete": kb.Delete, "Space": " ",
	"ArrowUp": kb.ArrowUp, "ArrowDown": kb.ArrowDown, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End, "PageUp": kb.PageUp, "PageDown": kb.PageDown,
}

func (p *Page) press(ctx context.Context, key string) error {
	text, ok := keys[key]
	if !ok && utf8.RuneCountInString(key) != 1 {
		return errors.New("no such key; use a name as in KeyboardEvent.key (Enter, Tab, Escape, ArrowDown, …) or one character")
	}
	if !ok {
		text = key
	}
	for _, r := range text {
		for _, ev := range kb.Encode(r) {
			if _, err := call(ctx, p.session, input.DispatchKeyEvent, *ev); err != nil {
				return err
			}
		}
	}
	return nil
}
