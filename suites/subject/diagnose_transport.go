package subject

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// What a webhook expects of the request around message and token.

// A transport is another way to send the same request.
type transport struct {
	name, cause, fix string
	change           func(*wire.Request)
}

func (t transport) apply(r *wire.Request) {
	if t.change != nil {
		t.change(r)
	}
}

// transports are the ways in which a webhook may want to be called, the likeliest
// first.
var transports = []transport{
	{"a slash at the end of the URL", "webhook-wants-slash", "Register the URL as the webhook is served: with a slash at its end.", onPath(func(p string) string { return p + "/" })},
	{"no slash at the end of the URL", "webhook-wants-no-slash", "Register the URL as the webhook is served: without a slash at its end.", onPath(func(p string) string { return strings.TrimSuffix(p, "/") })},
	{"Content-Type: application/json; charset=utf-8", "webhook-wants-content-type", "Take application/json, with or without a charset.", withType("application/json; charset=utf-8")},
	{"Accept: application/json", "webhook-wants-accept", "Answer JSON whatever Accept says: Kindly may not send it.", func(r *wire.Request) { r.Header.Set("Accept", "application/json") }},
}

// tokenCarriages are the ways in which a webhook may look for what Kindly sends to
// tell who asks, the likeliest first.
var tokenCarriages = []transport{
	{"the token without Bearer before it", "webhook-misreads-bearer", fixBearer, withAuthorization(strings.TrimSpace)},
	{"the token right behind Bearer, without a space", "webhook-misreads-bearer", fixBearer, withAuthorization(func(t string) string { return "Bearer" + t })},
	{"the token behind JWT instead of Bearer", "webhook-misreads-bearer", fixBearer, withAuthorization(func(t string) string { return "JWT " + t })},
	{"the token behind Token instead of Bearer", "webhook-misreads-bearer", fixBearer, withAuthorization(func(t string) string { return "Token " + t })},
	{"the request's chat id under the name chatId", "webhook-misses-chat", fixRequestChat, withChatAs("chatId")},
	{"the request's chat id in chat.id", "webhook-misses-chat", fixRequestChat, withChatAs("chat")},
}

func withAuthorization(write func(token string) string) func(*wire.Request) {
	return func(r *wire.Request) {
		if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			r.Header.Set("Authorization", write(token))
		}
	}
}

// withChatAs names the chat once more in the body.
func withChatAs(member string) func(*wire.Request) {
	return func(r *wire.Request) {
		var p struct {
			ChatID json.RawMessage `json:"chat_id"`
		}
		if json.Unmarshal(r.Body, &p) != nil || p.ChatID == nil {
			return
		}
		value := []byte(p.ChatID)
		if member == "chat" {
			value = []byte(`{"id":` + string(value) + `}`)
		}
		if body, err := forge.With(r.Body, member, value); err == nil {
			r.Body = body
		}
	}
}

func onPath(change func(string) string) func(*wire.Request) {
	edit := func(raw string) string {
		u, err := url.Parse(raw)
		if err != nil || raw == "" {
			return raw
		}
		if path := change(u.Path); path != "" {
			u.Path, u.RawPath = path, ""
		}
		return u.String()
	}
	return func(r *wire.Request) { r.URL, r.ConnectTo = edit(r.URL), edit(r.ConnectTo) }
}

func withType(contentType string) func(*wire.Request) {
	return func(r *wire.Request) { r.Header["Content-Type"] = []string{contentType} }
}

func (h *Webhook) tryTransports(ctx context.Context, st *Standing, f Fault) error {
	c := Call{ChatID: st.Token.ChatID, Token: st.Token.Raw}
	for _, t := range transports {
		plain, err := h.Request(c)
		if err != nil {
			return err
		}
		changed := plain.Clone()
		if t.apply(&changed); changed.URL == plain.URL && changed.ConnectTo == plain.ConnectTo && sameHeader(changed.Header, plain.Header) {
			continue
		}
		ev := h.Session.Do(trying(ctx, f.Check), "with "+t.name, changed)
		if !h.Acceptable(ev) {
			continue
		}
		h.repair.transport = t
		st.Transport = &Mended{Cause: t.cause, Name: t.name, Fix: t.fix, Seen: ev}
		return h.again(ctx, st)
	}
	st.Fault = h.fault(f.Check, f.Cause, st.Control())
	return nil
}

// tryElsewhere says of a webhook that is not found whether anything is served there
// at all, and for which method.
func (h *Webhook) tryElsewhere(ctx context.Context, st *Standing) error {
	switch ev := st.Control(); ev.Exchange.Status() {
	case http.StatusMethodNotAllowed:
		st.Fault.Cause = "webhook-takes-no-post"
		if allow := ev.Exchange.Response.Header.Get("Allow"); allow != "" {
			st.Fault.Fix = "Let the webhook's path take POST; it takes " + Bound(allow, 60) + "."
		}
	case http.StatusNotFound:
		if h.servesNobody(ctx, st) {
			st.Fault.Cause, st.Fault.Seen = "webhook-not-found", ev
			st.Fault.Who = "what answers at any path there"
		}
	}
	return nil
}

func sameHeader(a, b http.Header) bool {
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// tryCarriages looks for the place at which the webhook would find the token, or
// the chat that it compares the token with.
func (h *Webhook) tryCarriages(ctx context.Context, st *Standing) (bool, error) {
	before := h.repair.transport
	for _, t := range tokenCarriages {
		h.repair.transport = transport{change: func(r *wire.Request) { before.apply(r); t.apply(r) }}
		ev, err := h.Call(trying(ctx, "HOOK-VALID"), "with "+t.name, Call{ChatID: st.Token.ChatID, Token: st.Token.Raw})
		if err != nil {
			return false, err
		}
		if h.Acceptable(ev) && h.knows(ctx, st, ev) {
			st.TokenRepair = &Mended{Cause: t.cause, Name: t.name, Fix: t.fix, Seen: ev}
			return true, h.again(ctx, st)
		}
	}
	h.repair.transport = before
	return false, nil
}
