package browser

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A Record is what a page did so far. Its entries are in the order in which they
// began. What a page may fill is bounded: the first entries are kept.
type Record struct {
	Navigation Navigation
	Requests   []Request
	Console    []ConsoleEntry
	Exceptions []Exception
	CSP        []CSPViolation
	Dialogs    []Dialog
	Windows    int // that the page has tried to open: none is there for long
	Dropped    int // entries beyond the bounds, but for requests
	Missed     int // requests beyond the bounds
}

// The bounds of a record.
const (
	maxRequests   = 2000 // that are not of parts
	maxParts      = 8000 // scripts, styles, images: a development server has thousands
	maxConsole    = 1000
	maxExceptions = 200
	maxCSP        = 200
	maxURL        = 8 << 10
	maxHeaders    = 64 << 10 // of one message
	maxText       = 16 << 10 // of one console entry or exception
	maxBody       = 1 << 20
	maxBodies     = 32 << 20 // all bodies of a page's parts; and all of its other requests
)

// A Navigation is how the document that is shown (or was last tried) came.
type Navigation struct {
	URL       string // of the last response, or what was asked for
	Status    int    // 0 if there was no response
	Header    http.Header
	Redirects []string // URLs that redirected, in order
	Error     string   // why there is no document: "net::ERR_CONNECTION_REFUSED"
}

// A Request is one request on the wire; a redirect makes another. Headers are
// those really sent and received, with Cookie, Origin and Set-Cookie, except for
// requests answered here, which are on no wire. It holds credentials: its
// printed form does not.
type Request struct {
	ID             string // the browser's; the hops of a redirect share it
	Method, URL    string // Method is empty where the Content-Security-Policy forbade a script's request
	ResourceType   string // of DevTools: "Document", "Script", "Fetch", "XHR", "Preflight", …
	Header         http.Header
	Body           []byte // at most 1 MB
	Status         int    // 0 if there was no response
	ResponseHeader http.Header
	ResponseBody   []byte // of text, JSON, JavaScript and the like; at most 1 MB
	BodyTruncated  bool   // either body was longer
	Unread         bool   // the response body is text, and was not seen: not yet, or Chrome has dropped it
	PrivateKey     bool   // the response body holds one, also beyond what is kept of it
	Error          string // "net::ERR_FAILED"; empty while it runs and if it ended well
	CORSError      string // of DevTools: "MissingAllowOriginHeader", …
	BlockedReason  string // of DevTools: "csp", "mixed-content", "inspector", …
	Started        time.Time
	Duration       time.Duration // 0 while it runs
	Initiator      Initiator
	FromCache      bool
	Kindly         bool // it was for one of Kindly's hosts
	// Withheld are cookies that the browser has for the URL and did not send, and
	// Refused those of the answer that it did not store.
	Withheld, Refused []KeptBack
	Frame             string // the frame's ID; empty for workers
	Target            string // "page", "iframe" (of another site), "worker", "service_worker", …
	Document          string // the ID of the document that made it: a page that goes elsewhere has others
}

// A KeptBack is a cookie that did not go the way it was meant to.
type KeptBack struct {
	Name    string
	Reasons []string // of DevTools: "SameSiteLax", "SameSiteNoneInsecure", …; or "EndsAtOnce"
}

// String says it in words.
func (k KeptBack) String() string {
	return fmt.Sprintf("the browser did not take the cookie %s (%s)", k.Name, strings.Join(k.Reasons, ", "))
}

// String is method, URL without its query, and what became of it.
func (r Request) String() string {
	s := fmt.Sprintf("%s %s %d", r.Method, withoutQuery(r.URL), r.Status)
	if r.Error != "" {
		s += " " + r.Error
	}
	if r.BlockedReason != "" {
		s += " (" + r.BlockedReason + ")"
	}
	return s
}

// GoString is String.
func (r Request) GoString() string { return r.String() }

// An Initiator is what made a request.
type Initiator struct {
	Type string // of DevTools: "parser", "script", "preflight", "other", …
	URL  string // of the document or script
	Line int    // from 1; 0 if unknown
}

// A ConsoleEntry is a line of the page's console.
type ConsoleEntry struct {
	Level  string // "log", "debug", "info", "warning", "error", …
	Source string // "console-api", or of DevTools' log: "network", "security", "javascript", …
	Text   string // arguments joined by spaces; objects as JSON
	URL    string // of the script that wrote it, or of the resource it is about
	Line   int    // from 1; 0 if unknown
	At     time.Time
	Kindly bool // URL is of one of Kindly's hosts
}

// An Exception is an uncaught exception or an unhandled rejection. A rejection
// that is handled later is taken back, as in Chrome's console.
type Exception struct {
	Text      string // with the stack, as Chrome prints it
	URL       string // of the script
	Line      int    // from 1
	Rejection bool   // of a promise
	At        time.Time
	Kindly    bool // URL is of one of Kindly's hosts
	id        int64
}

// A CSPViolation is something that the Content-Security-Policy forbade.
type CSPViolation struct {
	Directive  string // the one that counted: "script-src-elem"
	BlockedURL string // empty for inline code, eval and the like
	Kind       string // of DevTools: "kURLViolation", "kInlineViolation", "kEvalViolation", …
	ReportOnly bool   // it was only reported
	SourceURL  string // the code that did it
	Line       int    // from 1; 0 if unknown
}

// Record returns what was seen so far. It waits for nothing; see Settle.
func (p *Page) Record() Record { return p.record.snapshot() }

func (r *recorder) snapshot() Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := Record{
		Navigation: r.nav.clone(),
		Exceptions: slices.Clone(r.exceptions),
		CSP:        slices.Clone(r.csp),
		Dialogs:    slices.Clone(r.dialogs),
		Windows:    r.windows,
		Dropped:    r.dropped,
		Missed:     r.missed,
	}
	for _, e := range r.console {
		out.Console = append(out.Console, *e)
	}
	for _, h := range r.hops {
		q := h.req
		q.Header, q.ResponseHeader = q.Header.Clone(), q.ResponseHeader.Clone()
		q.Body, q.ResponseBody = slices.Clone(q.Body), slices.Clone(q.ResponseBody)
		out.Requests = append(out.Requests, q)
	}
	return out
}

func (n Navigation) clone() Navigation {
	n.Header, n.Redirects = n.Header.Clone(), slices.Clone(n.Redirects)
	return n
}

// isKindlyURL reports whether a URL is of one of Kindly's hosts, or one of
// those that a mock Kindly on this machine has: a page on a laptop may load the
// chat client from there.
func isKindlyURL(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && (KindlyHost(u.Hostname()) || isMockURL(u) || u.Path == probePath)
}

// MockClient reports whether a URL is that of the chat client as a mock Kindly
// on this machine serves it. The client, and what it calls there, are answered
// by the handler given to Visit, as Kindly's own hosts are.
func MockClient(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && wire.LoopbackHost(u.Hostname()) && (u.Path == "/kindly-chat.js" || u.Path == "/kindly-chat-pure.js")
}

func isMockURL(u *url.URL) bool {
	return wire.LoopbackHost(u.Hostname()) && (u.Path == "/kindly-chat.js" || u.Path == "/kindly-chat-pure.js" || strings.HasPrefix(u.Path, "/mock/v1/"))
}

// unixTime is the time of a number of seconds since 1970. It is bounded, since
// pages choose the expiry of cookies.
func unixTime(seconds float64) time.Time {
	const year9999 = 253402300799
	seconds = max(0, min(seconds, year9999))
	whole := int64(seconds)
	return time.Unix(whole, int64((seconds-float64(whole))*1e9)).UTC()
}
