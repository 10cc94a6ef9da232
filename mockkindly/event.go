package mockkindly

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// A Kind is what an event is about.
type Kind string

const (
	ClientStarted    Kind = "client.started"    // Client: a page loaded the widget
	ChatCreated      Kind = "chat.created"      //
	CallbackCalled   Kind = "callback.called"   // Callback: getAuthToken was called
	CallbackSettled  Kind = "callback.settled"  // Callback: it returned, or failed
	TokenAccepted    Kind = "token.accepted"    // Token
	TokenRefused     Kind = "token.refused"     // Token
	MessageReceived  Kind = "message.received"  // Message: the visitor wrote
	DialogueMatched  Kind = "dialogue.matched"  // Dialogue: only of a bot that has dialogues
	WebhookDelivered Kind = "webhook.delivered" // Delivery: answered, with whatever status
	WebhookFailed    Kind = "webhook.failed"    // Delivery: no answer
)

// kinds are all kinds of events.
var kinds = []Kind{
	ClientStarted, ChatCreated, CallbackCalled, CallbackSettled, TokenAccepted, TokenRefused,
	MessageReceived, DialogueMatched, WebhookDelivered, WebhookFailed,
}

// Kinds returns all kinds of events.
func Kinds() []Kind { return slices.Clone(kinds) }

// An Event is one entry of the journal. Of the pointers, the one that Kind
// names is set. Marshalled as JSON it holds no credential.
type Event struct {
	Seq  uint64    `json:"seq"` // from 1, without gaps
	At   time.Time `json:"at"`
	Kind Kind      `json:"kind"`
	Bot  string    `json:"bot,omitempty"`  // key
	Chat string    `json:"chat,omitempty"` // ID

	Client   *ClientReport   `json:"client,omitempty"`
	Callback *CallbackReport `json:"callback,omitempty"`
	Token    *TokenReport    `json:"token,omitempty"`
	Message  *Message        `json:"message,omitempty"`
	Delivery *Delivery       `json:"delivery,omitempty"`
	Dialogue *DialogueReport `json:"dialogue,omitempty"`

	size   int // bytes, roughly
	redact *redact.Redactor
}

// A ClientReport is what the widget saw of its page when it started. Two from
// one page mean that the page loaded it twice.
type ClientReport struct {
	BotKey    string `json:"bot_key"`    // data-bot-key; may be empty or unknown
	Build     string `json:"build"`      // kindly-chat or kindly-chat-pure
	ScriptID  string `json:"script_id"`  // of the script element; kindly-chat in Kindly's snippet
	ScriptSrc string `json:"script_src"` //
	Options   string `json:"options"`    // kindlyOptions, kindlySettings, both or none
	Callback  string `json:"callback"`   // typeof getAuthToken, or null
	PageURL   string `json:"page_url"`
	// WantedKey is the key that it should have, where it has another one.
	WantedKey string `json:"wanted_key,omitempty"`
}

// A CallbackReport is one step of a call of getAuthToken. It never holds the token.
type CallbackReport struct {
	Phase  string `json:"phase"`  // called, settled
	Reason string `json:"reason"` // INITIAL_CONNECT, EXPIRED

	// The rest is for the phase settled.
	Outcome string        `json:"outcome,omitempty"` // token, empty, not-a-string, threw, rejected, undefined
	Sync    bool          `json:"sync"`              // returned a value, not a promise
	Elapsed time.Duration `json:"-"`                 // elapsed_ms in JSON
	Type    string        `json:"type,omitempty"`    // typeof what came
	Error   string        `json:"error,omitempty"`   // its message
	Length  int           `json:"length,omitempty"`  // of the token, in characters; over a million, it was not handed over
}

// A TokenReport is a token and what was found about it.
type TokenReport struct {
	Reason    string // why it came: INITIAL_CONNECT, EXPIRED
	Raw       token.Raw
	Result    token.Result
	Accepted  bool
	Truncated bool // the journal's copy of Raw was cut, and Result.Token left out
	Repeated  bool // it is the token that the chat has already
	OnPurpose bool // it was refused by the fault RefuseTokens

	shown string // Raw's printed form, of a report that was read back
}

// A Message is what the visitor wrote.
type Message struct {
	Text string `json:"text"`
	// Slug triggers a dialogue, as a button does; Text may then be empty.
	Slug string `json:"slug,omitempty"`
	// Context is merged into what the chat has collected. At most 64 KiB of JSON.
	Context map[string]any `json:"context,omitempty"`
	// Truncated says that the journal's copy of Text was cut.
	Truncated bool `json:"truncated,omitempty"`
}

// bounded returns e in the form in which it is kept: long parts are cut, in
// copies, and its size is known.
func (e Event) bounded() Event {
	switch {
	case e.Token != nil:
		t := e.Token.bounded()
		e.Token = &t
	case e.Message != nil:
		m := e.Message.bounded()
		e.Message = &m
	case e.Delivery != nil:
		d := e.Delivery.bounded()
		e.Delivery = &d
	}
	e.size = e.measure()
	return e
}

func (t TokenReport) bounded() TokenReport {
	if len(t.Raw) > maxJournalBody {
		t.Raw, t.Truncated = token.Raw(strings.Clone(string(t.Raw[:maxJournalBody]))), true
		t.Result.Token = nil
	}
	return t
}

// bounded leaves the context out: the chat keeps it.
func (m Message) bounded() Message {
	m.Context, m.Slug = nil, clip.Text(m.Slug, maxName)
	if len(m.Text) > maxJournalBody {
		m.Text, m.Truncated = clip.Text(m.Text, maxJournalBody), true
	}
	return m
}

// bounded cuts both bodies. An answer whose body was cut is left out: it is
// of the body's size.
func (d Delivery) bounded() Delivery {
	if b := d.Exchange.Request.Body; len(b) > maxJournalBody {
		d.Exchange.Request.Body, d.Truncated = bytes.Clone(b[:maxJournalBody]), true
	}
	if r := d.Exchange.Response; r != nil && len(r.Body) > maxJournalBody {
		cut := *r
		cut.Body, cut.Truncated = bytes.Clone(r.Body[:maxJournalBody]), true
		d.Exchange.Response, d.Truncated = &cut, true
		d.Answer, d.Bubbles = webhook.Answer{}, nil
	}
	return d
}
