package suites_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// What a gateway says of a service that gave it no answer is no refusal: nobody knows
// what the service would have done. An endpoint that is reached by nothing but what its
// own page sends has shown nothing of what it refuses, nor has a webhook.
var aChat = regexp.MustCompile(`"chat_id":"[0-9a-f-]{36}"`)

func TestAGatewaysErrorIsNoRefusal(t *testing.T) {
	t.Parallel()
	each(t, []int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, func(status int) string { return fmt.Sprint(status) }, func(t *testing.T, status int) {
		gateway := func(w http.ResponseWriter) { http.Error(w, "upstream", status) }
		shop := plainEndpointOf(t, plainEndpoint{})
		shop.Endpoint.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			if r.Method != http.MethodPost || plainSession(r) == "" || r.Header.Get("Origin") != "" || r.Header.Get("Content-Type") != "application/json" || !aChat.Match(body) {
				gateway(w)
				return
			}
			plainEndpoint{}.ServeHTTP(w, r)
		})
		h := plain()
		h.before = func(w http.ResponseWriter, r *http.Request) bool {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			named := r.Header.Get("Authorization") == "" && strings.Contains(string(body), "user-ada")
			if r.Method != http.MethodGet && !named {
				return false
			}
			gateway(w)
			return true
		}
		shop.Webhooks, shop.PrivateKey = targetOf(t, h).Webhooks, ourKey()
		run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-*SESSION", "AUTH-CHATID-TYPE", "AUTH-CHATID-QUERY", "AUTH-BODY-TEXT-PLAIN",
			"AUTH-CORS-FOREIGN", "AUTH-CSRF", "RESP-METHOD", "HOOK-USER-ID"}})
		for _, id := range []string{"AUTH-NO-SESSION", "AUTH-BAD-SESSION", "AUTH-CHATID-TYPE", "AUTH-CHATID-QUERY", "AUTH-BODY-TEXT-PLAIN", "AUTH-CORS-FOREIGN", "AUTH-CSRF", "RESP-METHOD"} {
			if c := find(t, run, id); c.Outcome != reports.Skipped || !strings.Contains(c.Reason, fmt.Sprint("status ", status)) {
				t.Errorf("%s is %s", id, c.Outcome)
				describe(t, c)
			}
		}
		if run.ExitCode == 0 {
			t.Error("the run looks as if it had been judged whom the endpoint refuses")
		}
	})
}
