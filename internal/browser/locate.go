package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
)

// Where the element of a step stands: in the page, or in a frame of it, which the
// selector names first: "iframe#login >>> #email". What is in shadow trees is found
// without that, after what is in the document itself: open ones first, then those that
// are closed to the page's own scripts, but not to a visitor.

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

// locate follows a selector into frames, to its element, and says whose it is.
func (p *Page) locate(ctx context.Context, selector string, shut bool) (s *session, found runtime.RemoteObjectID, err error) {
	at := realm{session: p.session} // the page's own document
	for {
		outer, rest, deeper := strings.Cut(selector, into)
		if !deeper {
			found, err = at.first(ctx, strings.TrimSpace(selector), shut)
			return at.session, found, err
		}
		if at, err = p.frameIn(ctx, at, strings.TrimSpace(outer), shut); err != nil {
			return at.session, "", err
		}
		selector = rest
	}
}

// first is the first element of a selector in a document; shut says whether closed
// shadow trees are looked into.
func (at realm) first(ctx context.Context, selector string, shut bool) (runtime.RemoteObjectID, error) {
	quoted, err := json.Marshal(selector)
	if err != nil {
		return "", fmt.Errorf("the selector: %w", err)
	}
	found, err := call(ctx, at.session, runtime.Evaluate, runtime.EvaluateParams{UniqueContextID: at.id, Silent: new(true), Expression: `(() => {` + querying + ` return query(` + string(quoted) + `); })()`})
	switch {
	case err != nil:
		return "", err
	case found.ExceptionDetails != nil:
		return "", errNotThere{"not a CSS selector", true}
	case found.Result != nil && found.Result.ObjectID != "":
		return found.Result.ObjectID, nil
	}
	if shut {
		if object, err := at.firstShut(ctx, selector); object != "" || err != nil {
			return object, err
		}
	}
	return "", errNotThere{what: "no such element"}
}

// firstShut is the first element of a selector in the closed shadow trees of a document;
// "" if there is none.
func (at realm) firstShut(ctx context.Context, selector string) (runtime.RemoteObjectID, error) {
	doc, err := call(ctx, at.session, dom.GetDocument, dom.GetDocumentParams{Depth: new(int64(-1)), Pierce: new(true)})
	if err != nil {
		return "", err
	}
	defer tell(ctx, at.session, dom.Disable, cdp.Empty{}) // or every change of the page is told from now on
	root := doc.Root
	if framed := documentOf(root, at.frame); framed != nil {
		root = framed
	}
	args, err := arguments(selector)
	if err != nil {
		return "", err
	}
	for _, id := range closedRoots(root) {
		node, err := call(ctx, at.session, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: id})
		if err != nil {
			return "", err
		}
		found, err := call(ctx, at.session, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
			FunctionDeclaration: `function (selector) {` + querying + ` return query(selector, this); }`, ObjectID: node.Object.ObjectID, Arguments: args, Silent: new(true),
		})
		if err == nil && found.Result != nil && found.Result.ObjectID != "" {
			return found.Result.ObjectID, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

// documentOf is the document of a frame somewhere below a node; nil if there is none.
func documentOf(n *cdp.Node, frame string) *cdp.Node {
	if n == nil || frame == "" {
		return nil
	}
	if string(n.FrameID) == frame && n.ContentDocument != nil {
		return n.ContentDocument
	}
	for _, below := range [][]*cdp.Node{n.ShadowRoots, n.Children, {n.ContentDocument}} {
		for _, child := range below {
			if found := documentOf(child, frame); found != nil {
				return found
			}
		}
	}
	return nil
}

// frameIn is the document in a frame that stands in another document.
func (p *Page) frameIn(ctx context.Context, at realm, selector string, shut bool) (realm, error) {
	found, err := at.first(ctx, selector, shut)
	if missing, ok := errors.AsType[errNotThere](err); ok {
		missing.what = strings.Replace(missing.what, "element", "frame", 1) + ": " + selector
		return at, missing
	}
	if err != nil {
		return at, err
	}
	defer tell(ctx, at.session, runtime.ReleaseObject, runtime.ReleaseObjectParams{ObjectID: found})
	node, err := call(ctx, at.session, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: found})
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
