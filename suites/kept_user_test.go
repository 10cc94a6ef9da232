package suites_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A webhook that keeps the user by the chat answers what brings no token as that user
// does: one finding. No other check is told by what was said in the chat before.
func TestAWebhookThatKeepsTheUserByTheChatIsNamed(t *testing.T) {
	t.Parallel()
	h := plain()
	var known sync.Map // chats with a user
	answer := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"reply":"Three kilograms of carrots are on their way.","buttons":[{"button_type":"link","label":"Orders","value":"https://shop.example/orders"}]}`)
	}
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
		r.Body = io.NopCloser(bytes.NewReader(body))
		var sent struct {
			ChatID string `json:"chat_id"`
		}
		json.Unmarshal(body, &sent)
		raw, bears := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if header, claims, signed := h.read(raw); bears {
			if soundly(header, claims, signed, sent.ChatID) {
				known.Store(sent.ChatID, true)
				answer(w)
				return true
			}
			return false
		}
		r.Header.Del("Authorization") // another scheme is none
		if _, ok := known.Load(sent.ChatID); ok {
			answer(w)
			return true
		}
		return false
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK"}})
	if found := findings(run); !slices.Equal(found, []string{"webhook-knows-no-strangers"}) {
		t.Errorf("it names %q", found)
		for _, c := range run.Checks {
			if c.Outcome != reports.Passed {
				describe(t, c)
			}
		}
	}
	if c := find(t, run, "HOOK-ANONYMOUS"); c.Outcome != reports.Failed || !strings.Contains(c.Actual, "the one that its user got") {
		describe(t, c)
		t.Errorf("HOOK-ANONYMOUS is %s", c.Outcome)
	}
	for _, id := range []string{"HOOK-SCHEME", "HOOK-SEGMENTS", "HOOK-GARBAGE"} {
		if c := find(t, run, id); c.Outcome != reports.Passed {
			describe(t, c)
			t.Errorf("%s is %s", id, c.Outcome)
		}
	}
}
