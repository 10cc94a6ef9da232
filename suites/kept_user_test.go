package suites_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// A webhook that keeps its last user in a variable answers whoever brings no token as that
// one. It is named, and hides nothing of what is wrong about tokens; nor is it told again
// by other checks.
func TestAWebhookThatKeepsItsLastUserHidesNothing(t *testing.T) {
	t.Parallel()
	type row struct {
		name    string
		believe func(header, claims map[string]any, signed bool, chat string) bool
		wants   []want
		polite  bool
	}
	each(t, []row{
		{"and takes bad tokens for none", soundly, []want{{"HOOK-DISTINGUISHES", reports.Warned, ""}}, true},
		{"and is sound", soundly, []want{{"HOOK-DISTINGUISHES", reports.Passed, ""}, {"HOOK-EXPIRED", reports.Passed, ""}, {"HOOK-ALG-OTHER", reports.Passed, ""}, {"HOOK-OTHER-CHAT", reports.Passed, ""}}, false},
		{"and looks at no exp", func(header, claims map[string]any, signed bool, chat string) bool {
			iat, _ := claims["iat"].(float64)
			return soundlyAt(time.Unix(int64(iat), 0), header, claims, signed, chat)
		}, []want{{"HOOK-EXPIRED", reports.Failed, ""}, {"HOOK-OTHER-CHAT", reports.Passed, ""}}, false},
		{"and at no chat", func(header, claims map[string]any, signed bool, _ string) bool {
			chat, _ := claims["chat"].(map[string]any)
			id, _ := chat["id"].(string)
			return soundly(header, claims, signed, id)
		}, []want{{"HOOK-EXPIRED", reports.Passed, ""}, {"HOOK-OTHER-CHAT", reports.Failed, ""}}, false},
	}, func(r row) string { return r.name }, func(t *testing.T, row row) {
		h := plain()
		var last atomic.Value
		h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
			if !row.believe(header, claims, signed, chat) {
				return false
			}
			name, _ := claims["name"].(string)
			last.Store(name)
			return true
		}
		h.before = func(_ http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer") {
				r.Header.Del("Authorization") // another scheme is none
			}
			return false
		}
		if row.polite { // a bad token is none
			h.refuse = 0
			h.before = func(_ http.ResponseWriter, r *http.Request) bool {
				raw := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
				if _, _, signed := h.read(raw); !signed {
					r.Header.Del("Authorization")
				}
				return false
			}
		}
		h.stranger = func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			name, _ := last.Load().(string)
			json.NewEncoder(w).Encode(map[string]any{"reply": "Hello " + cmp.Or(name, "stranger") + ", your order is on its way."})
		}
		run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK"}})
		for _, w := range append(row.wants, want{"HOOK-ANONYMOUS", reports.Failed, "the answer holds the member's name"},
			want{"HOOK-SCHEME", reports.Passed, ""}, want{"HOOK-WRONG-KEY", reports.Passed, ""}, want{"HOOK-TAMPERED", reports.Passed, ""}) {
			if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual, w.says) {
				describe(t, c)
				t.Errorf("%s is %s, want %s", w.id, c.Outcome, w.outcome)
			}
		}
		if c := find(t, run, "HOOK-USER-ID"); c.Outcome == reports.Failed {
			describe(t, c)
			t.Error("nobody was believed by their name")
		}
	})
}
