package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
)

// Where the element of a step stands: in the page, or in a frame of it, which the
// selector names first: "iframe#login >>> #email". What is in open shadow trees is
// found without that, after what is in the document itself.

const into = ">>>"

// querying are functions for scripts: query finds the first element of a selector,
// visible says whether somebody sees it.
const querying = `
	const query = (selector, root = document) => {
		const found = root.querySelector(selector);
		if (found) return found;
		for (const e of root.querySelectorAll("*")) {
			const deeper = e.shadowRoot && query(selector, e.shadowRoot);
			if (deeper) return deeper;
		}
		return null;
	};
	const visible = (e) => { const box = e.getBoundingClientRect(); return box.width > 0 && box.height > 0 && getComputedStyle(e).visibility === "visible"; };
`

// errNotThere says that an element, or what it is in, is not there yet, or will never be.
type errNotThere struct {
	what  string
	never bool
}

func (e errNotThere) Error() string { return e.what }

// locate follows a selector into frames, and returns where it leads, and what is left
// of it.
func (p *Page) locate(ctx context.Context, selector string) (at realm, rest string, err error) {
	at = realm{session: p.session} // the page's own document
	for {
		outer, rest, deeper := strings.Cut(selector, into)
		if !deeper {
			return at, strings.TrimSpace(selector), nil
		}
		if at, err = p.frameIn(ctx, at, strings.TrimSpace(outer)); err != nil {
			return at, "", err
		}
		selector = rest
	}
}

// frameIn is the document in a frame that stands in another document.
func (p *Page) frameIn(ctx context.Context, at realm, selector string) (realm, error) {
	quoted, err := json.Marshal(selector)
	if err != nil {
		return at, fmt.Errorf("the selector of a frame: %w", err)
	}
	found, err := call(ctx, at.session, runtime.Evaluate, runtime.EvaluateParams{UniqueContextID: at.id, Silent: new(true), Expression: `(() => {` + querying + ` return query(` + string(quoted) + `); })()`})
	switch {
	case err != nil:
		return at, err
	case found.ExceptionDetails != nil:
		return at, errNotThere{"not a CSS selector: " + selector, true}
	case found.Result == nil || found.Result.ObjectID == "":
		return at, errNotThere{what: "no such frame: " + selector}
	}
	node, err := call(ctx, at.session, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: found.Result.ObjectID})
	if err != nil {
		return at, err
	}
	if node.Node.FrameID == "" {
		return at, errNotThere{selector + " is no frame", true}
	}
	for _, r := range p.frames() {
		if r.frame == string(node.Node.FrameID) {
			return r, nil
		}
	}
	return at, errNotThere{what: "the frame has no document yet: " + selector}
}

// elsewhere names a frame that has what the page's own document has not.
func (p *Page) elsewhere(ctx context.Context, selector string) string {
	const has = `(selector) => {` + querying + ` const e = query(selector); return !!e && visible(e); }`
	for _, r := range p.frames() {
		if here, err := evaluateIn[bool](ctx, r.session, r.id, has, selector); here && err == nil {
			return "; a frame of the page has one: \"iframe >>> " + selector + "\", with a selector for that frame"
		}
	}
	return ""
}
