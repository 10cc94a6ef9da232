package subject

import (
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// What the page's request came to says whether the endpoint was ever seen to live. A
// request that is still open when the page is closed ends as one that the page gave up.
func TestWhoNeverAnsweredWasNeverMet(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		failed string
		never  bool
	}{
		{"an answer", 200, "", false},
		{"an error", 500, "", false},
		{"CORS kept the answer away", 0, "net::ERR_FAILED", false},
		{"the connection broke", 0, "net::ERR_EMPTY_RESPONSE", false},
		{"no answer yet", 0, "", true},
		{"no answer until the page was closed", 0, "net::ERR_ABORTED", true},
		{"nobody listens", 0, "net::ERR_CONNECTION_REFUSED", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			ev := RequestEvidence("", browser.Request{Method: "POST", URL: "https://shop.example/auth", Status: row.status, Error: row.failed})
			if got := neverMet(ev.Exchange); got != row.never {
				t.Errorf("never met is %t", got)
			}
		})
	}
}
