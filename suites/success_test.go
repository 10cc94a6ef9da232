package suites_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// answering puts one status in the place of another.
func answering(h http.Handler, statuses map[int]int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		status := answer.Code
		if other, ok := statuses[status]; ok {
			status = other
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(status)
		w.Write(answer.Body.Bytes())
	}
}

// Who answers 201 has taken the request: that it is not 200 is one mistake, and the
// webhook's others are judged beside it.
func TestAnotherSuccessThan200IsOneMistake(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		hook func(*plainHook)
		want map[string]reports.Outcome
	}{
		{"sound in all else", func(*plainHook) {}, map[string]reports.Outcome{
			"RESP-STATUS": reports.Failed, "RESP-JSON": reports.Passed, "HOOK-VALID": reports.Passed, "HOOK-EXPIRED": reports.Passed,
			"SIG-VALID": reports.Passed, "SIG-MISSING": reports.Passed, "SIG-RAW-BODY": reports.Passed,
		}},
		{"checks no signature and no time, and turns strangers away", func(h *plainHook) {
			h.secret = ""
			h.stranger = func(w http.ResponseWriter) { http.Error(w, "{}", http.StatusForbidden) }
			h.believe = func(header, claims map[string]any, signed bool, chat string) bool { return signed }
		}, map[string]reports.Outcome{
			"RESP-STATUS": reports.Failed, "RESP-JSON": reports.Passed, "HOOK-VALID": reports.Passed, "HOOK-EXPIRED": reports.Failed,
			"SIG-VALID": reports.Passed, "SIG-MISSING": reports.Failed, "SIG-RAW-BODY": reports.Passed,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			tt.hook(&h)
			run := suites.RunQuietly(t.Context(), target.Target{PrivateKey: ourKey(), Webhooks: []target.Webhook{{
				URL: "https://hook.shop.example/kindly", ConnectTo: serve(t, answering(h, map[int]int{http.StatusOK: http.StatusCreated})), Secret: plainSecret,
			}}}, suites.Options{Only: []string{"RESP", "HOOK-VALID", "HOOK-EXPIRED", "SIG"}})
			expect(t, run, tt.want)
		})
	}
}

// That a request with another signature is answered otherwise than one without a
// token says nothing of the signature: Kindly's own is answered so as well.
func TestASignatureIsNoMistakeWhereKindlysIsAnsweredAlike(t *testing.T) {
	t.Parallel()
	h := plain()
	h.secret = "" // it looks at none
	h.stranger = func(w http.ResponseWriter) { http.Error(w, "{}", http.StatusForbidden) }
	run := suites.RunQuietly(t.Context(), target.Target{PrivateKey: ourKey(), Webhooks: []target.Webhook{{
		URL: "https://hook.shop.example/kindly", ConnectTo: serve(t, answering(h, map[int]int{http.StatusOK: http.StatusUnprocessableEntity})), Secret: plainSecret,
	}}}, suites.Options{Only: []string{"SIG-VALID"}})
	expect(t, run, map[string]reports.Outcome{"SIG-VALID": reports.Skipped})
	if _, named := findCause(run, "hmac-hex"); named {
		t.Error("the signature is named as the mistake")
	}
}

// expect compares outcomes, and shows the checks whose outcome is another.
func expect(t *testing.T, run reports.Run, want map[string]reports.Outcome) {
	t.Helper()
	for id, outcome := range want {
		if c := find(t, run, id); c.Outcome != outcome {
			t.Errorf("%s is %s, want %s", id, c.Outcome, outcome)
			describe(t, c)
		}
	}
}
