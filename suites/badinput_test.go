package suites_test

import (
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/porttest"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A bad target, and what a run against it must say.
type bad struct {
	name   string
	target func(t *testing.T) target.Target
	opts   suites.Options
	// wants are outcomes of checks and words that the row must hold: what was
	// seen, or why it was not judged.
	wants []want
	// problem and hint are words that the run's own must hold; "" wants none.
	problem, hint string
	exit          int
}

type want struct {
	id      string
	outcome reports.Outcome
	says    string
}

const (
	// impatience is how long the tests' runs wait for one request.
	impatience = 2 * time.Second
	// patience is how long a run may take, whatever the target does: as long on a busy
	// machine, too.
	patience = 3 * time.Minute
)

// incomplete begins what a run says of which a part could not be judged.
const incomplete = "not all that the target offers could be judged"

// anyExit is an exit code that depends on what comes first.
const anyExit = -1

func TestBadPages(t *testing.T)           { runBad(t, badPages) }
func TestBadWebhooks(t *testing.T)        { runBad(t, badWebhooks) }
func TestBadEndpoints(t *testing.T)       { runBad(t, badEndpoints) }
func TestBadHooksWithTokens(t *testing.T) { runBad(t, badHooksWithTokens) }
func TestBadSetups(t *testing.T)          { runBad(t, badSetups) }

func runBad(t *testing.T, rows []bad) {
	t.Parallel()
	requireBrowser(t)
	each(t, rows, func(row bad) string { return row.name }, func(t *testing.T, row bad) {
		target := row.target(t)
		o := row.opts
		o.Timeout = cmp.Or(o.Timeout, impatience)
		if o.BrowserPath == "" {
			o.Browser = sharedBrowser(t)
		}
		started := time.Now()
		run := suites.RunQuietly(t.Context(), target, o)
		row.judge(t, run, time.Since(started))
	})
}

func (row bad) judge(t *testing.T, run reports.Run, took time.Duration) {
	t.Helper()
	t.Logf("in %s, exit code %d\n  problem %s\n  hint    %s\n  %+v", took.Round(time.Millisecond), run.ExitCode, run.Problem, run.Hint, run.Summary)
	seen := map[string]bool{}
	for _, c := range run.Checks {
		if slices.Contains([]reports.Outcome{reports.Failed, reports.Warned, reports.Errored}, c.Outcome) && !seen[c.Actual+c.Reason] {
			seen[c.Actual+c.Reason] = true
			describe(t, c)
		}
	}
	for _, text := range [][2]string{{row.problem, run.Problem}, {row.hint, run.Hint}} {
		if want, got := text[0], text[1]; !strings.Contains(got, want) || want == "" && got != "" && row.exit != anyExit {
			t.Errorf("the run says %q, want %q in it", got, want)
		}
	}
	for _, w := range row.wants {
		c := find(t, run, w.id)
		if c.Outcome != w.outcome || !strings.Contains(c.Actual+c.Reason+c.Fix, w.says) {
			t.Errorf("%s must be %s and say %q", w.id, w.outcome, w.says)
			describe(t, c)
		}
	}
	if run.ExitCode != row.exit && row.exit != anyExit {
		t.Errorf("exit code %d, want %d", run.ExitCode, row.exit)
	}
	if took > patience {
		t.Errorf("it took %s, more than %s", took, patience)
	}
}

// serve runs a handler on loopback until the test ends. Handlers that wait end
// with their request's context.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// nobodyHome is where nothing listens.
const nobodyHome = "http://" + porttest.Nobody

// hang reads the request and never answers.
func hang(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// reference is the sound customer, changed.
func reference(change func(*testing.T, *target.Target)) func(*testing.T) target.Target {
	return func(t *testing.T) target.Target {
		target := start(t, fixtures.Options{})
		change(t, &target)
		return target
	}
}

var badSetups = []bad{
	{name: "the browser is not there",
		target: page(200, html(given, "")), opts: suites.Options{BrowserPath: "/no/such/chrome"}, exit: 2,
		problem: "/no/such/chrome", hint: "--browser"},
	{name: "the browser is none",
		target: page(200, html(given, "")), opts: suites.Options{BrowserPath: "/bin/false"}, exit: 2,
		problem: "/bin/false", hint: "--browser"},
	{name: "there is no public key",
		target: reference(func(_ *testing.T, target *target.Target) { target.PublicKeys, target.PublicPEM = nil, nil }),
		opts:   suites.Options{Only: []string{"TOK", "FWD", "HOOK-VALID", "HOOK-OTHER-CHAT", "HOOK-WRONG-KEY"}},
		wants: []want{
			{"TOK-SIGNATURE", reports.Skipped, "public key"}, {"TOK-KEY-SIZE", reports.Skipped, "public key"},
			{"FWD-DELIVERED", reports.Skipped, "no public key was given"}, {"TOK-ALG", reports.Passed, ""},
			{"HOOK-VALID", reports.Passed, ""}, {"HOOK-OTHER-CHAT", reports.Passed, ""}, {"HOOK-WRONG-KEY", reports.Passed, ""},
		}},
	{name: "the public key is another one",
		target: reference(func(t *testing.T, target *target.Target) {
			pair, err := customerKeys()
			if err != nil {
				t.Fatal(err)
			}
			other, err := token.ParsePublicKey("other.pem", pair.Public)
			if err != nil {
				t.Fatal(err)
			}
			target.PublicKeys, target.PublicPEM, target.PrivateKey = []*token.Key{other}, pair.Public, nil
		}),
		opts: suites.Options{Only: []string{"TOK-SIGNATURE", "FWD-DELIVERED", "HOOK-VALID"}}, exit: 1,
		wants: []want{{"TOK-SIGNATURE", reports.Failed, "another, unknown key signed it"}, {"FWD-DELIVERED", reports.Skipped, "TOK-SIGNATURE"}}},
}

func TestWebhookRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var followed atomic.Int64
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	target := start(t, fixtures.Options{})
	target.Webhooks[0].ConnectTo = serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	o := options(t, target)
	o.Only, o.Timeout = []string{"FWD", "HOOK", "SIG"}, impatience
	run := suites.RunQuietly(t.Context(), target, o)
	if n := followed.Load(); n != 0 {
		t.Errorf("%d requests, perhaps with a token, followed the redirect", n)
	}
	bad{exit: 1, wants: []want{
		{"FWD-REDIRECT", reports.Failed, "status 307 to " + elsewhere},
		{"FWD-DELIVERED", reports.Passed, "not judged of orders"}, {"HOOK-VALID", reports.Passed, "not judged of orders"},
	}}.judge(t, run, 0)
}

func TestNothingToCheck(t *testing.T) {
	t.Parallel()
	shop := hookAt(nobodyHome)
	for _, row := range []struct {
		name    string
		target  target.Target
		opts    suites.Options
		problem string
	}{
		{"no shop", target.Target{}, suites.Options{}, "nothing to check: give a page"},
		{"all that is selected is deselected", shop, suites.Options{Only: []string{"HOOK-VALID"}, Skip: []string{"HOOK"}}, "leave no check"},
		{"only what the shop does not offer", shop, suites.Options{Only: []string{"PAGE"}}, "no page was given"},
		{"a typing error", shop, suites.Options{Only: []string{"HOOK-VALLID"}}, "did you mean HOOK-VALID?"},
		{"a pattern that matches nothing", shop, suites.Options{Skip: []string{"NOSUCH-*"}}, `"NOSUCH-*" selects no check`},
		{"an expected failure that is no check", shop, suites.Options{ExpectedFailures: map[string]string{"HOOK-NOTHING": "x"}}, `"HOOK-NOTHING"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			run := suites.Run(t.Context(), row.target, row.opts)
			if run.ExitCode != 2 || !strings.Contains(run.Problem, row.problem) {
				t.Errorf("exit code %d, problem %q; want 2 and %q", run.ExitCode, run.Problem, row.problem)
			}
			if run.Schema == 0 || run.Tool.Name == "" || run.Started.IsZero() {
				t.Errorf("the run is empty: %+v", run)
			}
		})
	}
}
