package suites_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// A proxy that lets nobody through is the network's matter: page, endpoint and webhook
// are not accused of it, and the keys that name another one are said.
func TestAProxyThatRefusesAccusesNobody(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	refuses := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="proxy"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
	})
	for proxy, through := range map[string]string{"refuses": refuses, "is not there": nobodyHome} {
		through = strings.Replace(through, "://", "://kindlytest:sesame-5150@", 1)
		for _, scheme := range []string{"http", "https"} {
			at := scheme + "://staging.example.com/"
			for name, shop := range map[string]target.Target{
				"a page":      {PageURL: at},
				"its login":   {PageURL: at, Login: &browser.Login{Steps: []browser.Step{{Goto: at + "login"}}}},
				"an endpoint": {Endpoint: &target.EndpointConfig{URL: at + "token"}},
				"a webhook":   {Webhooks: []target.Webhook{{URL: "https://hooks.example.com/", ConnectTo: at + "hook"}}},
			} {
				t.Run("it "+proxy+", "+scheme+", "+name, func(t *testing.T) {
					shop.Proxy = wire.Proxy{HTTP: through, HTTPS: through}
					run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"PAGE-WIDGET", "AUTH-POST-TOKEN", "AUTH-NO-SESSION", "RESP-STATUS", "HOOK-ANONYMOUS"}, Timeout: 2 * time.Second})
					noneIs(t, run, reports.Failed, reports.Warned)
					if run.ExitCode != 2 || !strings.Contains(run.Hint, subject.ThroughProxy) || strings.Contains(run.Problem, "sesame") {
						t.Errorf("exit code %d, %s; %s", run.ExitCode, run.Problem, run.Hint)
					}
				})
			}
		}
	}
}
