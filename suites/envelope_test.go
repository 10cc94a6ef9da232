package suites_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// inEnvelopes puts each answer into one with status 200, as a gateway does that
// does not open what a function returns.
func inEnvelopes(h http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"statusCode": answer.Code, "headers": map[string]string{}, "body": answer.Body.String()})
	}
}

// What stands in an answer that nobody has opened is judged as if somebody had: the
// envelope is one mistake, and the status around it no acceptance.
func TestAnAnswerInAnEnvelopeIsOpened(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		hook func(*plainHook)
		want map[string]reports.Outcome
	}{
		{"sound within", func(*plainHook) {}, map[string]reports.Outcome{
			"RESP-EMPTY": reports.Warned, "RESP-STATUS": reports.Passed, "SIG-VALID": reports.Passed, "SIG-MISSING": reports.Passed, "HOOK-VALID": reports.Passed,
			"HOOK-DISTINGUISHES": reports.Passed, "HOOK-EXPIRED": reports.Passed, "HOOK-ALG-NONE": reports.Passed, "LIVE-HOOK-BODY": reports.Passed,
		}},
		{"its secret ends in a line end, and it does not look at the time", func(h *plainHook) {
			h.secret += "\n"
			h.believe = func(header, claims map[string]any, signed bool, chat string) bool { return signed }
		}, map[string]reports.Outcome{
			"RESP-EMPTY": reports.Warned, "RESP-STATUS": reports.Passed, "SIG-VALID": reports.Failed, "SIG-MISSING": reports.Passed, "HOOK-VALID": reports.Passed,
			"HOOK-DISTINGUISHES": reports.Passed, "HOOK-EXPIRED": reports.Failed, "HOOK-ALG-NONE": reports.Passed,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			tt.hook(&h)
			shop := targetOf(t, h)
			shop.Webhooks[0].ConnectTo, shop.Webhooks[0].Secret = serve(t, inEnvelopes(h)), plainSecret
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"RESP", "SIG-VALID", "SIG-MISSING", "HOOK-VALID", "HOOK-DISTINGUISHES", "HOOK-EXPIRED", "HOOK-ALG-NONE", "LIVE-HOOK-BODY"}})
			expect(t, run, tt.want)
			if c := find(t, run, "RESP-EMPTY"); c.Cause != "answer-is-an-envelope" {
				t.Errorf("RESP-EMPTY is put down to %q", c.Cause)
			}
		})
	}
}
