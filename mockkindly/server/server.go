// Package server lets pages, tests and people use a mock Kindly by HTTP: it serves
// the chat client and the three sides of the API that openapi.yaml describes.
//
//	k, err := mockkindly.New(mockkindly.Options{Bots: …})
//	s := httptest.NewServer(server.New(k, server.Options{}))
//	defer func() { k.Close(); s.Close() }() // the mock first: it ends the streams
//
// The widget's side may be used from any origin. The mock's own side (admin), for
// tests in other languages and for consoles, refuses foreign origins (403) and
// foreign hosts (421) and may want a token (401). The third is Kindly's
// Application API. Bodies are JSON in UTF-8, up to 1 MiB. Errors are problem
// details (RFC 9457). No JSON that leaves the mock holds a token's signature, a
// webhook's secret, or a cookie. (Where a webhook itself repeats a secret of fewer
// than six characters, that cannot be told from other text.)
package server

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/widget"
)

// Options say who may use the mock's own side. The zero value lets all in.
type Options struct {
	// Hosts are the Host headers, with or without a port, that the admin routes
	// answer to. Set it where a browser can reach the mock, so that a page whose
	// name is re-pointed to 127.0.0.1 (DNS rebinding) cannot read the journal.
	// Empty means any.
	Hosts []string
	// AdminToken is what callers of the admin side have to present as a bearer
	// token. Set it where others than this machine's users can reach the mock.
	AdminToken string
	// APIKey is what the Application API wants as a bearer token. Empty means
	// AdminToken, and without that any.
	APIKey string
	// Pages answers where the API has no route: pages over the admin side,
	// without data of their own.
	Pages http.Handler
	// Checks are offered beside the journal; nil offers none.
	Checks Checks
	// WatchOnly leaves out what pages use, and faults: nobody makes chats or sends
	// messages, and nothing is played.
	WatchOnly bool
	// Client is how the chat client works where Kindly's was seen to do otherwise.
	Client *widget.Manner
	// Version is what GET /mock/v1/health calls the program.
	Version string
}

// A server is the handler of one mock.
type server struct {
	kindly  *mockkindly.Kindly
	opts    Options
	rules   map[string]ChecksRule // of the checks, by ID
	streams atomic.Int32
	left    atomic.Int32 // requests to webhooks whose callers are gone
}

// New returns the handler. It ends what it does when the mock is closed.
func New(k *mockkindly.Kindly, o Options) http.Handler {
	return (&server{kindly: k, opts: o, rules: rulesOf(o.Checks)}).routes()
}

// maxLeft bounds the requests to webhooks that nobody waits for.
const maxLeft = 64

// outlive is a context for what goes on when the caller is gone: Kindly calls webhooks
// from its servers, whether the page is still open or not.
func (s *server) outlive(r *http.Request) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	stay := context.AfterFunc(r.Context(), func() {
		if s.left.Add(1) > maxLeft {
			cancel()
		}
	})
	return ctx, func() {
		if !stay() {
			s.left.Add(-1)
		}
		cancel()
	}
}
