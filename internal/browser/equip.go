package browser

import (
	"context"
	"errors"
	"strings"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
)

// switchOn asks for what every session needs to be recorded and intercepted.
// Interception is apart: it alone answers before a worker runs.
func (u *User) switchOn(ctx context.Context, s *session, interceptAll bool) (intercepted promise, rest []promise) {
	rest = []promise{
		tell(ctx, s, network.Enable, network.EnableParams{
			MaxTotalBufferSize: new(int64(2 * maxBodies)), MaxResourceBufferSize: new(int64(16 * maxBody)), MaxPostDataSize: new(int64(maxBody)),
		}),
		tell(ctx, s, runtime.Enable, cdp.Empty{}),
		tell(ctx, s, log.Enable, cdp.Empty{}),
		tell(ctx, s, audits.Enable, cdp.Empty{}),
		tell(ctx, s, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: u.browser.userAgent}),
		tell(ctx, s, target.SetAutoAttach, target.SetAutoAttachParams{
			AutoAttach: true, WaitForDebuggerOnStart: true, Flatten: new(true), Filter: attachToFrames,
		}),
	}
	everything := interceptAll || u.addsHeaders()
	return tell(ctx, s, fetch.Enable, fetch.EnableParams{
		Patterns: patterns(everything), HandleAuthRequests: new(proxyAsks(u.browser.proxy)),
	}), rest
}

// A page attaches to its frames and workers; the workers that several pages may
// share are the browser's to attach to, once.
var (
	attachToFrames = target.Filter{{Type: "service_worker", Exclude: true}, {Type: "shared_worker", Exclude: true}, {}}
	attachToShared = target.Filter{{Type: "service_worker"}, {Type: "shared_worker"}}
)

// equipPage switches everything on in a tab and waits until it is: a navigation
// that is sent before Page.enable was answered goes unseen.
func (u *User) equipPage(ctx context.Context, s *session, interceptAll bool) error {
	intercepted, answers := u.switchOn(ctx, s, interceptAll)
	answers = append(answers, intercepted,
		tell(ctx, s, page.Enable, page.EnableParams{}),
		tell(ctx, s, page.SetLifecycleEventsEnabled, page.SetLifecycleEventsEnabledParams{Enabled: true}),
		tell(ctx, s, inspector.Enable, cdp.Empty{}),
		tell(ctx, s, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
	)
	var errs []error
	for _, a := range answers {
		errs = append(errs, a.wait(ctx, nil))
	}
	return errors.Join(errs...)
}

// equipAndRun equips a frame or worker that waits to run, and whatever comes of
// that, lets it run. Workers lack some of it.
func (u *User) equipAndRun(ctx context.Context, s *session, interceptAll bool) {
	intercepted, _ := u.switchOn(ctx, s, interceptAll)
	_ = intercepted.wait(ctx, nil)
	tell(ctx, s, runtime.RunIfWaitingForDebugger, cdp.Empty{})
}

// adopt takes in a frame of another site or a worker, which waits until it may
// run; a window that the page opened is closed.
func (p *Page) adopt(ev target.EventAttachedToTarget) {
	kind := ev.TargetInfo.Type
	if kind == "page" || kind == "tab" {
		go tell(p.life, p.user.browser.conn.root, target.CloseTarget, target.CloseTargetParams{TargetID: ev.TargetInfo.TargetID})
		return
	}
	s := p.newSession(ev.SessionID, kind)
	go func() {
		if p.opts.watched && kind == "iframe" {
			_ = p.watchDeeds(p.life, s) // one that is gone already
		}
		p.user.equipAndRun(p.life, s, p.opts.blank)
	}()
}

// adopt takes in a worker that belongs to no page: a service worker or a shared
// worker. What it does counts as the newest page's.
func (u *User) adopt(ev target.EventAttachedToTarget) {
	kind := ev.TargetInfo.Type
	u.browser.workers[ev.SessionID] = worker{ev.TargetInfo.TargetID, u}
	s := u.browser.conn.session(ev.SessionID, func(s *session, method string, params jsonv2.Value) {
		u.onWorker(s, kind, method, params)
	})
	go u.equipAndRun(u.browser.life, s, false)
}

func (u *User) onWorker(s *session, kind, method string, params jsonv2.Value) {
	if p := u.newestPage(); p != nil {
		p.onEvent(s, kind, method, params)
	} else if paused, ok := decodeEvent[fetch.EventRequestPaused](params); ok && method == fetch.RequestPaused.Method {
		go fail(u.browser.life, s, paused.RequestID, network.ErrorReasonAborted)
	}
}

// A worker belongs to a user, and to none of their pages.
type worker struct {
	id   target.ID
	user *User
}

// onEscaped sees the requests for Kindly that no page and no worker of ours held:
// those of a shared worker that had its script before its session could say what to
// hold (Chrome starts it while it tells that there is one), those that were let go,
// and those of other programs, in a shared browser.
func (b *Browser) onEscaped(method string, params jsonv2.Value) {
	ev, ok := decodeEvent[fetch.EventRequestPaused](params)
	if !ok {
		return
	}
	for _, w := range b.workers {
		if string(w.id) == string(ev.FrameID) {
			w.user.onWorker(b.conn.root, "shared_worker", method, params)
			return
		}
	}
	go tell(b.life, b.conn.root, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: ev.RequestID})
}

// isNoTarget reports whether Chrome does not know the tab (any more).
func isNoTarget(err error) bool {
	var e *cdproto.Error
	return errors.As(err, &e) && strings.Contains(strings.ToLower(e.Message), "no target")
}
