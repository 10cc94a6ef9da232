package mockkindly

import (
	"encoding/json"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// chatState is what the store keeps of a chat: all but the token, which is a
// credential.
type chatState struct {
	ID, BotKey, UserID string
	Web                Web
	Created            time.Time
	Authenticated      bool
	User               User
	Expires, Issued    time.Time
	Domains            []string
	Marks              []violationJSON
	Refused            int
	Refusals           []refusalJSON
	Context            map[string]any
}

func encodeChat(c Chat) ([]byte, error) {
	return marshal(chatState{
		c.ID, c.BotKey, c.UserID, c.Web, c.Created, c.Authenticated, c.User,
		c.Expires, c.Issued, c.Domains, violationsJSON(c.Marks), c.Refused, refusalsJSON(c.Refusals), c.Context,
	})
}

func decodeChat(text []byte) (*Chat, error) {
	var s chatState
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	c := &Chat{
		ID: s.ID, BotKey: s.BotKey, UserID: s.UserID, Web: s.Web, Created: s.Created,
		Authenticated: s.Authenticated, User: s.User, Expires: s.Expires, Issued: s.Issued,
		Domains: s.Domains, Marks: violationsFrom(s.Marks), Refused: s.Refused, Context: s.Context,
	}
	if c.Context == nil {
		c.Context = map[string]any{}
	}
	for _, r := range s.Refusals {
		c.Refusals = append(c.Refusals, Refusal{
			At: r.At, Reason: r.Reason, OnPurpose: r.OnPurpose,
			Violations: violationsFrom(r.Violations), Unjudged: unjudgedFrom(r.Unjudged),
		})
	}
	return c, nil
}

// openStore takes over what an earlier process left.
func (k *Kindly) openStore() error {
	if k.opts.Store == nil {
		return nil
	}
	_, _, ever, err := k.opts.Store.Span()
	if err != nil {
		return &StoreError{err}
	}
	k.journal.last = ever
	k.journal.disk = &disk{store: k.opts.Store, chat: k.storedChat}
	return k.restore()
}

func violationsFrom(vs []violationJSON) []token.Violation {
	out := make([]token.Violation, len(vs))
	for i, v := range vs {
		out[i] = v.violation()
	}
	return out
}

func unjudgedFrom(us []unjudgedJSON) []token.Unjudged {
	out := make([]token.Unjudged, len(us))
	for i, u := range us {
		out[i].Rule.ID, out[i].Reason = u.ID, u.Reason
	}
	return out
}
