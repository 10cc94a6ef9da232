package suites_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A webhook that keeps something of each request that it refuses, and has run out of it
// one day, fails from then on whatever it is asked, or hangs. That is told; no request is
// accused of what all get, and another webhook of the process is judged.
func TestAWebhookThatHasRunOutOfSomethingAccusesNobody(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(http.ResponseWriter, *http.Request){
		"an error": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no connection left", http.StatusInternalServerError)
		},
		"busy": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no connection left", http.StatusServiceUnavailable)
		},
		"a proxy finds nobody behind it": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Bad Gateway", http.StatusBadGateway)
		},
		"a proxy gets no answer": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Gateway Timeout", http.StatusGatewayTimeout)
		},
		"no answer": func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // else nobody sees the client go
			<-r.Context().Done()
		},
	} {
		for _, concurrency := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, concurrency %d", name, concurrency), func(t *testing.T) {
				t.Parallel()
				h := plain()
				var taken atomic.Int64
				h.before = func(w http.ResponseWriter, r *http.Request) bool {
					if taken.Load() < 20 {
						return false
					}
					fail(w, r)
					return true
				}
				h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
					ok := soundly(header, claims, signed, chat)
					if !ok {
						taken.Add(1)
					}
					return ok
				}
				mux := http.NewServeMux()
				mux.Handle("/ailing", h)
				mux.Handle("/sound", plain())
				url := serve(t, mux.ServeHTTP)
				shop := target.Target{PrivateKey: ourKey()}
				for _, path := range []string{"ailing", "sound"} {
					shop.Webhooks = append(shop.Webhooks, target.Webhook{Name: path, URL: "https://hooks.shop.example/" + path, ConnectTo: url + "/" + path, Secret: plainSecret})
				}
				run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-*", "LIVE-PROCESS", "LIVE-HOOK-ABORT"}, Skip: []string{"HOOK-UNVERIFIED"}, Timeout: 2 * time.Second, Concurrency: concurrency})
				errored := 0
				for _, c := range run.Checks {
					switch {
					case c.ID == "LIVE-PROCESS":
						if c.Outcome != reports.Warned || !strings.Contains(c.Actual, "plain requests fail with an error") && !strings.Contains(c.Actual, "no longer answers") {
							t.Errorf("LIVE-PROCESS is %s: %s", c.Outcome, c.Actual)
						}
					case c.Outcome == reports.Errored:
						errored++
					case c.Outcome == reports.Failed || c.Outcome == reports.Warned, c.ID == "LIVE-HOOK-ABORT" && c.Outcome == reports.Passed:
						t.Errorf("%s is %s: %s", c.ID, c.Outcome, c.Actual)
					}
				}
				if errored == 0 || run.ExitCode != 2 || strings.Contains(run.Problem, "sound") {
					t.Errorf("%d checks could not find out, exit code %d: %s", errored, run.ExitCode, run.Problem)
				}
			})
		}
	}
}

// Where a requirement is broken by an error and by a belief, it is the belief that is
// told, and the cause is its.
func TestABeliefIsToldBeforeAnError(t *testing.T) {
	t.Parallel()
	h := plain()
	h.refuse = http.StatusInternalServerError
	h.verify = func(input string, signature []byte) bool {
		sum := sha256.Sum256([]byte(input))
		mac := hmac.New(sha256.New, nil)
		mac.Write([]byte(input))
		return hmac.Equal(mac.Sum(nil), signature) || rsa.VerifyPKCS1v15(h.key, crypto.SHA256, sum[:], signature) == nil
	}
	h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
		return soundly(map[string]any{"alg": "RS256"}, claims, signed && (header["alg"] == "RS256" || header["alg"] == "HS256"), chat)
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-*"}})
	c := find(t, run, "HOOK-KEY-CONFUSION")
	if c.Cause != "webhook-takes-hmac-tokens" || !strings.Contains(c.Actual, "HS256 keyed with nothing") {
		t.Errorf("%s: %s", c.Cause, c.Actual)
	}
	if c := find(t, run, "HOOK-WRONG-KEY"); c.Cause != "webhook-fails-on-bad-tokens" {
		t.Errorf("HOOK-WRONG-KEY: %s: %s", c.Cause, c.Actual)
	}
}

// Whom a webhook has talked to before is nobody's business, also if the member is one
// that was made up.
func TestAWebhookThatRemembersTheLastMemberIsFoundByAKeyAlone(t *testing.T) {
	t.Parallel()
	h := plain()
	var last atomic.Value
	h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
		ok := soundly(header, claims, signed, chat)
		if name, isText := claims["name"].(string); ok && isText {
			last.Store(name)
		}
		return ok
	}
	h.stranger = func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		if name, known := last.Load().(string); known {
			fmt.Fprintf(w, `{"reply":"Hello %s, your order is on its way."}`, name)
			return
		}
		fmt.Fprint(w, `{"reply":"Please log in first."}`)
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-ANONYMOUS", "HOOK-DISTINGUISHES"}})
	if c := find(t, run, "HOOK-ANONYMOUS"); c.Outcome != reports.Failed || c.Cause != "webhook-knows-no-strangers" || !strings.Contains(c.Actual, "the member's name") {
		t.Errorf("HOOK-ANONYMOUS is %s for %q: %s", c.Outcome, c.Cause, c.Actual)
	}
}

// Who has logged out is still in the chat in which they were a member.
func TestAWebhookThatRemembersTheMemberOfAChatIsFound(t *testing.T) {
	t.Parallel()
	h := plain()
	var members sync.Map
	h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
		ok := soundly(header, claims, signed, chat)
		if ok {
			members.Store(chat, claims["name"])
		}
		return ok
	}
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		name, known := members.Load(member(body, "chat_id"))
		if known = known && r.Header.Get("Authorization") == "" && r.Header.Get("Kindly-HMAC") != ""; known {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"reply":"Hello %s, your order is on its way."}`, name)
		}
		return known
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-ANONYMOUS", "HOOK-SCHEME"}})
	for _, id := range []string{"HOOK-ANONYMOUS", "HOOK-SCHEME"} {
		if c := find(t, run, id); c.Outcome != reports.Passed && c.Cause != "webhook-knows-no-strangers" || id == "HOOK-ANONYMOUS" && c.Outcome != reports.Failed {
			t.Errorf("%s is %s for %q: %s", id, c.Outcome, c.Cause, c.Actual)
		}
	}
}
