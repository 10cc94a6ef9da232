package subject

import (
	"context"
	"net/url"
	"regexp"

	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// A body that somebody has read before is empty to who reads it next, or never comes.

// trySilence looks what a webhook waits for that does not answer: not for what it
// does with a request, if it answers what differs only in what is checked before.
// unsignedToo: an unsigned request is known to get no answer either.
func (h *Webhook) trySilence(ctx context.Context, st *Standing, unsignedToo bool) error {
	const read = "the body, which has been read before: who asks for it a second time waits for ever. Keep its bytes where they are read first (express.json's verify; in Starlette and FastAPI no await request.body() in a middleware that calls the route), and take the HMAC and the JSON from them."
	c := Call{}
	if st.Members() {
		c = Call{ChatID: st.Token.ChatID, Token: st.Token.Raw}
	}
	if h.Config.Secret != "" && !unsignedToo {
		unsigned := c
		unsigned.Unsigned = true
		ev, err := h.Call(trying(ctx, "RESP-STATUS"), "without a signature", unsigned)
		if err != nil {
			return err
		}
		if ev.Exchange.Response != nil {
			st.Fault.Beside = "without a signature it gets " + Describe(ev.Exchange) + " at once"
			st.Fault.Fix = "It checks the signature, and what comes next never ends. Mostly it waits for " + read + " Or for a database or a service that does not answer there."
			return nil
		}
	}
	empty := c
	empty.Body = func([]byte) ([]byte, error) { return nil, nil }
	ev, err := h.Call(trying(ctx, "RESP-STATUS"), "with an empty body", empty)
	if err != nil {
		return err
	}
	if ev.Exchange.Response != nil {
		st.Fault.Beside = "with an empty body it gets " + Describe(ev.Exchange) + " at once"
		st.Fault.Fix = "It waits for " + read
	}
	return nil
}

// tryEmptyBody looks whether the valid request gets the very answer that one without a
// body gets, and none that does not pass the check of the signature: then what checks
// that has read the body, and has left nothing of it.
func (h *Webhook) tryEmptyBody(ctx context.Context, st *Standing) error {
	if h.Config.Secret == "" {
		return nil
	}
	c := Call{}
	if st.Members() {
		c = Call{ChatID: st.Token.ChatID, Token: st.Token.Raw}
	}
	unsigned, empty := c, c
	unsigned.Unsigned = true
	empty.Body = func([]byte) ([]byte, error) { return nil, nil }
	first, err := h.Call(trying(ctx, "RESP-STATUS"), "without a signature", unsigned)
	if err != nil || !refusesSomebody(first) {
		return err
	}
	ev, err := h.Call(trying(ctx, "RESP-STATUS"), "with an empty body", empty)
	if err != nil || !alikeButForDigits(ev, st.Control()) {
		return err
	}
	r, err := h.Request(c)
	if err != nil {
		return err
	}
	withType("application/x-www-form-urlencoded")(&r)
	r.Body = []byte(url.Values{"message": {h.Message()}, "chat_id": {c.ChatID}}.Encode())
	webhook.SetSignature(r.Header, h.Config.Secret, r.Body)
	if form := h.Session.Do(trying(ctx, "RESP-STATUS"), "as a form", r); form.Exchange.Response == nil || !alikeButForDigits(form, st.Control()) {
		if h.AcceptableStatus(form) {
			st.Fault.Beside, st.Fault.Inferred = "a form with the message in it, signed rightly, is accepted", false
		}
		return nil
	}
	if namesInput.Match(st.Control().Exchange.Body()) { // it may have been read, and not as JSON
		return nil
	}
	st.Fault.Cause = "webhook-body-read-before"
	st.Fault.Inferred = true
	st.Fault.Beside = "an empty body and a form, signed rightly, get the same answer"
	return nil
}

// namesInput is what says which field of the body is missing.
var namesInput = regexp.MustCompile(`(?i)\b(?:message|chat_?id|user_?id|exchange)\b["' ]{0,3}(?:field )?(?:is|was|must|can't|cannot|may not|not)\b|(?:missing|required|no)\b[^{}]{0,20}\b(?:chat_?id|user_?id|exchange|message)\b`)

// alikeButForDigits says whether two answers are the same but for times and counters.
func alikeButForDigits(a, b Evidence) bool {
	plain := func(ev Evidence) string {
		return digits.ReplaceAllString(string(ev.Exchange.Body()[:min(len(ev.Exchange.Body()), 2048)]), "0")
	}
	return a.Exchange.Response != nil && a.Exchange.Status() == b.Exchange.Status() && plain(a) == plain(b)
}

var digits = regexp.MustCompile(`\d+`)
