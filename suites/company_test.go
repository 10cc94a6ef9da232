package suites_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// Teams make several mistakes at once: each is named, and none hides behind another.

func findCause(run reports.Run, id string) (reports.Cause, bool) {
	i := slices.IndexFunc(run.Causes, func(c reports.Cause) bool { return c.ID == id })
	if i < 0 {
		return reports.Cause{}, false
	}
	return run.Causes[i], true
}

// wantsSlash is a webhook at /orders/ that leads there from /orders.
func wantsSlash() plainHook {
	h := plain()
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/orders" {
			http.Redirect(w, r, "/orders/", http.StatusTemporaryRedirect)
		}
		return r.URL.Path == "/orders"
	}
	return h
}

func TestARedirectDoesNotAccountForBelief(t *testing.T) {
	t.Parallel()
	h := wantsSlash()
	h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
		return header["alg"] == "none" || soundly(header, claims, signed, chat)
	}
	shop := targetOf(t, h)
	shop.Webhooks[0].ConnectTo += "/orders"
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"FWD", "HOOK", "RESP-STATUS"}})
	if c := find(t, run, "HOOK-ALG-NONE"); c.Outcome != reports.Failed || c.Cause != "webhook-lets-token-choose" {
		t.Errorf("HOOK-ALG-NONE: %s for %q", c.Outcome, c.Cause)
	}
	c, ok := findCause(run, "webhook-wants-slash")
	if !ok || !slices.Equal(c.Explains, []string{"FWD-REDIRECT", "RESP-STATUS"}) {
		t.Errorf("the slash explains %q", c.Explains)
	}
	if len(run.Causes) != 2 || run.Causes[0].ID != "webhook-lets-token-choose" {
		t.Errorf("causes: %+v", run.Causes)
	}
}

// What comes behind the redirect is judged as if the URL were the right one: its status is
// seen by the check that is about it.
func TestARedirectHidesNoStatus(t *testing.T) {
	t.Parallel()
	h := wantsSlash()
	shop := targetOf(t, h)
	shop.Webhooks[0].ConnectTo = serve(t, func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&created{w, false}, r) }) + "/orders"
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"FWD-REDIRECT", "RESP-STATUS"}})
	if found := findings(run); !slices.Equal(found, []string{"webhook-wants-slash", "RESP-STATUS"}) {
		t.Errorf("it names %q", found)
	}
	if c := find(t, run, "RESP-STATUS"); !strings.Contains(c.Actual, "201") {
		describe(t, c)
		t.Error("RESP-STATUS does not say 201")
	}
}

// created answers 201 where others answer 200.
type created struct {
	http.ResponseWriter
	told bool
}

func (w *created) WriteHeader(status int) { w.told = true; w.ResponseWriter.WriteHeader(status) }

func (w *created) Write(b []byte) (int, error) {
	if !w.told {
		w.WriteHeader(http.StatusCreated)
	}
	return w.ResponseWriter.Write(b)
}

// perChat answers otherwise once it knows a chat: it starts another dialogue.
type perChat struct {
	plainHook
	mu   sync.Mutex
	seen map[string]bool
}

func (p *perChat) known(w http.ResponseWriter, r *http.Request) bool {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var request struct {
		ChatID string `json:"chat_id"`
	}
	json.Unmarshal(body, &request)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen[request.ChatID] {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"exchange_slug":"what-else"}`)
		return true
	}
	p.seen[request.ChatID] = request.ChatID != ""
	return false
}

func TestAWebhookThatKnowsTheChatAlreadyIsNotTakenForABeliever(t *testing.T) {
	t.Parallel()
	p := &perChat{plainHook: plain(), seen: map[string]bool{}}
	p.before = func(w http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("Authorization") // a proxy takes it away
		return p.known(w, r)
	}
	shop := targetOf(t, p.plainHook, p.plainHook) // one app behind two webhooks
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK"}, Concurrency: 1})
	for _, c := range run.Checks {
		if c.Outcome == reports.Failed {
			t.Errorf("%s: %s", c.ID, c.Actual)
		}
	}
	if c := find(t, run, "HOOK-DISTINGUISHES"); c.Outcome != reports.Warned {
		t.Errorf("HOOK-DISTINGUISHES: %s %s", c.Outcome, c.Actual)
	}
}

// Where the first message of a chat is answered otherwise than the next ones, each
// attempt has a chat of its own: what is refused is seen to be refused.
func TestAttemptsDoNotDifferByTheirTurn(t *testing.T) {
	t.Parallel()
	p := &perChat{plainHook: plain(), seen: map[string]bool{}}
	p.before = p.known
	run := suites.RunQuietly(t.Context(), targetOf(t, p.plainHook), suites.Options{Only: []string{"HOOK", "RESP", "LIVE-HOOK-BURST"}, Skip: []string{"HOOK-UNVERIFIED"}})
	for _, id := range failed(run) {
		describe(t, find(t, run, id))
		t.Errorf("%s accuses", id)
	}
	if judged, all := judgedOf(run, "HOOK"); judged < all-4 {
		t.Errorf("only %d of %d checks of the webhook judged", judged, all)
	}
}

func TestAPoliteRefusalOfTheSignatureIsSeen(t *testing.T) {
	t.Parallel()
	h := plain()
	h.encode = hex.EncodeToString
	h.unsigned = func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"reply":"Sorry, something went wrong."}`)
	}
	h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
		return header["alg"] == "none" || soundly(header, claims, signed, chat)
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK", "SIG"}})
	if c := find(t, run, "SIG-VALID"); c.Outcome != reports.Failed || c.Cause != "hmac-hex" {
		t.Errorf("SIG-VALID: %s %s for %q", c.Outcome, c.Actual, c.Cause)
	}
	if c := find(t, run, "HOOK-ALG-NONE"); c.Outcome != reports.Failed {
		t.Errorf("HOOK-ALG-NONE: %s %s", c.Outcome, c.Actual)
	}
	for _, id := range []string{"webhook-checks-no-hmac", "webhook-checks-hmac-if-there", "token-does-not-arrive"} {
		if c, ok := findCause(run, id); ok {
			t.Errorf("accused of %s: %s", id, c.Seen)
		}
	}
}

func TestEveryWebhookThatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	h := plain()
	h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
		return header["alg"] == "none" || soundly(header, claims, signed, chat)
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h, plain(), h), suites.Options{Only: []string{"HOOK-ALG-NONE"}})
	c := find(t, run, "HOOK-ALG-NONE")
	if !strings.Contains(c.Actual, "hook1") || !strings.Contains(c.Actual, "hook3") || strings.Contains(c.Actual, "hook2") {
		t.Errorf("it says %q, want hook1 and hook3 in it, and not hook2", c.Actual)
	}
}
