package browser

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// A recorder turns the events of all sessions of a page into a record.
type recorder struct {
	life context.Context // of the page

	mu         sync.Mutex
	main       string // the page's main frame
	nav        Navigation
	hops       []*hop
	chains     map[network.RequestID]*chain
	open       map[*hop]bool // requests that have not ended
	console    []*ConsoleEntry
	exceptions []Exception
	csp        []CSPViolation
	dialogs    []Dialog
	windows    int
	dropped    int
	missed     int
	// dialogsSeen counts them beyond what is kept.
	dialogsSeen int
	// What is left of what a page may fill: what it consists of must not crowd out what its
	// scripts ask.
	parts, others budget
	waiting       int // chains of which nothing but extra info has come
	fetching      int // questions to Chrome about bodies and objects that are unanswered
	changed       time.Time

	slots chan struct{} // bounds the questions asked at once
}

func newRecorder(life context.Context) *recorder {
	return &recorder{
		parts:  budget{requests: maxParts, bytes: maxBodies},
		others: budget{requests: maxRequests, bytes: maxBodies},
		life:   life,
		chains: map[network.RequestID]*chain{},
		open:   map[*hop]bool{},
		slots:  make(chan struct{}, 4),
	}
}

func (r *recorder) navigation() Navigation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nav.clone()
}

// on decodes the event and hands it to f under the lock.
func on[E any](r *recorder, params jsonv2.Value, f func(E)) {
	ev, ok := decodeEvent[E](params)
	if !ok {
		return // not the event that it says it is; there is nobody to tell
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed = time.Now()
	f(ev)
}

// observe sees every event of a session, whose target is of the given type.
func (r *recorder) observe(s *session, targetType, method string, params jsonv2.Value) {
	switch method {
	case network.RequestWillBeSent.Method:
		on(r, params, func(ev network.EventRequestWillBeSent) { r.requestSent(s, targetType, ev) })
	case network.RequestWillBeSentExtraInfo.Method:
		on(r, params, r.requestExtra)
	case network.ResponseReceived.Method:
		on(r, params, r.responseReceived)
	case network.ResponseReceivedExtraInfo.Method:
		on(r, params, r.responseExtra)
	case network.LoadingFinished.Method:
		on(r, params, func(ev network.EventLoadingFinished) { r.finished(s, ev) })
	case network.LoadingFailed.Method:
		on(r, params, r.failed)
	case runtime.ConsoleAPICalled.Method:
		on(r, params, func(ev runtime.EventConsoleAPICalled) { r.consoleCalled(s, ev) })
	case log.EntryAdded.Method:
		on(r, params, r.logged)
	case runtime.ExceptionThrown.Method:
		on(r, params, r.thrown)
	case runtime.ExceptionRevoked.Method:
		on(r, params, r.revoked)
	case page.JavascriptDialogOpening.Method:
		on(r, params, r.dialog)
	case page.WindowOpen.Method:
		on(r, params, func(page.EventWindowOpen) { r.windows++ })
	case tooLarge:
		on(r, params, r.tooLarge)
	case audits.IssueAdded.Method:
		on(r, params, func(ev audits.EventIssueAdded) { r.issue(targetType, ev) })
	default:
		r.streams(targetType, method, params)
	}
}

// ask runs a question to Chrome outside the event loop. The caller holds the
// lock; f must take it itself.
func (r *recorder) ask(f func(ctx context.Context)) {
	r.fetching++
	go func() {
		defer func() {
			r.mu.Lock()
			r.fetching--
			r.changed = time.Now()
			r.mu.Unlock()
		}()
		select {
		case r.slots <- struct{}{}:
			defer func() { <-r.slots }()
		case <-r.life.Done():
		}
		if r.life.Err() == nil {
			f(r.life)
		}
	}()
}

// busy reports whether requests run or questions are unanswered, and when
// something last happened.
func (r *recorder) busy() (bool, time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open) > 0 || r.fetching > 0, r.changed
}

// Settle waits until the page has been quiet for a tenth of a second (no request
// runs, all bodies are read), but not longer than a second, nor than ctx.
func (p *Page) Settle(ctx context.Context) { p.waitQuiet(ctx, 100*time.Millisecond, time.Second) }

func (p *Page) waitQuiet(ctx context.Context, quiet, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	p.waitFor(ctx, func() bool {
		busy, last := p.record.busy()
		if last.Before(began) {
			last = began
		}
		return !busy && time.Since(last) >= quiet
	})
}

// AwaitCode waits until the documents and scripts that have begun to come are read, as
// long as ctx lasts: a big bundle takes seconds on a busy machine.
func (p *Page) AwaitCode(ctx context.Context) {
	p.waitFor(ctx, func() bool { return !p.record.readsCode() })
}

// readsCode says whether a document or a script is coming, or is being read.
func (r *recorder) readsCode() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.hops, func(h *hop) bool {
		kind := network.ResourceType(h.req.ResourceType)
		return (h.reading || r.open[h] && h.req.Status/100 == 2) && !h.req.Kindly && (kind == network.ResourceTypeDocument || kind == network.ResourceTypeScript)
	})
}

// waitFor waits until something is done on the page, or ctx or the page ends.
func (p *Page) waitFor(ctx context.Context, done func() bool) {
	for !done() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return
		case <-p.life.Done():
			return
		}
	}
}

// httpHeader converts DevTools' headers, in which the values of a repeated
// header are joined by line ends.
func httpHeader(h network.Headers) http.Header {
	out := make(http.Header, len(h))
	size := 0
	for name, v := range h {
		text, ok := v.(string)
		length := len(name) + len(text)
		if !ok || strings.HasPrefix(name, ":") || size+length > maxHeaders { // ":authority" is HTTP/2's
			continue
		}
		size += length
		for line := range strings.SplitSeq(text, "\n") {
			out.Add(name, line)
		}
	}
	return out
}
