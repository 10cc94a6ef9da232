package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/mockkindly"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/widget"
)

func (s *server) getScript(w http.ResponseWriter, r *http.Request) error {
	build := widget.Script
	if s.opts.Checks != nil {
		build = widget.Telling
	}
	serveScript(w, r, build(s.opts.Client))
	return nil
}

func (s *server) getPure(w http.ResponseWriter, r *http.Request) error {
	build := widget.Pure
	if s.opts.Checks != nil {
		build = widget.TellingPure
	}
	serveScript(w, r, build(s.opts.Client))
	return nil
}

func serveScript(w http.ResponseWriter, r *http.Request, script []byte) {
	w.Header().Set("Content-Type", widget.ContentType)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(script))
}

func (s *server) postClient(w http.ResponseWriter, r *http.Request) error {
	var c mockkindly.ClientReport
	if err := decodeWidget(w, r, &c); err != nil {
		return err
	}
	c, err := s.kindly.ReportClient(c)
	if err != nil {
		return err
	}
	return s.writeAdvice(w, c.Breaches())
}

func (s *server) postChat(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		BotKey string `json:"bot_key"`
		mockkindly.Web
	}
	if err := decodeWidget(w, r, &in); err != nil {
		return err
	}
	chat, err := s.kindly.CreateChat(in.BotKey, in.Web)
	if err != nil {
		return err
	}
	answer := createdJSON{ID: chat.ID, Created: chat.Created}
	if s.kindly.Faults().CallTwice {
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

func (s *server) postCallback(w http.ResponseWriter, r *http.Request) error {
	var in mockkindly.CallbackReport
	if err := decodeWidget(w, r, &in); err != nil {
		return err
	}
	if err := s.kindly.ReportCallback(r.PathValue("id"), in); err != nil {
		return err
	}
	return s.writeAdvice(w, in.Breaches())
}

func (s *server) postToken(w http.ResponseWriter, r *http.Request) error {
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
	switch in.Reason {
	case "":
		in.Reason = mockkindly.InitialConnect
	case mockkindly.InitialConnect, mockkindly.Expired:
	default:
		return inputErrorf("reason", "%q is neither %s nor %s", clip.Text(in.Reason, 64), mockkindly.InitialConnect, mockkindly.Expired)
	}
	id := r.PathValue("id")
	res, err := s.kindly.Authenticate(id, token.Raw(*in.Token), in.Reason)
	if err != nil {
		return err
	}
	chat, ok := s.kindly.Chat(id)
	if !ok {
		return mockkindly.ErrUnknownChat
	}
	if !res.Accepted() || res.Token == nil {
		p := refusal(res)
		p.Advice = s.advise(ofToken(res.Violations))
		return p
	}
	expires := res.Token.Expires()
	return writeJSON(w, http.StatusOK, authenticatedJSON{
		Authenticated: true, User: chat.User, Expires: expires, Violations: res.Violations,
		RenewInMS: s.renewIn(expires), Advice: s.advise(ofToken(res.Violations)),
	})
}

func (s *server) postMessage(w http.ResponseWriter, r *http.Request) error {
	m, err := decodeMessage(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	ctx, done := s.outlive(r)
	defer done()
	replies, err := s.kindly.Converse(ctx, id, m)
	if err != nil {
		return err
	}
	if replies == nil {
		replies = []mockkindly.Reply{}
	}
	return writeJSON(w, http.StatusOK, struct {
		Replies   []mockkindly.Reply `json:"replies"`
		RenewInMS int64              `json:"renew_in_ms,omitempty"`
		Advice    []advice           `json:"advice,omitempty"`
	}{replies, s.renewChat(id), s.advise(ofReplies(replies))})
}

// maxContext bounds the JSON of a message's context, in bytes.
const maxContext = 64 << 10

// decodeMessage looks at the length of a context before it is decoded.
func decodeMessage(w http.ResponseWriter, r *http.Request) (mockkindly.Message, error) {
	var in struct {
		Text    string          `json:"text"`
		Slug    string          `json:"slug"`
		Context json.RawMessage `json:"context"`
	}
	if err := decodeWidget(w, r, &in); err != nil {
		return mockkindly.Message{}, err
	}
	m := mockkindly.Message{Text: in.Text, Slug: in.Slug}
	if len(in.Context) > maxContext {
		return m, inputErrorf("context", "it has %d bytes, over %d", len(in.Context), maxContext)
	}
	if in.Context != nil && json.Unmarshal(in.Context, &m.Context) != nil {
		return m, inputErrorf("context", "not a JSON object")
	}
	return m, nil
}

// renewChat is renewIn for a chat whose client got its token before a fault was
// switched on, or before the mock was started anew: no store keeps tokens.
func (s *server) renewChat(id string) int64 {
	chat, ok := s.kindly.Chat(id)
	switch {
	case !ok || !chat.Authenticated:
		return 0
	case chat.Token == "":
		return 1 // at once; 0 would be never
	}
	return s.renewIn(chat.Expires)
}

type authenticatedJSON struct {
	Authenticated bool              `json:"authenticated"`
	User          mockkindly.User   `json:"user"`
	Expires       time.Time         `json:"expires"`
	Violations    []token.Violation `json:"violations,omitempty"` // for which Kindly does not refuse it
	RenewInMS     int64             `json:"renew_in_ms,omitempty"`
	Advice        []advice          `json:"advice,omitempty"`
}
