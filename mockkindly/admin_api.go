package mockkindly

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Bounds of one page of the journal.
const (
	defaultPage  = 100
	maxPage      = 1000
	maxPageBytes = 8 << 20
)

func (k *Kindly) getChat(w http.ResponseWriter, r *http.Request) error {
	chat, ok := k.Chat(r.PathValue("id"))
	if !ok {
		return ErrUnknownChat
	}
	return writeJSON(w, http.StatusOK, chat)
}

// getJournal answers a page of events. The next page is after=next, as long as
// more is true.
func (k *Kindly) getJournal(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	after, err := number(q.Get("after"), 0)
	if err != nil {
		return inputErrorf("after", "not the number of an event")
	}
	limit, err := number(q.Get("limit"), defaultPage)
	if err != nil || limit == 0 || limit > maxPage {
		return inputErrorf("limit", "not a number from 1 to %d", maxPage)
	}
	return writeJSON(w, http.StatusOK, page(k.journal.Events(after), after, q.Get("chat"), int(limit)))
}

func number(text string, def uint64) (uint64, error) {
	if text == "" {
		return def, nil
	}
	return strconv.ParseUint(text, 10, 64)
}

type pageJSON struct {
	Events []Event `json:"events"`
	Next   uint64  `json:"next"` // the last event that was looked at
	More   bool    `json:"more"`
}

// page takes the events of a chat (all chats if empty), as many as fit.
func page(events []Event, after uint64, chat string, limit int) pageJSON {
	p := pageJSON{Events: []Event{}, Next: after}
	size := 0
	for _, e := range events {
		if chat == "" || e.Chat == chat {
			size += e.size
			if len(p.Events) == limit || len(p.Events) > 0 && size > maxPageBytes {
				p.More = true
				return p
			}
			p.Events = append(p.Events, e)
		}
		p.Next = e.Seq
	}
	return p
}

// botInput is a bot as the API takes it.
type botInput struct {
	Key            string `json:"key"`
	ID             int    `json:"id"`
	OrganizationID int    `json:"organization_id"`
	PublicKeys     []struct {
		Name string `json:"name"`
		PEM  string `json:"pem"`
	} `json:"public_keys"`
	Published map[string]string `json:"published"`
	Webhooks  []struct {
		Name       string `json:"name"`
		URL        string `json:"url"`
		ConnectTo  string `json:"connect_to"`
		HMACSecret string `json:"hmac_secret"`
	} `json:"webhooks"`
}

func (in botInput) bot() (Bot, error) {
	b := Bot{Key: in.Key, ID: in.ID, OrganizationID: in.OrganizationID, Published: in.Published}
	if len(in.PublicKeys) > maxPublicKeys {
		return b, inputErrorf("public_keys", "more than %d keys", maxPublicKeys)
	}
	for i, pk := range in.PublicKeys {
		field := fmt.Sprintf("public_keys[%d]", i)
		key, err := token.ParsePublicKey(clip(pk.Name, maxName), []byte(pk.PEM))
		if err != nil {
			return b, inputErrorf(field+".pem", "%v", err)
		}
		b.PublicKeys = append(b.PublicKeys, key)
	}
	for _, h := range in.Webhooks {
		b.Webhooks = append(b.Webhooks, Webhook{Name: h.Name, URL: h.URL, ConnectTo: h.ConnectTo, Secret: h.HMACSecret})
	}
	return b, nil
}

func (k *Kindly) postBot(w http.ResponseWriter, r *http.Request) error {
	var in botInput
	if err := decodeAdmin(w, r, &in); err != nil {
		return err
	}
	bot, err := in.bot()
	if err != nil {
		return err
	}
	replaced, err := k.AddBot(bot)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if replaced {
		status = http.StatusOK
	}
	return writeJSON(w, status, bot)
}

func (k *Kindly) getBot(w http.ResponseWriter, r *http.Request) error {
	bot, ok := k.Bot(r.PathValue("key"))
	if !ok {
		return ErrUnknownBot
	}
	return writeJSON(w, http.StatusOK, bot)
}

func (k *Kindly) postReset(w http.ResponseWriter, _ *http.Request) error {
	if err := k.Reset(); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (k *Kindly) getHealth(w http.ResponseWriter, _ *http.Request) error {
	k.mu.Lock()
	chats, bots, closed := k.chats.len(), k.bots.len(), k.closed
	k.mu.Unlock()
	if closed {
		return ErrClosed
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"status": "ok", "bots": bots, "chats": chats, "events": k.journal.Last(),
	})
}
