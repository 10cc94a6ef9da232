package suites_test

import (
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// What one handler of a process leaves without an answer is its own mistake: the
// process lives, and the other webhooks in it are judged.
func TestAHandlerThatBreaksOffIsNoDeathOfTheProcess(t *testing.T) {
	t.Parallel()
	breaks, sound := plain(), plain()
	breaks.stranger = func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	mux := http.NewServeMux()
	mux.HandleFunc("/breaks", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/breaks/", http.StatusTemporaryRedirect)
	})
	mux.Handle("/breaks/", breaks)
	mux.Handle("/sound", sound)
	url := serve(t, mux.ServeHTTP)
	shop := target.Target{PrivateKey: ourKey()}
	for _, path := range []string{"/breaks", "/sound"} {
		shop.Webhooks = append(shop.Webhooks, target.Webhook{Name: path[1:], URL: "https://hooks.shop.example" + path, ConnectTo: url + path, Secret: plainSecret})
	}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-ANONYMOUS", "HOOK-ALG-NONE", "HOOK-WRONG-KEY", "FWD-REDIRECT", "LIVE-PROCESS"}})
	for id, want := range map[string]reports.Outcome{
		"FWD-REDIRECT": reports.Failed, "HOOK-ANONYMOUS": reports.Failed,
		"HOOK-ALG-NONE": reports.Passed, "HOOK-WRONG-KEY": reports.Passed, "LIVE-PROCESS": reports.Passed,
	} {
		if c := find(t, run, id); c.Outcome != want {
			t.Errorf("%s is %s, want %s", id, c.Outcome, want)
			describe(t, c)
		}
	}
}

// A signature is seen to be believed by what comes after it, also if that is an
// error.
func TestASignatureMistakeIsNamedWhereAllElseFails(t *testing.T) {
	t.Parallel()
	h := plain()
	h.encode = hex.EncodeToString
	h.stranger = func(w http.ResponseWriter) { http.Error(w, `{"error":"internal"}`, http.StatusInternalServerError) }
	h.believe = func(map[string]any, map[string]any, bool, string) bool { return false }
	h.refuse = http.StatusInternalServerError
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"SIG", "RESP-STATUS", "HOOK-VALID"}})
	if c := find(t, run, "SIG-VALID"); c.Outcome != reports.Failed || c.Cause != "hmac-hex" {
		t.Errorf("SIG-VALID: %s %s for %q", c.Outcome, c.Actual, c.Cause)
	}
	if c := find(t, run, "RESP-STATUS"); c.Outcome != reports.Failed {
		t.Errorf("RESP-STATUS: %s %s", c.Outcome, c.Actual)
	}
}
