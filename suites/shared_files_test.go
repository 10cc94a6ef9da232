package suites_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A webhook that verifies what lies in a file of one name for all requests takes a forged
// token where another's signature lies there meanwhile. No forged token is believed for
// that: each verdict is what it would be alone.
func TestWhatIsBelievedOnlyInCompanyAccusesNoToken(t *testing.T) {
	t.Parallel()
	h := plain()
	valid := make(chan struct{})
	var mixed atomic.Bool // once is enough
	var started atomic.Int64
	h.believes = func(signed bool) bool {
		if !signed && mixed.Load() {
			return false
		}
		if !signed { // a program is started that reads the file, which another has written meanwhile
			select {
			case <-valid:
				mixed.Store(true)
				return true
			case <-time.After(time.Duration(1+started.Add(1)%5) * 100 * time.Millisecond): // else all that are under way end together, before the next come
				return false
			}
		}
		for {
			select {
			case valid <- struct{}{}:
			default:
				return true
			}
		}
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-WRONG-KEY", "HOOK-SIGNATURE", "HOOK-TAMPERED", "HOOK-KID-INJECTION", "HOOK-EMBEDDED-KEY", "HOOK-EXP*", "HOOK-IAT", "HOOK-NBF", "HOOK-LIFETIME", "HOOK-SUB-TYPE", "HOOK-CHAT-TYPE"}})
	if run.ExitCode != 2 || !strings.Contains(run.Problem, "what belongs to one request") {
		t.Errorf("exit code %d, problem %q: what was believed in company is no pass", run.ExitCode, run.Problem)
	}
	for _, id := range []string{"HOOK-WRONG-KEY", "HOOK-SIGNATURE", "HOOK-TAMPERED", "HOOK-KID-INJECTION", "HOOK-EMBEDDED-KEY"} {
		if c := find(t, run, id); c.Outcome == reports.Failed || c.Outcome == reports.Warned {
			t.Errorf("%s is %s", id, c.Outcome)
			describe(t, c)
		}
	}
}

// What a webhook may accept accuses nobody, and so is not asked for again alone: each time
// all else would wait for it.
func TestWhatAWebhookMayAcceptIsAskedForOnce(t *testing.T) {
	t.Parallel()
	h := plain()
	var mu sync.Mutex
	seen := map[string]int{}
	h.before = func(_ http.ResponseWriter, r *http.Request) bool {
		raw := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if parsed, err := token.Decode(token.Raw(raw)); err == nil && strings.Contains(parsed.Claims.Get("name").String(), "<") {
			mu.Lock()
			defer mu.Unlock()
			seen[raw]++
		}
		return false
	}
	suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-ESCAPES"}})
	if len(seen) == 0 {
		t.Fatal("no name with markup was sent")
	}
	for raw, times := range seen {
		if times > 1 {
			t.Errorf("%d times: %s", times, raw[:min(len(raw), 80)])
		}
	}
}

// One of several processes believes whatever comes: who meets it alone is believed, too,
// now and then. That is no matter of company.
func TestOneProcessOfFourThatBelievesIsAccused(t *testing.T) {
	t.Parallel()
	h := plain()
	var asked atomic.Int32
	h.believes = func(signed bool) bool { return asked.Add(1)%4 == 0 || signed }
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-WRONG-KEY", "HOOK-SIGNATURE", "HOOK-TAMPERED"}})
	failed := 0
	for _, id := range []string{"HOOK-WRONG-KEY", "HOOK-SIGNATURE", "HOOK-TAMPERED"} {
		c := find(t, run, id)
		if c.Outcome == reports.Failed {
			failed++
		} else if c.Outcome != reports.Passed { // by chance none of its tokens met that process
			t.Errorf("%s is %s", id, c.Outcome)
			describe(t, c)
		}
	}
	if failed == 0 || run.ExitCode != 1 {
		t.Errorf("%d failed, exit code %d, problem %q", failed, run.ExitCode, run.Problem)
	}
}

// Of what a webhook believes, one token of each check is asked for again alone, which
// tells that of the others: each time all else waits.
func TestABelieverIsAskedAgainOnceOfEachCheck(t *testing.T) {
	t.Parallel()
	h := plain()
	h.believe = func(_, claims map[string]any, _ bool, _ string) bool { return claims["name"] != nil }
	var mu sync.Mutex
	seen, again := map[string]bool{}, map[string]int{}
	h.before = func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		check, raw := r.Header.Get("Kindlytest-Check"), r.Header.Get("Authorization")
		if seen[check+raw] {
			again[check]++
		}
		seen[check+raw] = true
		return false
	}
	checks := []string{"HOOK-SIGNATURE", "HOOK-ALG-NONE", "HOOK-KID-INJECTION", "HOOK-KEY-CONFUSION"}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: checks})
	for _, id := range checks {
		if c := find(t, run, id); c.Outcome != reports.Failed || again[id] != 1 {
			t.Errorf("%s is %s, and asked again %d times, want 1", id, c.Outcome, again[id])
		}
	}
}
