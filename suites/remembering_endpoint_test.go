package suites_test

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// An endpoint that remembers the user or the chat before is told so: that strangers
// get a token, or that it looks at no type, is what comes of it. Sessions that are
// counted are guessed, and those that are numbers at random are not.
func TestWhatAnEndpointRemembersIsNamed(t *testing.T) {
	t.Parallel()
	bySID := func(users map[string]string) func(*http.Request) string {
		return func(r *http.Request) string {
			c, err := r.Cookie("sid")
			if err != nil {
				return ""
			}
			return users[c.Value]
		}
	}
	// The user stands in a global of each process, and one request in three goes on to
	// the next process.
	remembersUser := func(processes int64) func(*http.Request) string {
		users := make([]atomic.Value, processes)
		var served atomic.Int64
		return func(r *http.Request) string {
			global := &users[served.Add(1)/3%processes]
			if user := plainSession(r); user != "" {
				global.Store(user)
			}
			user, _ := global.Load().(string)
			return user
		}
	}
	var last atomic.Value
	remembersChat := func(chat string) string {
		if chat != "" {
			last.Store(chat)
		}
		chat, _ = last.Load().(string)
		return chat
	}
	anything := func(http.ResponseWriter, any) {}
	sessions := []string{"AUTH-NO-SESSION", "AUTH-BAD-SESSION"}
	chats := []string{"AUTH-CHATID-MISSING", "AUTH-CHATID-TYPE", "AUTH-BIND-CHAT", "AUTH-BODY-MALFORMED"}
	for _, row := range []struct {
		name  string
		e     plainEndpoint
		only  []string
		names []string
		says  string
	}{
		{"strangers are the user before", plainEndpoint{who: remembersUser(1)}, sessions, []string{"endpoint-remembers-user"}, "it gave a token, of the user who asked before"},
		{"strangers are the user whom one of two processes served before", plainEndpoint{who: remembersUser(2)}, sessions, []string{"endpoint-remembers-user"}, ""},
		{"strangers are the first account", plainEndpoint{who: func(r *http.Request) string { return cmp.Or(plainSession(r), "user-ada") }}, sessions, []string{"endpoint-knows-nobody"}, ""},
		{"the chat before is signed where none is named", plainEndpoint{chat: remembersChat, before: anything}, chats, []string{"endpoint-remembers-chat"}, "for a chat that asked before"},
		{"something keeps answers by the chat", plainEndpoint{keptBefore: &sync.Map{}}, append(sessions, "AUTH-BIND-SESSION", "AUTH-FRESH"), []string{"endpoint-answer-kept"}, "for a chat that a user has just asked for: it gave a token"},
		{"something keeps answers by the chat, and whatever stands for one is signed", plainEndpoint{keptBefore: &sync.Map{}, before: anything},
			append(chats, "AUTH-NO-SESSION", "AUTH-BIND-SESSION"), []string{"endpoint-answer-kept", "endpoint-signs-anything"}, ""},
		{"one token serves all users", plainEndpoint{kept: &sync.Map{}, keptBy: func(*http.Request) string { return "" }, before: anything},
			append(chats, "AUTH-BIND-SESSION"), []string{"endpoint-answer-kept"}, ""},
		{"one token serves all chats of a user", plainEndpoint{kept: &sync.Map{}, keptBy: plainSession}, append(chats, "AUTH-FRESH"), []string{"endpoint-remembers-chat"}, ""},
		{"whatever stands for a chat is signed", plainEndpoint{before: anything}, chats, []string{"endpoint-signs-anything"}, ""},
		{"sessions are counted", plainEndpoint{who: bySID(map[string]string{"1041": "user-ada", "1042": "user-grace"}), sids: []string{"1041", "1042"}}, sessions, []string{"endpoint-believes-session"}, "a token for somebody else"},
		{"sessions are short ids, and the token has others", plainEndpoint{who: bySID(map[string]string{"customer-7f3a91": "user-ada", "customer-c04d2e": "user-grace"}),
			sids: []string{"customer-7f3a91", "customer-c04d2e"}, sub: func(user string) any { return user + "@shop.example" }}, sessions, []string{"endpoint-believes-session"}, "a token for somebody else"},
		{"a session is what the token says, and nobody else is known", plainEndpoint{who: bySID(map[string]string{"user-ada": "user-ada"}), sids: []string{"user-ada", ""}}, sessions, []string{"endpoint-believes-session"}, "nothing else of the session"},
		{"a name stands beside the session", plainEndpoint{sids: []string{"9f2c7be1a0d4; user=user-ada", "51c0e8d7f3ab; user=user-grace"}}, sessions, nil, ""},
		{"a session is an address in base64, and the token says none", plainEndpoint{who: bySID(map[string]string{"YWRhQHNob3AuZXhhbXBsZQ": "user-ada", "Z3JhY2VAc2hvcC5leGFtcGxl": "user-grace"}),
			sids: []string{"YWRhQHNob3AuZXhhbXBsZQ", "Z3JhY2VAc2hvcC5leGFtcGxl"}}, sessions, []string{"endpoint-believes-session"}, "a token for somebody else"},
		{"sessions are numbers at random", plainEndpoint{who: bySID(map[string]string{"904417732": "user-ada", "131190446": "user-grace"}), sids: []string{"904417732", "131190446"}}, sessions, nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			run := suites.RunQuietly(t.Context(), plainEndpointOf(t, row.e), suites.Options{Only: row.only})
			told := ""
			for _, c := range run.Checks {
				if c.Outcome == reports.Failed {
					told += c.Actual + "\n"
				}
			}
			if found := findings(run); !slices.Equal(found, row.names) || !strings.Contains(told, row.says) {
				t.Errorf("it names %q, want %q; it says:\n%s", found, row.names, told)
			}
		})
	}
}
