package mockkindly

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// Bounds of one page of chats or users.
const (
	defaultChats = 50
	maxChats     = 500
)

func (k *Kindly) getChat(w http.ResponseWriter, r *http.Request) error {
	chat, ok := k.Chat(r.PathValue("id"))
	if !ok {
		return ErrUnknownChat
	}
	return writeJSON(w, http.StatusOK, struct {
		chatJSON
		Life *lifeJSON `json:"token_life,omitempty"`
	}{chat.json(), chat.life(k.now())})
}

// getChats answers chats, the newest first: those made before a given one.
func (k *Kindly) getChats(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	k.mu.Lock()
	ids, total := k.chats.before(r.URL.Query().Get("before"), limit+1), k.chats.len()
	chats := make([]Chat, 0, len(ids))
	for _, c := range ids {
		chats = append(chats, *c)
	}
	k.mu.Unlock()
	now, rows := k.now(), []rowJSON{}
	for _, c := range chats[:min(len(chats), limit)] {
		rows = append(rows, c.row(now))
	}
	return writeJSON(w, http.StatusOK, struct {
		Chats []rowJSON `json:"chats"`
		More  bool      `json:"more"`
		Total int       `json:"total"`
	}{rows, len(chats) > limit, total})
}

// rowJSON is a chat in a list, by the mock's clock.
type rowJSON struct {
	summaryJSON
	Expired bool `json:"expired,omitempty"`
}

func (c Chat) row(now time.Time) rowJSON {
	return rowJSON{c.summary(), c.Authenticated && c.expired(now)}
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
	BotKey   string        `json:"bot_key"`
	Subject  string        `json:"sub"`
	Name     string        `json:"name,omitempty"`
	Picture  string        `json:"picture,omitempty"`
	Contacts []contactJSON `json:"contacts"`
	Chats    int           `json:"chats"`
	LastChat string        `json:"last_chat"`
	LastSeen time.Time     `json:"last_seen"` // when the last chat was made
}

// getUsers answers the authenticated users, the last seen first.
func (k *Kindly) getUsers(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	users := usersOf(k.Chats(0))
	shown := users[:min(len(users), limit)]
	return writeJSON(w, http.StatusOK, struct {
		Users []userJSON `json:"users"`
		More  bool       `json:"more"`
		Total int        `json:"total"`
	}{shown, len(users) > limit, len(users)})
}

// usersOf are the users of chats, which come the newest first. What is stored
// of one by any chat is stored.
func usersOf(chats []Chat) []userJSON {
	type key struct{ bot, sub string }
	merged := map[key]*User{}
	byKey := map[key]*userJSON{}
	order := []key{}
	for _, c := range chats {
		if !c.Authenticated || c.User.Subject == "" {
			continue
		}
		id := key{c.BotKey, c.User.Subject}
		if byKey[id] == nil {
			u := c.User
			merged[id] = &u
			byKey[id] = &userJSON{BotKey: c.BotKey, Subject: u.Subject, Name: u.Name, Picture: u.Picture, LastChat: c.ID, LastSeen: c.Created}
			order = append(order, id)
		}
		byKey[id].Chats++
		u := merged[id]
		u.StoredEmail = cmp.Or(u.StoredEmail, c.User.StoredEmail)
		u.StoredPhone = cmp.Or(u.StoredPhone, c.User.StoredPhone)
	}
	users := make([]userJSON, 0, len(order))
	for _, id := range order {
		byKey[id].Contacts = merged[id].contacts()
		users = append(users, *byKey[id])
	}
	return slices.Clip(users)
}
