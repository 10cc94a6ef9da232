package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// memoryStore keeps what a file would.
type memoryStore struct{ text bytes.Buffer }

func (s *memoryStore) Append(events []mockkindly.StoredEvent, chats []mockkindly.StoredChat) error {
	for _, e := range events {
		s.text.Write(e.JSON)
	}
	for _, c := range chats {
		s.text.Write(c.JSON)
	}
	return nil
}
func (s *memoryStore) Events(mockkindly.Query) ([]mockkindly.StoredEvent, error) { return nil, nil }
func (s *memoryStore) Span() (first, last, ever uint64, e error)                 { return 0, 0, 0, nil }
func (s *memoryStore) Chats() ([]mockkindly.StoredChat, error)                   { return nil, nil }
func (s *memoryStore) Reset(uint64) error                                        { return nil }

// Credentials of webhooks and of pages come in many ways, and get nowhere.
func TestCredentialsGetIntoNoAnswerAndNoFile(t *testing.T) {
	const (
		inURL, local, hmac, other, ofPage = "Hook-URL-s3cret", "Local-URL-s3cret", "Hmac-s3cret-1", "Hmac-s3cret-2", "Page-s3cret"
	)
	all := []string{inURL, local, hmac, other, ofPage}
	leaky := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // repeats what it knows
		text, _ := json.Marshal(map[string]any{"reply": r.URL.String() + hmac, "new_context": map[string]any{"a": r.URL.String() + other}})
		_, _ = w.Write(text)
	}))
	t.Cleanup(leaky.Close)
	store := &memoryStore{}
	k := newMock(t, mockkindly.Options{Store: store, JournalSize: 1000},
		mockkindly.Webhook{URL: "http://user:" + local + "@127.0.0.1:1/hook?key=" + inURL, Secret: hmac},
		mockkindly.Webhook{URL: "https://hooks.example.com/?sig=" + inURL, ConnectTo: leaky.URL + "/?token=" + local, Secret: other})
	page := "https://ada:" + ofPage + "@shop.example/?access_token=" + ofPage + "#id_token=" + ofPage
	var seen strings.Builder
	post := func(path string, body map[string]any, wantCode int) {
		text, _ := json.Marshal(body)
		w := do(k, "POST", path, string(text), "Origin", "https://any.example")
		if w.Code != wantCode {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		seen.WriteString(w.Body.String())
	}
	post("/mock/v1/client", map[string]any{"bot_key": "bot", "page_url": page, "script_src": page}, 204)
	post("/mock/v1/chats", map[string]any{"bot_key": "bot", "web_url": page, "web_path": "/?token=" + ofPage}, 201)
	chat := k.Chats(1)[0].ID
	typed := strings.Join(all[:4], " ")
	post("/mock/v1/chats/"+chat+"/messages", map[string]any{"text": "my secret is " + typed, "context": map[string]any{"typed": typed}}, 200)
	post("/mock/v1/chats/"+chat+"/messages", map[string]any{"slug": hmac}, 200)
	raw := sign(claims(chat, k.Now(), "hooks.example.com"))
	post("/mock/v1/chats/"+chat+"/token", map[string]any{"token": raw.Secret(), "reason": mockkindly.InitialConnect}, 200)
	post("/mock/v1/chats/"+chat+"/messages", map[string]any{"text": "hi"}, 200)
	post("/mock/v1/chats/"+chat+"/callbacks", map[string]any{"phase": "settled", "reason": mockkindly.InitialConnect, "outcome": "threw", "error": typed}, 204)
	toPage := seen.String()
	for _, where := range []string{"/hook?", "dial tcp"} {
		if strings.Contains(toPage, where) {
			t.Errorf("the page is told %q: %s", where, toPage)
		}
	}
	for _, path := range []string{"/mock/v1/chats", "/mock/v1/chats/" + chat, "/mock/v1/bots"} {
		seen.WriteString(do(k, "GET", path, "").Body.String())
	}
	journal, err := json.Marshal(k.Journal().Events(0))
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"answers": seen.String(), "the journal": string(journal), "the file": store.text.String()} {
		if len(text) < 1000 {
			t.Errorf("%s: %s", where, text)
		}
		for _, secret := range all {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s: %s: …%s", where, secret, text[max(0, i-200):min(len(text), i+60)])
			}
		}
	}
}
