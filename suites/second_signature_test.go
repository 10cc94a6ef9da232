package suites_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A webhook that misreads letters when it checks the signature is asked as it expects
// it: what else is wrong with long bodies and odd messages is told beside.
func TestWhatASignatureOfMisreadLettersHides(t *testing.T) {
	t.Parallel()
	sign := func(body []byte) string {
		mac := hmac.New(sha256.New, []byte(plainSecret))
		mac.Write(body)
		return base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	h := plain()
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
		r.Body = io.NopCloser(bytes.NewReader(body))
		var read strings.Builder
		for _, b := range body[:min(len(body), 8<<10)] { // one read, and as Latin-1
			read.WriteRune(rune(b))
		}
		if r.Header.Get("Kindly-HMAC") != sign([]byte(read.String())) {
			r.Header.Set("Kindly-HMAC", "another")
			return false
		}
		r.Header.Set("Kindly-HMAC", sign(body))
		if bytes.Contains(body, []byte("👩")) {
			http.Error(w, "emoji", http.StatusInternalServerError)
			return true
		}
		return false
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"SIG", "RESP-UNICODE"}})
	for id, want := range map[string]struct{ says, cause string }{
		"SIG-RAW-BODY": {"but for 10,000 letters", "hmac-mojibake"},
		"RESP-UNICODE": {"emoji: status 500", ""},
	} {
		if c := find(t, run, id); c.Outcome != reports.Failed || !strings.Contains(c.Actual, want.says) || c.Cause != want.cause {
			describe(t, c)
			t.Errorf("%s is %s, by %q", id, c.Outcome, c.Cause)
		}
	}
}
