package browser

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/keyscan"
)

// A chain is the hops of one request. The events that tell what was really on
// the wire ("extra info") come from another process than the rest, one for each
// hop, in order among themselves, before or after the hop that they belong to.
type chain struct {
	hops     []*hop
	requests []network.EventRequestWillBeSentExtraInfo // waiting for their hop
	answers  []network.EventResponseReceivedExtraInfo
}

type hop struct {
	req        Request
	began      float64   // Chrome's monotonic seconds
	seen       time.Time // when we were told of it, and of its answer
	answeredAt time.Time
	hasRequest bool // extra info came
	hasAnswer  bool
	noExtra    bool // none will come: answered from a cache, or here
	reading    bool // Chrome is asked for its body
	part       bool // of what the page consists of
}

// extraOf is the chain that extra info is for, which may come first.
func (r *recorder) extraOf(id network.RequestID) *chain {
	c := r.chains[id]
	if c == nil && r.waiting < maxRequests {
		c = &chain{}
		r.chains[id] = c
		r.waiting++
	}
	return c
}

func (c *chain) last() *hop {
	if c == nil || len(c.hops) == 0 {
		return nil
	}
	return c.hops[len(c.hops)-1]
}

func (r *recorder) requestSent(s *session, targetType string, ev network.EventRequestWillBeSent) {
	if ev.Request == nil {
		return
	}
	if before := r.chains[ev.RequestID].last(); before != nil {
		if ev.RedirectResponse == nil {
			return // told by a second session
		}
		before.respond(ev.RedirectResponse, ev.RedirectHasExtraInfo)
		r.end(before, ev.Timestamp.Float64())
	}
	h := &hop{seen: time.Now(), began: ev.Timestamp.Float64(), req: newRequest(targetType, ev)}
	if !r.record(ev.RequestID, h) {
		return
	}
	if !endless(ev.Type) {
		r.open[h] = true
	}
	if r.isMain(h) {
		r.navigated(ev, h)
	}
	if ev.Request.HasPostData && h.req.Body == nil {
		r.ask(func(ctx context.Context) { r.fetchPostData(ctx, s, h) })
	}
	r.chains[ev.RequestID].join()
}

// A budget is how many requests, and bytes of bodies, are still taken into the record.
type budget struct{ requests, bytes int }

// budgetOf is the one of requests like it.
func (r *recorder) budgetOf(h *hop) *budget {
	if h.part {
		return &r.parts
	}
	return &r.others
}

// record takes a request into the record, if there is room for one like it. id is that of
// its chain; "" if it has none.
func (r *recorder) record(id network.RequestID, h *hop) bool {
	h.part = isPart(network.ResourceType(h.req.ResourceType))
	room, c := r.budgetOf(h), r.chains[id]
	if c != nil && len(c.hops) == 0 {
		r.waiting--
	}
	if room.requests <= 0 {
		if r.missed++; c != nil && len(c.hops) == 0 {
			delete(r.chains, id)
		}
		return false
	}
	room.requests--
	r.hops = append(r.hops, h)
	if id == "" {
		return true
	}
	if c == nil {
		c = &chain{}
		r.chains[id] = c
	}
	c.hops = append(c.hops, h)
	return true
}

// isPart says whether a request is for what a page consists of.
func isPart(t network.ResourceType) bool {
	switch t {
	case network.ResourceTypeScript, network.ResourceTypeStylesheet, network.ResourceTypeImage, network.ResourceTypeFont, network.ResourceTypeMedia:
		return true
	}
	return false
}

// endless are requests that a page holds open.
func endless(t network.ResourceType) bool {
	return t == network.ResourceTypeEventSource || t == network.ResourceTypeWebSocket
}

func newRequest(targetType string, ev network.EventRequestWillBeSent) Request {
	q := Request{
		ID: string(ev.RequestID), Method: ev.Request.Method, URL: clip.Text(ev.Request.URL+ev.Request.URLFragment, maxURL),
		ResourceType: string(ev.Type), Header: httpHeader(ev.Request.Headers),
		Started: unixTime(ev.WallTime.Float64()), Kindly: isKindlyURL(ev.Request.URL),
		Frame: string(ev.FrameID), Target: targetType, Document: string(ev.LoaderID),
	}
	q.Body = joinEntries(ev.Request.PostDataEntries)
	if len(q.Body) > maxBody {
		q.Body, q.BodyTruncated = q.Body[:maxBody], true
	}
	if i := ev.Initiator; i != nil {
		q.Initiator = initiatorOf(i)
	}
	return q
}

func joinEntries(entries []*network.PostDataEntry) []byte {
	var body []byte
	for _, e := range entries {
		if e != nil {
			body = append(body, e.Bytes...)
		}
	}
	return body
}

// join hands waiting extra info to the hops.
func (c *chain) join() {
	for _, h := range c.hops {
		if !h.hasRequest && !h.noExtra && len(c.requests) > 0 {
			h.req.Header, h.hasRequest = httpHeader(c.requests[0].Headers), true
			h.req.Withheld = withheld(c.requests[0].AssociatedCookies)
			c.requests = c.requests[1:]
		}
		if !h.hasAnswer && !h.noExtra && len(c.answers) > 0 {
			h.req.ResponseHeader, h.hasAnswer = httpHeader(c.answers[0].Headers), true
			h.req.Refused = append(refused(c.answers[0].BlockedCookies), stillborn(h.req.ResponseHeader, time.Now())...)
			h.req.Status = int(c.answers[0].StatusCode)
			c.answers = c.answers[1:]
		}
	}
}

// maxKeptBack is of how many cookies of a request it is told that they were kept back.
const maxKeptBack = 50

func withheld(all []*network.AssociatedCookie) []KeptBack {
	var out []KeptBack
	for _, c := range all {
		if c != nil && c.Cookie != nil && len(c.BlockedReasons) > 0 && len(out) < maxKeptBack {
			out = append(out, keptBack(c.Cookie.Name, c.BlockedReasons))
		}
	}
	return out
}

func refused(all []*network.BlockedSetCookieWithReason) []KeptBack {
	var out []KeptBack
	for _, c := range all {
		if c != nil && len(out) < maxKeptBack {
			name, _, _ := strings.Cut(c.CookieLine, "=") // there is no cookie where its line could not be read
			if c.Cookie != nil {
				name = c.Cookie.Name
			}
			out = append(out, keptBack(strings.TrimSpace(name), c.BlockedReasons))
		}
	}
	return out
}

// endsAtOnce is why a cookie is gone that a browser takes: its life is over when it comes.
const endsAtOnce = "EndsAtOnce"

// stillborn are the cookies that an answer sets with a value and without a life. One
// without a value is deleted, as it should be.
func stillborn(h http.Header, now time.Time) []KeptBack {
	var out []KeptBack
	for _, lines := range h.Values("Set-Cookie") {
		for line := range strings.SplitSeq(lines, "\n") { // Chrome puts several into one
			c, err := http.ParseSetCookie(line)
			if err != nil || c.Value == "" || strings.EqualFold(c.Value, "deleted") || len(out) == maxKeptBack {
				continue
			}
			if ends := c.MaxAge == 0 && !c.Expires.IsZero() && c.Expires.Before(now); ends || c.MaxAge < 0 {
				out = append(out, keptBack(c.Name, []string{endsAtOnce}))
			}
		}
	}
	return out
}

func keptBack[R ~string](name string, reasons []R) KeptBack {
	k := KeptBack{Name: clip.Text(name, 200)}
	for _, r := range reasons {
		k.Reasons = append(k.Reasons, string(r))
	}
	return k
}

const maxWaitingExtra = 32

func (r *recorder) requestExtra(ev network.EventRequestWillBeSentExtraInfo) {
	if c := r.extraOf(ev.RequestID); c != nil && len(c.requests) < maxWaitingExtra {
		c.requests = append(c.requests, ev)
		c.join()
	}
}

func (r *recorder) responseExtra(ev network.EventResponseReceivedExtraInfo) {
	if c := r.extraOf(ev.RequestID); c != nil && len(c.answers) < maxWaitingExtra {
		c.answers = append(c.answers, ev)
		c.join()
	}
}

func (h *hop) respond(res *network.Response, hasExtra bool) {
	h.noExtra = !hasExtra && !h.hasRequest && !h.hasAnswer
	h.req.FromCache = res.FromDiskCache || res.FromPrefetchCache
	if h.hasAnswer {
		return // what was on the wire counts: this may be a 200 made of a 304
	}
	h.req.Status = int(res.Status)
	h.req.ResponseHeader = httpHeader(res.Headers)
	if len(res.RequestHeaders) > 0 && !h.hasRequest {
		h.req.Header = httpHeader(res.RequestHeaders)
	}
}

func (r *recorder) responseReceived(ev network.EventResponseReceived) {
	h := r.chains[ev.RequestID].last()
	if h == nil || ev.Response == nil {
		return
	}
	h.respond(ev.Response, ev.HasExtraInfo)
	h.answeredAt = time.Now()
	if ev.Type != "" {
		h.req.ResourceType = string(ev.Type)
	}
	if r.isMain(h) {
		r.nav.Status, r.nav.Header = int(ev.Response.Status), httpHeader(ev.Response.Headers)
	}
}

// end notes the end of a hop, at Chrome's monotonic time.
func (r *recorder) end(h *hop, at float64) {
	h.req.Duration = max(time.Duration((at-h.began)*float64(time.Second)), 1)
	delete(r.open, h)
}

func (r *recorder) finished(s *session, ev network.EventLoadingFinished) {
	h := r.chains[ev.RequestID].last()
	if h == nil {
		return
	}
	r.end(h, ev.Timestamp.Float64())
	if !isText(h.req) {
		return
	}
	h.req.Unread = true
	if r.budgetOf(h).bytes > 0 {
		h.reading = true
		r.ask(func(ctx context.Context) { r.fetchBody(ctx, s, h) })
	}
}

func (r *recorder) failed(ev network.EventLoadingFailed) {
	h := r.chains[ev.RequestID].last()
	if h == nil {
		return
	}
	r.end(h, ev.Timestamp.Float64())
	if ev.Canceled && (h.req.Status == http.StatusNoContent || h.req.Status == http.StatusResetContent) {
		return // Chrome's way to say that there is no body to load
	}
	h.req.Error, h.req.BlockedReason = clip.Text(ev.ErrorText, maxText), string(ev.BlockedReason)
	if ev.CorsErrorStatus != nil {
		h.req.CORSError = string(ev.CorsErrorStatus.CorsError)
	}
	if h.req.Error == "" {
		h.req.Error = "failed"
	}
	if r.isMain(h) {
		r.nav.Error = h.req.Error
	}
}

// isMain reports whether a hop is for the page's own document.
func (r *recorder) isMain(h *hop) bool {
	return h.req.ResourceType == string(network.ResourceTypeDocument) && h.req.Frame == r.main && h.req.Target == "page"
}

func (r *recorder) navigated(ev network.EventRequestWillBeSent, h *hop) {
	redirects := []string(nil)
	if ev.RedirectResponse != nil && len(r.nav.Redirects) < 50 {
		redirects = append(r.nav.Redirects, r.nav.URL)
	}
	r.nav = Navigation{URL: h.req.URL, Redirects: redirects}
}

// isText reports whether the body of a response is worth keeping: it may hold a token or a key.
func isText(q Request) bool {
	if q.Kindly || q.Status == 204 || q.Status == 304 || q.Status >= 300 && q.Status < 400 {
		return false // what Kindly's side says is known here
	}
	mediaType, _, _ := strings.Cut(strings.ToLower(q.ResponseHeader.Get("Content-Type")), ";")
	mediaType = strings.TrimSpace(mediaType)
	if strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "+json") || strings.HasSuffix(mediaType, "+xml") {
		return true
	}
	if mediaType == "" { // servers forget it
		return slices.Contains([]string{"Fetch", "XHR", "Document", "Script"}, q.ResourceType)
	}
	// Scripts are answered in any format of their own (gRPC-Web, MessagePack, octets).
	if slices.Contains([]string{"Fetch", "XHR"}, q.ResourceType) && !slices.ContainsFunc(seenOrHeard, func(kind string) bool { return strings.HasPrefix(mediaType, kind) }) {
		return true
	}
	return slices.Contains([]string{"application/json", "application/javascript", "application/x-javascript", "application/ecmascript",
		"application/xml", "application/jwt", "application/jose", "application/x-ndjson", "application/x-pem-file", "application/x-www-form-urlencoded", "application/manifest+json"}, mediaType)
}

// seenOrHeard are the kinds of media that hold no text.
var seenOrHeard = []string{"image/", "audio/", "video/", "font/", "model/", "application/wasm", "application/zip", "application/pdf"}

// fetchBody asks for a response body. Chrome may have dropped it (a document
// that was left, a body beyond its buffer): then there is none.
func (r *recorder) fetchBody(ctx context.Context, s *session, h *hop) {
	got, err := call(ctx, s, network.GetResponseBody, network.GetResponseBodyParams{RequestID: network.RequestID(h.req.ID)})
	leaks := err == nil && keyscan.Holds(got.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	h.reading = false
	if err != nil {
		return
	}
	h.req.PrivateKey, h.req.Unread = leaks, false
	h.req.ResponseBody = r.keep(got.Body, h)
}

func (r *recorder) fetchPostData(ctx context.Context, s *session, h *hop) {
	got, err := call(ctx, s, network.GetRequestPostData, network.GetRequestPostDataParams{RequestID: network.RequestID(h.req.ID)})
	if err != nil {
		return // a stream or files
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h.req.Body = r.keep(got.PostData, h)
}

// keep cuts a body to what the bounds leave.
func (r *recorder) keep(body []byte, h *hop) []byte {
	left := &r.budgetOf(h).bytes
	if room := max(0, min(maxBody, *left)); len(body) > room {
		body, h.req.BodyTruncated = slices.Clone(body[:room]), true
	}
	*left -= len(body)
	return body
}

func initiatorOf(i *network.Initiator) Initiator {
	out := Initiator{Type: string(i.Type), URL: i.URL}
	if i.URL != "" {
		out.Line = int(i.LineNumber) + 1
	} else if top := topFrame(i.Stack); top != nil {
		out.URL, out.Line = top.URL, int(top.LineNumber)+1
	}
	out.URL = clip.Text(out.URL, maxURL)
	return out
}
