package mockkindly

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/widget"
)

// maxReport bounds each string that the widget reports about its page.
const maxReport = 2048

func (k *Kindly) getScript(w http.ResponseWriter, r *http.Request) error {
	serveScript(w, r, widget.Script())
	return nil
}

func (k *Kindly) getPure(w http.ResponseWriter, r *http.Request) error {
	serveScript(w, r, widget.Pure())
	return nil
}

func serveScript(w http.ResponseWriter, r *http.Request, script []byte) {
	w.Header().Set("Content-Type", widget.ContentType)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(script))
}

func (k *Kindly) postClient(w http.ResponseWriter, r *http.Request) error {
	var c ClientReport
	if err := decodeWidget(w, r, &c); err != nil {
		return err
	}
	c.BotKey = clip(c.BotKey, maxName)
	for _, s := range []*string{&c.Build, &c.ScriptID, &c.ScriptSrc, &c.Options, &c.Callback, &c.PageURL} {
		*s = clip(*s, maxReport)
	}
	c.ScriptSrc, c.PageURL = redact.URL(c.ScriptSrc), redact.URL(c.PageURL)
	if err := k.record(Event{Kind: ClientStarted, Bot: c.BotKey, Client: &c}, false); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (k *Kindly) postChat(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		BotKey string `json:"bot_key"`
		Web
	}
	if err := decodeWidget(w, r, &in); err != nil {
		return err
	}
	chat, err := k.CreateChat(in.BotKey, in.Web)
	if err != nil {
		return err
	}
	answer := createdJSON{ID: chat.ID, Created: chat.Created}
	if k.Faults().CallTwice {
		answer.Hints = &hintsJSON{CallTwice: true}
	}
	return writeJSON(w, http.StatusCreated, answer)
}

type createdJSON struct {
	ID      string     `json:"id"`
	Created time.Time  `json:"created"`
	Hints   *hintsJSON `json:"hints,omitempty"`
}

// hintsJSON is what faults ask of the widget.
type hintsJSON struct {
	CallTwice bool `json:"call_twice"`
}

func (k *Kindly) postCallback(w http.ResponseWriter, r *http.Request) error {
	var in CallbackReport
	if err := decodeWidget(w, r, &in); err != nil {
		return err
	}
	return k.reportCallback(w, r.PathValue("id"), in)
}

func (k *Kindly) reportCallback(w http.ResponseWriter, chatID string, c CallbackReport) error {
	kind := CallbackCalled
	if err := oneOf("phase", c.Phase, "called", "settled"); err != nil {
		return err
	}
	if err := oneOf("reason", c.Reason, InitialConnect, Expired); err != nil {
		return err
	}
	if c.Phase == "settled" {
		kind = CallbackSettled
		err := oneOf("outcome", c.Outcome, "token", "empty", "not-a-string", "threw", "rejected", "undefined")
		if err != nil {
			return err
		}
	} else {
		c = CallbackReport{Phase: c.Phase, Reason: c.Reason}
	}
	c.Type, c.Error = clip(c.Type, maxReport), clip(c.Error, maxReport)
	c.Length = max(0, c.Length)
	chat, ok := k.Chat(chatID)
	if !ok {
		return ErrUnknownChat
	}
	if err := k.record(Event{Kind: kind, Bot: chat.BotKey, Chat: chat.ID, Callback: &c}, false); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// milliseconds reads a page's measurement, which may be any number.
func milliseconds(ms float64) time.Duration {
	return time.Duration(math.Min(math.Max(ms, 0), 24*3600*1000)) * time.Millisecond
}

func (k *Kindly) postToken(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		// A pointer tells a missing token from an empty one.
		Token  *string `json:"token"`
		Reason string  `json:"reason"`
	}
	if err := decodeWidget(w, r, &in); err != nil {
		return err
	}
	if in.Token == nil {
		return inputErrorf("token", "missing; a chat without a token stays unauthenticated by itself")
	}
	id := r.PathValue("id")
	res, err := k.Authenticate(id, token.Raw(*in.Token), in.Reason)
	if err != nil {
		return err
	}
	chat, ok := k.Chat(id)
	if !ok {
		return ErrUnknownChat
	}
	if !taken(res) {
		return refusal(res)
	}
	expires := res.Token.Expires()
	return writeJSON(w, http.StatusOK, authenticatedJSON{
		Authenticated: true, User: chat.User, Expires: expires, Violations: violationsJSON(res.Violations),
		RenewInMS: k.renewIn(expires),
	})
}

func (k *Kindly) postMessage(w http.ResponseWriter, r *http.Request) error {
	m, err := decodeMessage(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	replies, err := k.talk(r.Context(), id, m)
	if err != nil {
		return err
	}
	body, err := marshalReplies(replies, k.renewChat(id))
	if err != nil {
		return err
	}
	writeBody(w, http.StatusOK, body)
	return nil
}

// marshalReplies hides in each webhook's reply what it may have learnt.
func marshalReplies(replies []reply, renewInMS int64) ([]byte, error) {
	views := make([]any, len(replies))
	for i, r := range replies {
		views[i] = r.dialogue
		if r.delivery == nil {
			continue
		}
		text, err := r.delivery.marshal(r.delivery.widgetReply())
		if err != nil {
			return nil, err
		}
		views[i] = json.RawMessage(text)
	}
	return marshal(struct {
		Replies   []any `json:"replies"`
		RenewInMS int64 `json:"renew_in_ms,omitempty"`
	}{views, renewInMS})
}

// decodeMessage looks at the length of a context before it is decoded.
func decodeMessage(w http.ResponseWriter, r *http.Request) (Message, error) {
	var in struct {
		Text    string          `json:"text"`
		Slug    string          `json:"slug"`
		Context json.RawMessage `json:"context"`
	}
	if err := decodeWidget(w, r, &in); err != nil {
		return Message{}, err
	}
	m := Message{Text: in.Text, Slug: in.Slug}
	if len(in.Context) > maxContext {
		return m, inputErrorf("context", "it has %d bytes, over %d", len(in.Context), maxContext)
	}
	if in.Context != nil && json.Unmarshal(in.Context, &m.Context) != nil {
		return m, inputErrorf("context", "not a JSON object")
	}
	return m, nil
}

// renewChat is renewIn for a chat whose client got its token before a fault was
// switched on.
func (k *Kindly) renewChat(id string) int64 {
	chat, ok := k.Chat(id)
	if !ok || !chat.Authenticated {
		return 0
	}
	return k.renewIn(chat.Expires)
}
