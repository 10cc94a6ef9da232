package mockkindly

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

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
	Dialogues []struct {
		Slug     string   `json:"slug"`
		Phrases  []string `json:"phrases"`
		Fallback bool     `json:"fallback"`
		Webhook  string   `json:"webhook"`
		webhook.Answer
	} `json:"dialogues"`
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
	for _, d := range in.Dialogues {
		b.Dialogues = append(b.Dialogues, Dialogue{d.Slug, d.Phrases, d.Fallback, d.Webhook, d.Answer})
	}
	return b, nil
}

// getBots lists the bots that are known by their keys.
func (k *Kindly) getBots(w http.ResponseWriter, _ *http.Request) error {
	k.mu.Lock()
	bots := k.bots.newest(0)
	k.mu.Unlock()
	slices.Reverse(bots)
	return writeJSON(w, http.StatusOK, struct {
		Bots   []Bot `json:"bots"`
		AnyKey bool  `json:"any_key"` // other keys are served too
	}{bots, k.opts.AnyBot != nil})
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
	w.Header().Set(stateHeader, k.State().String())
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (k *Kindly) getHealth(w http.ResponseWriter, _ *http.Request) error {
	now := k.now()
	k.mu.Lock()
	v := healthJSON{
		Status: "ok", Version: k.opts.Version, Now: now, Bots: k.bots.len(), Chats: k.chats.len(),
		Stored: k.opts.Store != nil, CanSign: k.opts.SigningKey != nil,
	}
	closed := k.closed
	k.mu.Unlock()
	if closed {
		return ErrClosed
	}
	first, last, err := k.journal.span()
	if err != nil {
		return err
	}
	v.Events = last
	if v.Dropped = last; first > 0 {
		v.Dropped = first - 1
	}
	return writeJSON(w, http.StatusOK, v)
}

type healthJSON struct {
	Status  string    `json:"status"`
	Version string    `json:"version,omitempty"`
	Now     time.Time `json:"now"` // by the clock that tokens are judged by
	Bots    int       `json:"bots"`
	Chats   int       `json:"chats"`
	Events  uint64    `json:"events"`   // that happened
	Dropped uint64    `json:"dropped"`  // that are no longer kept
	Stored  bool      `json:"stored"`   // they survive a restart
	CanSign bool      `json:"can_sign"` // a private key is there, for tokens in other states
}
