package suites_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A proxy stands before a webhook whose process ends on a token of no algorithm, and is back a moment later. What the proxy says meanwhile is no answer of the
// webhook, whatever its status is: the death is found, and accuses nobody else.
func TestAPageThatStandsInForAProcessIsNoAnswer(t *testing.T) {
	t.Parallel()
	const page = "<!doctype html><title>We'll be right back</title><p>Maintenance in progress."
	for name, status := range map[string]int{"with its own status": http.StatusBadGateway, "as if it were busy": http.StatusServiceUnavailable, "as if nothing had been": http.StatusOK} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var down atomic.Int64 // until when, in ns
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return true
				}
				r.Body = io.NopCloser(strings.NewReader(string(body)))
				first, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
				header, err := base64.RawURLEncoding.DecodeString(first)
				now := time.Now().UnixNano()
				if kills := err == nil && strings.Contains(strings.ToLower(string(header)), `"none"`); kills && now > down.Load() {
					down.Store(now + int64(300*time.Millisecond))
				}
				if now > down.Load() {
					return false
				}
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(status)
				io.WriteString(w, page)
				return true
			}
			run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-VALID", "HOOK-ALG-NONE", "HOOK-ALG-MALFORMED", "HOOK-EXPIRED", "HOOK-TAMPERED", "RESP", "SIG", "LIVE"}})
			if ids, want := failed(run), []string{"HOOK-ALG-NONE", "HOOK-ALG-MALFORMED", "LIVE-PROCESS"}; !slices.Equal(ids, want) {
				t.Errorf("failed %v, want %v", ids, want)
				for _, id := range ids {
					describe(t, find(t, run, id))
				}
			}
			if c := find(t, run, "HOOK-ALG-NONE"); c.Cause != "process-dies" {
				describe(t, c)
				t.Errorf("of %q", c.Cause)
			}
			for _, c := range run.Checks {
				if c.Outcome == reports.Errored {
					describe(t, c)
					t.Errorf("%s is %s", c.ID, c.Outcome)
				}
			}
		})
	}
}
