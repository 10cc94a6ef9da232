package server

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Bounds of one page of chats or users.
const (
	defaultChats = 50
	maxChats     = 500
)

// plainChat has a chat's members and not its methods, so that answers can add
// members or leave some out.
type plainChat mockkindly.Chat

// chatJSON is all about a chat.
type chatJSON struct {
	plainChat
	Marked   bool                 `json:"marked,omitempty"` // the token that was taken breaks a MUST
	Token    string               `json:"token,omitempty"`  // without its signature
	Life     *lifeJSON            `json:"token_life,omitempty"`
	Contacts []mockkindly.Contact `json:"contacts"`
	Issued   *time.Time           `json:"issued,omitempty"` // in Life
}

// rowJSON is a chat in a list.
type rowJSON struct {
	plainChat
	Expired bool `json:"expired,omitempty"` // by the mock's clock
	Marked  bool `json:"marked,omitempty"`  // the token that was taken breaks a MUST

	// What only the chat itself shows.
	Issued   *struct{} `json:"issued,omitempty"`
	Domains  *struct{} `json:"webhook_domains,omitempty"`
	Marks    *struct{} `json:"marks,omitempty"`
	Refusals *struct{} `json:"refusals,omitempty"`
	Context  *struct{} `json:"context,omitempty"`
}

// lifeJSON is how long a token lives, by the mock's clock.
type lifeJSON struct {
	Issued  time.Time `json:"issued,omitzero"`
	Expires time.Time `json:"expires"`
	Seconds int64     `json:"seconds"` // that are left; negative when it has expired
	Expired bool      `json:"expired"`
}

func rowOf(c mockkindly.Chat, now time.Time) rowJSON {
	return rowJSON{plainChat: plainChat(c), Expired: c.Authenticated && c.ExpiredAt(now), Marked: isMarked(c)}
}

func isMarked(c mockkindly.Chat) bool {
	return slices.ContainsFunc(c.Marks, func(v token.Violation) bool { return v.Level == rule.Must })
}

func (s *server) getChat(w http.ResponseWriter, r *http.Request) error {
	c, ok := s.kindly.Chat(r.PathValue("id"))
	if !ok {
		return mockkindly.ErrUnknownChat
	}
	v := chatJSON{plainChat: plainChat(c), Marked: isMarked(c), Contacts: []mockkindly.Contact{}}
	if c.Authenticated {
		now := s.kindly.Now()
		v.Token, v.Contacts = c.Token.String(), c.User.Contacts()
		v.Life = &lifeJSON{c.Issued, c.Expires, int64(c.Expires.Sub(now) / time.Second), c.ExpiredAt(now)}
	}
	return writeJSON(w, http.StatusOK, v)
}

// getChats answers chats, the newest first: those made before a given one.
func (s *server) getChats(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	chats, total := s.kindly.ChatsBefore(r.URL.Query().Get("before"), limit+1)
	now, rows := s.kindly.Now(), []rowJSON{}
	for _, c := range chats[:min(len(chats), limit)] {
		rows = append(rows, rowOf(c, now))
	}
	return writeJSON(w, http.StatusOK, struct {
		Chats []rowJSON `json:"chats"`
		More  bool      `json:"more"`
		Total int       `json:"total"`
	}{rows, len(chats) > limit, total})
}

func limitOf(r *http.Request) (int, error) {
	n, err := number(r.URL.Query().Get("limit"), defaultChats)
	if err != nil || n == 0 || n > maxChats {
		return 0, inputErrorf("limit", "not a number from 1 to %d", maxChats)
	}
	return int(n), nil
}

// userJSON is a user of the customer, whom one or more chats are with.
type userJSON struct {
	BotKey   string               `json:"bot_key"`
	Subject  string               `json:"sub"`
	Name     string               `json:"name,omitempty"`
	Picture  string               `json:"picture,omitempty"`
	Contacts []mockkindly.Contact `json:"contacts"`
	Chats    int                  `json:"chats"`
	LastChat string               `json:"last_chat"`
	LastSeen time.Time            `json:"last_seen"` // when the last chat was made

	user mockkindly.User // with what any chat has stored of it
}

// getUsers answers the authenticated users, the last seen first.
func (s *server) getUsers(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	users := usersOf(s.kindly.Chats(0))
	shown := users[:min(len(users), limit)]
	return writeJSON(w, http.StatusOK, struct {
		Users []*userJSON `json:"users"`
		More  bool        `json:"more"`
		Total int         `json:"total"`
	}{shown, len(users) > limit, len(users)})
}

// usersOf are the users of chats, which come the newest first. What is stored
// of one by any chat is stored.
func usersOf(chats []mockkindly.Chat) []*userJSON {
	type key struct{ bot, sub string }
	byKey := map[key]*userJSON{}
	users := []*userJSON{}
	for _, c := range chats {
		if !c.Authenticated || c.User.Subject == "" {
			continue
		}
		id := key{c.BotKey, c.User.Subject}
		u := byKey[id]
		if u == nil {
			u = &userJSON{BotKey: c.BotKey, Subject: c.User.Subject, Name: c.User.Name, Picture: c.User.Picture, LastChat: c.ID, LastSeen: c.Created, user: c.User}
			byKey[id], users = u, append(users, u)
		}
		u.Chats++
		u.user.StoredEmail = cmp.Or(u.user.StoredEmail, c.User.StoredEmail)
		u.user.StoredPhone = cmp.Or(u.user.StoredPhone, c.User.StoredPhone)
	}
	for _, u := range users {
		u.Contacts = u.user.Contacts()
	}
	return users
}
