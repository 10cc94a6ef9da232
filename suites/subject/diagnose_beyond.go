package subject

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Where a valid request is refused: before the webhook, in its check of the token, or
// in what it does after that. The same request, spoiled or sent elsewhere, tells.

// tryForged looks whether a token that nobody signed is answered otherwise than the
// valid one, each of which is refused: then it is verified, and what fails comes after.
func (h *Webhook) tryForged(ctx context.Context, st *Standing) (bool, error) {
	control := st.Control()
	if h.Session.Options.Safe || len(st.Member) < 2 || !likeRefused(st.Member[0], st.Member[1]) {
		return false, nil
	}
	forged, err := h.Call(trying(ctx, "HOOK-VALID"), "with a token whose signature is spoiled", Call{ChatID: st.Token.ChatID, Token: spoiled(st.Token.Raw)})
	if err != nil || forged.Exchange.Response == nil || !turnedDown(forged) || forged.Exchange.Status() >= 500 || likeRefused(control, forged) {
		return false, err
	}
	cause := "webhook-refuses-valid-tokens"
	switch s := control.Exchange.Status(); {
	case s == http.StatusForbidden:
		cause = "webhook-wants-permission"
	case s == http.StatusNotFound, s == http.StatusGone:
		cause = "webhook-knows-no-such-user"
	case s >= 500:
		cause = "webhook-fails-after-verifying"
	}
	st.Fault = h.fault("HOOK-VALID", cause, control)
	st.Fault.Inferred = cause == "webhook-wants-permission" || cause == "webhook-knows-no-such-user"
	if m := said(messages, control.Exchange.Body()); m != nil && m.says == readsMissing && h.AcceptableStatus(st.Stranger[0]) {
		// It is the token's, of which the cause speaks: all else is in strangers' requests too.
		st.Fault.Fix = ""
	}
	st.Fault.Beside = fmt.Sprintf("with its signature spoiled it gets %s, so that it is verified", Describe(forged.Exchange))
	return true, nil
}

// spoiled is a token with another letter in its signature.
func spoiled(raw token.Raw) token.Raw {
	text := string(raw)
	i := strings.LastIndex(text, ".")
	i += (len(text) - i) / 2
	letter := "A"
	if text[i] == 'A' {
		letter = "B"
	}
	return token.Raw(text[:i] + letter + text[i+1:])
}

// tryGate looks whether a token is refused at a path that nobody serves, and nothing
// else is: then it is judged before the webhook.
func (h *Webhook) tryGate(ctx context.Context, st *Standing) bool {
	control := st.Control()
	if !refusesSomebody(control) || !h.AcceptableStatus(st.Stranger[0]) {
		return false
	}
	with, _ := elsewhere(control.Exchange.Request)
	without := with.Clone()
	without.Header.Del("Authorization")
	member := h.Session.Do(trying(ctx, "HOOK-VALID"), "with a token, to a path that can't be served", with)
	if !likeRefused(member, control) {
		return false
	}
	stranger := h.Session.Do(trying(ctx, "HOOK-VALID"), "without a token, to a path that can't be served", without)
	if stranger.Exchange.Response == nil || h.AcceptableStatus(stranger) || likeRefused(stranger, control) {
		return false
	}
	st.Fault = h.fault("HOOK-VALID", "gateway-takes-token", control)
	st.Fault.Who = "what judges tokens at whatever path, before the webhook"
	if st.Fault.Fix == "" {
		st.Fault.Fix = "Take the webhook's route out of what reads every Authorization header (a gateway's check of JWTs, a plugin, a middleware of the whole app): it judges Kindly's token by its own key and rules." + fixOpen
	}
	return true
}

// tryNowhere looks whether an empty answer is one that comes at any path, whoever asks
// for it and how: then no webhook has given it.
func (h *Webhook) tryNowhere(ctx context.Context, st *Standing) bool {
	empty := func(ev Evidence) bool {
		return h.AcceptableStatus(ev) && len(bytes.TrimSpace(ev.Exchange.Body())) == 0
	}
	control := st.Control()
	if control.Exchange.Status() != http.StatusOK || !empty(control) {
		return false
	}
	post, _ := elsewhere(control.Exchange.Request)
	post.Header = http.Header{"Content-Type": post.Header["Content-Type"]}
	get := post.Clone()
	get.Method, get.Body, get.Header = http.MethodGet, nil, http.Header{}
	for _, r := range []wire.Request{post, get} {
		if ev := h.Session.Do(trying(ctx, "RESP-STATUS"), "to a path that can't be served", r); !empty(ev) || ev.Exchange.Status() != control.Exchange.Status() {
			return false
		}
	}
	st.Fault = h.fault("RESP-STATUS", "webhook-not-found", control)
	st.Fault.Who = "what answers with nothing at any path, to POST and GET alike"
	st.Fault.Fix = "Let the server pass the webhook's path on to the app: what has no handler for a path (Caddy), or one that returns at once (nginx: return 200), answers with nothing, and so does a function that looks at no request."
	return true
}
