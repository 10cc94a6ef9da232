package suites_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A stored session that has ended is said as that: neither the page nor its endpoint
// is blamed. What is wrong with a session that is known is theirs.
func TestAStoredSessionThatHasEnded(t *testing.T) {
	t.Parallel()
	const ask = `async (id) => { const r = await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})}); return r.ok ? (await r.json()).token : null; }`
	shop := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/auth":
			sound(w, r)
		case r.URL.Path == "/broken/auth":
			http.Error(w, "no key", http.StatusInternalServerError)
		case r.URL.Path == "/account" && !loggedIn(r):
			http.Redirect(w, r, "/login", http.StatusFound)
		case r.URL.Path == "/login":
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<title>Log in</title><input type=password>")
		case r.URL.Path == "/kept": // in a database of the browser's
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, html(`(id) => new Promise((done) => {
				const r = indexedDB.open("auth", 1);
				r.onupgradeneeded = () => r.result.createObjectStore("sessions");
				r.onsuccess = () => { r.result.transaction("sessions").objectStore("sessions").get("ada").onsuccess = (e) => done(e.target.result); };
			})`, ""))
		case r.URL.Path == "/bearing": // a header, which it has no more
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, html(strings.Replace(ask, "{method", `{credentials: "omit", method`, 1), ""))
		default:
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, html(strings.Replace(ask, "/auth", strings.TrimSuffix(r.URL.Path, "/")+"/auth", 1), ""))
		}
	})
	session := func(value string, expires time.Time) *browser.Login {
		return &browser.Login{Stored: "ada.json", Cookies: []browser.Cookie{{Name: "sid", Value: value, Domain: "127.0.0.1", Path: "/", HTTPOnly: true, SameSite: "Lax", Expires: expires}}}
	}
	past, future := time.Now().Add(-72*time.Hour), time.Now().Add(time.Hour)
	beside := func(login *browser.Login, cookies ...browser.Cookie) *browser.Login {
		login.Cookies = append(cookies, login.Cookies...)
		return login
	}
	for name, tt := range map[string]struct {
		path    string
		login   *browser.Login
		outcome reports.Outcome
		exit    int
		problem string
	}{
		"by its date":                 {"/", session("0123456789", past), reports.Errored, 2, "the session in ada.json has expired: its cookie sid was valid until " + past.UTC().Format(time.RFC3339)},
		"the server has forgotten it": {"/", session("9876543210", future), reports.Errored, 2, "nobody is logged in with ada.json: "},
		"and others' are out of date": {"/", beside(session("9876543210", future), browser.Cookie{Name: "_gat", Value: "1", Domain: "127.0.0.1", Path: "/", Expires: past},
			browser.Cookie{Name: "tour", Value: "1", Domain: "127.0.0.1", Path: "/help", HTTPOnly: true, Expires: past}), reports.Errored, 2, "nobody is logged in with ada.json: "},
		"and beside it is what renews it": {"/", beside(session("9876543210", future), browser.Cookie{Name: "refresh", Value: "1", Domain: "127.0.0.1", Path: "/auth/refresh", HTTPOnly: true, Expires: future}),
			reports.Errored, 2, "nobody is logged in with ada.json: "},
		"it was in the storage, beside statistics' cookie": {"/bearing", &browser.Login{Stored: "ada.json", Storage: map[string]map[string]string{shop: {"access": "gone"}},
			Cookies: []browser.Cookie{{Name: "_ga", Value: "1", Domain: "127.0.0.1", Path: "/", Expires: future}}}, reports.Errored, 2, "nobody is logged in with ada.json: "},
		"the page leads to a login":     {"/account", session("9876543210", future), reports.Errored, 2, "leads to a login"},
		"it is in a database":           {"/kept", session("0123456789", future), reports.Errored, 2, "getAuthToken asks nobody, and gives no token"},
		"it is known":                   {"/", session("0123456789", future), reports.Passed, 0, ""},
		"it is another mistake (a 500)": {"/broken/", session("9876543210", past), reports.Failed, 1, ""},
		"a session that was not stored": {"/", &browser.Login{Cookies: session("9876543210", future).Cookies}, reports.Failed, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			run := suites.RunQuietly(t.Context(), target.Target{PageURL: shop + tt.path, Login: tt.login},
				suites.Options{Only: []string{"PAGE-CALLBACK-TOKEN"}, Browser: sharedBrowser(t)})
			if c := find(t, run, "PAGE-CALLBACK-TOKEN"); c.Outcome != tt.outcome || run.ExitCode != tt.exit {
				describe(t, c)
				t.Errorf("%s, exit code %d: want %s, %d", c.Outcome, run.ExitCode, tt.outcome, tt.exit)
			}
			if !strings.Contains(run.Problem, tt.problem) || tt.problem == "" && run.Problem != "" {
				t.Errorf("the run says %q, want %q", run.Problem, tt.problem)
			}
			if said := strings.Contains(run.Hint, "IndexedDB"); said != (tt.path == "/kept") {
				t.Errorf("an IndexedDB is spoken of: %t; %s", said, run.Hint)
			}
		})
	}
}

// A stored session that is good is not ended where the page's request leaves its cookie out.
func TestAStoredSessionThatTheRequestLeavesOut(t *testing.T) {
	t.Parallel()
	const ask = `async (id) => { const r = await fetch("AUTH", {method: "POST", headers: {"Content-Type": "application/json"}, INCLUDE body: JSON.stringify({chatId: id})}); return r.ok ? (await r.json()).token : null; }`
	api := serve(t, allows(sound, 204, nil))
	for name, row := range map[string]struct {
		host, include, cause, says string
		readable                   bool // by scripts
	}{
		"without credentials":       {"127.0.0.1", "", "callback-without-credentials", `credentials: "include"`, false},
		"without one of the script": {"127.0.0.1", "", "callback-without-credentials", `credentials: "include"`, true},
		"not for another site's":    {"localhost", `credentials: "include",`, "callback-cookie-kept-back", "SameSiteLax", false},
	} {
		t.Run(name, func(t *testing.T) {
			callback := strings.NewReplacer("AUTH", strings.Replace(api, "127.0.0.1", row.host, 1)+"/auth", "INCLUDE", row.include).Replace(ask)
			url := serve(t, says(200, "text/html", html(callback, "")))
			login := &browser.Login{Stored: "ada.json", Cookies: []browser.Cookie{{Name: "sid", Value: "0123456789", Domain: row.host, Path: "/", HTTPOnly: !row.readable, SameSite: "Lax", Expires: time.Now().Add(time.Hour)}}}
			run := suites.RunQuietly(t.Context(), target.Target{PageURL: url + "/", Login: login}, suites.Options{Only: []string{"PAGE-CALLBACK-TOKEN"}, Browser: sharedBrowser(t)})
			if run.Problem != "" || run.ExitCode != 1 {
				t.Errorf("exit code %d, %q: want 1, and no word of the session", run.ExitCode, run.Problem)
			}
			namesAlone(t, run, row.cause, row.says)
		})
	}
}

// nginx answers a request without a certificate, where others end the handshake.
func TestNginxThatWantsACertificateIsUnderstood(t *testing.T) {
	t.Parallel()
	const answer = "<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>No required SSL certificate was sent</center>\r\n</body>\r\n</html>\r\n"
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, answer)
	})
	opts := suites.Options{Browser: sharedBrowser(t), Only: []string{"PAGE-WIDGET", "AUTH-POST-TOKEN", "HOOK-VALID", "HOOK-ANONYMOUS", "RESP-STATUS"}}
	for name, shop := range map[string]target.Target{
		"the page":    {PageURL: url + "/"},
		"its login":   {PageURL: url + "/", Login: &browser.Login{Steps: []browser.Step{{Goto: url + "/login"}}}},
		"an endpoint": {Endpoint: &target.EndpointConfig{URL: url + "/token"}},
		"a webhook":   {Webhooks: []target.Webhook{{Name: "w", URL: "https://hooks.example.com/", ConnectTo: url + "/hook"}}},
	} {
		t.Run(name, func(t *testing.T) {
			run := suites.RunQuietly(t.Context(), shop, opts)
			said := run.Hint
			for _, c := range run.Checks {
				said += " " + c.Actual + " " + c.Reason + " " + c.Fix
			}
			if run.ExitCode == 0 || !strings.Contains(said, "client_certificate: {cert: client.pem, key: client.key}") {
				t.Errorf("exit code %d, and it does not say which key it takes: %s", run.ExitCode, said)
			}
		})
	}
}
