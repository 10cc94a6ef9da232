package server

import (
	"errors"
	"net/http"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// checkAPIKey wants the key of the Application API: Options.APIKey, the admin
// token if there is none, and any if there is neither.
func (s *server) checkAPIKey(r *http.Request) error {
	got, want := bearerOf(r), s.opts.APIKey
	if want == "" {
		want = s.opts.AdminToken
	}
	if got != "" && (want == "" || sameSecret(got, want)) {
		return nil
	}
	return newProblem(http.StatusUnauthorized, "unauthorized", "Unauthorized",
		"The Application API wants Authorization: Bearer and the API key.")
}

// applicationInput is the body of both routes. Unknown members are allowed, as
// Kindly may know more.
type applicationInput struct {
	UserID       string         `json:"user_id"`
	Message      string         `json:"message"`
	LanguageCode string         `json:"language_code"`
	ExchangeID   string         `json:"exchange_id"`
	NewContext   map[string]any `json:"new_context"`
}

func (s *server) postSend(w http.ResponseWriter, r *http.Request) error {
	var in applicationInput
	if err := decodeServer(w, r, &in); err != nil {
		return err
	}
	if in.Message == "" {
		return inputErrorf("message", "missing")
	}
	return s.converse(w, in, mockkindly.Message{Text: in.Message, Context: in.NewContext})
}

// greeting is the slug of the dialogue that greets (assumed).
const greeting = "greeting"

func (s *server) postGreet(w http.ResponseWriter, r *http.Request) error {
	var in applicationInput
	if err := decodeServer(w, r, &in); err != nil {
		return err
	}
	return s.converse(w, in, mockkindly.Message{Slug: greeting, Context: in.NewContext})
}

// converse answers at once; the bot's replies go to the application's webhook.
func (s *server) converse(w http.ResponseWriter, in applicationInput, m mockkindly.Message) error {
	id, chatID, err := s.kindly.Application(in.UserID, m)
	if errors.Is(err, mockkindly.ErrBusy) {
		return newProblem(http.StatusTooManyRequests, "busy", "Too many messages", "%s.", err)
	}
	if err != nil {
		return err
	}
	// Older and newer documentation name it differently.
	return writeJSON(w, http.StatusOK, map[string]string{"chatmessage_id": id, "reply_to_id": id, "chat_id": chatID})
}
