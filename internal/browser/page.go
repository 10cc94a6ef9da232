package browser

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/kindlytest/kindlytest/internal/clip"
)

// A Page is one tab.
type Page struct {
	user    *User
	opts    pageOptions
	target  target.ID
	session *session
	record  *recorder
	clock   clock

	life    context.Context // ends when the page is closed
	endLife context.CancelCauseFunc

	mu      sync.Mutex
	doc     document
	realms  []realm                         // where scripts run: the page and its frames
	changed chan struct{}                   // closed and replaced when doc changes
	asked   map[fetch.RequestID]bool        // requests whose proxy got its password
	told    map[string]func(payload string) // by binding: what scripts of ours tell
}

// pageOptions say what is intercepted.
type pageOptions struct {
	kindly http.Handler // answers for Kindly's hosts; nil: such requests fail
	origin string       // gets the login's headers
	blank  bool         // every request is answered with an empty document
	real   bool         // nobody answers in Kindly's place
	// watched: what a visitor does is told, in all frames.
	watched bool
}

// A document is how far the main frame's document has come.
type document struct {
	number         int // counts documents
	loader         cdp.LoaderID
	parsed, loaded bool
}

// loadPatience is how long a parsed document may go on loading: an image that
// never comes must not hold up the rest.
const loadPatience = 5 * time.Second

// Visit opens a page in a new tab. Requests for Kindly's hosts (see KindlyHost),
// and for a mock of it on this machine (see MockClient), are answered by kindly, in this process; each gets the page's real method,
// path, headers and body, with Host set; what they block on should honour the
// request's context, which ends with the page. With a nil kindly they fail.
//
// It returns when the document has loaded; when it has been parsed and some of
// it still loads after 5 s; or when it could not be had, which is no error, but
// in Record().Navigation. Errors: the URL is none, the browser is gone, or ctx
// is done; then there is no page.
func (u *User) Visit(ctx context.Context, rawURL string, kindly http.Handler) (*Page, error) {
	origin, err := originOf(rawURL)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", withoutQuery(rawURL), err)
	}
	if err := u.seed(ctx, origin); err != nil {
		return nil, err
	}
	p, err := u.newPage(ctx, pageOptions{kindly: kindly, origin: origin})
	if err != nil {
		return nil, err
	}
	if err := p.navigate(ctx, rawURL); err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", withoutQuery(rawURL), err), p.Close())
	}
	return p, nil
}

// newPage makes an empty tab in which everything is set up.
func (u *User) newPage(ctx context.Context, o pageOptions) (*Page, error) {
	b := u.browser
	made, err := call(ctx, b.conn.root, target.CreateTarget, target.CreateTargetParams{URL: "about:blank", BrowserContextID: u.id})
	if err != nil {
		return nil, fmt.Errorf("opening a tab: %w", err)
	}
	if !o.blank {
		err = u.tabs.fill(ctx, u, made.TargetID)
	}
	var p *Page
	if err == nil {
		p, err = u.attach(ctx, made.TargetID, o)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening a tab: %w", err), b.closeTab(made.TargetID))
	}
	u.addPage(p)
	return p, nil
}

// attach takes control of a tab. If it cannot, the tab stays open.
func (u *User) attach(ctx context.Context, tab target.ID, o pageOptions) (*Page, error) {
	b := u.browser
	p := &Page{user: u, opts: o, target: tab, changed: make(chan struct{}), clock: clock{expired: make(chan struct{}, 1)}}
	p.life, p.endLife = context.WithCancelCause(b.life)
	p.record = newRecorder(p.life)
	p.record.main = string(tab) // a tab's main frame has its ID
	attached, err := call(ctx, b.conn.root, target.AttachToTarget, target.AttachToTargetParams{TargetID: tab, Flatten: new(true)})
	if err == nil {
		p.session = p.newSession(attached.SessionID, "page")
		err = u.equipPage(ctx, p.session, o.blank)
	}
	if err != nil {
		p.letGo()
		return nil, err
	}
	return p, nil
}

// newSession registers a session of the page: its own, or that of a frame or
// worker below it.
func (p *Page) newSession(id target.SessionID, targetType string) *session {
	return p.user.browser.conn.session(id, func(s *session, method string, params jsonv2.Value) {
		p.onEvent(s, targetType, method, params)
	})
}

func (p *Page) onEvent(s *session, targetType, method string, params jsonv2.Value) {
	p.record.observe(s, targetType, method, params)
	switch method {
	case fetch.RequestPaused.Method:
		if ev, ok := decodeEvent[fetch.EventRequestPaused](params); ok && ev.Request != nil {
			go p.intercept(s, ev)
		}
	case fetch.AuthRequired.Method:
		if ev, ok := decodeEvent[fetch.EventAuthRequired](params); ok {
			go p.answerProxy(s, ev)
		}
	case target.AttachedToTarget.Method:
		if ev, ok := decodeEvent[target.EventAttachedToTarget](params); ok && ev.TargetInfo != nil {
			p.adopt(ev)
		}
	case target.DetachedFromTarget.Method:
		if ev, ok := decodeEvent[target.EventDetachedFromTarget](params); ok {
			p.user.browser.conn.drop(ev.SessionID)
			p.leaveSession(ev.SessionID)
		}
	case page.JavascriptDialogOpening.Method:
		if ev, ok := decodeEvent[page.EventJavascriptDialogOpening](params); ok {
			accept := ev.Type == page.DialogTypeBeforeunload || ev.Type == page.DialogTypeConfirm && !p.record.repeats(ev.Message)
			go tell(p.life, s, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: accept})
		}
	case runtime.ExecutionContextCreated.Method, runtime.ExecutionContextDestroyed.Method, runtime.ExecutionContextsCleared.Method:
		if targetType == "page" || targetType == "iframe" {
			p.onRealm(s, method, params)
		}
	case runtime.BindingCalled.Method:
		p.onTold(params)
	case tooLarge:
		// Chrome holds a request until it is told what to do with it.
		if ev, ok := decodeEvent[eventTooLarge](params); ok && ev.Method == fetch.RequestPaused.Method {
			go fail(p.life, s, fetch.RequestID(ev.RequestID), network.ErrorReasonFailed)
		}
	case page.LifecycleEvent.Method:
		if ev, ok := decodeEvent[page.EventLifecycleEvent](params); ok && s == p.session {
			p.onLifecycle(ev)
		}
	case page.FrameStoppedLoading.Method:
		// A document of which nothing comes but its head, as of a proxy that refuses, has
		// no other end.
		if ev, ok := decodeEvent[page.EventFrameStoppedLoading](params); ok && s == p.session {
			p.onLifecycle(page.EventLifecycleEvent{FrameID: ev.FrameID, Name: "load"})
		}
	case emulation.VirtualTimeBudgetExpired.Method:
		p.clock.onExpired()
	case inspector.TargetCrashed.Method:
		s.crash()
	}
}

func (p *Page) onLifecycle(ev page.EventLifecycleEvent) {
	if string(ev.FrameID) != string(p.target) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case ev.Name == "init":
		p.doc = document{number: p.doc.number + 1, loader: ev.LoaderID}
	case ev.LoaderID != "" && ev.LoaderID != p.doc.loader:
		return
	case ev.Name == "DOMContentLoaded":
		p.doc.parsed = true
	case ev.Name == "load":
		p.doc.parsed, p.doc.loaded = true, true
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// navigate opens a URL and waits for the document. A document that cannot be
// had is in the record, and no error.
func (p *Page) navigate(ctx context.Context, rawURL string) error {
	p.mu.Lock()
	before := p.doc.number
	p.mu.Unlock()
	res, err := call(ctx, p.session, page.Navigate, page.NavigateParams{URL: rawURL})
	if err != nil {
		return p.record.amongDialogs(err)
	}
	if res.ErrorText != "" {
		p.record.mu.Lock()
		defer p.record.mu.Unlock()
		if p.record.nav.Error == "" {
			p.record.nav.Error = res.ErrorText
		}
		if p.record.nav.URL == "" {
			p.record.nav.URL = rawURL
		}
		return nil
	}
	if res.LoaderID == "" {
		return nil // within the document
	}
	return p.waitLoaded(ctx, before)
}

// waitLoaded waits for a document after number `before` to load.
func (p *Page) waitLoaded(ctx context.Context, before int) error {
	patience := time.NewTimer(time.Hour)
	defer patience.Stop()
	parsed := 0 // the document that the timer is for
	for {
		p.mu.Lock()
		doc, changed := p.doc, p.changed
		p.mu.Unlock()
		if doc.number > before && doc.loaded {
			return nil
		}
		if doc.number > before && doc.parsed && doc.number != parsed {
			parsed = doc.number
			patience.Reset(loadPatience)
		}
		select {
		case <-changed:
		case <-patience.C:
			return nil
		case <-ctx.Done():
			return p.record.amongDialogs(fmt.Errorf("waiting for the document to load: %w", context.Cause(ctx)))
		case <-p.session.gone:
			return p.session.lost()
		case <-p.life.Done():
			return context.Cause(p.life)
		}
	}
}

// whereabouts are the URL (without its query, which may hold secrets) and the
// title of the tab, for errors.
func (p *Page) whereabouts() (url, title string) {
	ctx, cancel := p.user.browser.farewell()
	defer cancel()
	info, err := call(ctx, p.user.browser.conn.root, target.GetTargetInfo, target.GetTargetInfoParams{TargetID: p.target})
	if err != nil {
		return "", "" // the error that is being told matters more
	}
	url, title = info.TargetInfo.URL, info.TargetInfo.Title
	if strings.Contains(url, title) {
		title = "" // Chrome makes one of the URL, query and all
	}
	return withoutQuery(clip.Text(url, maxURL)), clip.Text(title, maxErrorText)
}

// Close closes the tab, whatever it is doing. Its record stays readable.
func (p *Page) Close() error {
	p.user.dropPage(p)
	p.endLife(ErrClosed)
	err := p.user.browser.closeTab(p.target)
	p.letGo()
	return err
}

// letGo ends what the page does here; its tab is left as it is.
func (p *Page) letGo() {
	p.endLife(ErrClosed)
	if p.session != nil {
		p.user.browser.conn.drop(p.session.id)
	}
}

func (b *Browser) closeTab(id target.ID) error {
	ctx, cancel := b.farewell()
	defer cancel()
	_, err := call(ctx, b.conn.root, target.CloseTarget, target.CloseTargetParams{TargetID: id})
	if errors.Is(err, ErrClosed) || isNoTarget(err) {
		return nil // gone already
	}
	return err
}
