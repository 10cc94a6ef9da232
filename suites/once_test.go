package suites_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A chat sends one token along with each message. A webhook that takes each once is told
// so, whatever token is tried next, and is judged by new ones.
func TestAWebhookThatTakesATokenOnceIsNamed(t *testing.T) {
	t.Parallel()
	h := plain()
	var seen sync.Map
	h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
		if !soundly(header, claims, signed, chat) {
			return false
		}
		_, again := seen.LoadOrStore(chat, true)
		return !again
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-*", "SIG-*", "RESP-*", "LIVE-HOOK-BURST"}, Skip: []string{"HOOK-UNVERIFIED", "RESP-REPEAT"}})
	if c := find(t, run, "HOOK-VALID"); c.Cause != "webhook-takes-token-once" {
		t.Errorf("HOOK-VALID is put down to %q", c.Cause)
		describe(t, c)
	}
	if ids := failed(run); !slices.Equal(ids, []string{"HOOK-VALID"}) {
		t.Errorf("failed: %v", ids)
		for _, id := range ids {
			describe(t, find(t, run, id))
		}
	}
	if judged, all := judgedOf(run, "HOOK"); judged < all-3 {
		t.Errorf("only %d of %d checks judged", judged, all)
	}
}

// Who is not logged in reads the answer as well: a login page with status 200 is none.
func TestAPageForStrangersIsNoAnswer(t *testing.T) {
	t.Parallel()
	h := plain()
	h.stranger = func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<!doctype html><title>Sign in</title><form></form>")
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-VALID", "RESP-JSON"}})
	if c := find(t, run, "RESP-JSON"); c.Outcome != reports.Failed || c.Cause != "webhook-answers-a-page" || !strings.Contains(c.Actual, "without a token") {
		t.Errorf("RESP-JSON is %s for %q: %s", c.Outcome, c.Cause, c.Actual)
	}
}
