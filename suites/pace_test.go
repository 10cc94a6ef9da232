package suites_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

func TestASlowWebhookThatAnswers500IsNotDead(t *testing.T) {
	t.Parallel()
	h := plain()
	h.refuse = http.StatusInternalServerError
	h.before = func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-time.After(1700 * time.Millisecond):
		case <-r.Context().Done():
		}
		return false
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Timeout: 2 * time.Second, Only: []string{"HOOK-WRONG-KEY", "HOOK-SIGNATURE", "LIVE-PROCESS"}})
	for _, id := range []string{"HOOK-WRONG-KEY", "HOOK-SIGNATURE"} {
		if c := find(t, run, id); c.Outcome != reports.Failed || !strings.Contains(c.Actual, "status 500") {
			describe(t, c)
			t.Errorf("%s: want the 500 reported", id)
		}
	}
	if c := find(t, run, "LIVE-PROCESS"); c.Outcome != reports.Passed {
		describe(t, c)
		t.Error("nobody died")
	}
}

// A webhook that takes a third of the time-out is judged like a quick one, and
// does not make the run last for minutes.
func TestASlowWebhookIsJudgedAtItsOwnPace(t *testing.T) {
	t.Parallel()
	h := plain()
	h.before = func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-time.After(300 * time.Millisecond):
		case <-r.Context().Done():
		}
		return false
	}
	began := time.Now()
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Timeout: time.Second, Only: []string{"HOOK", "SIG", "RESP", "LIVE-PROCESS"}, Skip: []string{"HOOK-UNVERIFIED"}})
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s", took)
	}
	noneIs(t, run, reports.Failed, reports.Warned, reports.Errored)
	if judged, all := judgedOf(run, "HOOK"); judged < all-4 || run.Problem != "" || run.Summary.Deaths > 0 {
		t.Errorf("%d of %d judged, %d deaths, problem %q", judged, all, run.Summary.Deaths, run.Problem)
	}
}

// Whoever has few workers works off what comes at once, one after another: to be silent
// meanwhile is neither an end nor anybody's refusal.
func TestAWebhookOfFewWorkersIsBusyAndNotDead(t *testing.T) {
	t.Parallel()
	h := plain()
	workers := make(chan struct{}, 2)
	h.before = func(http.ResponseWriter, *http.Request) bool {
		workers <- struct{}{} // also for who has gone meanwhile, as where a proxy queues
		time.Sleep(200 * time.Millisecond)
		<-workers
		return false
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Timeout: time.Second, Only: []string{"SIG", "RESP", "LIVE-HOOK-BURST", "LIVE-HOOK-ABORT", "LIVE-PROCESS"}})
	for _, c := range run.Checks {
		if c.Outcome == reports.Failed && c.ID != "LIVE-HOOK-BURST" || c.Outcome == reports.Errored { // 64 at once take six seconds
			describe(t, c)
			t.Errorf("%s: %s", c.ID, c.Outcome)
		}
	}
	if run.Summary.Deaths > 0 || run.Problem != "" {
		t.Errorf("%d deaths, problem %q", run.Summary.Deaths, run.Problem)
	}
}

// A webhook that never answers a forged token is told so, and costs no hour.
func TestAWebhookThatHangsOnForgedTokensIsTold(t *testing.T) { // alone: its time-outs are short
	h := plain()
	h.before = func(_ http.ResponseWriter, r *http.Request) bool {
		raw := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if _, _, signed := h.read(raw); raw == "" || signed {
			return false
		}
		io.Copy(io.Discard, r.Body) // or else nobody notices that the client has gone
		<-r.Context().Done()
		return true
	}
	began := time.Now()
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Timeout: 200 * time.Millisecond, Only: []string{"HOOK-VALID", "HOOK-ALG-NONE", "HOOK-KID-INJECTION", "HOOK-SIGNATURE", "HOOK-SEGMENTS", "HOOK-WRONG-KEY", "HOOK-TAMPERED"}})
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	if c := find(t, run, "HOOK-VALID"); c.Outcome != reports.Passed {
		describe(t, c)
	}
	for _, id := range []string{"HOOK-ALG-NONE", "HOOK-KID-INJECTION", "HOOK-SIGNATURE"} {
		if c := find(t, run, id); c.Outcome != reports.Failed || !strings.Contains(c.Actual, "timed out") {
			describe(t, c)
			t.Errorf("%s: want the time-out told", id)
		}
	}
	if found := findings(run); !slices.Equal(found, []string{"webhook-fails-on-bad-tokens"}) { // it believes none of them
		t.Errorf("it names %q", found)
	}
}
