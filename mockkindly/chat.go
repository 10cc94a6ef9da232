package mockkindly

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// Bounds of what a chat collects, and of all chats. Decoded, JSON can take
// thirty times the memory that its text does, so that both are looked at.
const (
	maxContext       = 64 << 10 // bytes of JSON
	maxContextMemory = 1 << 20  // bytes, see jsonSize
	defaultChatBytes = 64 << 20 // bytes, of all chats
)

// putChat puts a chat on the queue. The lock is held.
func (k *Kindly) putChat(c *Chat) {
	k.stamp(c)
	k.chats.put(c.ID, c)
	k.chats.resize(c.ID, c.size())
}

// stamp notes that a chat is another than before. The lock is held.
func (k *Kindly) stamp(c *Chat) {
	k.state.Version++
	c.Version = k.state.Version
}

// Web is where a chat takes place. Host, Path and URL are for web clients only.
type Web struct {
	Source webhook.Source `json:"source"` // web if empty
	Host   string         `json:"web_host,omitempty"`
	Path   string         `json:"web_path,omitempty"`
	URL    string         `json:"web_url,omitempty"`
}

// A Chat is one visitor's conversation: a snapshot, which does not change when
// the chat does. Its Context is shared with the mock: read it only.
type Chat struct {
	ID      string    `json:"id"` // a UUID; getAuthToken is called with it
	BotKey  string    `json:"bot_key"`
	UserID  string    `json:"user_id"` // the visitor's, before and after authentication; a UUID
	Created time.Time `json:"created"`
	Version uint64    `json:"version"` // of the mock's State at the chat's last change
	Web

	// Authenticated says that a token was accepted. User, Token and Expires are
	// of the last one that was; a token refused later does not take them away
	// (assumed). After Expires the token is no longer forwarded.
	Authenticated bool      `json:"authenticated"`
	User          User      `json:"user,omitzero"`
	Token         token.Raw `json:"-"`               // a credential
	Issued        time.Time `json:"issued,omitzero"` // zero if the token does not tell
	Expires       time.Time `json:"expires,omitzero"`
	Domains       []string  `json:"webhook_domains,omitempty"` // chat.webhook_domains of the token
	// Marks are the rules that Token breaks though Kindly took it: it is unsafe,
	// or shown wrongly.
	Marks []token.Violation `json:"marks"`

	// Refused counts the tokens that were refused, and Refusals are the last of
	// them, the newest first.
	Refused  int       `json:"refused,omitempty"`
	Refusals []Refusal `json:"refusals"`

	// Context is what the chat has collected: from the page, and from the
	// new_context of webhooks.
	Context map[string]any `json:"context"`
}

// MarshalJSON leaves the token out. Stores keep a chat so.
func (c Chat) MarshalJSON() ([]byte, error) {
	type plain Chat
	return redact.JSON(plain(c))
}

// A Refusal is why a token was not accepted.
type Refusal struct {
	At         time.Time         `json:"at"`
	Reason     string            `json:"reason"` // why the token came: INITIAL_CONNECT, EXPIRED, FORWARDED
	Violations []token.Violation `json:"violations"`
	Unjudged   []token.Unjudged  `json:"unjudged"`
	OnPurpose  bool              `json:"on_purpose,omitempty"` // the fault RefuseTokens was on
}

// maxRefusals bounds how many a chat remembers.
const maxRefusals = 5

func (c *Chat) refuse(r Refusal) {
	kept := c.Refusals[:min(len(c.Refusals), maxRefusals-1)]
	c.Refusals = append([]Refusal{r}, kept...) // snapshots keep theirs
	c.Refused++
}

// User is what the Inbox shows of an authenticated user. Kindly shows an
// address or number whether verified or not, but stores it only if verified.
type User struct {
	Subject       string `json:"sub"`
	Name          string `json:"name,omitempty"`
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified"`
	Phone         string `json:"phone_number,omitempty"`
	PhoneVerified bool   `json:"phone_number_verified"`
	Picture       string `json:"picture,omitempty"`

	// StoredEmail and StoredPhone are what stays with the user: the last
	// verified ones that this subject came with in this chat.
	StoredEmail string `json:"stored_email,omitempty"`
	StoredPhone string `json:"stored_phone_number,omitempty"`
}

// userOf is the user that a token tells of, to whom before was shown earlier.
func userOf(t *token.Token, before User) User {
	u := User{
		Subject: t.Subject(), Name: t.Name(), Picture: t.Picture(),
		Email: t.Email(), EmailVerified: t.EmailVerified(),
		Phone: t.Phone(), PhoneVerified: t.PhoneVerified(),
	}
	if before.Subject == u.Subject {
		u.StoredEmail, u.StoredPhone = before.StoredEmail, before.StoredPhone
	}
	if u.EmailVerified && u.Email != "" {
		u.StoredEmail = u.Email
	}
	if u.PhoneVerified && u.Phone != "" {
		u.StoredPhone = u.Phone
	}
	return u
}

// CreateChat starts a chat of the bot with that key, as the widget does when a
// page loads it. It fails with ErrUnknownBot, or an *InputError for a source
// that Kindly does not have. Credentials in the page's URL are left out.
func (k *Kindly) CreateChat(botKey string, w Web) (Chat, error) {
	if w.Source == "" {
		w.Source = webhook.SourceWeb
	}
	if err := oneOf("source", w.Source, webhook.Sources()...); err != nil {
		return Chat{}, err
	}
	w.Host, w.Path, w.URL = clip.Text(w.Host, maxName), redact.URL(clip.Text(w.Path, maxURL)), redact.URL(clip.Text(w.URL, maxURL))
	return k.createChat(&Chat{BotKey: botKey, Web: w})
}

// createChat keeps a chat and journals it. It gets the IDs that it lacks.
func (k *Kindly) createChat(c *Chat) (Chat, error) {
	c.Created, c.Context = k.opts.Now(), map[string]any{}
	c.Marks, c.Refusals = []token.Violation{}, []Refusal{} // lists, also in JSON
	for _, id := range []*string{&c.ID, &c.UserID} {
		if *id != "" {
			continue
		}
		var err error
		if *id, err = k.ids.uuid(); err != nil {
			return Chat{}, err
		}
	}
	if err := k.keep(c); err != nil {
		return Chat{}, err
	}
	if err := k.record(Event{Kind: ChatCreated, Bot: c.BotKey, Chat: c.ID}, true); err != nil {
		return Chat{}, err
	}
	return *c, nil
}

// keep puts a new chat on the queue, if its bot is known.
func (k *Kindly) keep(c *Chat) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return ErrClosed
	}
	if _, ok := k.bot(c.BotKey); !ok {
		return fmt.Errorf("making a chat: %w %q", ErrUnknownBot, clip.Text(c.BotKey, maxName))
	}
	stored := *c // the caller's is a snapshot
	k.putChat(&stored)
	return nil
}

// Chat returns a chat by its ID.
func (k *Kindly) Chat(id string) (Chat, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.chats.get(id)
	if !ok {
		return Chat{}, false
	}
	return *c, true
}

// Chats returns up to n chats, the newest first; all if n is 0.
func (k *Kindly) Chats(n int) []Chat {
	k.mu.Lock()
	defer k.mu.Unlock()
	newest := k.chats.newest(n)
	out := make([]Chat, len(newest))
	for i, c := range newest {
		out[i] = *c
	}
	return out
}

// ChatsBefore returns up to n chats that were made before the one with the ID,
// the newest first, or the newest of all if there is no such chat; and how many
// there are in all.
func (k *Kindly) ChatsBefore(id string, n int) (chats []Chat, total int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.chats.before(id, n) {
		chats = append(chats, *c)
	}
	return chats, k.chats.len()
}

// chatAndBot returns a chat and its bot.
func (k *Kindly) chatAndBot(id string) (Chat, Bot, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return Chat{}, Bot{}, ErrClosed
	}
	c, ok := k.chats.get(id)
	if !ok {
		return Chat{}, Bot{}, ErrUnknownChat
	}
	b, ok := k.bot(c.BotKey)
	if !ok { // replaced by newer bots
		return Chat{}, Bot{}, ErrUnknownBot
	}
	return *c, b, nil
}

// change applies f to a chat, if it is still there. f must not call k.
func (k *Kindly) change(id string, f func(*Chat)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.chats.get(id)
	if !ok {
		return ErrUnknownChat
	}
	f(c)
	k.stamp(c)
	k.chats.resize(id, c.size())
	return nil
}

// collect merges what a page or a webhook adds into the chat's context, key by
// key. Maps of earlier snapshots stay as they are.
func (k *Kindly) collect(id string, added map[string]any) error {
	if len(added) == 0 {
		return nil
	}
	var failed error
	err := k.change(id, func(c *Chat) {
		merged := maps.Clone(c.Context)
		maps.Copy(merged, added)
		text, err := json.Marshal(merged)
		switch {
		case err != nil:
			failed = inputErrorf("context", "no JSON: %v", err)
		case len(text) > maxContext:
			failed = inputErrorf("context", "the chat's context would grow to %d bytes, over %d: left as it was", len(text), maxContext)
		case jsonSize(merged) > maxContextMemory:
			failed = inputErrorf("context", "the chat's context would hold too many values (%d KB in memory, over %d KB): left as it was",
				jsonSize(merged)>>10, maxContextMemory>>10)
		default:
			c.Context = merged
		}
	})
	if err != nil {
		return err
	}
	return failed
}
