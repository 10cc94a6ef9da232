package server

import (
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly"
)

func TestAContextOfManyValuesIsRefused(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	chat := newChat(t, k)
	for name, body := range map[string]string{
		"too long":        `{"text":"x","context":{"a":"` + strings.Repeat("x", 64<<10) + `"}}`,
		"too many values": `{"text":"x","context":{"a":` + `[` + strings.Repeat(`{"":0},`, 8500) + `0]` + `}}`,
		"no object":       `{"text":"x","context":[]}`,
	} {
		if w := do(k, "POST", "/mock/v1/chats/"+chat.ID+"/messages", body); w.Code/100 != 4 || !strings.Contains(w.Body.String(), "context") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := do(k, "POST", "/mock/v1/chats/"+chat.ID+"/messages", `{"text":"x","context":null}`); w.Code != 200 {
		t.Errorf("null: %d %s", w.Code, w.Body)
	}
}
