package suites_test

import (
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A webhook that expects tokens otherwise than Kindly's are is attacked with tokens
// as it expects them: else all that is forged is refused for what nobody asked.
func TestForgedTokensAreMadeAsTheWebhookExpectsTokens(t *testing.T) {
	t.Parallel()
	milliseconds := func(claims map[string]any) {
		for _, name := range []string{"iat", "exp", "nbf"} {
			if ms, ok := claims[name].(float64); ok {
				claims[name] = ms / 1000
			}
		}
	}
	for _, tt := range []struct {
		name, cause string
		believe     func(header, claims map[string]any, signed bool, chat string) bool
		want        map[string]reports.Outcome
	}{
		{"the chat id in capitals, and it verifies nothing", "webhook-changes-chat", func(header, claims map[string]any, _ bool, chat string) bool {
			return soundly(header, claims, true, strings.ToUpper(chat))
		}, map[string]reports.Outcome{"HOOK-WRONG-KEY": reports.Failed, "HOOK-TAMPERED": reports.Failed, "HOOK-EXPIRED": reports.Passed}},
		{"the chat id in capitals, and it looks at no time", "webhook-changes-chat", func(_, claims map[string]any, signed bool, chat string) bool {
			of, _ := claims["chat"].(map[string]any)
			return signed && of["id"] == strings.ToUpper(chat)
		}, map[string]reports.Outcome{"HOOK-WRONG-KEY": reports.Passed, "HOOK-TAMPERED": reports.Passed, "HOOK-EXPIRED": reports.Failed}},
		{"times in milliseconds, and it verifies nothing", "webhook-wants-milliseconds", func(header, claims map[string]any, _ bool, chat string) bool {
			milliseconds(claims)
			return soundly(header, claims, true, chat)
		}, map[string]reports.Outcome{"HOOK-WRONG-KEY": reports.Failed, "HOOK-TAMPERED": reports.Failed, "HOOK-EXPIRED": reports.Passed}},
		{"times in milliseconds, and it looks only whether there is an exp", "webhook-wants-milliseconds", func(_, claims map[string]any, signed bool, chat string) bool {
			of, _ := claims["chat"].(map[string]any)
			exp, _ := claims["exp"].(float64)
			return signed && of["id"] == chat && exp > 1e12
		}, map[string]reports.Outcome{"HOOK-WRONG-KEY": reports.Passed, "HOOK-TAMPERED": reports.Passed, "HOOK-EXPIRED": reports.Failed}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.believe = tt.believe
			run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-VALID", "HOOK-WRONG-KEY", "HOOK-TAMPERED", "HOOK-EXPIRED"}})
			expect(t, run, tt.want)
			if c := find(t, run, "HOOK-VALID"); c.Cause != tt.cause {
				t.Errorf("HOOK-VALID is put down to %q, want %s", c.Cause, tt.cause)
			}
		})
	}
}
