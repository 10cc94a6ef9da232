package suites_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// failed lists the checks that failed or warned.
func failed(run reports.Run) []string {
	var ids []string
	for _, c := range run.Checks {
		if c.Outcome == reports.Failed || c.Outcome == reports.Warned {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// judgedOf counts the checks of an area that came to a verdict.
func judgedOf(run reports.Run, area string) (judged, all int) {
	for _, c := range run.Checks {
		if c.Area == area {
			all++
			if c.Outcome != reports.Skipped && c.Outcome != reports.Errored {
				judged++
			}
		}
	}
	return judged, all
}

func TestASoundWebhookPassesWithAMintedToken(t *testing.T) {
	t.Parallel()
	run := suites.RunQuietly(t.Context(), targetOf(t, plain()), suites.Options{Skip: []string{"HOOK-UNVERIFIED"}})
	if ids := failed(run); len(ids) > 0 || run.ExitCode != 0 {
		t.Errorf("exit %d, problem %q, failed: %v", run.ExitCode, run.Problem, ids)
		for _, id := range ids {
			describe(t, find(t, run, id))
		}
	}
	if judged, all := judgedOf(run, "HOOK"); judged < all-3 {
		t.Errorf("only %d of %d checks of the webhook judged", judged, all)
	}
	if w := find(t, run, "HOOK-WRONG-KEY").Witness; w != "minted" {
		t.Errorf("the witness is %q, want minted", w)
	}
}

func TestAWebhookThatBelievesAnyPayloadIsFoundWithoutAPage(t *testing.T) {
	t.Parallel()
	h := plain()
	h.believe = func(_, claims map[string]any, _ bool, _ string) bool { return claims["name"] != nil }
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{})
	musts := 0
	for _, c := range run.Checks {
		if c.Area == "HOOK" && c.Outcome == reports.Failed {
			musts++
		}
	}
	if musts < 15 || run.ExitCode != 1 {
		t.Errorf("%d MUST failures of the webhook, exit %d; want 15 and more, and 1", musts, run.ExitCode)
	}
	if len(run.Causes) == 0 || run.Causes[0].ID != "webhook-verifies-nothing" || len(run.Causes[0].Explains) < 15 {
		t.Errorf("causes: %+v", run.Causes)
	}
}

func TestOnlyTheWebhookThatFetchesIsAccused(t *testing.T) {
	t.Parallel()
	fetches := plain()
	fetches.before = func(_ http.ResponseWriter, r *http.Request) bool {
		header, _, _ := plainHook{}.read(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if url, ok := header["jku"].(string); ok {
			if res, err := http.Get(url); err == nil {
				res.Body.Close()
			}
		}
		return false
	}
	for _, hooks := range [][]plainHook{{fetches, plain()}, {plain(), fetches}} {
		run := suites.RunQuietly(t.Context(), targetOf(t, hooks...), suites.Options{Only: []string{"HOOK-REMOTE-KEY"}})
		c := find(t, run, "HOOK-REMOTE-KEY")
		guilty := "hook1"
		if hooks[0].before == nil {
			guilty = "hook2"
		}
		if c.Outcome != reports.Failed || !strings.HasPrefix(c.Actual, guilty+":") {
			t.Errorf("want %s accused", guilty)
			describe(t, c)
		}
	}
}

func TestAWebhookThatRefusesEverythingPassesNothing(t *testing.T) {
	t.Parallel()
	wrong := plain()
	wrong.secret = "another secret altogether"
	shop := targetOf(t, wrong)
	shop.Webhooks[0].Secret = plainSecret
	run := suites.RunQuietly(t.Context(), shop, suites.Options{})
	for _, id := range []string{"SIG-MISSING", "SIG-WRONG", "SIG-BODY", "SIG-TWICE", "HOOK-GARBAGE", "HOOK-WRONG-KEY", "HOOK-EXPIRED"} {
		if c := find(t, run, id); c.Outcome != reports.Skipped {
			describe(t, c)
			t.Errorf("%s is %s: a refusal that everybody gets proves nothing", id, c.Outcome)
		}
	}
	if ids := failed(run); !slices.Equal(ids, []string{"SIG-VALID"}) {
		t.Errorf("failed: %v, want SIG-VALID alone", ids)
	}
}

func TestAnUnknownOrderIsNoRefusal(t *testing.T) {
	t.Parallel()
	shop := targetOf(t, plainHook{before: func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, `{"error":"no such order"}`, http.StatusNotFound)
		return true
	}})
	shop.Webhooks[0].Secret = plainSecret
	run := suites.RunQuietly(t.Context(), shop, suites.Options{})
	if ids := failed(run); !slices.Equal(ids, []string{"RESP-STATUS"}) {
		t.Errorf("failed: %v, want RESP-STATUS alone", ids)
	}
	if c := find(t, run, "SIG-MISSING"); c.Outcome != reports.Skipped {
		describe(t, c)
		t.Error("SIG-MISSING passes on a 404")
	}
}

// What a webhook gets wrong of the signature is named, and all else is judged as
// if it were mended.
func TestSignatureMistakesAreNamedAndWorkedAround(t *testing.T) {
	t.Parallel()
	encodings := map[string]func([]byte) string{
		"hmac-hex":         hex.EncodeToString,
		"hmac-unpadded":    base64.RawStdEncoding.EncodeToString,
		"hmac-base64url":   base64.URLEncoding.EncodeToString,
		"hmac-prefix":      func(b []byte) string { return "sha256=" + hex.EncodeToString(b) },
		"hmac-url-decoded": func(b []byte) string { return strings.ReplaceAll(base64.StdEncoding.EncodeToString(b), "+", "%2B") }, // else it finds a space there
	}
	for id, encode := range encodings {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.encode = encode
			times := 1
			if id == "hmac-base64url" || id == "hmac-url-decoded" { // some bodies have a digest without + and /
				times = 3
			}
			for range times {
				run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Skip: []string{"HOOK-UNVERIFIED"}})
				if ids := failed(run); !slices.Equal(ids, []string{"SIG-VALID"}) {
					t.Errorf("failed: %v, want SIG-VALID alone", ids)
					for _, id := range ids {
						describe(t, find(t, run, id))
					}
				}
				if len(run.Causes) != 1 || run.Causes[0].ID != id || !run.Causes[0].Confirmed {
					t.Errorf("causes: %+v", run.Causes)
				}
				if judged, all := judgedOf(run, "HOOK"); judged < all-3 {
					t.Errorf("only %d of %d checks of the webhook judged", judged, all)
				}
			}
		})
	}
}

// A webhook that computes the signature over something else than all bytes as they came
// refuses only some of what users write.
func TestASignatureOverOtherBytesIsFound(t *testing.T) {
	t.Parallel()
	for says, change := range map[string]func([]byte) []byte{
		"10,000 letters":               func(b []byte) []byte { return b[:min(4096, len(b))] },
		"letters with combining marks": func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("a\u030a"), []byte("\u00e5")) },
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.before = func(_ http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(change(body)))
				return false
			}
			run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"SIG-VALID", "SIG-RAW-BODY"}})
			if c := find(t, run, "SIG-RAW-BODY"); c.Outcome != reports.Failed || c.Cause != "" || !strings.Contains(c.Actual, "1 of 12 refused: "+says) {
				t.Errorf("SIG-RAW-BODY is %s for %q: %s", c.Outcome, c.Cause, c.Actual)
			}
		})
	}
}

// A digest in base64url is the right one for some bodies: that is the finding.
func TestSomeBodiesRefusedAreCounted(t *testing.T) {
	t.Parallel()
	h := plain()
	h.encode = base64.URLEncoding.EncodeToString
	counted := regexp.MustCompile(`^\d of 10 bodies refused, those whose signature has \+ or /`)
	for range 4 { // one time of twenty, all ten have one
		c := find(t, suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"SIG-VALID"}}), "SIG-VALID")
		if c.Outcome != reports.Failed || c.Cause != "hmac-base64url" {
			describe(t, c)
			t.Errorf("cause %q", c.Cause)
		}
		if counted.MatchString(c.Actual) {
			return
		}
	}
	t.Error("it is never said how many bodies are refused, and which")
}

// Nor is it hidden by luck: each of the ten bodies may have what is minded, and what was
// sent before have not.
func TestBodiesThatAreAllRefusedAreNotForgotten(t *testing.T) {
	t.Parallel()
	for _, lucky := range []int32{5, 6, 7} { // how many of the first requests have not
		h := plain()
		var called atomic.Int32
		h.encode = func(sum []byte) string {
			if called.Add(1) <= lucky {
				return base64.StdEncoding.EncodeToString(sum)
			}
			return hex.EncodeToString(sum)
		}
		run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Concurrency: 1, Only: []string{"SIG-VALID"}})
		if c := find(t, run, "SIG-VALID"); c.Outcome != reports.Failed || c.Cause != "hmac-hex" {
			describe(t, c)
			t.Errorf("after %d: it names %q", lucky, c.Cause)
		}
	}
}

func TestExpectationsAreExpectations(t *testing.T) {
	t.Parallel()
	shop := targetOf(t, plain())
	shop.Webhooks[0].Authenticated = &oracle.Expectation{Contains: []string{"your refund"}}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-VALID", "FWD-DELIVERED"}})
	if c := find(t, run, "HOOK-VALID"); c.Outcome != reports.Failed {
		describe(t, c)
		t.Error("an answer that is not as expected passes")
	}
	if c := find(t, run, "FWD-DELIVERED"); c.Outcome == reports.Passed {
		describe(t, c)
		t.Error("FWD-DELIVERED has not been shown")
	}
}

func TestATokenThatNeverArrivesIsNotDelivered(t *testing.T) {
	t.Parallel()
	h := plain()
	h.before = func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Authorization"); return false }
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{})
	if c := find(t, run, "FWD-DELIVERED"); c.Outcome == reports.Passed {
		describe(t, c)
		t.Error("FWD-DELIVERED passes")
	}
	if c := find(t, run, "HOOK-DISTINGUISHES"); c.Outcome != reports.Warned || c.Cause != "token-does-not-arrive" {
		describe(t, c)
		t.Errorf("cause %q", c.Cause)
	}
}

func TestTheClockOfAWebhookIsNamed(t *testing.T) {
	t.Parallel()
	h := plain()
	h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
		return soundlyAt(time.Now().Add(-4*time.Minute), header, claims, signed, chat)
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-VALID", "SIG", "RESP"}})
	if ids := failed(run); !slices.Equal(ids, []string{"HOOK-VALID"}) || len(run.Causes) != 1 || run.Causes[0].ID != "webhook-clock" {
		describe(t, find(t, run, "HOOK-VALID"))
		t.Errorf("failed %v, causes %+v", ids, run.Causes)
	}
}

func TestOneAtATimeIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	order := func() []string {
		var mu sync.Mutex
		var seen []string
		h := plain()
		h.before = func(_ http.ResponseWriter, r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, r.Host+" "+r.Header.Get("Kindlytest-Check"))
			return false
		}
		shop := targetOf(t, h, h)
		suites.RunQuietly(t.Context(), shop, suites.Options{Concurrency: 1, Only: []string{"HOOK-ALG-NONE", "HOOK-VALID", "SIG-WRONG", "SIG-BODY", "RESP"}})
		hosts := strings.NewReplacer(strings.TrimPrefix(shop.Webhooks[0].ConnectTo, "http://"), "first", strings.TrimPrefix(shop.Webhooks[1].ConnectTo, "http://"), "second")
		for i := range seen {
			seen[i] = hosts.Replace(seen[i])
		}
		return seen
	}
	first := order()
	if again := order(); !slices.Equal(first, again) {
		t.Errorf("%d and %d requests, in another order", len(first), len(again))
	}
}

// A token with one harmless fault hides nothing.
func TestATokenThatKindlyRefusesHidesNoWebhook(t *testing.T) {
	t.Parallel()
	h := plain()
	h.believe = func(_, claims map[string]any, _ bool, _ string) bool { return claims["name"] != nil }
	shop := targetOf(t, h)
	shop.Endpoint = endpointThatSigns(t, 86400)
	shop.PublicKeys = []*token.Key{publicOf(t)}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"TOK", "HOOK"}})
	if c := find(t, run, "TOK-EXP-MAX"); c.Outcome != reports.Failed {
		describe(t, c)
	}
	c := find(t, run, "HOOK-WRONG-KEY")
	if c.Outcome != reports.Failed || c.Witness != "repaired" {
		describe(t, c)
		t.Errorf("the witness is %q, want repaired", c.Witness)
	}
	// Without the key it is the page's own that serves.
	shop.PrivateKey = nil
	if c := find(t, suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK"}}), "HOOK-WRONG-KEY"); c.Outcome != reports.Failed {
		describe(t, c)
		t.Error("without the private key the webhook is hidden")
	}
}

// endpointThatSigns gives tokens that live so many seconds, with our key.
func endpointThatSigns(t *testing.T, life int64) *target.EndpointConfig {
	t.Helper()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			ChatID string `json:"chatId"`
		}
		json.NewDecoder(r.Body).Decode(&body)
		now := time.Now().Unix()
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{"token": sign(t, map[string]any{"iat": now, "exp": now + life, "sub": "7", "name": "Ada Lovelace", "chat": map[string]any{"id": body.ChatID}})})
	})
	return &target.EndpointConfig{URL: url, ChatIDField: "chatId"}
}

func publicOf(t *testing.T) *token.Key {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&ourKey().Private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	key, err := token.ParsePublicKey("public.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	input := enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc(payload)
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, ourKey().Private, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + enc(signature)
}

// What is refused for the key alone proves nothing: a private key of another pair than
// the one that signs is said to be that, and nothing passes by it.
func TestAPrivateKeyOfAnotherPairProvesNothing(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		also bool // the webhook takes what our key signs, too
		want reports.Outcome
	}{{"the webhook takes one key", false, reports.Skipped}, {"the webhook takes both", true, reports.Passed}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			other, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			h := plain()
			ours := h.key
			h.verify = func(input string, signature []byte) bool {
				sum := sha256.Sum256([]byte(input))
				return rsa.VerifyPKCS1v15(&other.PublicKey, crypto.SHA256, sum[:], signature) == nil ||
					row.also && rsa.VerifyPKCS1v15(ours, crypto.SHA256, sum[:], signature) == nil
			}
			shop := targetOf(t, h)
			shop.PrivateKey, shop.PublicKeys = ourKey(), []*token.Key{token.NewKey("public.pem", &other.PublicKey)}
			shop.Endpoint = &target.EndpointConfig{ChatIDField: "chatId", URL: serve(t, func(w http.ResponseWriter, r *http.Request) {
				now := time.Now().Unix()
				claims, _ := json.Marshal(map[string]any{"iat": now, "exp": now + 300, "iss": "shop", "sub": "7", "name": "Ada Lovelace", "chat": map[string]any{"id": chatIDOf(r)}})
				input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
				sum := sha256.Sum256([]byte(input))
				sig, err := rsa.SignPKCS1v15(nil, other, crypto.SHA256, sum[:])
				if err != nil {
					panic(err)
				}
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(map[string]string{"token": input + "." + base64.RawURLEncoding.EncodeToString(sig)})
			})}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-VALID", "HOOK-EXPIRED", "HOOK-EXP-MISSING", "HOOK-WRONG-KEY"}})
			for id, want := range map[string]reports.Outcome{"HOOK-VALID": reports.Passed, "HOOK-WRONG-KEY": reports.Passed, "HOOK-EXPIRED": row.want, "HOOK-EXP-MISSING": row.want} {
				if c := find(t, run, id); c.Outcome != want {
					t.Errorf("%s is %s, want %s", id, c.Outcome, want)
					describe(t, c)
				}
			}
		})
	}
}
