package suites_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A webhook that names its user in some of its answers alone answers an unsigned request
// now and then without a name: it has accepted it all the same.
func TestANamelessAnswerIsNoRefusal(t *testing.T) {
	t.Parallel()
	for name, refuses := range map[string]bool{"it checks no signature": false, "it refuses politely": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			if !refuses {
				h.secret = ""
			}
			var well, badly atomic.Int32
			var signed atomic.Bool
			h.before = func(_ http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				signed.Store(r.Header.Get("Kindly-HMAC") == hmacOf(plainSecret, body))
				return false
			}
			h.reply = func(name, _ string) string {
				n, few := &well, int32(8)
				if !signed.Load() { // it happens to name nobody at first
					n, few = &badly, 0
				}
				if i := n.Add(1); !refuses && i > few && (i%2 == 0 || !signed.Load() && i < 6) {
					return "Your parcel left Oslo yesterday."
				}
				return "Hello " + name + ", your order is on its way."
			}
			h.unsigned = func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "application/json")
				w.Write([]byte(`{"reply":"Something went wrong here, please try again."}`))
			}
			shop := targetOf(t, h)
			shop.Webhooks[0].Secret = plainSecret
			c := find(t, suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"SIG-MISSING", "SIG-WRONG"}, Concurrency: 1}), "SIG-MISSING")
			outcome, cause := reports.Failed, "webhook-checks-no-hmac"
			if refuses {
				outcome, cause = reports.Warned, "webhook-refuses-politely"
			}
			if c.Outcome != outcome || c.Cause != cause {
				t.Errorf("SIG-MISSING is %s for %q, want %s", c.Outcome, c.Cause, outcome)
				describe(t, c)
			}
		})
	}
}

// One of many requests may be lost, or turned away: a refusal that is as polite as ever is one
// all the same, and not asked for again and again.
func TestALostControlMakesNoRefusalAcceptance(t *testing.T) {
	t.Parallel()
	for name, turnAway := range map[string]http.HandlerFunc{"none": nil, "lost": hang, "an error": says(500, "text/plain", "an error")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var well, badly atomic.Int32
			var lost sync.Map
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				if r.Header.Get("Kindly-HMAC") == hmacOf(plainSecret, body) {
					return false
				}
				if badly.Add(1) == 5 {
					lost.Store(string(body), true)
				}
				if _, ok := lost.Load(string(body)); ok && turnAway != nil {
					turnAway(w, r)
					return true
				}
				return false
			}
			h.reply = func(name, _ string) string {
				if well.Add(1)%2 == 0 {
					return "Your parcel left Oslo yesterday."
				}
				return "Hello " + name + ", your order is on its way."
			}
			h.unsigned = func(w http.ResponseWriter) {
				says(200, "application/json", `{"reply":"Something went wrong here, please try again."}`)(w, nil)
			}
			c := find(t, suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"SIG-MISSING"}, Timeout: impatience, Concurrency: 1}), "SIG-MISSING")
			if c.Outcome != reports.Warned || c.Cause != "webhook-refuses-politely" {
				t.Errorf("SIG-MISSING is %s for %q", c.Outcome, c.Cause)
				describe(t, c)
			}
			if n := badly.Load(); turnAway == nil && n > 10 {
				t.Errorf("%d requests were signed badly", n)
			}
		})
	}
}

// Where each answer is another text, and most of those to the user name them, one that names
// nobody tells nothing yet: whoever signs badly may be a stranger to it.
func TestProseToWhoSignsBadlyIsNoAcceptance(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		refuses bool
		want    reports.Outcome
	}{"it makes a stranger of them": {true, reports.Warned}, "it checks no signature": {false, reports.Failed}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked, well, badly atomic.Int32
			prose := func() string {
				sum := sha256.Sum256([]byte{byte(asked.Add(1))})
				for i, b := range sum {
					if sum[i] = 'a' + b%26; i%5 == 4 {
						sum[i] = ' '
					}
				}
				return string(sum[:])
			}
			h := plain()
			if !row.refuses {
				h.secret = ""
			}
			var signed atomic.Bool
			h.before = func(_ http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				signed.Store(r.Header.Get("Kindly-HMAC") == hmacOf(plainSecret, body))
				return false
			}
			h.reply = func(name, _ string) string {
				if !signed.Load() && badly.Add(1) == 1 || signed.Load() && well.Add(1)%6 == 5 {
					return prose()
				}
				return name + "! " + prose()
			}
			h.stranger = func(w http.ResponseWriter) { says(200, "application/json", `{"reply":"`+prose()+`"}`)(w, nil) }
			h.unsigned = h.stranger
			shop := targetOf(t, h)
			shop.Webhooks[0].Secret = plainSecret
			c := find(t, suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"SIG-MISSING"}, Concurrency: 1}), "SIG-MISSING")
			if c.Outcome != row.want {
				t.Errorf("SIG-MISSING is %s, want %s", c.Outcome, row.want)
				describe(t, c)
			}
		})
	}
}

// Too few answers to say more leave it as unclear as it is.
func TestFewAnswersLeaveAPoliteRefusalUnclear(t *testing.T) {
	t.Parallel()
	var well atomic.Int32
	var turns sync.Map // of what is sent
	h := plain()
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
		r.Body = io.NopCloser(bytes.NewReader(body))
		if r.Header.Get("Kindly-HMAC") != hmacOf(plainSecret, body) || r.Header.Get("Authorization") == "" {
			return false
		}
		turn, sent := turns.Load(string(body))
		if !sent {
			turn = well.Add(1)
			turns.Store(string(body), turn)
		}
		if n := turn.(int32); n < 5 || n%2 == 0 {
			return false
		}
		says(500, "text/plain", "an error")(w, r)
		return true
	}
	h.unsigned = func(w http.ResponseWriter) {
		says(200, "application/json", `{"reply":"Something went wrong here, please try again."}`)(w, nil)
	}
	c := find(t, suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"SIG-MISSING"}, Concurrency: 1}), "SIG-MISSING")
	if c.Outcome != reports.Warned || c.Cause != "webhook-refuses-politely" {
		t.Errorf("SIG-MISSING is %s for %q", c.Outcome, c.Cause)
		describe(t, c)
	}
}
