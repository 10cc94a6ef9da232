package subject

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/service"
)

// Why a webhook refuses the valid request: the known mistakes are tried, one
// request each. What is accepted names the mistake, and becomes the control of
// the other checks, as if the mistake were mended.

// A repair is what a webhook is known to expect differently from what Kindly
// sends.
type repair struct {
	signature *forge.SignatureMistake
	token     *forge.TokenMistake
	transport transport
	// envelope: its answers stand in others.
	envelope bool
	// ownChats: what it answers depends on what was said in the chat before.
	ownChats bool
}

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

const (
	fixBearer      = `Take what stands behind "Bearer " in Authorization: header.split(" ")[1], and verify that.`
	fixRequestChat = "Compare the token's chat.id with chat_id of the request's body: Kindly names it so."
)

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

// diagnose finds out why the valid request is not accepted, and works around it
// where it can.
func (h *Webhook) diagnose(ctx context.Context, st *Standing) error {
	ev := st.Control()
	switch status := ev.Exchange.Status(); {
	case st.Members() && h.Config.Authenticated != nil && status == 200: // it is answered, but not as the target says
		st.Fault = h.fault("HOOK-VALID", "", ev)
		return nil
	case ev.Exchange.Err != nil:
		st.Fault = h.fault("RESP-STATUS", silence(ev), ev)
		if st.Members() && h.AcceptableStatus(st.Stranger[0]) { // it is the token on which it is silent
			st.Fault = h.fault("HOOK-VALID", "webhook-fails-on-tokens", ev)
		}
		st.Silent = true
		return nil
	case h.tryFronts(st), h.tryBrowser(ctx, st):
		return nil
	case service.Gateway(status) && h.AcceptableStatus(st.Stranger[0]): // nobody is there for members alone
		st.Fault = h.fault("FWD-DELIVERED", "", ev)
		return nil
	case service.Gateway(status):
		st.Fault = h.fault("RESP-STATUS", "gateway-without-service", ev)
		return nil
	case status >= 300 && status < 400:
		return h.tryTransports(ctx, st, Fault{Check: "FWD-REDIRECT", Cause: "webhook-redirects"})
	case IsPage(ev.Exchange) && status < 300:
		st.Fault = h.fault("RESP-JSON", "webhook-answers-a-page", ev)
		return nil
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusUnsupportedMediaType, status == http.StatusNotAcceptable:
		if h.AcceptableStatus(st.Stranger[0]) {
			break // it is the token that it does not find
		}
		if err := h.tryTransports(ctx, st, Fault{Check: "RESP-STATUS"}); err != nil || st.Transport != nil {
			return err
		}
		return h.tryElsewhere(ctx, st)
	}
	if err := h.trySignatures(ctx, st); err != nil || st.Fault == nil && st.Signature != nil && h.accepted(*st) {
		return err
	}
	if st.Fault != nil {
		return nil
	}
	return h.tryTokens(ctx, st)
}

// silence is the cause of an answer that breaks off, or that does not come.
func silence(ev Evidence) string {
	if ev.Killed != nil {
		return "process-dies"
	}
	switch ev.Exchange.Kind() {
	case wire.KindReset:
		return "webhook-hangs-up"
	case wire.KindTimeout:
		return "webhook-silent"
	case wire.KindOther:
		return "webhook-speaks-otherwise"
	}
	return ""
}

// fault is why the valid request is not accepted: ev is how it is answered.
func (h *Webhook) fault(check, cause string, ev Evidence) *Fault {
	return &Fault{Check: check, Cause: cause, What: "the valid request gets " + Describe(ev.Exchange), Seen: ev}
}

// trying is the context of a request that looks for a mistake, for the check that
// speaks of it. It is no plain request: a service that dies of it is not lost for
// all that is.
func trying(ctx context.Context, check string) context.Context {
	return service.WithRunning(ctx, &service.Running{Rule: rule.Rule{ID: check}})
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

// again asks anew, now that a mistake is worked around.
func (h *Webhook) again(ctx context.Context, st *Standing) error {
	unrepaired := st.Unrepaired
	if err := h.sampleBoth(ctx, st); err != nil {
		return err
	}
	st.Unrepaired = unrepaired
	if !h.accepted(*st) {
		st.Fault = h.fault("HOOK-VALID", "", st.Control())
	}
	return nil
}

// trySignatures looks for the signature that the webhook expects, if its answers
// leave it possible that it is the signature that it refuses.
func (h *Webhook) trySignatures(ctx context.Context, st *Standing) error {
	if h.Config.Secret == "" || h.AcceptableStatus(st.Stranger[0]) {
		return nil
	}
	unsigned, err := h.Call(trying(ctx, "SIG-MISSING"), "without a signature", Call{Unsigned: true})
	if err != nil {
		return err
	}
	mistakes := forge.SignatureMistakes()
	var past *forge.SignatureMistake // with it, the request is refused for something else
	var beyond Evidence
	calls := []Call{{}}
	if st.Members() {
		calls = []Call{{ChatID: st.Token.ChatID, Token: st.Token.Raw}, {}}
	}
	for _, c := range calls {
		twin := unsigned // what the same request gets without a signature
		if c.Token != "" {
			bare := c
			bare.Unsigned = true
			if twin, err = h.Call(trying(ctx, "SIG-MISSING"), "without a signature, with a valid token", bare); err != nil {
				return err
			}
		}
		for i := range mistakes {
			r, err := h.Request(c)
			if err != nil {
				return err
			}
			ev, tried := h.resign(ctx, r, &mistakes[i])
			switch {
			case !tried:
			case h.AcceptableStatus(ev):
				return h.mendSignature(ctx, st, &mistakes[i], ev)
			case past == nil && refusesSomebody(twin) && likeRefused(st.Stranger[0], unsigned) && getsPast(ev, twin):
				if again, _ := h.resign(ctx, r, &mistakes[i]); getsPast(again, twin) {
					past, beyond = &mistakes[i], again
				}
			}
		}
	}
	if past != nil {
		return h.mendSignature(ctx, st, past, beyond)
	}
	if likeRefused(st.Stranger[0], unsigned) {
		// A signed stranger is refused as one who has not signed at all.
		if refused := st.Control().Exchange.Status(); refused >= 400 && refused == st.Stranger[0].Exchange.Status() && sameBody(st.Control(), st.Stranger[0]) {
			cause := "hmac-refused"
			if refused >= 500 {
				cause = "webhook-fails-on-everything"
			}
			st.Fault = h.fault("SIG-VALID", cause, st.Control())
			if len(st.Control().Exchange.Body()) == 0 && refused < 500 {
				st.Fault.Fix = "An answer without a word is mostly none of the webhook's: a platform wants a key of its own (Azure Functions: ?code=… in the URL, or authLevel anonymous), or a framework a login (Spring Security: permitAll for the path, and no CSRF check). If it is the webhook: compare the two secrets, and log what it computes."
			}
			return h.tryLabels(ctx, st)
		}
		return nil
	}
	if s := st.Stranger[0].Exchange.Status(); s >= 500 && unsigned.Exchange.Status() < 500 && unsigned.Exchange.Err == nil {
		st.Fault = h.fault("SIG-VALID", "hmac-check-throws", st.Control())
	}
	return nil
}

// tryLabels looks for the headers in which the webhook would find the signature and
// its algorithm: who reads others than Kindly sends refuses everybody.
func (h *Webhook) tryLabels(ctx context.Context, st *Standing) error {
	var c Call
	if st.Members() {
		c = Call{ChatID: st.Token.ChatID, Token: st.Token.Raw}
	}
	plain, err := h.Request(c)
	if err != nil {
		return err
	}
	send := func(name string, labels ...forge.Label) (Evidence, bool) {
		r := plain.Clone()
		for _, l := range labels {
			l.Set(r.Header)
		}
		ev := h.Session.Do(trying(ctx, "SIG-VALID"), "with "+name, r)
		return ev, h.AcceptableStatus(ev)
	}
	for _, group := range forge.Labels(h.Config.Secret, plain.Body) {
		if len(group) > 1 {
			if _, taken := send("the signature in other headers", group...); !taken {
				continue
			}
		}
		for _, l := range group {
			if ev, taken := send(l.Name, l); taken {
				st.Fault.Cause, st.Fault.Instead = l.ID, &Mended{Cause: l.ID, Name: l.Name, Fix: l.Fix, Seen: ev}
				return nil
			}
		}
	}
	return nil
}

// getsPast says whether an answer shows that its signature was believed, where an
// unsigned request is refused: it fails for another reason.
func getsPast(ev, unsigned Evidence) bool {
	return ev.Exchange.Response != nil && ev.Exchange.Status() != unsigned.Exchange.Status() && !service.Limited(ev) && !service.Gateway(ev.Exchange.Status())
}

// mendSignature signs as the webhook expects it from now on.
func (h *Webhook) mendSignature(ctx context.Context, st *Standing, m *forge.SignatureMistake, ev Evidence) error {
	h.repair.signature = m
	st.Signature = &Mended{Cause: m.ID, Name: m.Name, Fix: m.Fix, Seen: ev}
	unrepaired := st.Unrepaired
	if err := h.sampleBoth(ctx, st); err != nil {
		return err
	}
	if st.Unrepaired = unrepaired; !h.accepted(*st) {
		return h.tryTokens(ctx, st)
	}
	return nil
}

// tryTokens looks for the token that the webhook expects.
func (h *Webhook) tryTokens(ctx context.Context, st *Standing) error {
	if !st.Members() || st.Member[0].Exchange.Status() == st.Stranger[0].Exchange.Status() && !refusesSomebody(st.Stranger[0]) {
		cause := ""
		switch s := st.Control().Exchange.Status(); {
		case s >= 500 && st.Stranger[0].Exchange.Status() >= 500:
			cause = "webhook-fails-on-everything"
		case s == http.StatusBadRequest, s == http.StatusUnprocessableEntity:
			cause = "webhook-misses-input"
		}
		st.Fault = h.fault("RESP-STATUS", cause, st.Control())
		return nil
	}
	if found, err := h.tryCarriages(ctx, st); found || err != nil {
		return err
	}
	if h.Session.Target.PrivateKey != nil {
		mistakes := forge.TokenMistakes(forge.Known{URL: h.Config.URL, Secret: h.Config.Secret, Issuer: issuerOf(st.Token)})
		for i := range mistakes {
			m := &mistakes[i]
			if m.MaxClaim > 0 && len(st.Token.Raw) < longToken {
				continue
			}
			p, err := h.Session.Mint(h.Session.NewChatID(), *m)
			if err != nil {
				return err
			}
			ev, err := h.Call(trying(ctx, "HOOK-VALID"), "with "+m.Name, Call{ChatID: p.ChatID, Token: p.Raw})
			if err != nil {
				return err
			}
			if !h.Acceptable(ev) {
				continue
			}
			mended := &Mended{Cause: m.ID, Name: m.Name, Fix: m.Fix, Seen: ev}
			if m.Otherwise() {
				st.Fault = h.fault("HOOK-VALID", m.ID, st.Control())
				st.Fault.Instead = mended
				return nil
			}
			h.repair.token, st.TokenRepair = m, mended
			return h.again(ctx, st)
		}
	}
	if len(st.Token.Raw) >= longToken && h.AcceptableStatus(st.Stranger[0]) {
		st.Fault = h.fault("TOK-SIZE", "token-too-large", st.Control())
		return nil
	}
	if st.Token.Rung == Minted && st.Control().Exchange.Status() < 500 {
		st.Fault = h.fault("HOOK-VALID", "", st.Control())
		st.Fault.What = "a token that was made with the private key alone gets " + Describe(st.Control().Exchange) + ", which may be due to its claims (sub, iss)"
		st.Fault.Uncertain = true
		return nil
	}
	cause := ""
	switch {
	case st.Control().Exchange.Status() >= 500 && h.AcceptableStatus(st.Stranger[0]):
		cause = "webhook-fails-on-tokens"
	case likeRefused(st.Control(), st.Stranger[0]):
		cause = "webhook-refuses-everybody"
	}
	st.Fault = h.fault("HOOK-VALID", cause, st.Control())
	return nil
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

// knows says whether an answer, and another one to the same request, are not those
// that strangers get: a webhook that finds no token takes whoever asks for one.
func (h *Webhook) knows(ctx context.Context, st *Standing, ev Evidence) bool {
	if !h.AcceptableStatus(st.Stranger[0]) {
		return true
	}
	again := h.Session.Do(trying(ctx, "HOOK-VALID"), "once more", ev.Exchange.Request)
	return differs([]wire.Exchange{ev.Exchange, again.Exchange}, exchanges(st.Stranger))
}

func issuerOf(p ChatToken) string {
	if p.Result.Token == nil {
		return ""
	}
	return p.Result.Token.Issuer()
}

// longToken is where servers begin to refuse a header for its length, in bytes.
const longToken = 7000

// refusesSomebody says whether an answer turns somebody away for who they are.
func refusesSomebody(ev Evidence) bool {
	s := ev.Exchange.Status()
	return s == http.StatusUnauthorized || s == http.StatusForbidden
}

// likeRefused says whether two refusals are the same one.
func likeRefused(a, b Evidence) bool {
	return a.Exchange.Status() == b.Exchange.Status() && sameBody(a, b)
}

// sameBody compares bodies by their first bytes: ids and times come later.
func sameBody(a, b Evidence) bool {
	const enough = 40
	x, y := a.Exchange.Body(), b.Exchange.Body()
	return bytes.Equal(x[:min(enough, len(x))], y[:min(enough, len(y))])
}

// bodies is how many different bodies are signed before anything is said of the
// signature: a digest that is written in base64url differs in some only.
const bodies = 10

// signedBodies looks whether different bodies are answered alike. Where some are
// refused, the mistake by which those are accepted is looked for.
func (h *Webhook) signedBodies(ctx context.Context, st *Standing) error {
	if h.Config.Secret == "" {
		return nil
	}
	answers, err := h.SignedBodies(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(answers, func(ev Evidence) bool { return !h.AcceptableStatus(ev) })
	if i < 0 || !slices.ContainsFunc(answers, h.AcceptableStatus) {
		return nil // all alike
	}
	mistakes := forge.SignatureMistakes()
	for j := range mistakes {
		ev, tried := h.resign(ctx, answers[i].Exchange.Request, &mistakes[j])
		if tried && h.AcceptableStatus(ev) {
			return h.mendSignature(ctx, st, &mistakes[j], ev)
		}
	}
	return nil
}

// resign sends a request once more, signed by a mistake; not where that is what
// was sent already.
func (h *Webhook) resign(ctx context.Context, r wire.Request, m *forge.SignatureMistake) (Evidence, bool) {
	value := m.Sign(h.Config.Secret, r.URL, r.Body)
	if sent, _ := webhook.Signature(r.Header); value == "" || value == sent || value == webhook.Sign(h.Config.Secret, r.Body) {
		return Evidence{}, false
	}
	r = r.Clone()
	r.Header[webhook.HeaderHMAC] = []string{value}
	return h.Session.Do(trying(ctx, "SIG-VALID"), "with "+m.Name, r), true
}

// SignedBodies are the answers to different bodies, each signed as Kindly signs:
// of a stranger, or of a member where strangers are turned away.
func (h *Webhook) SignedBodies(ctx context.Context) ([]Evidence, error) {
	return h.bodies.Get(func() ([]Evidence, error) {
		var out []Evidence
		for _, member := range []bool{false, true} {
			var c Call
			if member {
				tok, err := h.Witness(h.Session.Base)
				if err != nil {
					break
				}
				c = Call{ChatID: tok.ChatID, Token: tok.Raw}
			}
			out = make([]Evidence, bodies)
			err := h.Session.Each(bodies, func(i int) error {
				r, err := h.Request(c)
				if err != nil {
					return err
				}
				webhook.SetSignature(r.Header, h.Config.Secret, r.Body)
				out[i] = h.Session.Do(h.Session.Base, "another body", r)
				return nil
			})
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(out, h.AcceptableStatus) {
				break
			}
		}
		return out, nil
	})
}
