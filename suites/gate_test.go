package suites_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A gatekeeper stands before all that a customer serves, as a staging system's
// does: nobody passes without its header and password.
type gatekeeper struct {
	mu      sync.Mutex
	refused int
}

const (
	bypassSecret    = "bypass-7f3a9c1e"
	stagingPassword = "sesam-open-42"
)

func (g *gatekeeper) options(t *testing.T, o fixtures.Options) fixtures.Options {
	o.Listen = func(ctx context.Context) (net.Listener, error) {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: inner.Addr().String()})
			r.Out.Host = r.In.Host
			r.Out.Header.Del("X-Bypass")
		}}
		outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, password, basic := r.BasicAuth()
			bearer := strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ")
			if r.Header.Get("X-Bypass") != bypassSecret || !bearer && password != stagingPassword {
				g.mu.Lock()
				g.refused++
				g.mu.Unlock()
				http.Error(w, "this is staging", http.StatusUnauthorized)
				return
			}
			if basic {
				r.Header.Del("Authorization") // as gates do that are no part of the app
			}
			forward.ServeHTTP(w, r)
		}))
		t.Cleanup(outer.Close)
		return gatedListener{inner, outer.Listener.Addr()}, nil
	}
	return o
}

// A gatedListener is known by the address of its gate.
type gatedListener struct {
	net.Listener
	outer net.Addr
}

func (l gatedListener) Addr() net.Addr { return l.outer }

// The checks of who is logged out meet the app, not its gate.
func TestAStagingSystemBehindAGate(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	for _, row := range []struct {
		name   string
		faults []fixtures.Fault
		failed string // the check that fails
	}{
		{"sound", nil, ""},
		{"a token for guests", []fixtures.Fault{fixtures.DefaultAccount}, "AUTH-NO-SESSION"},
		{"a token for any session", []fixtures.Fault{fixtures.UnknownSessionAccepted}, "AUTH-BAD-SESSION"},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := &gatekeeper{}
			shop := start(t, g.options(t, fixtures.Options{Faults: row.faults}))
			shop.Gates = []target.Gate{{Header: map[string]string{"x-bypass": bypassSecret}, User: "staging", Password: stagingPassword}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"PAGE-CALLBACK-TOKEN", "AUTH-NO-SESSION", "AUTH-BAD-SESSION", "AUTH-POST-TOKEN", "RESP-STATUS"}, Timeout: 5 * time.Second})
			if run.Problem != "" {
				t.Fatalf("%s; %s", run.Problem, run.Hint)
			}
			for _, c := range run.Checks {
				want := reports.Passed
				if c.ID == row.failed {
					want = reports.Failed
				}
				if c.Outcome != want && (c.Outcome != reports.Skipped || want == reports.Failed) {
					describe(t, c)
					t.Errorf("%s is %s, want %s", c.ID, c.Outcome, want)
				}
			}
			if g.refused > 0 {
				t.Errorf("the gate refused %d requests", g.refused)
			}
			rendered, err := json.Marshal(run)
			if err != nil {
				t.Fatal(err)
			}
			if text := string(rendered); strings.Contains(text, bypassSecret) || strings.Contains(text, stagingPassword) {
				t.Error("a secret of the gate is in the report")
			}
		})
	}
}

// Without what opens the gate nothing is said of the app.
func TestAGateThatNothingOpens(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	g := &gatekeeper{}
	shop := start(t, g.options(t, fixtures.Options{}))
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-NO-SESSION", "AUTH-POST-TOKEN"}, Timeout: 2 * time.Second})
	if run.ExitCode == 0 {
		t.Errorf("exit code %d, and nothing was checked", run.ExitCode)
	}
}

func TestStepsOnThePageAreTakenOrNamed(t *testing.T) {
	t.Parallel()
	shop := start(t, fixtures.Options{})
	shop.PageSteps = []browser.Step{{WaitFor: "body"}, {Scroll: "bottom"}, {Idle: time.Millisecond}}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Only: []string{"PAGE-CALLBACK-TOKEN"}, Timeout: 5 * time.Second})
	if c := find(t, run, "PAGE-CALLBACK-TOKEN"); c.Outcome != reports.Passed {
		describe(t, c)
		t.Error(run.Problem)
	}
	shop.PageSteps = []browser.Step{{Click: "#accept"}}
	run = suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Only: []string{"PAGE-CALLBACK-TOKEN"}, Timeout: time.Second})
	if !strings.Contains(run.Problem, "page step 1: click #accept: no such element") || !strings.Contains(run.Hint, "page.steps") {
		t.Errorf("got %q; %q", run.Problem, run.Hint)
	}
}

// A login that fails is shown; an app that is down is called that.
func TestALoginThatFails(t *testing.T) {
	t.Parallel()
	shop := start(t, fixtures.Options{})
	steps := shop.Login.Steps
	shop.Login = &browser.Login{Steps: append(slices.Clone(steps[:1]), browser.Step{Click: "#no-such-button"})}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Only: []string{"PAGE-CALLBACK-TOKEN"}, Timeout: time.Second, Screenshot: true})
	if !strings.Contains(run.Problem, "login step 2: click #no-such-button: no such element") || !strings.Contains(run.Problem, "with the fields #email (email), #password (password)") {
		t.Errorf("got %q", run.Problem)
	}
	if run.Screenshot == "" {
		t.Error("there is no picture of the login page")
	}
	shop.Login = &browser.Login{Steps: []browser.Step{{Goto: "http://127.0.0.1:1/login"}}}
	run = suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Only: []string{"PAGE-CALLBACK-TOKEN"}, Timeout: 2 * time.Second})
	if !strings.Contains(run.Hint, "The app is down") {
		t.Errorf("got %q; %q", run.Problem, run.Hint)
	}
}

// A login that fails is tried once, whatever is to be checked: more tries lock accounts.
func TestALoginThatFailsIsTriedOnce(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]browser.Step{
		"no such element":                      {{Click: "#no-such-button"}},
		"a wrong password, which says nothing": {{Fill: []browser.Field{{Selector: "#password", Value: "wrong"}}}, {Click: "button"}, {WaitFor: ".account"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logins atomic.Int32
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/login" && r.Method == http.MethodGet {
					logins.Add(1)
				}
				says(200, "text/html", `<link rel=icon href="data:,"><form method=post action=/session><input id=password type=password><button>Log in</button></form>`)(w, r)
			})
			login := &browser.Login{Steps: append([]browser.Step{{Goto: url + "/login"}}, steps...)}
			run := suites.RunQuietly(t.Context(), target.Target{PageURL: url + "/", Login: login}, suites.Options{Browser: sharedBrowser(t), Timeout: time.Second, Concurrency: 1,
				Only: []string{"PAGE-CALLBACK-TOKEN", "PAGE-WIDGET", "PAGE-ERRORS", "AUTH-POST-TOKEN"}})
			if n := logins.Load(); n != 1 || run.ExitCode != 2 {
				t.Errorf("%d logins, exit code %d: want 1 and 2; %s", n, run.ExitCode, run.Problem)
			}
		})
	}
}

// A login page that is answered with 401 or 403 is one all the same; what refuses it has its
// own way through.
func TestALoginPageThatIsAnswered401(t *testing.T) {
	t.Parallel()
	const form = `<link rel=icon href="data:,"><form method=post action=/session><input id=email><input id=password type=password><button>Log in</button></form>`
	for name, row := range map[string]struct {
		login http.HandlerFunc
		says  string // "" where it lets one in
	}{
		"with its form":                   {says(401, "text/html", form), ""},
		"with its form, and 403":          {says(403, "text/html", form), ""},
		"with a form that a script makes": {says(401, "text/html", "<link rel=icon href=data:,><div id=app></div><script>setTimeout(() => app.innerHTML = `"+form+"`, 20)</script>"), ""},
		"Basic": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="staging"`)
			http.Error(w, "no", http.StatusUnauthorized)
		}, "basic: {user:"},
		"oauth2-proxy":                      {says(403, "text/html", `<form action="/oauth2/start"><button>Sign in with GitHub</button></form>`), "lets one through: gate in kindlytest.yaml"},
		"a layout, with a search":           {says(403, "text/html", `<form role=search><input type=search name=q><button>Search</button></form>no`), "the right address"},
		"a goto that is all, in the layout": {says(403, "text/html", form+"no such user"), "the right address"},
		"nobody says who":                   {says(403, "text/html", "no"), "the right address"},
		"nothing there":                     {says(404, "text/html", "no"), "the right address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/login":
					row.login(w, r)
				case "/session":
					http.SetCookie(w, &http.Cookie{Name: "sid", Value: "0123456789", Path: "/"})
					http.Redirect(w, r, "/", http.StatusSeeOther)
				case "/auth":
					sound(w, r)
				default:
					says(200, "text/html", html(fmt.Sprintf(fetchIt, "", "{chat_id: id}"), ""))(w, r)
				}
			})
			login := &browser.Login{Steps: []browser.Step{{Goto: url + "/login"}, {Fill: []browser.Field{{Selector: "#email", Value: "ada"}, {Selector: "#password", Value: "hunter2hunter2"}}}, {Click: "button"}}}
			if strings.HasPrefix(name, "a goto that is all") {
				login.Steps = login.Steps[:1]
			}
			run := suites.RunQuietly(t.Context(), target.Target{PageURL: url + "/", Login: login}, suites.Options{Browser: sharedBrowser(t), Timeout: time.Second, Only: []string{"PAGE-CALLBACK-TOKEN"}})
			if row.says == "" && find(t, run, "PAGE-CALLBACK-TOKEN").Outcome != reports.Passed {
				t.Errorf("it does not let one in: %s", run.Problem)
			}
			if !strings.Contains(run.Hint, row.says) || strings.Contains(run.Hint, "each selector") {
				t.Errorf("%s\nsays %q, want %q", run.Problem, run.Hint, row.says)
			}
		})
	}
}
