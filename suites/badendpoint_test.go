package suites_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// endpointAt is a target that has nothing but a configured auth endpoint.
func endpointAt(url string) target.Target {
	return target.Target{Endpoint: &target.EndpointConfig{URL: url, Header: http.Header{"Cookie": {"sid=0123456789"}}}}
}

func endpointOf(h http.HandlerFunc) func(*testing.T) target.Target {
	return func(t *testing.T) target.Target { return endpointAt(serve(t, h) + "/auth") }
}

var badEndpoints = []bad{
	{name: "nothing listens",
		target:  func(t *testing.T) target.Target { return endpointAt(nobodyHome + "/auth") },
		problem: "could not be called", hint: "Is it running", exit: 2},
	{name: "it never answers",
		target: endpointOf(hang), problem: "did not answer within 2s", hint: "--timeout", exit: 2},
	{name: "it wants a session that nobody gave",
		target: func(t *testing.T) target.Target {
			target := endpointOf(sound)(t)
			target.Endpoint.Header = nil
			return target
		}, opts: suites.Options{Only: []string{"AUTH-POST-TOKEN", "AUTH-CORS-VARY"}}, exit: 1,
		wants: []want{{"AUTH-POST-TOKEN", reports.Failed, "--endpoint-header-file"}, {"AUTH-CORS-VARY", reports.Skipped, "no page was given"}}},
	{name: "it never answers those that are not logged in",
		target: endpointOf(func(w http.ResponseWriter, r *http.Request) {
			if !loggedIn(r) {
				hang(w, r)
				return
			}
			sound(w, r)
		}), opts: suites.Options{Only: []string{"AUTH-POST-TOKEN", "AUTH-NO-SESSION"}, Timeout: impatience},
		wants: []want{{"AUTH-NO-SESSION", reports.Warned, "while the endpoint answers others"}, {"AUTH-POST-TOKEN", reports.Passed, ""}}},
	{name: "it is not there", target: endpointOf(http.NotFound), exit: 1, problem: incomplete,
		wants: []want{{"AUTH-POST-TOKEN", reports.Failed, "status 404"}, {"TOK-ALG", reports.Skipped, "AUTH-POST-TOKEN"}}},
	{name: "it answers HTML",
		target: endpointOf(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!doctype html><title>Shop</title>") }), exit: 1, problem: incomplete,
		wants: []want{{"AUTH-POST-TOKEN", reports.Failed, "no JSON object"}, {"TOK-ALG", reports.Skipped, "AUTH-POST-TOKEN"}}},
	{name: "it redirects to the login page",
		target: endpointOf(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }), exit: 1, problem: incomplete,
		wants: []want{{"AUTH-POST-TOKEN", reports.Failed, "status 302 to /login"}, {"TOK-ALG", reports.Skipped, "AUTH-POST-TOKEN"}}},
	{name: "its URL is none",
		target:  func(*testing.T) target.Target { return endpointAt("http://[::1/auth") },
		problem: "could not be called", hint: "is the URL right", exit: 2},
}

// Who is never answered has no token: it is not said that anybody gets one.
func TestAnEndpointThatHangsIsNoneThatKnowsNobody(t *testing.T) {
	t.Parallel()
	shop := plainEndpointOf(t, plainEndpoint{})
	shop.Endpoint.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if plainSession(r) == "" {
			hang(w, r)
			return
		}
		plainEndpoint{}.ServeHTTP(w, r)
	})
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-NO-SESSION"}, Timeout: impatience})
	if c := find(t, run, "AUTH-NO-SESSION"); c.Outcome != reports.Warned || c.Cause != "" || len(run.Causes) > 0 {
		t.Errorf("AUTH-NO-SESSION is %s for %q", c.Outcome, c.Cause)
		describe(t, c)
	}
}
