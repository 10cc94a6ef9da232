package suites_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A webhook looks up the user of a token that is signed, and knows none by an invented
// name. What it answers to those that are not signed is another thing, and tells that it
// has looked; what else can't be told is said with the way out, by which all is judged.
func TestAWebhookThatKnowsItsUsersIsJudgedByAKeyAlone(t *testing.T) {
	t.Parallel()
	type row struct {
		name     string
		stranger func(http.ResponseWriter)
		believes func(signed bool) bool
		sub      string
		wants    []want
	}
	unknown := func(w http.ResponseWriter) { http.Error(w, `{"error":"no token"}`, http.StatusUnauthorized) }
	signed := func(signed bool) bool { return signed }
	all := func(bool) bool { return true }
	each(t, []row{
		{"whoever is signed is looked up", unknown, signed, "", []want{{"HOOK-VALID", reports.Skipped, "--sub"}, {"HOOK-WRONG-KEY", reports.Passed, "--sub"}, {"HOOK-ALG-NONE", reports.Passed, ""},
			{"HOOK-TAMPERED", reports.Passed, ""}, {"SIG-WRONG", reports.Passed, ""}, {"HOOK-ESCAPES", reports.Skipped, "--sub"}}},
		{"and strangers are asked to log in", nil, signed, "", []want{{"HOOK-WRONG-KEY", reports.Passed, "--sub"}, {"RESP-STATUS", reports.Passed, ""}}},
		{"everybody is looked up", unknown, all, "", []want{{"HOOK-VALID", reports.Skipped, "--sub"}, {"HOOK-WRONG-KEY", reports.Skipped, "--sub"}}},
		{"everybody is looked up, and one is known", unknown, all, "user-ada", []want{{"HOOK-VALID", reports.Passed, ""}, {"HOOK-WRONG-KEY", reports.Failed, ""}, {"RESP-STATUS", reports.Passed, ""}}},
		{"whoever is signed is looked up, and one is known", unknown, signed, "user-ada", []want{{"HOOK-VALID", reports.Passed, ""}, {"HOOK-WRONG-KEY", reports.Passed, ""}, {"HOOK-ESCAPES", reports.Passed, ""}}},
	}, func(r row) string { return r.name }, func(t *testing.T, row row) {
		h := plain()
		h.stranger = row.stranger
		h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
			return soundly(header, claims, row.believes(signed), chat)
		}
		h.before = func(w http.ResponseWriter, r *http.Request) bool {
			header, claims, ok := h.read(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			chat, _ := claims["chat"].(map[string]any)
			id, _ := chat["id"].(string)
			body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
			r.Body = io.NopCloser(bytes.NewReader(body))
			if r.Header.Get("Kindly-HMAC") != webhook.Sign(plainSecret, body) || !soundly(header, claims, row.believes(ok), id) || claims["sub"] == "user-ada" {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			json.NewEncoder(w).Encode(map[string]any{"error": "no such user"})
			return true
		}
		shop := targetOf(t, h)
		shop.Sub = row.sub
		run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-VALID", "HOOK-WRONG-KEY", "HOOK-ALG-NONE", "HOOK-TAMPERED", "HOOK-ESCAPES", "SIG-WRONG", "RESP-STATUS"}})
		for _, w := range row.wants {
			if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual+c.Reason, w.says) {
				t.Errorf("%s is %s, and must be %s and say %q", w.id, c.Outcome, w.outcome, w.says)
				describe(t, c)
			}
		}
	})
}
