package suites_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// withEndpoint is a shop with an endpoint and a webhook, as a team without a page gives it.
func withEndpoint(t *testing.T, e plainEndpoint, h plainHook) target.Target {
	t.Helper()
	shop := plainEndpointOf(t, e)
	shop.Webhooks, shop.PublicKeys = targetOf(t, h).Webhooks, []*token.Key{publicOf(t)}
	return shop
}

// What a webhook answers differs from team to team: it repeats what was said, names its user
// now and then, or has a firewall before it. None of that is a mistake of what is checked.
func TestWebhooksThatAnswerOtherwiseAreNotAccused(t *testing.T) {
	t.Parallel()
	longOnesRefused := func(w http.ResponseWriter, r *http.Request) bool {
		if r.ContentLength <= 8<<10 {
			return false
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusForbidden)
		w.Write([]byte("<html><head><title>403 Forbidden</title></head></html>"))
		return true
	}
	atPublicHost := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Host == "hook1.shop.example" {
			return false
		}
		http.NotFound(w, r)
		return true
	}
	var asked atomic.Int32
	for name, row := range map[string]struct {
		hook   func(*plainHook)
		only   []string
		warned []string
	}{
		"it repeats what was said": {hook: func(h *plainHook) {
			h.reply = func(name, message string) string { return "I did not understand " + message + ", " + name }
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Authorization") != "" || r.Method != http.MethodPost {
					return false
				}
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(map[string]string{"reply": "I did not understand " + member(body, "message")})
				return true
			}
		}, only: []string{"HOOK-USER-ID", "HOOK-VALID"}},
		"it names its user now and then": {hook: func(h *plainHook) {
			h.reply = func(name, _ string) string {
				if n := asked.Add(1); n > 3 && n%2 == 0 {
					return "Your parcel was sent yesterday."
				}
				return "Hello " + name + ", your order is on its way."
			}
		}, only: []string{"HOOK-VALID", "RESP-ADDITIVE", "RESP-REPEAT", "LIVE-HOOK-BURST"}},
		"a firewall refuses what is long":      {hook: func(h *plainHook) { h.before = longOnesRefused }, only: []string{"SIG-VALID", "SIG-RAW-BODY"}, warned: []string{"SIG-RAW-BODY"}},
		"a server knows its public host alone": {hook: func(h *plainHook) { h.before = atPublicHost }, only: []string{"HOOK-VALID", "FWD-DELIVERED"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			row.hook(&h)
			run := suites.RunQuietly(t.Context(), withEndpoint(t, plainEndpoint{}, h), suites.Options{Only: row.only, Concurrency: 1})
			for _, id := range row.only {
				want := reports.Passed
				if len(row.warned) > 0 && id == row.warned[0] {
					want = reports.Warned
				}
				if c := find(t, run, id); c.Outcome != want {
					t.Errorf("%s is %s, want %s", id, c.Outcome, want)
					describe(t, c)
				}
			}
		})
	}
}

// What an endpoint is sent, and what it puts into a token, differs from team to team, too.
func TestEndpointsOfOtherHabitsAreNotAccused(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	for name, row := range map[string]struct {
		endpoint func(*plainEndpoint)
		target   func(*target.Target)
		only     []string
	}{
		"a header names the shop, and so does the token": {
			endpoint: func(e *plainEndpoint) { e.more = map[string]any{"tenant_id": "7d0c-acme-shop"} },
			target:   func(shop *target.Target) { shop.Endpoint.Header.Set("X-Tenant-Id", "7d0c-acme-shop") },
			only:     []string{"TOK-SECRETS"}},
		"roles are a set": {
			endpoint: func(e *plainEndpoint) {
				e.odd = func(claims map[string]any) {
					claims["roles"] = [][]string{{"buyer", "reader"}, {"reader", "buyer"}}[asked.Add(1)%2]
				}
			}, only: []string{"AUTH-IDENTITY-BODY"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var e plainEndpoint
			row.endpoint(&e)
			shop := plainEndpointOf(t, e)
			if row.target != nil {
				row.target(&shop)
			}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: row.only, Concurrency: 1})
			for _, id := range row.only {
				if c := find(t, run, id); c.Outcome != reports.Passed {
					t.Errorf("%s is %s: %s", id, c.Outcome, c.Reason)
					describe(t, c)
				}
			}
		})
	}
}

// An endpoint that tells its own forms from other sites' by a value in the body does not serve
// those; one that only has such a field does.
func TestAValueAgainstForgeryIsWhatOtherSitesDoNotKnow(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		compares bool
		says     string
	}{"compared": {true, ""}, "not compared": {false, "with another value of _wpnonce"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := plainEndpointOf(t, plainEndpoint{})
			shop.Endpoint.ChatIDField, shop.Endpoint.Body = "", map[string]any{"chat_id": target.ChatID, "_wpnonce": "a8f3c09d1e"}
			shop.Endpoint.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				if row.compares && member(body, "_wpnonce") != "a8f3c09d1e" {
					http.Error(w, "-1", http.StatusForbidden)
					return
				}
				plainEndpoint{}.ServeHTTP(w, r)
			})
			c := find(t, suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-CSRF"}}), "AUTH-CSRF")
			if row.compares != (c.Outcome == reports.Passed) || !strings.Contains(c.Actual, row.says) {
				t.Errorf("AUTH-CSRF is %s: %s", c.Outcome, c.Reason)
				describe(t, c)
			}
		})
	}
}

// What a webhook makes of a body of no type has nothing to do with what it makes of tokens.
func TestAnErrorWithoutAContentTypeIsAMistakeOfItsOwn(t *testing.T) {
	t.Parallel()
	h := plain()
	h.refuse = http.StatusInternalServerError
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Content-Type") != "" {
			return false
		}
		http.Error(w, "oops", http.StatusInternalServerError)
		return true
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-*", "LIVE-HOOK-HEADERS"}})
	var causes []string
	for _, c := range run.Causes {
		causes = append(causes, c.ID)
	}
	for _, want := range []string{"webhook-fails-on-bad-tokens", "webhook-fails-on-headers"} {
		if !slices.Contains(causes, want) {
			t.Errorf("causes are %q, want %s among them", causes, want)
		}
	}
}
