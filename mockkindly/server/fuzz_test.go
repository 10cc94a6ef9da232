package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
)

// Whatever a page posts: an answer that is JSON or empty, no fault of the mock,
// and no token with its signature.
func FuzzIntake(f *testing.F) {
	// A body may well add a webhook: nothing is to leave the machine.
	offline := wire.NewClient(wire.Options{Wait: func(context.Context) error { return errors.New("offline") }})
	k := newMock(f, mockkindly.Options{JournalSize: 20, ChatLimit: 20, Client: offline})
	probe, raw := authenticated(f, k)
	for i, body := range []string{
		`{"bot_key":"bot","build":"kindly-chat"}`,
		`{"bot_key":"bot","source":"web","web_url":"https://a.example/"}`,
		`{"phase":"settled","reason":"EXPIRED","outcome":"threw","elapsed_ms":1e300}`,
		`{"token":"` + raw.Secret() + `","reason":"EXPIRED"}`,
		`{"text":"hi","context":{"a":{"b":[1,2,null]}}}`,
		`{"key":"b","public_keys":[{"name":"n","pem":"-----BEGIN PUBLIC KEY-----"}],"webhooks":[{"url":"https://a.example"}]}`,
		`{"token":"a.b.c"}`, `{"text":"` + raw.Secret() + `"}`, `{`, ``, `null`, `{"a":"\ud800"}`,
	} {
		f.Add(uint8(i), []byte(body))
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		chat, _ := k.Chat(probe.ID)
		if chat.ID == "" { // pushed out by the chats that were made here
			chat = newChat(t, k)
			probe.ID = chat.ID
		}
		var posts []route
		for _, rt := range (&server{}).table() {
			if rt.method == "POST" && rt.path != "/mock/v1/reset" {
				posts = append(posts, rt)
			}
		}
		path := posts[int(which)%len(posts)].path
		path = string(bytes.ReplaceAll([]byte(path), []byte("{id}"), []byte(chat.ID)))
		w := do(k, "POST", path, string(body))
		answer := w.Body.Bytes()
		if w.Code >= 500 || w.Code < 200 {
			t.Errorf("POST %s: status %d: %s", path, w.Code, answer)
		}
		if len(answer) > 0 && !json.Valid(answer) {
			t.Errorf("POST %s: no JSON: %s", path, answer)
		}
		journal := do(k, "GET", "/mock/v1/journal?limit=20", "").Body.Bytes()
		for _, text := range [][]byte{answer, journal} {
			if bytes.Contains(text, []byte(signature(raw))) {
				t.Errorf("POST %s: the signature is shown: %s", path, text)
			}
		}
	})
}
