package browser

import (
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/network"
	"github.com/kindlytest/kindlytest/internal/clip"
)

// What comes and goes while a connection stays open: events of an EventSource, and
// texts of a WebSocket. They are part of its Request, as they come.

// maxStreamed bounds what is kept of each side of a connection, in bytes.
const maxStreamed = 128 << 10

// opcodeText is that of a WebSocket's text (RFC 6455, 5.2).
const opcodeText = 1

// streams takes the events of open connections. They are no sign that the page is
// busy: many never pause.
func (r *recorder) streams(targetType, method string, params jsonv2.Value) {
	switch method {
	case network.EventSourceMessageReceived.Method:
		quietly(r, params, r.streamed)
	case network.WebSocketCreated.Method:
		quietly(r, params, func(ev network.EventWebSocketCreated) { r.socketMade(targetType, ev) })
	case network.WebSocketWillSendHandshakeRequest.Method:
		quietly(r, params, func(ev network.EventWebSocketWillSendHandshakeRequest) {
			if h := r.chains[ev.RequestID].last(); h != nil && ev.Request != nil {
				h.req.Header = httpHeader(ev.Request.Headers)
			}
		})
	case network.WebSocketHandshakeResponseReceived.Method:
		quietly(r, params, func(ev network.EventWebSocketHandshakeResponseReceived) {
			if h := r.chains[ev.RequestID].last(); h != nil && ev.Response != nil {
				h.req.Status, h.req.ResponseHeader = int(ev.Response.Status), httpHeader(ev.Response.Headers)
				if len(ev.Response.RequestHeaders) > 0 { // as they went out, with cookies
					h.req.Header = httpHeader(ev.Response.RequestHeaders)
				}
			}
		})
	case network.WebSocketFrameSent.Method:
		quietly(r, params, func(ev network.EventWebSocketFrameSent) {
			r.frame(ev.RequestID, ev.Response, func(q *Request) *[]byte { return &q.Body })
		})
	case network.WebSocketFrameReceived.Method:
		quietly(r, params, func(ev network.EventWebSocketFrameReceived) {
			r.frame(ev.RequestID, ev.Response, func(q *Request) *[]byte { return &q.ResponseBody })
		})
	}
}

// quietly is on, for what is no sign that the page is busy.
func quietly[E any](r *recorder, params jsonv2.Value, f func(E)) {
	ev, ok := decodeEvent[E](params)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f(ev)
}

func (r *recorder) socketMade(targetType string, ev network.EventWebSocketCreated) {
	if r.chains[ev.RequestID].last() != nil {
		return
	}
	initiator := Initiator{}
	if i := ev.Initiator; i != nil {
		initiator = initiatorOf(i)
	}
	h := &hop{seen: time.Now(), noExtra: true, req: Request{
		Initiator: initiator,
		ID:        string(ev.RequestID), Method: "GET", URL: clip.Text(ev.URL, maxURL), ResourceType: string(network.ResourceTypeWebSocket),
		Started: time.Now(), Kindly: isKindlyURL(ev.URL), Target: targetType,
	}}
	r.record(ev.RequestID, h)
}

// frame adds a text to one side of a WebSocket, a line each.
func (r *recorder) frame(id network.RequestID, f *network.WebSocketFrame, side func(*Request) *[]byte) {
	h := r.chains[id].last()
	if h == nil || f == nil || f.Opcode != opcodeText {
		return
	}
	r.add(h, side(&h.req), string(f.PayloadData)+"\n")
}

// streamed keeps an event of an EventSource, as it came on the wire.
func (r *recorder) streamed(ev network.EventEventSourceMessageReceived) {
	h := r.chains[ev.RequestID].last()
	if h == nil {
		return
	}
	event := ""
	if ev.EventName != "" && ev.EventName != "message" {
		event = "event: " + ev.EventName + "\n"
	}
	r.add(h, &h.req.ResponseBody, event+"data: "+strings.ReplaceAll(ev.Data, "\n", "\ndata: ")+"\n\n")
}

// add lengthens a body, within its bounds. Records that were given away keep what
// they have.
func (r *recorder) add(h *hop, to *[]byte, text string) {
	if len(*to)+len(text) > maxStreamed {
		h.req.BodyTruncated = true
		return
	}
	*to = append(slices.Clip(*to), r.keep([]byte(text), h)...)
}
