package browser

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
)

// A realm is where the scripts of one document run: the page's own, or a
// frame's. A chat may be in any of them.
type realm struct {
	session *session
	id      string // unique in all sessions
	frame   string
}

// maxRealms bounds what a page with ever more frames leaves behind.
const maxRealms = 200

func (p *Page) onRealm(s *session, method string, params jsonv2.Value) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch method {
	case runtime.ExecutionContextCreated.Method:
		ev, ok := decodeEvent[runtime.EventExecutionContextCreated](params)
		if !ok || ev.Context == nil || len(p.realms) >= maxRealms {
			return
		}
		var about struct {
			IsDefault bool   `json:"isDefault"`
			FrameID   string `json:"frameId"`
		}
		if json.Unmarshal(ev.Context.AuxData, &about) == nil && about.IsDefault {
			p.realms = append(p.realms, realm{s, ev.Context.UniqueID, about.FrameID})
		}
	case runtime.ExecutionContextDestroyed.Method:
		if ev, ok := decodeEvent[runtime.EventExecutionContextDestroyed](params); ok {
			p.realms = slices.DeleteFunc(p.realms, func(w realm) bool {
				return w.session == s && w.id == ev.ExecutionContextUniqueID
			})
		}
	case runtime.ExecutionContextsCleared.Method:
		p.realms = slices.DeleteFunc(p.realms, func(w realm) bool { return w.session == s })
	}
}

func (p *Page) leaveSession(id target.SessionID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.realms = slices.DeleteFunc(p.realms, func(w realm) bool { return w.session.id == id })
}

// frames are the realms of the page's frames, without the page's own.
func (p *Page) frames() []realm {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.realms), func(w realm) bool { return w.frame == string(p.target) })
}

// chatRealm finds the frame in which the page has its callback: nil for the
// page's own document, which comes first, or where there is none at all.
func (p *Page) chatRealm(ctx context.Context) *realm {
	const has = `() => typeof (window.kindlyOptions?.getAuthToken ?? window.kindlySettings?.getAuthToken) === "function"`
	if here, err := evaluate[bool](ctx, p, has); here || err != nil {
		return nil
	}
	for _, w := range p.frames() {
		if here, err := evaluateIn[bool](ctx, w.session, w.id, has); here && err == nil {
			return &w
		}
	}
	return nil
}

// evaluateThere is evaluate in the document that has the callback.
func evaluateThere[T any](ctx context.Context, p *Page, function string, args ...any) (T, error) {
	if w := p.chatRealm(ctx); w != nil {
		return evaluateIn[T](ctx, w.session, w.id, function, args...)
	}
	return evaluate[T](ctx, p, function, args...)
}
