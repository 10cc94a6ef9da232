package suites_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A schema that takes no member which it doesn't know refuses a body for what is in it. Its
// HMAC is as it should be, whatever the status.
func TestAStrictSchemaIsNoWrongSignature(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnprocessableEntity, http.StatusUnauthorized} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				var sent struct {
					Context map[string]any `json:"context"`
				}
				if r.Header.Get("Kindly-HMAC") != hmacOf(plainSecret, body) || json.Unmarshal(body, &sent) != nil || sent.Context["note"] == nil {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				fmt.Fprint(w, `{"error":"Unrecognized key(s) in object: 'note'"}`)
				return true
			}
			c := find(t, suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"SIG-RAW-BODY"}}), "SIG-RAW-BODY")
			if c.Outcome != reports.Warned || c.Cause != "webhook-forbids-members" {
				t.Errorf("SIG-RAW-BODY is %s for %q", c.Outcome, c.Cause)
				describe(t, c)
			}
		})
	}
}
