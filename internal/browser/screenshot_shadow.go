package browser

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
)

// openShadows hands the closed shadow trees of the page to the world, whose
// script cannot find them itself.
func (w *world) openShadows(ctx context.Context) error {
	s := w.page.session
	doc, err := call(ctx, s, dom.GetDocument, dom.GetDocumentParams{Depth: new(int64(-1)), Pierce: new(true)})
	if err != nil {
		return err
	}
	defer tell(ctx, s, dom.Disable, cdp.Empty{}) // or every change of the page is told from now on
	if err := w.evaluate(ctx, "shutRoots = []", nil); err != nil {
		return err
	}
	for _, id := range closedRoots(doc.Root) {
		node, err := call(ctx, s, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: id, ExecutionContextID: w.id})
		if err != nil {
			return err
		}
		_, err = call(ctx, s, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
			FunctionDeclaration: "function () { shutRoots.push(this); }", ObjectID: node.Object.ObjectID, Silent: new(true),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// closedRoots are the closed shadow roots at or below a node, frames excluded:
// those are not shown.
func closedRoots(n *cdp.Node) []cdp.BackendNodeID {
	if n == nil {
		return nil
	}
	var out []cdp.BackendNodeID
	if n.ShadowRootType == cdp.ShadowRootTypeClosed {
		out = append(out, n.BackendNodeID)
	}
	for _, below := range [][]*cdp.Node{n.ShadowRoots, n.Children} {
		for _, child := range below {
			out = append(out, closedRoots(child)...)
		}
	}
	return out
}
