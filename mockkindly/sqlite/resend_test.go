package sqlite

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/server"
)

// The file holds no credential, so that a body which held one is not what was sent.
func TestAfterARestartNoBodyIsSentThatNeverWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	s := open(t, path, Options{})
	k := newMock(t, s)
	chat, err := k.CreateChat("bot", mockkindly.Web{})
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	jwt := enc([]byte(`{"alg":"RS256"}`)) + "." + enc([]byte(`{"sub":"user-1"}`)) + "." + enc([]byte("a signature of sorts"))
	numbers := map[string]uint64{}
	for name, text := range map[string]string{"a token": "it is " + jwt, "no token": "hello"} {
		if _, err := k.Say(context.Background(), chat.ID, mockkindly.Message{Text: text}); err != nil {
			t.Fatal(err)
		}
		numbers[name] = k.Journal().Last()
	}
	if err := errors.Join(k.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}

	k = newMock(t, open(t, path, Options{}))
	for _, tt := range []struct {
		name, method, what, body string
		status                   int
	}{
		{"a token", "POST", "resend", `{"token":"none"}`, http.StatusConflict},
		{"a token", "GET", "curl", "", http.StatusConflict},
		{"a token", "GET", "curl?token=1", "", http.StatusConflict},
		{"no token", "POST", "resend", `{"token":"none"}`, http.StatusOK},
		{"no token", "GET", "curl", "", http.StatusOK},
	} {
		w := httptest.NewRecorder()
		server.New(k, server.Options{}).ServeHTTP(w, httptest.NewRequest(tt.method, fmt.Sprintf("/mock/v1/deliveries/%d/%s", numbers[tt.name], tt.what), strings.NewReader(tt.body)))
		why := strings.Contains(w.Body.String(), "held a token or a secret")
		if w.Code != tt.status || why != (tt.status == http.StatusConflict) {
			t.Errorf("%s of a message with %s: %d %s", tt.what, tt.name, w.Code, w.Body)
		}
	}
}
