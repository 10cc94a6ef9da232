package suites_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/service"
)

// What bans whoever sends many bad requests refuses all that comes after them: then nobody
// knows what the webhook behind it would have refused.
func TestARefusalOfWhoIsBannedTellsNothing(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"HOOK-KEY-CONFUSION", "SIG-WRONG", "HOOK-ERROR-LEAK", "HOOK-TOKEN-ECHO"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			sound := plain()
			var bad atomic.Int32
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				answer := httptest.NewRecorder()
				if sound.ServeHTTP(answer, r); bad.Load() >= 3 {
					http.Error(w, "Forbidden", http.StatusForbidden)
					return true
				}
				if answer.Code >= 400 {
					bad.Add(1)
				}
				says(answer.Code, answer.Header().Get("Content-Type"), answer.Body.String())(w, r)
				return true
			}
			c := find(t, suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{id}, Concurrency: 1}), id)
			if c.Outcome != reports.Errored || !strings.Contains(c.Reason, "turns valid requests away by now") {
				t.Errorf("%s is %s: %s", id, c.Outcome, c.Reason)
				describe(t, c)
			}
		})
	}
}

// One that is refused now and then, or while the webhook loads something anew, is no ban. And
// a ban need not be asked about again and again.
func TestARefusalOfAMomentIsNoBan(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		refuses func(n int, since time.Duration) bool
		want    reports.Outcome
		most    int
	}{
		"three times":  {func(n int, _ time.Duration) bool { return n <= 3 }, reports.Passed, 8},
		"for a second": {func(_ int, since time.Duration) bool { return since < time.Second }, reports.Passed, 10},
		"for good":     {func(int, time.Duration) bool { return true }, reports.Errored, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var first time.Time
			asked := 0
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				if !aBadSignature(r.Header.Get(service.HeaderCheck)) || r.Header.Get("Kindly-HMAC") != hmacOf(plainSecret, body) {
					return false
				}
				mu.Lock()
				defer mu.Unlock()
				if asked++; asked == 1 {
					first = time.Now()
				}
				if !row.refuses(asked, time.Since(first)) {
					return false
				}
				http.Error(w, "Unauthorized", http.StatusUnauthorized)
				return true
			}
			run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: badSignatures, Timeout: impatience})
			for _, id := range badSignatures {
				if c := find(t, run, id); c.Outcome != row.want {
					t.Errorf("%s is %s: %s", id, c.Outcome, c.Reason)
				}
			}
			if asked > row.most {
				t.Errorf("it was asked %d times", asked)
			}
		})
	}
}

// A limit that the last request meets is no matter of the check, whose own were answered.
func TestALimitAfterTheCheckIsNoneOfItsOwn(t *testing.T) {
	t.Parallel()
	h := plain()
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !aBadSignature(r.Header.Get(service.HeaderCheck)) || r.Header.Get("Kindly-HMAC") != hmacOf(plainSecret, body) {
			return false
		}
		w.Header().Set("Retry-After", "3600")
		http.Error(w, "too many requests", http.StatusTooManyRequests)
		return true
	}
	if c := find(t, suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"SIG-WRONG"}}), "SIG-WRONG"); c.Outcome != reports.Passed {
		t.Errorf("SIG-WRONG is %s: %s", c.Outcome, c.Reason)
	}
}

// badSignatures are checks of which each request is signed badly.
var badSignatures = []string{"SIG-MISSING", "SIG-WRONG", "SIG-BODY"}

func aBadSignature(check string) bool { return slices.Contains(badSignatures, check) }
