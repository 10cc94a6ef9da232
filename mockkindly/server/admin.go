package server

import (
	"fmt"
	"net/http"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/mockkindly"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// maxKeyName bounds what a key is called, in bytes.
const maxKeyName = 256

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

func (in botInput) bot() (mockkindly.Bot, error) {
	b := mockkindly.Bot{Key: in.Key, ID: in.ID, OrganizationID: in.OrganizationID, Published: in.Published}
	for i, pk := range in.PublicKeys {
		field := fmt.Sprintf("public_keys[%d]", i)
		key, err := token.ParsePublicKey(clip.Text(pk.Name, maxKeyName), []byte(pk.PEM))
		if err != nil {
			return b, inputErrorf(field+".pem", "%v", err)
		}
		b.PublicKeys = append(b.PublicKeys, key)
	}
	for _, h := range in.Webhooks {
		b.Webhooks = append(b.Webhooks, mockkindly.Webhook{Name: h.Name, URL: h.URL, ConnectTo: h.ConnectTo, Secret: h.HMACSecret})
	}
	for _, d := range in.Dialogues {
		b.Dialogues = append(b.Dialogues, mockkindly.Dialogue{Slug: d.Slug, Phrases: d.Phrases, Fallback: d.Fallback, Webhook: d.Webhook, Answer: d.Answer})
	}
	return b, nil
}

// getBots lists the bots that are known by their keys.
func (s *server) getBots(w http.ResponseWriter, _ *http.Request) error {
	bots, anyKey := s.kindly.Bots()
	return writeJSON(w, http.StatusOK, struct {
		Bots   []mockkindly.Bot `json:"bots"`
		AnyKey bool             `json:"any_key"` // other keys are served too
	}{bots, anyKey})
}

func (s *server) postBot(w http.ResponseWriter, r *http.Request) error {
	var in botInput
	if err := decodeAdmin(w, r, &in); err != nil {
		return err
	}
	bot, err := in.bot()
	if err != nil {
		return err
	}
	replaced, err := s.kindly.AddBot(bot)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if replaced {
		status = http.StatusOK
	}
	return writeJSON(w, status, bot)
}

func (s *server) getBot(w http.ResponseWriter, r *http.Request) error {
	bot, ok := s.kindly.Bot(r.PathValue("key"))
	if !ok {
		return mockkindly.ErrUnknownBot
	}
	return writeJSON(w, http.StatusOK, bot)
}

func (s *server) postReset(w http.ResponseWriter, _ *http.Request) error {
	if err := s.kindly.Reset(); err != nil {
		return err
	}
	w.Header().Set(stateHeader, s.kindly.State().String())
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *server) getHealth(w http.ResponseWriter, _ *http.Request) error {
	health, err := s.kindly.Health()
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, struct {
		Status  string `json:"status"`
		Version string `json:"version,omitempty"`
		Checks  bool   `json:"checks"`
		mockkindly.Health
	}{"ok", s.opts.Version, s.opts.Checks != nil, health})
}
