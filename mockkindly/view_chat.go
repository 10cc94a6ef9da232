package mockkindly

import (
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// summaryJSON is a chat in a list.
type summaryJSON struct {
	ID      string    `json:"id"`
	BotKey  string    `json:"bot_key"`
	UserID  string    `json:"user_id"`
	Created time.Time `json:"created"`
	Web
	Authenticated bool       `json:"authenticated"`
	User          *User      `json:"user,omitempty"`
	Expires       *time.Time `json:"expires,omitempty"`
	Refused       int        `json:"refused,omitempty"`
	Marked        bool       `json:"marked,omitempty"` // the token that was taken breaks a MUST
	Version       uint64     `json:"version"`
}

func (c Chat) summary() summaryJSON {
	v := summaryJSON{
		ID: c.ID, BotKey: c.BotKey, UserID: c.UserID, Created: c.Created, Web: c.Web,
		Authenticated: c.Authenticated, Refused: c.Refused, Version: c.Version,
	}
	if c.Authenticated {
		v.User, v.Expires = &c.User, &c.Expires
		v.Marked = slices.ContainsFunc(c.Marks, func(m token.Violation) bool { return m.Level == rule.Must })
	}
	return v
}

// chatJSON is all about a chat.
type chatJSON struct {
	summaryJSON
	Token    string         `json:"token,omitempty"`
	Domains  []string       `json:"webhook_domains,omitempty"`
	Context  map[string]any `json:"context"`
	Contacts []contactJSON  `json:"contacts"`
	// Marks are what the token breaks though it was taken.
	Marks    []violationJSON `json:"marks"`
	Refusals []refusalJSON   `json:"refusals"`
}

func (c Chat) json() chatJSON {
	v := chatJSON{
		summaryJSON: c.summary(), Domains: c.Domains, Context: c.Context,
		Contacts: []contactJSON{}, Marks: violationsJSON(c.Marks), Refusals: refusalsJSON(c.Refusals),
	}
	if c.Authenticated {
		v.Token, v.Contacts = c.Token.String(), c.User.contacts()
	}
	return v
}

// MarshalJSON leaves nothing out but the token's signature.
func (c Chat) MarshalJSON() ([]byte, error) { return marshal(c.json()) }

// lifeJSON is how long a token lives, by the mock's clock.
type lifeJSON struct {
	Issued  *time.Time `json:"issued,omitempty"`
	Expires time.Time  `json:"expires"`
	Seconds int64      `json:"seconds"` // that are left; negative when it has expired
	Expired bool       `json:"expired"`
}

func (c Chat) life(now time.Time) *lifeJSON {
	if !c.Authenticated {
		return nil
	}
	v := &lifeJSON{Expires: c.Expires, Expired: c.expired(now), Seconds: int64(c.Expires.Sub(now) / time.Second)}
	if !c.Issued.IsZero() {
		v.Issued = &c.Issued
	}
	return v
}

// contactJSON is a detail of a user, and whether Kindly stores it.
type contactJSON struct {
	Field       string `json:"field"` // email, phone_number
	Value       string `json:"value"`
	Verified    bool   `json:"verified"`
	Stored      bool   `json:"stored"`
	StoredValue string `json:"stored_value,omitempty"`
	Why         string `json:"why"`
}

// contacts are the address and the number of a user. Kindly shows them in any
// case, and stores them only if they are verified (documented).
func (u User) contacts() []contactJSON {
	out := []contactJSON{}
	for _, c := range []contactJSON{
		{Field: "email", Value: u.Email, Verified: u.EmailVerified, StoredValue: u.StoredEmail},
		{Field: "phone_number", Value: u.Phone, Verified: u.PhoneVerified, StoredValue: u.StoredPhone},
	} {
		if c.Value == "" && c.StoredValue == "" {
			continue
		}
		claim := c.Field + "_verified"
		c.Stored = c.Value != "" && c.Value == c.StoredValue
		switch {
		case c.Value == "":
			c.Why = "The last token does not tell it; an earlier one did, verified."
		case c.Verified:
			c.Why = claim + " is true: shown and stored."
		case c.Stored:
			c.Why = "Stored since an earlier token said that it is verified; " + claim + " is not true now."
		default:
			c.Why = claim + " is not true: shown, but not stored."
		}
		out = append(out, c)
	}
	return out
}

type refusalJSON struct {
	At         time.Time       `json:"at"`
	Reason     string          `json:"reason"`
	Violations []violationJSON `json:"violations"`
	Unjudged   []unjudgedJSON  `json:"unjudged"`
	OnPurpose  bool            `json:"on_purpose,omitempty"`
}

func refusalsJSON(rs []Refusal) []refusalJSON {
	out := make([]refusalJSON, len(rs))
	for i, r := range rs {
		out[i] = refusalJSON{r.At, r.Reason, violationsJSON(r.Violations), unjudgedOf(r.Unjudged), r.OnPurpose}
	}
	return out
}

type dialogueJSON struct {
	Slug     string   `json:"slug"`
	Phrases  []string `json:"phrases,omitempty"`
	Webhook  string   `json:"webhook,omitempty"`
	Fallback bool     `json:"fallback,omitempty"`
}

func dialoguesJSON(ds []Dialogue) []dialogueJSON {
	out := make([]dialogueJSON, len(ds))
	for i, d := range ds {
		out[i] = dialogueJSON{d.label(), d.Phrases, d.Webhook, d.Fallback}
	}
	return out
}

// dialogueReportJSON is both an event's and a reply's form.
type dialogueReportJSON struct {
	Slug    string    `json:"slug"`
	By      MatchedBy `json:"by"`
	Phrase  string    `json:"phrase,omitempty"`
	Webhook string    `json:"calls,omitempty"`
	webhook.Answer
	Bubbles []string `json:"bubbles,omitempty"`
}

// MarshalJSON adds the bubbles of the reply.
func (r DialogueReport) MarshalJSON() ([]byte, error) {
	return marshal(dialogueReportJSON{r.Slug, r.By, r.Phrase, r.Webhook, r.Answer, bubbles(r.Answer.Reply)})
}
