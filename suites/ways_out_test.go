package suites_test

import (
	"cmp"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A wayOut is a key of kindlytest.yaml that a message names to somebody who has made no
// mistake.
type wayOut struct {
	key    string
	only   []string
	of     func(t *testing.T) target.Target // without it
	follow func(*target.Target)
	caught string // the check by which the same customer is found out who believes everybody; "": none does
	unsafe func(t *testing.T) target.Target
}

// firstLines is what of a fix is always seen on a terminal.
const firstLines = 3 * 60

func names(run reports.Run, key string) bool {
	said := []string{run.Problem, run.Hint}
	for _, c := range run.Checks {
		said = append(said, c.Reason, c.Fix[:min(len(c.Fix), firstLines)])
	}
	for _, c := range run.Causes {
		said = append(said, c.Fix[:min(len(c.Fix), firstLines)])
	}
	return strings.Contains(strings.Join(said, "\n"), key)
}

// withStatus gives the answers of a webhook another status than 200, and those without a
// body none.
func withStatus(status int, h http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&otherStatus{ResponseWriter: w, status: status, member: r.Header.Get("Authorization") != ""}, r)
	}
}

type otherStatus struct {
	http.ResponseWriter
	status int
	member bool
	said   bool
}

func (w *otherStatus) WriteHeader(status int) {
	w.said = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *otherStatus) Write(b []byte) (int, error) {
	if silent := w.status == http.StatusNoContent; !w.said && (w.member || !silent) {
		w.WriteHeader(w.status)
		if silent {
			return len(b), nil
		}
	}
	return w.ResponseWriter.Write(b)
}

func servedHook(t *testing.T, h http.Handler) target.Target {
	out := targetOf(t, plain())
	out.Webhooks[0].ConnectTo = serve(t, h.ServeHTTP)
	return out
}

func believingAll() plainHook {
	h := plain()
	h.believe = func(_, claims map[string]any, _ bool, _ string) bool { return claims != nil }
	return h
}

// withPassword lets those in who have a name and a password, which are the login.
func withPassword(t *testing.T, open bool) target.Target {
	return target.Target{PageURL: serve(t, func(w http.ResponseWriter, r *http.Request) {
		name, password, ok := r.BasicAuth()
		switch ok = ok && name == "ada" && password == "ada-password"; {
		case !ok && !(open && r.URL.Path == "/auth"):
			w.Header().Set("WWW-Authenticate", `Basic realm="shop"`)
			http.Error(w, "log in", http.StatusUnauthorized)
		case r.URL.Path == "/auth":
			r.AddCookie(&http.Cookie{Name: "sid", Value: "0123456789"})
			sound(w, r)
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, html(askAuth, ""))
		}
	}) + "/"}
}

// behindCookie stands behind a gate that knows who may pass by a cookie.
func behindCookie(t *testing.T, open bool) target.Target {
	return target.Target{Login: bySID, PageURL: serve(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("pass")
		switch {
		case r.URL.Query().Get("bypass") == "by-77aa31":
			http.SetCookie(w, &http.Cookie{Name: "pass", Value: "g-44117f3a", HttpOnly: true})
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		case err != nil || c.Value != "g-44117f3a":
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `<!doctype html><title>Protected</title>`)
		case r.URL.Path == "/auth":
			if open {
				r.AddCookie(&http.Cookie{Name: "sid", Value: "0123456789"})
			}
			sound(w, r)
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, html(askAuth, ""))
		}
	}) + "/"}
}

// afterConsent shows the chat after a click.
func afterConsent(t *testing.T, open bool) target.Target {
	return target.Target{Login: bySID, PageURL: serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/auth" {
			if open {
				r.AddCookie(&http.Cookie{Name: "sid", Value: "0123456789"})
			}
			sound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><title>Shop</title><link rel="icon" href="data:,"><button id="yes">Accept</button><script>
			document.getElementById("yes").onclick = () => {
				window.kindlyOptions = {getAuthToken: `+askAuth+`};
				document.body.append(document.createRange().createContextualFragment(`+"`"+strings.ReplaceAll(snippet, "</script>", `<\/script>`)+"`"+`));
			}</script>`)
	}) + "/"}
}

func asBasic(r *target.Target) {
	r.Login = &browser.Login{Headers: map[string]string{"Authorization": "Basic YWRhOmFkYS1wYXNzd29yZA=="}} // ada:ada-password
}

// Who is told of a key of kindlytest.yaml, and follows, is judged, and clean.
func TestKeysThatMessagesNameLeadToACleanRun(t *testing.T) {
	t.Parallel()
	hooks, pages := []string{"FWD-DELIVERED", "HOOK", "SIG", "RESP"}, []string{"PAGE-WIDGET", "PAGE-CALLBACK-TOKEN", "PAGE-LOGGED-OUT", "AUTH-POST-TOKEN", "AUTH-NO-SESSION", "AUTH-BAD-SESSION"}
	status := func(status int) func(*target.Target) {
		return func(of *target.Target) {
			of.Webhooks[0].Authenticated = &oracle.Expectation{Status: []int{status}}
		}
	}
	gateway := func(h http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Api-Key") != "gw-99aa41c7" {
				http.Error(w, `{"message":"Forbidden"}`, http.StatusForbidden)
				return
			}
			h.ServeHTTP(w, r)
		}
	}
	page := func(of func(*testing.T, bool) target.Target, open bool) func(*testing.T) target.Target {
		return func(t *testing.T) target.Target { return of(t, open) }
	}
	hook := func(wrap func(http.Handler) http.HandlerFunc, h plainHook) func(*testing.T) target.Target {
		return func(t *testing.T) target.Target { return servedHook(t, wrap(h)) }
	}
	accepted := func(h http.Handler) http.HandlerFunc { return withStatus(http.StatusAccepted, h) }
	silent := func(h http.Handler) http.HandlerFunc { return withStatus(http.StatusNoContent, h) }
	for name, way := range dueOf(t, map[string]wayOut{
		"a webhook that answers all with 202":   {"authenticated: {status: [202]}", hooks, hook(accepted, plain()), status(202), "HOOK-WRONG-KEY", hook(accepted, believingAll())},
		"a webhook that answers users with 204": {"authenticated: {status: [204]}", hooks, hook(silent, plain()), status(204), "HOOK-WRONG-KEY", hook(silent, believingAll())},
		"a gateway wants a key": {"webhooks[].headers", hooks, hook(gateway, plain()), func(of *target.Target) {
			of.Webhooks[0].Header = http.Header{"X-Api-Key": {"gw-99aa41c7"}}
		}, "HOOK-WRONG-KEY", hook(gateway, believingAll())},
		"the login is a name and a password": {"page.login", pages, page(withPassword, false), asBasic, "AUTH-NO-SESSION", page(withPassword, true)},
		"the login was taken for a gate": {"page.login", pages, func(t *testing.T) target.Target {
			of := withPassword(t, false)
			of.Gates = wire.Gates{{Origins: []string{of.PageURL}, User: "ada", Password: "ada-password"}}
			return of
		}, func(of *target.Target) { of.Gates = nil; asBasic(of) }, "", nil},
		"a gate that says only that it is closed": {"gate in kindlytest.yaml", pages, page(behindCookie, false), func(of *target.Target) {
			of.Gates = wire.Gates{{Origins: []string{of.PageURL}, Cookies: map[string]string{"pass": "g-44117f3a"}}}
		}, "AUTH-NO-SESSION", page(behindCookie, true)},
		"a gate that the page's address opens": {"gate in kindlytest.yaml", pages, page(behindCookie, false), func(of *target.Target) {
			of.PageURL += "?bypass=by-77aa31"
		}, "AUTH-NO-SESSION", page(behindCookie, true)},
		"a gate that a step of the login opens": {"`gate` in kindlytest.yaml", pages, func(t *testing.T) target.Target {
			of := behindCookie(t, false)
			of.Login = &browser.Login{Cookies: append([]browser.Cookie{{Name: "pass", Value: "g-44117f3a", SameSite: "Lax"}}, bySID.Cookies...)}
			return of
		}, func(of *target.Target) {
			of.Gates = wire.Gates{{Origins: []string{of.PageURL}, Cookies: map[string]string{"pass": "g-44117f3a"}}}
		}, "AUTH-NO-SESSION", page(behindCookie, true)},
		"the chat comes after a click": {"page.steps", pages, page(afterConsent, false), func(of *target.Target) {
			of.PageSteps = []browser.Step{{Click: "#yes"}}
		}, "AUTH-NO-SESSION", page(afterConsent, true)},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			look := func(of target.Target) reports.Run {
				o := suites.Options{Only: way.only}
				if requireBrowser(t); of.PageURL != "" && of.Gates == nil {
					o.Browser = sharedBrowser(t)
				}
				return suites.RunQuietly(t.Context(), of, o)
			}
			of := way.of(t)
			if run := look(of); run.ExitCode == 0 || !names(run, way.key) {
				t.Errorf("without it the exit code is %d, and nothing names %s: %q, %q", run.ExitCode, way.key, run.Problem, run.Hint)
				for _, c := range run.Checks {
					if c.Outcome == reports.Failed {
						describe(t, c)
					}
				}
			}
			way.follow(&of)
			run := look(of)
			noneIs(t, run, reports.Failed, reports.Warned, reports.Errored)
			if run.ExitCode != 0 {
				t.Errorf("with %s the exit code is %d, and the run says %q, %q", way.key, run.ExitCode, run.Problem, run.Hint)
			}
			if way.caught == "" {
				return
			}
			unsafe := way.unsafe(t)
			way.follow(&unsafe)
			if unsafe.Gates != nil {
				unsafe.Gates[0].Origins = []string{unsafe.PageURL}
			}
			if c := find(t, look(unsafe), way.caught); c.Outcome != reports.Failed {
				t.Errorf("with %s, who believes everybody: %s is %s", way.key, way.caught, cmp.Or(c.Outcome, "not there"))
				describe(t, c)
			}
		})
	}
}
