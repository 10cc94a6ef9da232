package suites_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A session that was given in the file, and dies with the process, can't be made again. It
// is said so once; nothing is accused, or passes, for what strangers are answered then.
func TestAGivenSessionThatDiesWithItsProcess(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusInternalServerError} {
		for _, concurrency := range []int{0, 1} {
			t.Run(fmt.Sprint(status, concurrency), func(t *testing.T) {
				t.Parallel()
				var died atomic.Bool
				var down atomic.Int64 // how many more find nobody there
				shop := plainEndpointOf(t, plainEndpoint{})
				shop.Endpoint.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
					switch _, err := r.Cookie("sid"); {
					case down.Add(-1) >= 0:
						reset(w)
					case r.Header.Get("Content-Type") == "text/plain;charset=UTF-8" && plainSession(r) != "" && !died.Load():
						died.Store(true)
						down.Store(3)
						reset(w)
					case died.Load() && err == nil:
						http.Error(w, `{"error":"who?"}`, status)
					default:
						plainEndpoint{}.ServeHTTP(w, r)
					}
				})
				run := suites.RunQuietly(t.Context(), shop, suites.Options{Concurrency: concurrency, Only: []string{"AUTH-*", "TOK-SUB-STABLE", "LIVE-AUTH-BODY", "LIVE-AUTH-BURST", "LIVE-PROCESS"},
					Skip: []string{"AUTH-NO-STORE", "AUTH-FORM", "AUTH-NOSNIFF", "AUTH-CSRF", "AUTH-CORS-*"}})
				for _, c := range run.Checks {
					if c.ID != "LIVE-PROCESS" && c.Cause != "process-dies" && (c.Outcome == reports.Failed || c.Outcome == reports.Warned) {
						t.Errorf("%s is %s", c.ID, c.Outcome)
						describe(t, c)
					}
				}
				if c := find(t, run, "LIVE-AUTH-BURST"); c.Outcome == reports.Passed {
					t.Errorf("LIVE-AUTH-BURST is %s", c.Outcome)
				}
				if !strings.Contains(run.Problem, "the session that was given is lost") || strings.Contains(run.Problem, "for good") || run.ExitCode == 0 {
					t.Errorf("exit code %d; the run says %q", run.ExitCode, run.Problem)
				}
			})
		}
	}
}
