package browser

import (
	"context"
	"slices"
	"time"

	"github.com/chromedp/cdproto/network"
)

// After an action the page may navigate or fetch. The next step waits for the
// answers to what the action began, and then until the page is quiet; but not
// for answers that nobody reads, nor for what a page polls.
const (
	stepQuiet    = 120 * time.Millisecond // also: what begins so soon after an action is its doing
	stepRestless = time.Second            // for a page that is never quiet
	stepPatience = 5 * time.Second        // for an answer that does not come
)

// settled does something, and waits for what comes of it.
func (p *Page) settled(ctx context.Context, act func() error) error {
	mark := p.record.mark()
	if err := act(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stepPatience)
	defer cancel()
	began := time.Now()
	for {
		pending, quiet, changed := p.pending(mark, began)
		since := time.Since(began)
		if !pending && (quiet >= stepQuiet && since >= stepQuiet || since >= stepRestless) {
			return nil
		}
		// Nothing tells that nothing happens: after a while, look again.
		again := time.NewTimer(max(stepQuiet-min(quiet, since), 10*time.Millisecond))
		select {
		case <-changed:
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return nil // the next step says what is missing
		case <-p.life.Done():
			again.Stop()
			return context.Cause(p.life)
		}
		again.Stop()
	}
}

// pending says whether answers to what an action began are outstanding, how long
// nothing has happened, and when to look again. Documents count whenever they
// began: a login ends with one.
func (p *Page) pending(mark int, began time.Time) (pending bool, quiet time.Duration, changed <-chan struct{}) {
	p.mu.Lock()
	loading, documents := p.doc.number > 0 && !p.doc.parsed, p.changed
	p.mu.Unlock()
	r := p.record
	r.mu.Lock()
	defer r.mu.Unlock()
	last := began
	for _, h := range r.hops[min(mark, len(r.hops)):] {
		if !slices.Contains(consequential, network.ResourceType(h.req.ResourceType)) {
			continue
		}
		if h.seen.After(last) {
			last = h.seen
		}
		soon := h.seen.Sub(began) <= stepQuiet
		waits := r.open[h] && h.req.Status == 0
		if waits && (soon || h.req.ResourceType == string(network.ResourceTypeDocument)) {
			pending = true
		}
		if h.answeredAt.After(last) {
			last = h.answeredAt
		}
	}
	return pending || loading, time.Since(last), documents
}

// consequential are the requests by which a page logs somebody in.
var consequential = []network.ResourceType{network.ResourceTypeDocument, network.ResourceTypeFetch, network.ResourceTypeXHR, network.ResourceTypeScript}

// mark is where the requests that are yet to come begin.
func (r *recorder) mark() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.hops)
}
