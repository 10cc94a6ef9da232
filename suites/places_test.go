package suites_test

import (
	"encoding/hex"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// Two webhooks are two things: what one does is not said of the other.

// causesAt are the causes of a report with their places.
func causesAt(run reports.Run) map[string]bool {
	out := map[string]bool{}
	for _, c := range run.Causes {
		out[c.ID+" at "+c.Where] = true
	}
	return out
}

// diesOf is a webhook whose process is gone for a moment after some requests.
func diesOf(h plainHook, culprit func(r *http.Request) bool) plainHook {
	var until atomic.Int64
	h.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if culprit(r) {
			until.Store(time.Now().Add(300 * time.Millisecond).UnixNano())
		}
		if time.Now().UnixNano() < until.Load() {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	return h
}

// unsigned says whether a request's token names the algorithm none.
func unsigned(r *http.Request) bool {
	header, _, _ := plainHook{}.read(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	alg, _ := header["alg"].(string)
	return strings.EqualFold(alg, "none")
}

func TestTheDeathOfOneWebhookIsNotToldOfAnother(t *testing.T) {
	t.Parallel()
	believes := plain()
	believes.believe = func(header, claims map[string]any, signed bool, chat string) bool {
		return header["alg"] == "none" || soundly(header, claims, signed, chat)
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, believes, diesOf(plain(), unsigned)), suites.Options{Only: []string{"HOOK-VALID", "HOOK-ALG-NONE", "LIVE-PROCESS"}})
	c := find(t, run, "HOOK-ALG-NONE")
	if c.Outcome != reports.Failed || c.Cause != "webhook-lets-token-choose" || !strings.HasPrefix(c.Actual, "hook1: ") || strings.Contains(c.Actual, "kill") {
		describe(t, c)
		t.Errorf("cause %q, want what hook1 does, and no word of a death", c.Cause)
	}
	if _, told := findCause(run, "process-dies"); !told {
		t.Errorf("causes %v, want the death of hook2 among them", causesAt(run))
	}
}

func TestMistakesAtTwoWebhooksAreTwo(t *testing.T) {
	t.Parallel()
	takesHex, takesAll := plain(), plain()
	takesHex.encode = hex.EncodeToString
	takesAll.secret = ""
	shop := targetOf(t, takesHex, takesAll)
	shop.Webhooks[1].Secret = plainSecret
	got := causesAt(suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-VALID", "SIG"}}))
	for _, want := range []string{"hmac-hex at hook1", "webhook-checks-no-hmac at hook2"} {
		if !got[want] {
			t.Errorf("%v, want %s among them", got, want)
		}
	}
}

// A webhook that fails once is not accused with another that fails each time.
func TestEachWebhookIsLookedAtAgainByItself(t *testing.T) {
	t.Parallel()
	var once atomic.Bool
	fails := func(r *http.Request) bool { return r.Header.Get("Kindlytest-Check") == "HOOK-WRONG-KEY" }
	answers500 := func(w http.ResponseWriter) bool {
		http.Error(w, `{"error":"oops"}`, http.StatusInternalServerError)
		return true
	}
	flaky, broken := plain(), plain()
	flaky.before = func(w http.ResponseWriter, r *http.Request) bool {
		return fails(r) && once.CompareAndSwap(false, true) && answers500(w)
	}
	broken.before = func(w http.ResponseWriter, r *http.Request) bool { return fails(r) && answers500(w) }
	c := find(t, suites.RunQuietly(t.Context(), targetOf(t, flaky, broken), suites.Options{Only: []string{"HOOK-WRONG-KEY"}}), "HOOK-WRONG-KEY")
	if c.Outcome != reports.Failed || !strings.HasPrefix(c.Actual, "hook2: ") || strings.Contains(c.Actual, "hook1") {
		describe(t, c)
		t.Error("want hook2 accused, and hook1 not")
	}
}

// What looks for a mistake may kill a process that the mistake is not in: that is
// told, and all else is judged.
func TestATryThatKillsTheProcessLosesNothing(t *testing.T) {
	t.Parallel()
	h := diesOf(plain(), func(r *http.Request) bool { return len(r.Header.Get("Kindly-HMAC")) == 64 }) // of hex
	h.encode = func(b []byte) string { return "sha256=" + hex.EncodeToString(b) }
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"SIG-VALID", "HOOK-VALID", "HOOK-WRONG-KEY", "LIVE-PROCESS"}})
	for id, want := range map[string]reports.Outcome{"SIG-VALID": reports.Failed, "LIVE-PROCESS": reports.Failed, "HOOK-VALID": reports.Passed, "HOOK-WRONG-KEY": reports.Passed} {
		if c := find(t, run, id); c.Outcome != want {
			describe(t, c)
			t.Errorf("%s is %s, want %s", id, c.Outcome, want)
		}
	}
	if run.Problem != "" || !causesAt(run)["hmac-prefix at "] {
		t.Errorf("problem %q, causes %v", run.Problem, causesAt(run))
	}
}
